#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# A guest boots, knows what it is, says so from its first line on, and powers off.
# Fails when any of that is missing, when the launcher's status is not the command's,
# or when something of the VM stays behind.
# shellcheck source=tests/selftests/check.sh
. ./check.sh
# shellcheck source=tests/selftests/guest.sh
. ./guest.sh

# shellcheck disable=SC2016  # for the guest
boots()
{
	lg-run --log "$work/log" --append loglevel=8 -- \
		sh -c 'uname -r; dmesg; exit 7' >"$work/out" 2>"$work/err"
	status=$?
	[ "$status" = 7 ] || { echo "status $status"; tail -n 30 "$work/log" "$work/err" "$work/out"; return 1; }
}

runs_the_guests_kernel() { head -n 1 "$work/out" | grep '^6\.12'; }

# What it says of its CPU's own weakness is no complaint.
quiet() { ! grep -aE 'WARNING:|BUG:|Oops|Call Trace' "$work/out" | grep -v 'Speculative Return Stack Overflow:'; }

check boots_and_hands_back_the_status boots
check runs_the_guests_kernel runs_the_guests_kernel
check knows_that_it_is_a_guest said 'Booting paravirtualized kernel on lguest' "$work/out"
check speaks_from_the_first_line_on said 'Linux version 6.12' "$work/log"
check warns_of_nothing quiet
check leaves_nothing_behind wait_for 5 refcnt_is 0
checked
