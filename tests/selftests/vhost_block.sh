#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# A disk that another program serves: a qcow2 image by qemu-storage-daemon, as
# Documentation/disks.md has it. The guest's memory is a file then, shared with it.
# shellcheck source=tests/selftests/check.sh
. ./check.sh
# shellcheck source=tests/selftests/guest.sh
. ./guest.sh
# shellcheck source=tests/selftests/disks.sh
. ./disks.sh

cd "$work" || exit 1

serve()
{
	qemu-storage-daemon --daemonize --pidfile daemon.pid \
		--blockdev driver=file,node-name=file,filename=disk.qcow2,discard=unmap \
		--blockdev driver=qcow2,node-name=disk,file=file \
		--export type=vhost-user-blk,id=disk,node-name=disk,writable=on,addr.type=unix,addr.path=disk.sock
}

served() { qemu-img create -q -f qcow2 disk.qcow2 16M && serve && wait_for 60 [ -S disk.sock ]; }

# A file system of the guest's is the test of its own: many writes, and flushes.
# shellcheck disable=SC2016  # for the guest
copies()
{
	dd if=/dev/urandom of=random bs=1M count=16 2>/dev/null
	run --block=random,ro --block=vhost-user:disk.sock -- sh -c '
		dd if=/dev/vda of=/dev/vdb bs=1M 2>/dev/null && sync &&
		echo 3 >/proc/sys/vm/drop_caches && md5sum /dev/vdb && grep vd /proc/partitions' || return 1
	cat out
	[ "$(head -n 1 out | cut -c 1-32)" = "$(md5sum <random | cut -c 1-32)" ]
}

# Programs, page tables, fork: all of a guest works in memory that is a file.
works_otherwise()
{
	run --block=vhost-user:disk.sock --cpus=2 --report-free --add "$tests/userland64:/bin/userland64" -- \
		sh -c 'userland64; busybox dd if=/dev/zero of=/tmp/zero bs=1M count=8 && rm /tmp/zero' || return 1
	! grep '^not ok' out
}

image_is_complete()
{
	kill "$(cat daemon.pid)"
	wait_for 60 [ ! -e daemon.pid ]
	qemu-img convert -f qcow2 -O raw disk.qcow2 back && cmp back random
}

nobody_listens()
{
	lguest --block=vhost-user:disk.sock 64m "$kernel" >out 2>err
	status=$?
	cat err
	[ "$status" = 1 ] && [ "$(wc -l <err)" = 1 ] && said "no program serves a disk at 'disk.sock'" err
}

check a_program_serves_a_qcow2_image served
check guest_writes_and_reads_it copies
check driver_comes_and_goes_100_times comes_and_goes vhost-user:disk.sock random
check guest_works_in_shared_memory works_otherwise
check image_has_what_the_guest_wrote image_is_complete
check without_the_program_it_is_refused nobody_listens
checked
