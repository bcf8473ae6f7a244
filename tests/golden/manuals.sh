#!/bin/bash
# SPDX-License-Identifier: MIT
# The manuals document the options that the program has: all of them, and no others.
# $PORTAVOZ is the program.
set -u
man=$(dirname "$0")/../../man
status=0

same() { # same WHAT EXPECTED GOT
	[ "$2" = "$3" ] && return
	echo "FAILED: $1 (< program, > manual)"
	diff <(echo "$2") <(echo "$3")
	status=1
}

# "-t --tcp" for each option of a command
program_options() {
	"$PORTAVOZ" "$1" --help | sed -n 's/^  \(-.\), \(--[a-z0-9-]*\).*/\1 \2/p; s/^  \(-.\)  .*/\1/p
		s/^      \(--[a-z0-9-]*\).*/\1/p' | sort
}

manual_options() {
	sed -n 's/^\.It Fl \(.\) , \(Fl \)*-\([a-z0-9-]*\).*/-\1 --\3/p; s/^\.It Fl \([^-]\)$/-\1/p
		s/^\.It Fl -\([a-z0-9-]*\).*/--\1/p' "$1" | sort
}

for command in list read port explain netstat ss baseline diff audit; do
	same "options of $command" "$(program_options $command)" "$(manual_options "$man/portavoz-$command.1")"
done
same "commands" "$("$PORTAVOZ" help | sed -n 's/^  \([a-z]\+\) .*/\1/p' | sort)" \
	"$(sed -n '/^\.Bl -tag -width completion/,/^\.El/s/^\.It Cm \([a-z]*\).*/\1/p' "$man/portavoz.1" | sort)"
exit "$status"
