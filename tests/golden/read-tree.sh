#!/bin/bash
# SPDX-License-Identifier: MIT
# The nesting of a small capture, and what is odd in it: a router, an address behind two link-layer addresses,
# one that two claim by ARP. $PORTAVOZ is the program.
set -u
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0

python3 - "$work/a.pcap" <<'PY'
import struct
import sys

def mac(n):
    return bytes([2, 0, 0, 0, 0, n])

def frame(src, dst, kind, rest):
    return dst + src + struct.pack(">H", kind) + rest

def ip(src, dst, proto, rest):
    return struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(rest), 0, 0, 64, proto, 0, bytes(src), bytes(dst)) + rest

def udp(sport, dport, n):
    return struct.pack(">HHHH", sport, dport, 8 + n, 0) + bytes(n)

def arp(sha, spa, tpa):
    return frame(sha, b"\xff" * 6, 0x806,
                 struct.pack(">HHBBH6s4s6s4s", 1, 0x800, 6, 4, 1, sha, bytes(spa), bytes(6), bytes(tpa)))

host, router, other, thief = mac(1), mac(2), mac(3), mac(4)
frames = []
for i in range(6):  # six addresses of elsewhere, all by way of the router
    frames.append(frame(host, router, 0x800, ip([10, 0, 0, 1], [192, 0, 2, i + 1], 17, udp(40000 + i, 53, 10))))
    frames.append(frame(router, host, 0x800, ip([192, 0, 2, i + 1], [10, 0, 0, 1], 17, udp(53, 40000 + i, 100))))
# the first of them answers from another one, too
frames.append(frame(other, host, 0x800, ip([192, 0, 2, 1], [10, 0, 0, 1], 17, udp(53, 41000, 100))))
frames.append(arp(host, [10, 0, 0, 1], [10, 0, 0, 9]))
frames.append(arp(thief, [10, 0, 0, 1], [10, 0, 0, 9]))
frames.append(arp(thief, [10, 0, 0, 1], [10, 0, 0, 1]))
with open(sys.argv[1], "wb") as f:
    f.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
    for i, data in enumerate(frames):
        f.write(struct.pack("<IIII", 1700000000 + i, 0, len(data), len(data)) + data)
PY

expect() { # expect TEXT: a line of the tree, spaces squeezed
	tr -s ' ' <"$work/tree" | grep -qxF -- "$1" || {
		echo "FAILED: no line '$1' in"
		cat "$work/tree"
		status=1
	}
}

"$PORTAVOZ" read --tree "$work/a.pcap" >"$work/tree" || {
	echo "FAILED: exit $?"
	status=1
}
expect "all 16 100.0 % 1432 100.0 %"
expect "02:00:00:00:00:01 <-> 02:00:00:00:00:02 12 75.0 % 1164 81.3 %"
expect " 10.0.0.1 <-> 192.0.2.6 2 12.5 % 194 13.5 %"
expect " udp 10.0.0.1:40005 -> 192.0.2.6:53 2 12.5 % 194 13.5 %"
expect " 02:00:00:00:00:02 speaks for 6 addresses: a router"
expect " 192.0.2.1 is behind 02:00:00:00:00:02 and 02:00:00:00:00:03"
expect " 10.0.0.1 is claimed by ARP for 02:00:00:00:00:01 and 02:00:00:00:00:04: a duplicate address"
"$PORTAVOZ" read --tree --json "$work/a.pcap" >"$work/json"
[ "$(jq -r '[.odd[].kind] | sort | join(" ")' "$work/json")" = "duplicate router two_macs" ] || {
	echo "FAILED: odd in JSON: $(jq -c .odd "$work/json")"
	status=1
}
[ "$(jq '[.tree.inside[].packets] | add' "$work/json")" = 16 ] || {
	echo "FAILED: the parts of the tree are not the whole"
	status=1
}
exit "$status"
