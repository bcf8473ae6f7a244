#!/bin/sh
# SPDX-License-Identifier: MIT
# The fourteen services everybody knows by heart, as the program answers: the registry's part alone,
# so that the answer is the same on every host. $PORTAVOZ is the program.
set -eu
here=$(dirname "$0")
command -v jq >/dev/null || { echo "skipped: jq is not installed"; exit 77; }

got=$("$PORTAVOZ" port --json 20/tcp 21/tcp 22/tcp 23/tcp 25/tcp 53/tcp 53/udp 67/udp 68/udp 69/udp 80/tcp \
	110/tcp 143/tcp 161/udp 443/tcp |
	jq -r '.ports[] | [.number, .last, .transport, .name, .group, .registered, .description] | @tsv')
printf '%s\n' "$got" | diff -u "$here/port-classic.expected" -
