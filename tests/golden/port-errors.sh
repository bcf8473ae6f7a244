#!/bin/sh
# SPDX-License-Identifier: MIT
# What "portavoz port" says to questions it cannot answer: one line that tells what is allowed, the
# exit status 2 for what is no question, 1 for what is not there. $PORTAVOZ is the program.
set -eu
here=$(dirname "$0")

ask() {
	status=0
	message=$("$PORTAVOZ" port "$@" 2>&1 >/dev/null) || status=$?
	printf '%s\t%s\n' "$status" "$message"
}

{
	ask 65536
	ask -1
	ask 80-20
	ask 1-2-3
	ask http/xyz
	ask htpps
	ask zzzzzzzzzzz
	ask ''
	ask ssh/dccp
	ask "$(printf 'a\033[31mb\nc')"
	ask
	ask --search ''
	ask --search 'no service has these words'
	ask --free 0
	ask --free 1 2
	ask --free --range 20-10
	ask --range 20-30 80
	ask --free --search x
} | diff -u "$here/port-errors.expected" -
