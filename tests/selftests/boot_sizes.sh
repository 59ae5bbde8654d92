#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Guests of all sizes boot, from the smallest that works to one with memory on both
# sides of the devices' hole. Each says how much memory it has. Fails when one does
# not boot, or has much less memory than it was given. (A host with 4 GiB.)
#
# The smallest was measured (boot_sizes.sh --measure tries sizes from 16m on): what is
# smaller the launcher refuses, for there is no room beside the kernel.
# shellcheck source=tests/selftests/check.sh
. ./check.sh
# shellcheck source=tests/selftests/guest.sh
. ./guest.sh
smallest=40

# boots MIB: status 0, and MemTotal within what a kernel takes for itself.
# shellcheck disable=SC2016  # for awk
boots()
{
	total=$(lg-run --log "$work/log" --mem "$1m" -- awk '/^MemTotal:/ { print $2 }' /proc/meminfo) ||
		{ echo "status $?"; tail -n 20 "$work/log"; return 1; }
	echo "$1 MiB: MemTotal $total KiB"
	[ "$total" -gt $(($1 * 1024 * 9 / 10 - 24576)) ] && [ "$total" -le $(($1 * 1024)) ]
}

if [ "${1:-}" = --measure ]; then
	size=16
	until boots $size; do size=$((size + 2)); done
	exit
fi
check "boots_with_the_smallest_size_${smallest}m" boots $smallest
check boots_with_64m boots 64
check boots_with_512m boots 512
if [ "$(awk '/^MemTotal:/ { print $2 }' /proc/meminfo)" -gt 3300000 ]; then
	check boots_with_3g boots 3072
else
	skip boots_with_3g "the host has not enough memory"
fi
checked
