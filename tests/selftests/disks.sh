# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2034,SC2154
#
# What the tests of disks share: $disks, a folder in an ext4 file system.

disks=/mnt/disks

scratch_disk()
{
	mkdir -p "$disks"
	# Not busybox's own, which makes no ext4.
	/lg/mke2fs -q -t ext4 -F /dev/vda && mount -t ext4 /dev/vda "$disks"
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
