#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# "lguest run" on a terminal: the command has it, with its size and the keys that mean
# something there; nobody else writes on it, and afterwards it is what it was. Fails when
# the command sees no terminal or a wrong size, when Ctrl-C does not reach the command or
# reaches somebody else, on a word of the kernel's, and on changed modes.
# shellcheck source=tests/selftests/check.sh
. ./check.sh
# shellcheck source=tests/selftests/guest.sh
. ./guest.sh
export LGUEST_KERNEL="$kernel"

# on_terminal STATUS COMMAND...: a guest with COMMAND on a terminal of its own, and a person
# who does the steps on standard input (see terminal.c), ends so; its modes are the old ones.
on_terminal()
{
	wanted=$1
	shift
	status=0
	./terminal 31x101 lguest run --memory=128m -- "$@" >"$work/out" || status=$?
	cat "$work/out"
	[ "$status" = "$wanted" ] || { echo "status $status, not $wanted"; return 1; }
}

# Quotes keep what is typed, and so printed, apart from what comes of it.
shell_is_as_anywhere()
{
	on_terminal 7 sh <<-'EOF' || return 1
		see #
		type echo $((6*7))
		see 42
		type test -t 0 && test -t 1 && test -t 2 && stty size
		see 31 101
		type until [ "$(stty size)" = "40 120" ]; do sleep 0.1; done; echo re"sized"
		size 40x120
		see resized
		type echo re"ady"; sleep 1000
		see ready
		press C
		type echo "status "$?
		see status 130
		type sh -c 'trap "exit 5" INT; echo tr"apped"; while :; do sleep 1; done'
		see trapped
		press C
		type echo "status "$?
		see status 5
		type exit 7
	EOF
	! grep 'job control' "$work/out"
}

only_the_command_writes()
{
	on_terminal 0 echo alone </dev/null || return 1
	[ "$(cat "$work/out")" = "$(printf 'alone\r')" ]
}

# Its modes are the command's own affair, too.
ctrl_a_x_leaves()
{
	on_terminal 255 sh -c 'stty raw; echo begun; sleep 1000' <<-EOF
		see begun
		press A
		type x
	EOF
}

check shell_is_as_anywhere shell_is_as_anywhere
check only_the_command_writes only_the_command_writes
check ctrl_a_x_leaves ctrl_a_x_leaves
checked
