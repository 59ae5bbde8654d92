#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Disks under fio's load, on each way to them: 256 MiB read as the host has them; what is
# written at random, eight requests at a time, is read back with the right checksums in
# the guest, and later in the host; and guest and host agree on all of the disk. Fails on
# any byte that differs. Wants two scratch disks: one for an ext4 file system, LG_SCRATCH,
# and one of 256 MiB for a guest, LG_SCRATCH_2.
# shellcheck source=tests/selftests/check.sh
. ./check.sh
# shellcheck source=tests/selftests/guest.sh
. ./guest.sh
# shellcheck source=tests/selftests/disks.sh
. ./disks.sh
export LGUEST_KERNEL="$kernel"

# The same bytes at the same places whenever it is run.
load='fio --name=load --randseed=20 --rw=randwrite --bsrange=4k-64k --size=32M --fsync=50'
load="$load --ioengine=libaio --iodepth=8 --verify=crc32c --verify_fatal=1 --output-format=terse"
direct_sum='dd bs=1M iflag=direct 2>/dev/null | md5sum'

sum_of() { md5sum <"$1" | cut -c 1-32; }

# in_guest OPTION: the disk's sum, the load on it, its sum again, in a guest that has it.
in_guest()
{
	timeout 300 lguest run --memory=256m "$1" -- sh -e -c "
		$direct_sum </dev/vda; $load --direct=1 --filename=/dev/vda >/tmp/load || cat /tmp/load
		echo \"fio \$(cut -d ';' -f 5 /tmp/load)\"; $direct_sum </dev/vda" </dev/null >"$work/out" 2>"$work/err"
	status=$?
	cat "$work/out" "$work/err"
	[ "$status" = 0 ] && [ "$(sed -n 2p "$work/out")" = 'fio 0' ]
}
sum_before() { sed -n 1p "$work/out" | cut -c 1-32; }
sum_after() { sed -n 3p "$work/out" | cut -c 1-32; }

# holds FILE OPTION: FILE is the guest's disk by OPTION.
holds()
{
	before=$(sum_of "$1")
	in_guest "$2" || return 1
	echo "before: host $before, after: host $(sum_of "$1")"
	[ "$(sum_before)" = "$before" ] && [ "$(sum_after)" = "$(sum_of "$1")" ] &&
		[ "$(sum_after)" != "$before" ] && $load --verify_only --filename="$1"
	status=$?
	wipe "$1"
	return "$status"
}

# wipe FILE: so that what one load has written is not taken for the next one's.
wipe() { dd if="$disks/random" of="$1" bs=1M count=32 conv=notrunc 2>/dev/null; }

# shellcheck disable=SC2153  # the environment has it
a_block_device()
{
	dd if="$disks/image" of="$LG_SCRATCH_2" bs=1M 2>/dev/null && holds "$LG_SCRATCH_2" --block="$LG_SCRATCH_2"
}

# By another program, as Documentation/disks.md has it.
qcow2()
{
	cd "$disks" || return 1
	qemu-img convert -f raw -O qcow2 image disk.qcow2 &&
	qemu-storage-daemon --daemonize --pidfile "$work/daemon.pid" \
		--blockdev driver=file,node-name=file,filename=disk.qcow2,discard=unmap \
		--blockdev driver=qcow2,node-name=disk,file=file \
		--export "type=vhost-user-blk,id=disk,node-name=disk,writable=on,addr.type=unix,addr.path=$work/disk.sock" &&
		wait_for 60 [ -S "$work/disk.sock" ] && in_guest --block="vhost-user:$work/disk.sock" || return 1
	kill "$(cat "$work/daemon.pid")"
	wait_for 60 [ ! -e "$work/daemon.pid" ]
	[ "$(sum_before)" = "$(sum_of image)" ] && qemu-img convert -f qcow2 -O raw disk.qcow2 image &&
		[ "$(sum_after)" = "$(sum_of image)" ] && $load --verify_only --filename=image
	status=$?
	rm -f disk.qcow2
	cd "$tests" || return 1
	return "$status"
}

# A disk of another machine, or what is served like one: NBD, as the same page has it.
nbd()
{
	mkdir -p /var/lock && insmod /modules/block/*nbd.ko &&
		qemu-nbd --fork --connect=/dev/nbd0 -f raw "$disks/image" && wait_for 60 has_size nbd0 || return 1
	holds /dev/nbd0 --block=/dev/nbd0
	status=$?
	qemu-nbd --disconnect /dev/nbd0 && return "$status"
}
has_size() { [ "$(cat "/sys/block/$1/size")" -gt 0 ]; }

# One byte that differs is seen.
sees_what_is_wrong()
{
	$load --filename="$disks/image" && $load --verify_only --filename="$disks/image" || return 1
	printf x | dd of="$disks/image" bs=1 seek=$((10 * 1024 * 1024 + 1000)) conv=notrunc 2>/dev/null
	! $load --verify_only --filename="$disks/image"
}

check a_scratch_disk scratch_disk
dd if=/dev/urandom of="$disks/image" bs=1M count=256 2>/dev/null
dd if=/dev/urandom of="$disks/random" bs=1M count=32 2>/dev/null
check past_the_page_cache holds "$disks/image" --block="$disks/image"
check through_it holds "$disks/image" --block="$disks/image,cache=writeback"
check written_through holds "$disks/image" --block="$disks/image,cache=writethrough"
check_without_io_uring without_io_uring holds "$disks/image" --block="$disks/image"
check a_block_device a_block_device
check nbd nbd
check qcow2_by_vhost_user qcow2
check a_wrong_byte_is_seen sees_what_is_wrong
checked
