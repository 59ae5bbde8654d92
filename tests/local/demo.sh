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

# one_command_is_run RELEASE WORD...: the words are for make.
one_command_is_run()
{
	local release=$1 words status=0
	shift
	words=$(make -s demo "$@" CMD='uname -r; echo "two  words"; exit 3' </dev/null) || status=$?
	echo "status $status: $words"
	[ "$status" = 2 ] && [[ $words == $release$'\ntwo  words' ]]
}

other_guests_are_refused()
{
	local words
	! words=$(make -s demo GUEST=6.13 CMD=true 2>&1 </dev/null) && [[ $words == *'GUEST can be 6.12'* ]]
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
# This one first: it builds what the terminal's may not have to wait for.
check one_command_is_run one_command_is_run '6.1.*-cloud-amd64'
check our_own_kernel_runs one_command_is_run '6.12.*' GUEST=6.12
check other_guests_are_refused other_guests_are_refused
check shell_until_poweroff shell_until_poweroff
checked
