#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# More of "lguest run", which run.sh has no time for: rarer ends, and another user. Fails
# when one of them has another status, or the user more rights than on the host.
# shellcheck disable=SC2016  # what the guest expands
# shellcheck source=tests/selftests/check.sh
. ./check.sh
# shellcheck source=tests/selftests/guest.sh
. ./guest.sh
# shellcheck source=tests/selftests/run_lib.sh
. ./run_lib.sh

pipes_work() { [ "$(echo hi | lguest run --memory=128m -- cat)" = hi ]; }

goes_down() { run -- poweroff -f </dev/null; ended 255 && said "before the command ended" "$work/err"; }

is_the_user()
{
	make_nobody
	SUDO_UID=65534 run --user -- sh -c 'id -u; echo $USER; touch /new' </dev/null
	[ "$(cat "$work/out")" = "$(printf '65534\nnobody')" ] && ended 1
}

check pipes_work pipes_work
check stop_is_such_a_signal ends_it lguest stop trap
check power_off_is_no_end_of_the_command goes_down
check is_the_user is_the_user
cd /
checked
