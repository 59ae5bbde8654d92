#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# What a guest has flushed is there, whatever becomes of the launcher: a guest writes
# records, flushes, and says so on its console; the launcher is killed at a random
# moment; no record that was told of is missing. 100 times, past the host's page cache
# and through it. Wants a scratch disk: LG_SCRATCH.
# shellcheck source=tests/selftests/check.sh
. ./check.sh
# shellcheck source=tests/selftests/guest.sh
. ./guest.sh
# shellcheck source=tests/selftests/disks.sh
. ./disks.sh

# Few, so that they are written over and over.
sectors=1000

told() { [ -s "$work/told" ]; }

# die_once WORDS: one guest, killed within a second of its first record.
die_once()
{
	rm -f "$work/told"
	dd if=/dev/zero of="$disks/log" bs=512 count=0 seek="$sectors" 2>/dev/null
	lg-run --log "$work/log" --block="$disks/log$1" --add "$tests/disk:/bin/disk" -- \
		disk log /dev/vda "$sectors" >"$work/told" 2>"$work/err" &
	guest=$!
	wait_for 120 told || return 1
	usleep "$(awk -v seed="$(date +%s)$2" 'BEGIN { srand(seed); print int(rand() * 1000000) }')"
	kill -9 "$(launcher_pid)"
	wait "$guest"
	# The last line may be cut short.
	last=$(sed -n '$d; /^[0-9]*$/p' "$work/told" | tail -n 1)
	[ -n "$last" ] || return 0
	"$tests/disk" check "$disks/log" "$sectors" "$last" || return 1
	total=$((total + last))
}

# dies_often WORDS TIMES
dies_often()
{
	total=0
	i=0
	while [ "$i" -lt "$2" ]; do
		die_once "$1" "$i" || { tail -n 20 "$work/told" "$work/err"; return 1; }
		i=$((i + 1))
	done
	echo "$total records"
	[ "$total" -ge "$2" ]
}

# The test sees a record that is not there.
sees_what_is_missing()
{
	cp "$disks/log" "$work/lost"
	dd if=/dev/zero of="$work/lost" bs=512 count=1 seek=$((last % sectors)) conv=notrunc 2>/dev/null
	! "$tests/disk" check "$work/lost" "$sectors" "$last"
}

times=${1:-50}
check a_scratch_disk scratch_disk
check flushed_past_the_page_cache dies_often '' "$times"
check flushed_through_it dies_often ,cache=writeback "$times"
check a_missing_record_is_seen sees_what_is_missing
checked
