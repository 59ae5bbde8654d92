#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# A guest that computes, on a host that has more to do than CPUs: its time is told as a
# guest's (/proc/PID/stat), and being preempted does not send the launcher through user mode
# each time, where rseq has something to do for it.
# shellcheck source=tests/selftests/check.sh
. ./check.sh
# shellcheck source=tests/selftests/guest.sh
. ./guest.sh

trace=/sys/kernel/tracing
event=$trace/events/raw_syscalls/sys_exit

# What the launcher has used of the CPUs, all of it and for the guest, in ticks.
ticks_used() { awk '{ print $14 + $15, $43 }' "/proc/$launcher/stat"; }

busy() { grep -q busy "$work/out"; }

# measure: 3 s beside four programs that compute.
measure()
{
	spinners=''
	for _ in 1 2 3 4; do
		sh -c 'while :; do :; done' &
		spinners="$spinners $!"
	done
	# ioctl() that returns -EINTR. What others had traced is none of ours.
	: >"$trace/trace"
	echo 'id == 16 && ret == -4' >"$event/filter" && echo 1 >"$event/enable" || return 1
	ticks_used >"$work/before"
	sleep 3
	ticks_used >"$work/after"
	echo 0 >"$event/enable"
	grep -c "^ *lguest" "$trace/trace" >"$work/returns"
	# shellcheck disable=SC2086  # words
	kill $spinners
	cat "$work/before" "$work/after" "$work/returns"
}

mostly_the_guests()
{
	cat "$work/before" "$work/after" |
	awk '{ all = $1 - all; guest = $2 - guest } END { print guest " ticks of " all; exit !(all > 20 && guest > 0.5 * all) }'
}

hardly_ever()
{
	echo "LGUEST_RUN returned -EINTR $(cat "$work/returns") times"
	[ "$(cat "$work/returns")" -lt 20 ]
}

lg-run --log "$work/log" -- sh -c 'echo busy; while :; do :; done' >"$work/out" 2>"$work/err" &
wait_for 60 busy
launcher=$(launcher_pid)
check three_seconds_measured measure
check its_time_is_guest_time mostly_the_guests
check preemption_does_not_go_through_user_mode hardly_ever
kill -9 "$launcher"
wait
checked
