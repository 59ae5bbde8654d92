#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# kill -9 of the launcher, at any moment from its start to a guest that works hard,
# leaves nothing behind: no reference to lg.ko, no open file, no memory. 40 moments,
# or as many as the first argument says. Fails when the module stays in use, when
# the host has lost more memory than its own noise, or when it warns.
# shellcheck source=tests/selftests/check.sh
. ./check.sh
# shellcheck source=tests/selftests/guest.sh
. ./guest.sh
times=${1:-40}
# Measured: caches of the host's fill up by 700 KiB during the first 30, and by 2 to 3 KiB
# each time later.
first=30
noise_kib=512

make_initrd "$work/initrd" \
	'while :; do sh -c "seq 200 | sort -r | wc -l >/dev/null"; dd if=/dev/zero of=/tmp/z bs=1M count=4 2>/dev/null; done'

# Milliseconds: half of them while the guest is made and starts, the rest later.
moment()
{
	number=$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')
	if [ $((number % 2)) = 0 ]; then echo $((number / 2 % 400)); else echo $((number / 2 % 5000)); fi
}

kill_one()
{
	when=$(moment)
	lguest --initrd="$work/initrd" 64m "$kernel" quiet </dev/null >/dev/null 2>&1 &
	launcher=$!
	sleep "$(printf '%d.%03d' $((when / 1000)) $((when % 1000)))"
	kill -9 "$launcher"
	wait "$launcher" 2>/dev/null
	wait_for 10 refcnt_is 0 || { echo "killed after $when ms, in use $(cat /sys/module/lg/refcnt) times"; return 1; }
}

kill_many()
{
	count=0
	while [ "$count" -lt "$1" ]; do
		kill_one || return 1
		count=$((count + 1))
	done
}

# What there is: free and slab memory in KiB, page tables, open files. Without what slabs
# keep for later.
state()
{
	for slab in /sys/kernel/slab/*/shrink; do echo 1 >"$slab"; done
	free_kib
	awk '/^SUnreclaim:/ { slab = $2 } /^PageTables:/ { tables = $2 } END { print slab, tables }' \
		/proc/meminfo
	cut -f 1 /proc/sys/fs/file-nr
}

# lost FIELD LIMIT: less than LIMIT more (or, of free memory, less) than before.
lost()
{
	# shellcheck disable=SC2046,SC2086  # words
	set -- "$1" "$2" $(echo $before | cut -d ' ' -f "$1") $(echo $after | cut -d ' ' -f "$1")
	echo "before $3, after $4"
	difference=$(($4 - $3))
	[ "$1" != 1 ] || difference=$((-difference))
	[ "$difference" -lt "$2" ]
}

# What a killed launcher leaves in /run, its name's two files, the next one removes.
dead_names_are()
{
	ls -l /run/lguest
	[ "$(find /run/lguest -name '*.sock' | wc -l)" -le "$1" ] &&
		[ "$(find /run/lguest -name '*.pid' | wc -l)" -le "$1" ]
}

check the_first_ones kill_many $first
before=$(state)
check "killed_at_${times}_moments" kill_many "$times"
check names_of_the_dead_are_removed dead_names_are 1
after=$(state)
# KASAN keeps what is freed for a while, and kmemleak has an object for each allocation: on
# such a host the selftest leaks tells what is lost.
if grep -q ' kasan_quarantine_put$\| __kasan_slab_free$' /proc/kallsyms; then
	skip memory_is_given_back 'KASAN keeps what is freed'
	skip slab_is_given_back 'KASAN keeps what is freed'
else
	check memory_is_given_back lost 1 $noise_kib
	check slab_is_given_back lost 2 $noise_kib
fi
check page_tables_are_given_back lost 3 200
check files_are_closed lost 4 64
check a_guest_still_boots lg-run -- true
check and_leaves_no_name dead_names_are 0
checked
