# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2034,SC2154
#
# What the tests of disks share: $disks, a folder in an ext4 file system.

disks=/mnt/disks
[ -n "${LG_SCRATCH:-}" ] || missing "no disk to write over: LG_SCRATCH names none"

scratch_disk()
{
	mkdir -p "$disks"
	# Not busybox's own, which makes no ext4.
	mke2fs=/lg/mke2fs
	[ -e "$mke2fs" ] || mke2fs=mke2fs
	"$mke2fs" -q -t ext4 -F "$LG_SCRATCH" && mount -t ext4 "$LG_SCRATCH" "$disks"
}

# run OPTIONS-OF-LG-RUN: its output in $work/out, the launcher's in $work/err.
run()
{
	lg-run --log "$work/log" "$@" >"$work/out" 2>"$work/err" && return
	tail -n 20 "$work/out" "$work/log" "$work/err"
	return 1
}

# past_the_cache FILE: what a guest reads of it does not come to lie in the host's memory.
past_the_cache()
{
	run --verbose --block="$1,ro" -- true
	! grep "can't go past" "$work/err"
}

# comes_and_goes BLOCK FILE: the driver of --block=BLOCK goes and comes 100 times, half of them
# with reads under way, and then the disk is still the same as FILE.
# shellcheck disable=SC2016  # for the guest
comes_and_goes()
{
	run --block="$1" -- sh -c '
		cd /sys/bus/virtio/drivers/virtio_blk
		device=$(echo virtio*)
		i=0
		while [ $i -lt 100 ]; do
			[ $((i % 2)) = 0 ] || dd if=/dev/vda of=/dev/null bs=1M 2>/dev/null &
			echo $device >unbind && echo $device >bind || exit 1
			i=$((i + 1))
		done
		wait
		md5sum /dev/vda' || return 1
	[ "$(cut -c 1-32 "$work/out")" = "$(md5sum <"$2" | cut -c 1-32)" ]
}

# check_without_io_uring NAME COMMAND...: as check, on a host that does not let it be used.
check_without_io_uring()
{
	if [ ! -e /proc/sys/kernel/io_uring_disabled ]; then
		skip "$1" "this kernel always has it"
		return
	fi
	echo 2 >/proc/sys/kernel/io_uring_disabled
	check "$@"
	echo 0 >/proc/sys/kernel/io_uring_disabled
}
