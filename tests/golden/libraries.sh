#!/bin/bash
# SPDX-License-Identifier: MIT
# Libraries that cost every start more than a listing takes are loaded by those who need them only. With such a library out of
# order the rest works, and what needs it says so. $PORTAVOZ is the program, $GENERATE makes captures.
set -u
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0
recording=${0%/*}/recordings/states

wrong() {
	echo "FAILED: $*"
	status=1
}

linked=$(ldd "$PORTAVOZ") || wrong "ldd: exit $?"
case $linked in *libportavoz.so*) ;; *) wrong "ldd names no libportavoz: $linked" ;; esac
heavy=$(echo "$linked" | grep -E 'lib(pcap|crypto|ssl|dbus|systemd|gcrypt)')
[ -z "$heavy" ] || wrong "linked: $heavy"

"$GENERATE" 400 20 7 >"$work/a.pcap" 3>/dev/null || wrong "generate: exit $?"
printf '0123456789abcdef0123456789abcdef' >"$work/key"
chmod 600 "$work/key"
mkdir "$work/broken"
for library in libpcap libcrypto; do
	file=$(strings -a "${PORTAVOZ%/*}/../lib/libportavoz.so" | grep -m1 "^$library\.so") || wrong "$library: no name"
	echo 'no library' >"$work/broken/$file"
done
without() { LD_LIBRARY_PATH=$work/broken "$PORTAVOZ" "$@"; }
gaps() { jq -r '.coverage.gaps[] | select(.kind == "library").detail'; }

without list -n --replay="$recording" >/dev/null || wrong "list without them: exit $?"
"$PORTAVOZ" list -n --replay="$recording" --redact="$work/key" >/dev/null || wrong "redaction: exit $?"
said=$(without list -n --replay="$recording" --redact="$work/key" 2>&1 >/dev/null)
[ $? = 1 ] || wrong "redaction without libcrypto: not status 1"
case $said in *"libcrypto could not be loaded"*) ;; *) wrong "redaction without libcrypto: $said" ;; esac

said=$(without read "$work/a.pcap" --bpf tcp 2>&1 >/dev/null)
[ $? = 1 ] || wrong "--bpf without libpcap: not status 1"
case $said in *"--bpf: "*"libpcap.so"*) ;; *) wrong "--bpf without libpcap: $said" ;; esac

columns=proto,local_addr,local_port,remote_addr,remote_port,community_id
"$PORTAVOZ" read "$work/a.pcap" --json --columns=$columns >"$work/with" || wrong "read: exit $?"
without read "$work/a.pcap" --json --columns=$columns >"$work/without" || wrong "read without them: exit $?"
[ -z "$(gaps <"$work/with")" ] || wrong "a gap where nothing is missing: $(gaps <"$work/with")"
case $(gaps <"$work/without") in *libcrypto.so*) ;; *) wrong "read without libcrypto: no gap" ;; esac
ids() { jq -r '.conversations[].community_id' "$1" | grep -c '^1:'; }
[ "$(ids "$work/with")" = 20 ] || wrong "Community IDs: $(ids "$work/with") of 20"
[ "$(ids "$work/without")" = 0 ] || wrong "Community IDs without libcrypto"
[ "$(jq '.conversations | length' "$work/without")" = 20 ] || wrong "conversations without libcrypto"
exit "$status"
