#!/bin/sh
# SPDX-License-Identifier: MIT
# Who listens here, and that a port named by --free can be bound and is then named no more.
# $PORTAVOZ is the program. Sockets are on loopback or bound only; nothing is sent.
set -eu
command -v jq >/dev/null || { echo "skipped: jq is not installed"; exit 77; }
work=$(mktemp -d)
holder=
finish() {
	exec 9>&-
	[ -z "$holder" ] || wait "$holder" || true
	rm -rf "$work"
}
trap finish EXIT
mkfifo "$work/go" "$work/ready"

fail() { echo "FAILED: $*"; exit 1; }

free=$("$PORTAVOZ" port --free --range 20000-32000)
case $free in '' | *[!0-9]*) fail "--free gave '$free'" ;; esac
udp=$("$PORTAVOZ" port --free --udp --range 20000-32000)

# holds TCP $free (listening) and UDP $udp until "go" is closed
python3 - "$free" "$udp" "$work/ready" "$work/go" <<'EOF' &
import socket, sys
tcp = socket.create_server(("127.0.0.1", int(sys.argv[1])))
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.bind(("0.0.0.0", int(sys.argv[2])))
open(sys.argv[3], "w").write("ready\n")
open(sys.argv[4]).read()
EOF
holder=$!
read -r _ <"$work/ready"
exec 9>"$work/go"

owner() {
	"$PORTAVOZ" port --json "$1/$2" |
		jq -r --arg t "$2" '.ports[] | select(.transport == $t) | .listeners[] | .owners[].pid'
}
[ "$(owner "$free" tcp)" = "$holder" ] || fail "the listener on $free/tcp is not $holder"
[ "$(owner "$udp" udp)" = "$holder" ] || fail "the socket on $udp/udp is not $holder"
"$PORTAVOZ" port "$free/tcp" | grep -q "($holder)" || fail "the table does not name $holder"

[ "$("$PORTAVOZ" port --free --range "$free-32000")" != "$free" ] || fail "$free is held, yet named free"
[ "$("$PORTAVOZ" port --free --udp --range "$udp-32000")" != "$udp" ] || fail "$udp/udp is held, yet named free"
status=0
message=$("$PORTAVOZ" port --free --range "$free-$free" 2>&1) || status=$?
[ "$status" = 1 ] || fail "exit status $status when nothing is free"
case $message in *" 1 in use,"*) ;; *) fail "no reason in: $message" ;; esac

# every number of the host's own range counts as ephemeral, those beside it do not
range=$(cat /proc/sys/net/ipv4/ip_local_port_range)
first=${range%%[!0-9]*}
last=${range##*[!0-9]}
[ -z "$(cat /proc/sys/net/ipv4/ip_local_reserved_ports)" ] || { echo "ports are reserved here"; exit 0; }
for case in "$((first - 1)) false" "$first true" "$last true" "$((last + 1)) false"; do
	port=${case% *}
	[ "$port" -le 65535 ] || continue
	got=$("$PORTAVOZ" port --json "$port" | jq -r '.ports[0].ephemeral')
	[ "$got" = "${case#* }" ] || fail "$port: ephemeral is $got"
done
