#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Disks: what is read is what the host has, what is written is there, on each way to
# the file; holes and zeroes; read-only; one writer; a full host disk; a driver that
# comes and goes. Wants a scratch disk for an ext4 file system: LG_SCRATCH.
# shellcheck source=tests/selftests/check.sh
. ./check.sh
# shellcheck source=tests/selftests/guest.sh
. ./guest.sh
# shellcheck source=tests/selftests/disks.sh
. ./disks.sh

# copies FILE WORDS: a guest copies FILE to another disk, each opened with WORDS.
copies()
{
	dd if=/dev/zero of="$disks/copy" bs=1 count=0 seek="$(stat -c %s "$1")" 2>/dev/null
	run --block="$1,ro$2" --block="$disks/copy$2" -- sh -c '
		dd if=/dev/vda of=/dev/vdb bs=1M 2>/dev/null && sync && md5sum /dev/vda' || return 1
	[ "$(cut -c 1-32 "$work/out")" = "$(md5sum <"$1" | cut -c 1-32)" ] || return 1
	cmp "$1" "$disks/copy" || return 1
	rm "$disks/copy"
}

kib() { du -k "$1" | cut -f 1; }

# shellcheck disable=SC2016  # for the guest
holes()
{
	cp "$disks/random" "$disks/holes"
	before=$(kib "$disks/holes")
	run --block="$disks/holes" --add "$tests/disk:/bin/disk" -- sh -c '
		blkdiscard -o 8388608 -l 16777216 /dev/vda && disk zero /dev/vda 33554432 1048576 &&
		dd if=/dev/vda bs=1M skip=8 count=16 2>/dev/null | tr -d "\0" | wc -c &&
		dd if=/dev/vda bs=1M skip=32 count=1 2>/dev/null | tr -d "\0" | wc -c' || return 1
	after=$(kib "$disks/holes")
	echo "before $before KiB, after $after KiB, not zero: $(cat "$work/out")"
	[ "$(tr '\n' ' ' <"$work/out")" = "0 0 " ] || return 1
	[ "$after" -le $((before - 16384)) ] || return 1
	for at in 0 24; do
		dd if="$disks/random" bs=1M skip="$at" count=8 2>/dev/null >"$work/one"
		dd if="$disks/holes" bs=1M skip="$at" count=8 2>/dev/null | cmp - "$work/one" || return 1
	done
	rm "$disks/holes" "$work/one"
}

read_only()
{
	run --block="$disks/random,ro" -- sh -c '
		cat /sys/block/vda/ro; dd if=/dev/zero of=/dev/vda bs=4k count=1 conv=fsync 2>/dev/null || echo refused'
	[ "$(tr '\n' ' ' <"$work/out")" = "1 refused " ]
}

# Who has it is told by number and name.
second_writer()
{
	lg-run --log "$work/first" --block="$disks/random" -- \
		sh -c 'echo "has it"; sleep 1000' >"$work/first-out" 2>&1 &
	first=$!
	wait_for 60 grep -q '^has it' "$work/first-out"
	launcher_pid >"$work/pid"
	lguest --block="$disks/random" 64m "$kernel" >"$work/out" 2>"$work/err"
	status=$?
	cat "$work/err"
	kill "$(cat "$work/pid")"
	wait "$first"
	[ "$status" = 1 ] && [ ! -s "$work/out" ] && [ "$(wc -l <"$work/err")" = 1 ] &&
		said "is in use by process $(cat "$work/pid") (lguest)" "$work/err"
}

# The guest sees an I/O error and goes on, the person gets one line.
full_disk()
{
	mkdir -p "$work/small"
	mount -t tmpfs -o size=8m none "$work/small"
	dd if=/dev/zero of="$work/small/image" bs=1M count=0 seek=32 2>/dev/null
	run --block="$work/small/image" -- sh -c '
		dd if=/dev/urandom of=/dev/vda bs=1M count=16 conv=fsync 2>/dev/null || echo failed
		echo 3 >/proc/sys/vm/drop_caches
		dd if=/dev/vda of=/dev/null bs=1M count=32 2>/dev/null && echo reads
		blkdiscard /dev/vda && dd if=/dev/zero of=/dev/vda bs=1M count=4 conv=fsync 2>/dev/null && echo writes'
	status=$?
	cat "$work/err"
	umount "$work/small"
	[ "$status" = 0 ] && [ "$(tr '\n' ' ' <"$work/out")" = "failed reads writes " ] &&
		[ "$(grep -c '^lguest: .*No space left on device: the guest sees I/O errors' "$work/err")" = 1 ]
}

# The guest's choice is heard of at once, and what it sees is what the person chose.
# shellcheck disable=SC2016  # for the guest
cache_type()
{
	cp "$disks/less" "$disks/cached"
	run --block="$disks/cached,serial=abc,,d" --block="$disks/less,ro,cache=writethrough" -- sh -c '
		cd /sys/block
		cat vda/serial; echo; cat vda/cache_type vdb/cache_type
		echo "write through" >vda/cache_type && cat vda/cache_type
		dd if=/dev/zero of=/dev/vda bs=64k count=10 2>/dev/null && echo written'
	status=$?
	rm "$disks/cached"
	cat "$work/out"
	[ "$status" = 0 ] &&
		[ "$(tr '\n' ' ' <"$work/out")" = "abc,d write back write through write through written " ]
}

# As udev does, which looks at a block device that has just come or was written to.
waited_for()
{
	umount "$disks" || return 1
	"$tests/disk" lock "$LG_SCRATCH" 3 &
	usleep 500000
	run --block="$LG_SCRATCH" -- sh -c 'dd if=/dev/vda of=/dev/null bs=64k count=1'
	status=$?
	mount -t ext4 "$LG_SCRATCH" "$disks"
	return "$status"
}

check a_scratch_disk scratch_disk
dd if=/dev/urandom of="$disks/random" bs=1M count=64 2>/dev/null
dd if="$disks/random" of="$disks/less" bs=1M count=16 2>/dev/null
check goes_past_the_page_cache past_the_cache "$disks/random"
check copies_64_mib_past_the_page_cache copies "$disks/random" ''
check copies_through_it copies "$disks/less" ,cache=writeback
check copies_written_through copies "$disks/less" ,cache=writethrough
check_without_io_uring copies_without_io_uring copies "$disks/less" ''
check discards_are_holes_and_zeroes_are_zero holes
check read_only_is_read_only read_only
check second_writer_is_refused second_writer
check full_host_disk_is_an_io_error full_disk
check driver_comes_and_goes_100_times comes_and_goes "$disks/less,ro" "$disks/less"
check cache_and_serial_are_as_chosen cache_type
check who_has_a_block_device_for_a_moment_is_waited_for waited_for
checked
