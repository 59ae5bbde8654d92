#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# A guest that works hard for a long time while the host swaps its memory, merges
# it (KSM) and splits and makes huge pages: nothing is lost, the host does not warn,
# and its memory is back where it was. Seconds: the first argument, 1800 else.
# Needs a host with less memory than the guests want: hostvm --mem 600M.
# shellcheck source=tests/lib/check.sh
. ./check.sh
# shellcheck source=tests/selftests/guest.sh
. ./guest.sh
seconds=${1:-1800}
noise_kib=4096

swap_on()
{
	modprobe zram num_devices=1 2>/dev/null || { echo "the host has no zram"; return 1; }
	echo 512M >/sys/block/zram0/disksize
	mkswap /dev/zram0 >/dev/null && swapon /dev/zram0
}

ksm_on()
{
	echo 1000 >/sys/kernel/mm/ksm/pages_to_scan
	echo 10 >/sys/kernel/mm/ksm/sleep_millisecs
	echo 1 >/sys/kernel/mm/ksm/run
}

# Files that are known by their sums, rewritten and compared while programs come and go.
# shellcheck disable=SC2016  # for the guest
load='
end=$(($(cut -d . -f 1 /proc/uptime) + SECONDS)); rounds=0
churn() { while [ "$(cut -d . -f 1 /proc/uptime)" -lt "$end" ]; do userland64 | grep "^not ok"; done; }
churn & churn &
head -c 40000000 /dev/urandom >/tmp/random; sum=$(md5sum </tmp/random)
head -c 40000000 /dev/zero >/tmp/same
while [ "$(cut -d . -f 1 /proc/uptime)" -lt "$end" ]; do
	[ "$(md5sum </tmp/random)" = "$sum" ] || echo "LOST memory"
	cp /tmp/random /tmp/copy; cmp /tmp/random /tmp/copy || echo "LOST a copy"
	rm /tmp/copy
	tr -d "\0" </tmp/same | wc -c | grep -qx 0 || echo "LOST zeros"
	rounds=$((rounds + 1))
done
wait; echo "rounds $rounds"; exit 5'

soak()
{
	lg-run --memory 256m --log "$work/log" --cpus=2 --add "$tests/userland64:/bin/userland64" -- \
		sh -c "SECONDS=$seconds$load" >"$work/out" 2>"$work/err" &
	guest=$!
	# What the host needs itself, to make it swap.
	pressure=/tmp/pressure
	while kill -0 $guest 2>/dev/null; do
		head -c 150000000 /dev/zero >$pressure 2>/dev/null
		sleep 2
		rm -f $pressure
		echo 1 >/proc/sys/vm/compact_memory
		sleep 1
	done
	wait $guest
	status=$?
	[ $status = 5 ] || { echo "status $status"; tail -n 30 "$work/out" "$work/log" "$work/err"; return 1; }
}

nothing_lost() { ! grep -E 'LOST|^not ok' "$work/out"; }
went_round() { grep -E '^rounds [1-9]' "$work/out"; }
no_warning() { ! grep -aE 'WARNING|BUG|Oops|stall' "$work/log"; }
host_swapped() { awk '/^pswpout/ { print "pages swapped out:", $2; exit !$2 }' /proc/vmstat; }
host_merged() { echo "full scans: $(cat /sys/kernel/mm/ksm/full_scans)"; [ "$merged" -gt 0 ]; }
memory_is_back()
{
	after=$(free_kib)
	echo "free before $before KiB, after $after KiB"
	[ $((before - after)) -lt $noise_kib ]
}

check swap_on swap_on
check a_first_guest lg-run -- true
before=$(free_kib)
check ksm_on ksm_on
check "${seconds}_seconds_under_load" soak
check nothing_lost nothing_lost
check went_round went_round
check no_warning_in_the_guest no_warning
check host_swapped host_swapped
echo 2 >/sys/kernel/mm/ksm/run
echo 0 >/sys/kernel/mm/ksm/run
check memory_is_back memory_is_back
checked
