#!/bin/bash
# SPDX-License-Identifier: MIT
# Every text for people of the commands that po/POTFILES covers has a Spanish translation with the same
# places, the program speaks it when asked to, and what machines read is the same in every language.
# $PORTAVOZ is the program, $PORTAVOZ_PO the folder of built catalogues.
set -u
cd "$(dirname "$0")/../.." || exit 1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0

wrong() {
	echo "FAILED: $*"
	status=1
}

for program in xgettext msgcmp msgfmt localedef; do
	command -v $program >/dev/null || {
		echo "SKIP: $program is not installed"
		exit 77
	}
done

xgettext --directory=. --files-from=po/POTFILES --language=C --from-code=UTF-8 --keyword=_ --keyword=N_ \
	--keyword=SENTENCE:2 --keyword=PLURAL:2,3 -o "$work/all.pot" || wrong "texts cannot be extracted"
count=$(grep -c '^msgid ' "$work/all.pot")
[ "$count" -gt 200 ] || wrong "only $count texts were found"
for po in po/*.po; do
	msgcmp "$po" "$work/all.pot" || wrong "$po is not complete"
	msgfmt --check-format -o "$work/all.mo" "$po" || wrong "$po is not sound"
	python3 - "$po" <<-'EOF' || status=1
	import re, sys

	def places(text):
	    return set(re.findall(r"\{(\w+)\}", text))

	wrong = 0
	for entry in open(sys.argv[1], encoding="utf-8").read().split("\n\n")[1:]:
	    head, *said = re.split(r"^msgstr", entry, flags=re.M)
	    for text in said:
	        # in the singular the number may be a word
	        if places(text) - places(head) or places(head) - places(text) - {"n"}:
	            print("FAILED: places differ: " + entry)
	            wrong = 1
	sys.exit(wrong)
	EOF
done

localedef -i es_ES -f UTF-8 "$work/es_ES.UTF-8" 2>/dev/null
[ -d "$work/es_ES.UTF-8" ] || {
	echo "SKIP: localedef cannot make es_ES.UTF-8 (package locales)"
	exit $((status ? status : 77))
}
recording=tests/golden/recordings/states

spanish() {
	env -u LANGUAGE LOCPATH="$work" LC_ALL=es_ES.UTF-8 TEXTDOMAINDIR="$PORTAVOZ_PO" "$PORTAVOZ" "$@" 2>&1
}

english() {
	env -u LANGUAGE LC_ALL=C.UTF-8 TEXTDOMAINDIR="$PORTAVOZ_PO" "$PORTAVOZ" "$@" 2>&1
}

says() { # says WANTED ARGUMENT...: in Spanish
	local wanted=$1 got
	shift
	got=$(spanish "$@")
	case $got in
	*"$wanted"*) ;;
	*) wrong "$* does not say '$wanted': $got" ;;
	esac
}

says 'Puerto 22' explain --replay $recording 22
says 'El registro asigna 22/tcp a ssh' explain --replay $recording 22
says 'no se encontró nada; se buscó: ' explain --replay $recording no-such-name
says 'PUERTO  PROTO  NOMBRE' port --replay $recording 22
says 'bien conocido' port --replay $recording 22
says 'Uso: portavoz port' port --help
says 'Qué se busca:' port --help
says 'opción desconocida (¿quiso decir --json?)' explain --jsom
for command in port explain; do
	long=$(spanish $command --help | LC_ALL=C.UTF-8 awk 'length > 80')
	[ -z "$long" ] || wrong "$command --help is too wide in Spanish: $long"
done

# no sentence of English is left over: words that no Spanish text holds
words='the|its|was|which|from|holds|process'
for what in mksock 45565 36041; do
	leftover=$(spanish explain --replay $recording $what | grep -wE "$words")
	[ -z "$leftover" ] || wrong "English in the Spanish explanation of $what: $leftover"
	english explain --replay $recording $what | grep -qwE "$words" || wrong "no English about $what in C.UTF-8"
done

for arguments in "port --json 22" "explain --json 22" "explain --json mksock" "list --json"; do
	# shellcheck disable=SC2086
	[ "$(spanish $arguments --replay $recording)" = "$(english $arguments --replay $recording)" ] ||
		wrong "$arguments depends on the language"
done
exit "$status"
