#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# lg.ko can be loaded and unloaded again and again, with a guest in between now and
# then, and leaves nothing behind: no device, no memory, no line in the log but its
# own. Fails when a load or unload is refused, when the kernel warns (tests/hostvm looks),
# or when the host has lost half a page in each round: a leak of one page is twice that.
# Measured after 50 rounds, in which caches of the host's grow: from then on, what is free
# after 10 rounds or 100 differs by up to 130 KiB, with empty slabs given back, and by up
# to 460 KiB without. Rounds that lose too much are run once more.
# What rmmod gives back of the registers, tests/local/registers.sh sees from outside.
# shellcheck source=tests/selftests/check.sh
. ./check.sh
# shellcheck source=tests/selftests/guest.sh
. ./guest.sh

load_and_unload()
{
	if [ ! -e /sys/module/lg ]; then load_module || return 1; fi
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

# steady_free_kib: memory that nobody has and that no slab keeps for later, in KiB.
steady_free_kib()
{
	for slab in /sys/kernel/slab/*/shrink; do echo 1 >"$slab"; done
	free_kib
}

memory_is_given_back()
{
	for _ in 1 2; do
		before=$(steady_free_kib)
		many_times 200 || return 1
		lost=$((before - $(steady_free_kib)))
		echo "$lost KiB lost in 200 rounds"
		[ "$lost" -ge 400 ] || return 0
	done
	return 1
}

check the_first_times many_times 50
check memory_is_given_back memory_is_given_back
check and_loads_once_more load_module
checked
