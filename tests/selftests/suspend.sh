#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The host sleeps (ACPI S3, woken by its clock) under a guest that reads the TSC: the guest
# lives, and its time goes on where it was, as the host's monotonic time does. For a host VM
# whose TSC the kernel trusts. Each line of the guest is stamped when it arrives.
# shellcheck source=tests/selftests/check.sh
. ./check.sh
# shellcheck source=tests/selftests/guest.sh
. ./guest.sh

if ! grep -qw mem /sys/power/state; then
	skip_all "this machine can't sleep"
fi

lines() { wc -l <"$work/lines"; }
more_than() { [ "$(lines)" -gt "$1" ]; }

# Lines: guest's wall clock and monotonic time, then the host's, in ns.
guest()
{
	lg-run --log "$work/log" --add "$tests/clocks:/bin/clocks" -- clocks 80 100 2>"$work/err" |
	while read -r line; do
		echo "$line $("$tests/clocks")"
	done >"$work/lines"
}

sleeps()
{
	rtc=/sys/class/rtc/rtc0/wakealarm
	before=$(date +%s)
	echo 0 >"$rtc" && echo +8 >"$rtc" && echo mem >/sys/power/state || return 1
	after=$(date +%s)
	echo "slept for $((after - before)) s"
	dmesg | grep -a 'PM: suspend exit' && [ $((after - before)) -ge 4 ]
}

# The guest's monotonic time against the host's, over all lines; no line goes back.
time_goes_on()
{
	awk '
		function seconds(a) { return substr(a, 1, length(a) - 9) + substr(a, length(a) - 8) / 1e9 }
		{
			guest = seconds($2); ahead = guest - seconds($4)
			if (NR == 1) { low = high = ahead } else if (guest < last) back++
			if (ahead < low) low = ahead
			if (ahead > high) high = ahead
			last = guest
		}
		END {
			printf "%d lines, the two differ by up to %.3f s, %d lines go back\n", NR, high - low, back
			exit !(NR == 80 && !back && high - low < 3)
		}' "$work/lines"
}

: >"$work/lines"
guest &
wait_for 60 more_than 20
asleep_at=$(lines)
check the_host_sleeps_and_wakes sleeps
check the_guest_runs_on wait_for 60 more_than $((asleep_at + 20))
wait
check its_time_goes_on_where_it_was time_goes_on
checked
