#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# lg.ko can be loaded and unloaded again and again, with a guest in between now and
# then, and leaves nothing behind: no device, no memory, no line in the log but its
# own. Fails when a load or unload is refused, when the host has lost more than
# 512 KiB (its noise is below 200), or when the kernel warns (tests/hostvm looks).
# What rmmod gives back of the registers, tests/local/registers.sh sees from outside.
# shellcheck source=tests/lib/check.sh
. ./check.sh
# shellcheck source=tests/selftests/guest.sh
. ./guest.sh
rounds=50

load_and_unload()
{
	if [ ! -e /sys/module/lg ]; then insmod /lg/lg.ko || return 1; fi
	[ -c /dev/lguest ] || { echo "no /dev/lguest"; return 1; }
	if [ "${1:-}" = vm ]; then
		"$tests/hostile_guest" spin page_fault >"$work/out" || { cat "$work/out"; return 1; }
	fi
	rmmod lg || return 1
	[ ! -e /sys/module/lg ] && [ ! -e /dev/lguest ]
}

fifty_times()
{
	round=0
	while [ "$round" -lt "$rounds" ]; do
		round=$((round + 1))
		if [ $((round % 5)) = 0 ]; then load_and_unload vm; else load_and_unload; fi ||
			{ echo "in round $round"; return 1; }
	done
}

memory_is_given_back()
{
	echo "free before: $before KiB, after: $after KiB"
	[ $((before - after)) -lt 512 ]
}

check a_first_time load_and_unload vm
before=$(free_kib)
check fifty_times fifty_times
after=$(free_kib)
check memory_is_given_back memory_is_given_back
check and_loads_once_more insmod /lg/lg.ko
checked
