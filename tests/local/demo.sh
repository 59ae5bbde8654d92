#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What the README shows first: make demo is a shell in a guest on the person's own
# terminal, and poweroff gives that back; with CMD= it is one command. Fails when what is
# typed is not answered, on any other end, and on a terminal that is not what it was.
set -u
cd "$(dirname -- "$0")/../.." || exit 1
. tests/selftests/check.sh
terminal=$PWD/build/selftests/terminal

# This one first: it builds what the other may not have to wait for.
one_command_is_run()
{
	local words status=0
	words=$(make -s demo CMD='uname -r; echo "two  words"; exit 3' </dev/null) || status=$?
	echo "status $status: $words"
	[ "$status" = 2 ] && [[ $words == 6.12.*$'\ntwo  words' ]]
}

# The guest's terminal has the size of the person's.
shell_until_poweroff()
{
	"$terminal" 31x101 make -s demo <<-'EOF'
		see 'poweroff' ends it.
		see #
		type echo $((6*7))
		see 42
		type stty size
		see 31 101
		type poweroff
	EOF
}

scripts/deps test >&2
make -s -C tests/selftests OUTPUT="$PWD/build/selftests" "$terminal" >&2
check one_command_is_run one_command_is_run
check shell_until_poweroff shell_until_poweroff
checked
