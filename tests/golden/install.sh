#!/bin/bash
# SPDX-License-Identifier: MIT
# What is installed is complete: the example builds against it through pkg-config alone and finds a
# listener of ours, the library shows public names only, the program runs with its library.
# $PORTAVOZ_BUILD is the build folder, $PORTAVOZ_SOURCE the source folder.
set -u
work=$(mktemp -d)
trap 'rm -rf "$work"; [ -z "${listener:-}" ] || kill "$listener" 2>/dev/null' EXIT
status=0

wrong() {
	echo "FAILED: $*"
	status=1
}

meson install -C "$PORTAVOZ_BUILD" --destdir "$work" --no-rebuild --quiet || {
	echo "FAILED: meson install"
	exit 1
}
pc=$(find "$work" -name libportavoz.pc)
[ -n "$pc" ] || wrong "no libportavoz.pc"
export PKG_CONFIG_PATH=${pc%/*} PKG_CONFIG_SYSROOT_DIR=$work
libdir=$work$(PKG_CONFIG_SYSROOT_DIR='' pkg-config --variable=libdir libportavoz)

# shellcheck disable=SC2046
cc -std=c17 -Wall -Wextra -Werror "$PORTAVOZ_SOURCE/examples/list.c" -o "$work/list" \
	$(pkg-config --cflags --libs libportavoz) || wrong "the example does not build"
lines=$(wc -l <"$PORTAVOZ_SOURCE/examples/list.c")
[ "$lines" -lt 40 ] || wrong "the example has $lines lines"

coproc python3 -c '
import socket, sys
s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen()
print(s.getsockname()[1], flush=True); sys.stdin.read()'
listener=$COPROC_PID
read -r port <&"${COPROC[0]}"
LD_LIBRARY_PATH=$libdir "$work/list" >"$work/out" || wrong "the example fails: exit $?"
grep -q "^LISTEN 127.0.0.1 $port 0.0.0.0 0 pid=$listener none$" "$work/out" || {
	wrong "the example does not show LISTEN 127.0.0.1 $port pid=$listener"
	grep " $port " "$work/out"
}

odd=$(nm -D --defined-only "$libdir/libportavoz.so" | awk '$2 != "A" { print $3 }' | grep -v '^pv_')
[ -z "$odd" ] || wrong "names that are not public are exported: $odd"
LD_LIBRARY_PATH=$libdir "$(find "$work" -path '*/bin/portavoz')" --version | grep -q '^portavoz [0-9]' ||
	wrong "the installed program does not run"

for file in man1/portavoz.1 man1/portavoz-list.1 man1/portavoz-netstat.1 man1/portavoz-ss.1 bash-completion/completions/portavoz zsh/site-functions/_portavoz \
	fish/vendor_completions.d/portavoz.fish; do
	[ -n "$(find "$work" -path "*/$file")" ] || wrong "$file is not installed"
done
exit "$status"
