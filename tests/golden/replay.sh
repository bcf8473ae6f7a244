#!/bin/bash
# SPDX-License-Identifier: MIT
# Lists from recordings as tests/golden/replay.cases says, twice, and compares with expected/NAME: what is
# listed from a recording is the same everywhere, byte for byte. $PORTAVOZ is the program; --renew writes
# what it says now to expected/, to be read like code.
set -u
cd "$(dirname "$0")" || exit 1
export LC_ALL=C.UTF-8 TERM=dumb
status=0 n=0
mkdir -p expected

while IFS='|' read -r name recording arguments; do
	case $name in '' | \#*) continue ;; esac
	n=$((n + 1))
	run() {
		eval "\"\$PORTAVOZ\" list --replay \"recordings/$recording\" $arguments" 2>&1
		echo "exit status $?"
	}
	if [ "${1:-}" = --renew ]; then
		run >"expected/$name"
	elif got=$(diff -u "expected/$name" <(run)) && got=$(diff -u "expected/$name" <(run)); then
		echo "ok      $name"
	else
		echo "FAILED  $name"
		printf '%s\n' "$got"
		status=1
	fi
done <replay.cases
[ "$n" -gt 0 ] || status=1
exit "$status"
