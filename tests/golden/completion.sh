#!/bin/bash
# SPDX-License-Identifier: MIT
# The completion scripts are sound, know every option of every command, and bash's and fish's offer
# what fits at the cursor. $PORTAVOZ is the program.
set -u
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0

wrong() {
	echo "FAILED: $*"
	status=1
}

for shell in bash zsh fish; do
	command -v "$shell" >/dev/null || {
		echo "SKIP: $shell is not installed"
		exit 77
	}
	"$PORTAVOZ" completion "$shell" >"$work/$shell" || wrong "completion $shell: exit $?"
done
bash -n "$work/bash" || wrong "bash cannot read its script"
zsh -n "$work/zsh" || wrong "zsh cannot read its script"
fish --no-execute "$work/fish" || wrong "fish cannot read its script"

for command in $("$PORTAVOZ" help | sed -n 's/^  \([a-z]\+\) .*/\1/p'); do
	for option in $("$PORTAVOZ" "$command" --help | grep -oE '^ {2,6}(-., )?--[a-z0-9-]+' | grep -oE '[a-z0-9-]+$'); do
		option=${option#--}
		for shell in bash zsh; do
			grep -q -e "--$option\b" "$work/$shell" || wrong "$shell does not know $command --$option"
		done
		grep -q -e " -l $option\b" "$work/fish" || wrong "fish does not know $command --$option"
	done
done

# shellcheck source=/dev/null
. "$work/bash"

offers() { # offers WORDS... CURRENT: what bash completes for that line
	COMP_WORDS=(portavoz "$@")
	COMP_CWORD=$#
	_portavoz
	echo "${COMPREPLY[*]}"
}

expect() { # expect WHAT GOT
	[ "$1" = "$2" ] || wrong "expected '$1', got '$2'"
}

expect "completion" "$(offers comp)"
expect "auto bpf proc none" "$(offers list --owners = '')"
expect "bpf" "$(offers list --owners b)"
expect "none" "$(offers --owners = n)"
expect "--owners" "$(offers list --own)"
expect "--summary" "$(offers -t --summ)"
expect "bash zsh fish" "$(offers completion '')"
expect "columns" "$(offers help colu)"
expect "local_port" "$(offers list --columns = local_p)"
expect "proto,local_port" "$(offers list --columns proto,local_p)"
expect "-local_port" "$(offers list --sort = -local_p)"
expect "all" "$(offers list -N al)"
expect "4,all" "$(offers explain --netns 4,al)"
# a name in there that no shell must run
# shellcheck disable=SC2016,SC2317
ls() { printf '%s\n' blue red '$(touch '"$work"'/ran)' 'x y'; }
expect "all blue red" "$(offers list -N '')"
expect "blue,red" "$(offers list -N blue,r)"
unset -f ls
[ ! -e "$work/ran" ] || wrong "a name of a namespace was run"
expect "established" "$(offers list state est)"
expect "sport" "$(offers list -t sp)"
expect "incoming" "$(offers direction inc)"
expect "well-known registered dynamic" "$(offers list group '')"
expect "" "$(offers status --owners)"
mkdir "$work/folder"
touch "$work/file"
expect "$work/folder" "$(offers list --record = "$work/f")"
expect "$work/folder" "$(offers list --replay = "$work/fol")"
expect "$work/file" "$(offers list --diag = "$work/fil")"

if "$PORTAVOZ" list "state $(offers list state listen)" >/dev/null 2>&1; then :; else
	wrong "a state that is offered is refused"
fi

fish_offers() {
	HOME=$work fish --no-config -c "source $work/fish; complete -C '$1'" | cut -f 1 | tr '\n' ' '
}
expect "--owners=auto --owners=bpf --owners=none --owners=proc " "$(fish_offers 'portavoz list --owners=' | tr ' ' '\n' | sort | tr '\n' ' ' | sed 's/^ //')"
case $(fish_offers 'portavoz list --netns=al') in
*"--netns=all "*) ;;
*) wrong "fish does not offer all namespaces: $(fish_offers 'portavoz list --netns=al')" ;;
esac
expect "completion " "$(fish_offers 'portavoz comp')"
expect "time-wait " "$(fish_offers 'portavoz list state time')"
expect "outgoing " "$(fish_offers 'portavoz list direction out')"
expect "bash fish zsh " "$(fish_offers 'portavoz completion ' | tr ' ' '\n' | sort | tr '\n' ' ' | sed 's/^ //')"
exit "$status"
