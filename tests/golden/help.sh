#!/bin/bash
# SPDX-License-Identifier: MIT
# Every command explains itself within 80 columns, refuses what it does not know with status 2 (netstat: 3, ss: 255), and
# fails loudly when its output is lost. $PORTAVOZ is the program.
set -u
status=0

wrong() {
	echo "FAILED: $*"
	status=1
}

commands=$("$PORTAVOZ" help | sed -n 's/^  \([a-z]\+\) .*/\1/p')
[ "$(echo "$commands" | wc -w)" -ge 6 ] || wrong "help names too few commands: $commands"

long=$("$PORTAVOZ" help | awk 'length > 80')
[ -z "$long" ] || wrong "help is too wide: $long"

for command in $commands; do
	help=$("$PORTAVOZ" "$command" --help) || wrong "$command --help: exit $?"
	[ "$help" = "$("$PORTAVOZ" help "$command")" ] || wrong "help $command differs from $command --help"
	[ "$help" = "$("$PORTAVOZ" "$command" -h)" ] || wrong "$command -h differs from $command --help"
	long=$(printf '%s\n' "$help" | awk 'length > 80')
	[ -z "$long" ] || wrong "$command --help is too wide: $long"
	case $help in
	"Usage: portavoz $command"*) ;;
	*) wrong "$command --help does not begin with its usage" ;;
	esac

	case $command in
	netstat) wanted=3 ;; # as the originals
	ss) wanted=255 ;;
	*) wanted=2 ;;
	esac
	said=$("$PORTAVOZ" "$command" --no-such-thing 2>&1 >/dev/null)
	[ $? = "$wanted" ] || wrong "$command --no-such-thing: not status $wanted"
	[ "$said" = "portavoz: --no-such-thing: unknown option (--help lists them)" ] || wrong "$command: $said"

	said=$("$PORTAVOZ" "$command" --help 2>&1 >/dev/full)
	[ $? = 1 ] || wrong "$command --help to a full device: not status 1"
	[ "$said" = "portavoz: standard output: No space left on device" ] || wrong "$command, full device: $said"
done

for words in "" "columns" "completion bash" "completion zsh" "completion fish" "list --json" "list" "status" "port 80" "netstat -an" "ss -an" \
	"--version"; do
	# shellcheck disable=SC2086
	said=$("$PORTAVOZ" $words 2>&1 >/dev/full)
	[ $? = 1 ] || wrong "'$words' to a full device: not status 1"
	[ "$said" = "portavoz: standard output: No space left on device" ] || wrong "'$words', full device: $said"
done

said=$("$PORTAVOZ" help lsit 2>&1)
[ "$? $said" = "2 portavoz: lsit: no such command (did you mean list?)" ] || wrong "help lsit: $said"
said=$("$PORTAVOZ" list --onwers=bpf 2>&1)
[ "$? $said" = "2 portavoz: --onwers: unknown option (did you mean --owners?)" ] || wrong "list --onwers: $said"
said=$("$PORTAVOZ" completion csh 2>&1)
[ "$? $said" = "2 portavoz: csh: expected bash, zsh or fish" ] || wrong "completion csh: $said"

refuses() { # refuses "MESSAGE" ARGUMENT...: status 2, and the message on the first line
	local expected=$1
	shift
	said=$("$PORTAVOZ" "$@" 2>&1 >/dev/null)
	[ $? = 2 ] || wrong "$*: not status 2"
	[ "${said%%$'\n'*}" = "portavoz: $expected" ] || wrong "$*: $said"
}
servers="--dns-servers: expected ADDR, ADDR:PORT or [ADDR]:PORT, with commas between them"
for list in x 192.0.2.1: 192.0.2.1:0 192.0.2.1,,192.0.2.2 '[::1' '[::1]53' ''; do
	refuses "$servers" list --dns-servers="$list"
done
refuses "--json, --jsonl, --csv: only one of them at a time" list --json --csv
refuses "--summary: is written as text or --json" list -s --csv
for option in --columns=pid --sort=pid --pairs; do
	refuses "--summary: does not go with --columns, --sort or --pairs" list -s "$option"
done
refuses 'filter: "porrt" is neither a predicate nor an address' porrt
[ "${said##*$'\n'}" = "  or did you mean the command 'portavoz port'?" ] || wrong "porrt: $said"
"$PORTAVOZ" list -n --dns-servers='192.0.2.1,192.0.2.1:53,2001:db8::1,[2001:db8::1]:53' >/dev/null ||
	wrong "name servers as they should be: exit $?"
exit "$status"
