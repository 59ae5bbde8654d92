#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# lg.ko can be loaded and unloaded again and again, with a guest in between now and
# then, and leaves nothing behind: no device, no memory, no line in the log but its
# own. Fails when a load or unload is refused, when the host has lost more than
# 256 KiB, or when the kernel warns (tests/hostvm looks). Measured: caches of the host's
# grow by up to 660 KiB in the first 50 rounds, and then neither they nor anything else.
# What rmmod gives back of the registers, tests/local/registers.sh sees from outside.
# shellcheck source=tests/lib/check.sh
. ./check.sh
# shellcheck source=tests/selftests/guest.sh
. ./guest.sh

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

many_times()
{
	round=0
	while [ "$round" -lt "$1" ]; do
		round=$((round + 1))
		if [ $((round % 5)) = 0 ]; then load_and_unload vm; else load_and_unload; fi ||
			{ echo "in round $round"; return 1; }
	done
}

memory_is_given_back()
{
	echo "free before: $before KiB, after: $after KiB"
	[ $((before - after)) -lt 256 ]
}

check the_first_times many_times 50
before=$(free_kib)
check fifty_times many_times 50
after=$(free_kib)
check memory_is_given_back memory_is_given_back
check and_loads_once_more insmod /lg/lg.ko
checked
