#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# A guest forks, executes, maps, signals and talks through pipes for SOAK_MINUTES (or
# soak_minutes= on the kernel's command line; 1), beside memory of which it knows every
# page. Meanwhile the host swaps, merges, migrates and splits the guest's memory and
# drops shadow pages. Nothing is lost, and in the end the host has its memory back.
# Wants a scratch disk for swap: LG_SCRATCH.
# shellcheck source=tests/selftests/check.sh
. ./check.sh
# shellcheck source=tests/selftests/guest.sh
. ./guest.sh

minutes=${SOAK_MINUTES:-$(sed -n 's/.*soak_minutes=\([0-9]*\).*/\1/p' /proc/cmdline)}
ksm=/sys/kernel/mm/ksm

vmstat() { awk -v name="$1" '$1 == name { print $2 }' /proc/vmstat; }

swap_on() { mkswap "$LG_SCRATCH" >/dev/null && swapon "$LG_SCRATCH"; }

# press: what the host has to hold beside the guest, until there is not enough for both.
press()
{
	mkdir "$work/pressed" && mount -t tmpfs -o size=100% none "$work/pressed" || return 1
	free=$(awk '/^MemAvailable:/ { print int($2 / 1024) }' /proc/meminfo)
	dd if=/dev/urandom of="$work/pressed/file" bs=1M count=$((free > 280 ? free - 200 : 80)) 2>/dev/null
	pressed=$(md5sum <"$work/pressed/file")
}

is_held() { [ "$(md5sum <"$work/pressed/file")" = "$pressed" ]; }

start()
{
	echo 1 >"$ksm/run" && echo 1000 >"$ksm/pages_to_scan" || return 1
	lg-run --log "$work/log" --stats --cpus=2 --mem 448m --merge --add "$tests/soak_load:/bin/soak_load" -- \
		/bin/soak_load $((${minutes:-1} * 60)) 256 >"$work/out" 2>"$work/err" &
	guest=$!
	wait_for 120 lives || { cat "$work/err"; return 1; }
}

lives() { [ -n "$(ls /sys/kernel/debug/lguest)" ]; }

# disturb: until the guest ends, all that a host may do with its memory.
disturb()
{
	most=0
	while kill -0 "$guest" 2>/dev/null; do
		echo 1 >/proc/sys/vm/compact_memory
		sleep 2
		echo 2 >/proc/sys/vm/drop_caches
		sleep 2
		sharing=$(cat "$ksm/pages_sharing")
		[ "$sharing" -le "$most" ] || most=$sharing
	done
}

ends_well()
{
	wait "$guest"
	status=$?
	[ "$status" = 0 ] || tail -n 10 "$work/log" "$work/err"
	cat "$work/out"
	[ "$status" = 0 ] || return 1
	[ "$(grep -c '^ok' "$work/out")" = 6 ] && ! grep -aE 'WARNING|BUG|Oops|stall' "$work/log"
}

# grew NAME BEFORE: the host has counted more of it since.
grew() { now=$(vmstat "$1"); echo "$1: $2, then $now"; [ "$now" -gt "$2" ]; }

merged() { echo "$most pages were merged into others"; [ "$most" -gt 1000 ]; }

nothing_is_left()
{
	! lives && refcnt_is 0 && [ "$(cat "$ksm/pages_sharing")" = 0 ]
}

# What is in no list is not steady to the page.
memory_is_back()
{
	swapoff "$LG_SCRATCH" || return 1
	now=$(free_kib)
	echo "$before KiB before, $now KiB now"
	[ "$now" -gt $((before - 8192)) ]
}

if [ ! -b "${LG_SCRATCH:-}" ]; then
	skip soak "no scratch disk: tests/hostvm --scratch 1G"
	checked
fi
before=$(free_kib)
check swap_is_on swap_on
out=$(vmstat pswpout) in=$(vmstat pswpin) migrated=$(vmstat pgmigrate_success)
check the_host_is_pressed press
check a_guest_starts start
disturb
check nothing_is_lost ends_well
check nothing_of_the_host_is_lost is_held
umount "$work/pressed"
check the_host_has_swapped_out grew pswpout "$out"
check the_host_has_swapped_in grew pswpin "$in"
check the_host_has_migrated grew pgmigrate_success "$migrated"
check the_host_has_merged merged
check nothing_is_left wait_for 30 nothing_is_left
check memory_is_back memory_is_back
checked
