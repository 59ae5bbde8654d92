#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Shadow page tables take no more memory than they may, and the host gets some of it
# back when it asks; the guest goes on, slower. And the launcher takes little beside
# its guest's memory. Fails when a limit is passed, when the host's shrinkers leave the
# shadow as it is, and when the guest does not end well.
# shellcheck source=tests/selftests/check.sh
. ./check.sh
# shellcheck source=tests/selftests/guest.sh
. ./guest.sh

# Four processes that fork and execute, for so many SECONDS, and look at what comes out.
# shellcheck disable=SC2016  # for the guest
load='mount -t devtmpfs none /dev
	sum() { seq 200 | sort -r | md5sum; }
	right=$(sum); echo the load begins
	end=$(($(date +%s) + SECONDS))
	work() { while [ $(date +%s) -lt $end ]; do [ "$(sum)" = "$right" ] || echo wrong; echo done; done; }
	for i in 1 2 3 4; do work & done; wait; echo the load has ended; poweroff -f'

# start SECONDS OPTIONS...: a guest under load, in the background.
start()
{
	make_initrd "$work/initrd" "SECONDS=$1" "$load" || return 1
	rm -f "$work/out"
	shift
	lguest --initrd="$work/initrd" --stats "$@" 96m "$kernel" quiet </dev/null >"$work/out" 2>"$work/err" &
	launcher=$!
	wait_for 120 grep -q 'load begins' "$work/out" || { cat "$work/out" "$work/err"; return 1; }
}

pages() { awk '$1 == "shadow_pages" { print $2 }' "/sys/kernel/debug/lguest/$launcher"-*/stats; }

# watch LIMIT: while the guest runs there are never more shadow pages, and some.
watch()
{
	most=0
	while now=$(pages 2>/dev/null) && [ -n "$now" ]; do
		[ "$now" -le "$most" ] || most=$now
		sleep 0.02
	done
	echo "at most $most shadow pages"
	[ "$most" -gt 0 ] && [ "$most" -le "$1" ]
}

ends_well()
{
	wait "$launcher" || { tail -n 30 "$work/out" "$work/err"; return 1; }
	echo "done $(grep -c '^done' "$work/out") times"
	grep -q '^done' "$work/out" && said 'load has ended' "$work/out" &&
		! grep -aE "wrong|can't|BUG|Oops|WARNING|segfault" "$work/out"
}

# Asked for all of them, while the guest makes no new ones.
shrinks()
{
	freeze "$launcher"
	before=$(pages)
	echo 2 >/proc/sys/vm/drop_caches
	after=$(pages)
	kill -CONT "$launcher"
	echo "$before shadow pages, then $after"
	[ "$before" -gt 10 ] && [ "$after" -lt $((before / 4)) ]
}

# takes_at_most KIB: so much of the launcher is in memory, its largest mapping aside.
takes_at_most()
{
	beside=$(awk '/^Size:/ { size = $2 }
		/^Rss:/ { all += $2; if (size > largest) { largest = size; guest = $2 } }
		END { print all - guest }' "/proc/$launcher/smaps")
	echo "$beside KiB beside the guest's memory"
	[ "$beside" -gt 0 ] && [ "$beside" -le "$1" ]
}

check a_guest_with_1_mib_of_shadow_starts start 5 --shadow=1m --cpus=2
check it_has_no_more_than_that watch 85
check its_load_ends_well ends_well
check a_guest_without_a_limit_starts start 20 --cpus=2
check the_launcher_takes_5_mib_at_most takes_at_most 5120
sleep 1
for round in 1 2 3; do
	check "the_host_gets_shadow_pages_back_$round" shrinks
	sleep 0.5
done
check the_load_ends_well ends_well
checked
