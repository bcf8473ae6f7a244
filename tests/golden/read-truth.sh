#!/bin/bash
# SPDX-License-Identifier: MIT
# The totals of a generated capture equal its truth, conversation by conversation, from a file, from a
# pipe, and, as sums, from a table that is too small for them. $PORTAVOZ is the program, $GENERATE
# makes captures.
set -u
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0
columns=proto,local_addr,local_port,remote_addr,remote_port,out_packets,out_bytes,out_payload,in_packets,in_bytes,in_payload

wrong() {
	echo "FAILED: $*"
	status=1
}

"$GENERATE" 60000 3000 7 >"$work/a.pcap" 3>"$work/truth" || wrong "generate: exit $?"
tr '\t' ',' <"$work/truth" | sort >"$work/expected"
[ "$(wc -l <"$work/expected")" = 3000 ] || wrong "the truth has $(wc -l <"$work/expected") lines"

"$PORTAVOZ" read "$work/a.pcap" --csv -H --columns=$columns | sort >"$work/got" || wrong "read: exit $?"
cmp "$work/expected" "$work/got" || wrong "totals of the file"
"$PORTAVOZ" read - --csv -H --columns=$columns <"$work/a.pcap" | sort >"$work/got"
cmp "$work/expected" "$work/got" || wrong "totals from a pipe"

# conversations that leave early and come back are listed as several; nothing is lost or doubled
parts=$("$PORTAVOZ" read "$work/a.pcap" --memory 1M --json | jq '.coverage.gaps[] | select(.kind == "evicted").count')
[ "${parts:-0}" -gt 0 ] || wrong "nothing had to leave a table of 1 MiB"
"$PORTAVOZ" read "$work/a.pcap" --memory 1M --json -s >"$work/summary"
[ "$(jq '.all.packets' "$work/summary")" = 60000 ] || wrong "packets with a small table: $(jq '.all.packets' "$work/summary")"
bytes=$(awk -F, '{ s += $7 + $10 } END { print s }' "$work/expected")
[ "$(jq '.all.bytes' "$work/summary")" = "$bytes" ] || wrong "bytes with a small table"
exit "$status"
