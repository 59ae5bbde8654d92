#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Kernels of a distribution, as they are installed, run as guests: through Xen's ABI for
# paravirtual guests, which they all carry. Each kernel in $LG_STOCK (/lg/stock) boots to a
# shell, complains of nothing, and powers off; the first one does so with four CPUs, too, and
# with programs that fork and change their memory on all of them. Each has a disk, too, by its
# own driver ($LG_STOCK.ko/NAME.ko).
# shellcheck disable=SC2016  # for the guest
# shellcheck source=tests/selftests/check.sh
. ./check.sh
# shellcheck source=tests/selftests/guest.sh
. ./guest.sh
stock=${LG_STOCK:-/lg/stock}
[ -n "$(ls "$stock" 2>/dev/null)" ] || missing "no kernels of a distribution in $stock"
first=$(find "$stock" -type f | sort | head -n 1)

make_initrd "$work/initrd" 'echo "runs $(uname -r)"' \
	'dmesg | grep -E "Checked W.X|BUG:|WARNING:|Oops|Call Trace"' 'exec poweroff -f'
# Of each 20 rounds some 100 processes; the sum says that none of them saw another's memory.
make_initrd "$work/busy" \
	'mount -t devtmpfs none /dev; busy() { for i in 1 2 3 4 5; do seq 2000 | sort -r | md5sum; dd if=/dev/zero bs=64k count=8 2>/dev/null | md5sum; done >/tmp/$1; }' \
	'for n in 1 2 3 4 5 6; do busy $n & done; wait' \
	'for n in 2 3 4 5 6; do cmp /tmp/1 /tmp/$n && echo "same $n"; done' 'echo "CPUs: $(nproc)"' \
	'dmesg | grep -E "BUG:|WARNING:|Oops|Call Trace|rcu.*stall"' 'exec poweroff -f'
make_initrd "$work/restart" 'echo started' 'exec reboot -f'
make_initrd "$work/panic" 'echo c >/proc/sysrq-trigger; sleep 10'

# What hears of "lguest stop": as any kernel, this one runs /sbin/poweroff.
make_initrd "$work/stops" 'trap "exec poweroff -f" USR2' 'echo waits' 'while :; do sleep 1; done'
make_initrd "$work/disk" 'mount -t devtmpfs none /dev; insmod /blkfront.ko || exit' \
	'until [ -b /dev/xvda ]; do sleep 1; done' \
	'echo "reads $(md5sum </dev/xvda)"' \
	'dd if=/dev/zero of=/dev/xvda bs=64k count=2 seek=1 conv=fsync' \
	'echo "sees $(md5sum </dev/xvda)"; dmesg | grep -E "BUG:|WARNING:|I/O error"' \
	'exec poweroff -f'

# Bits 22 to 31 of RFLAGS are 0 on any CPU (SDM volume 1, 3.4.3.4). QEMU's emulator loses the
# flags of a CPU now and then, and keeps what it takes for flags: what such a guest does says
# nothing.
flags_were_lost() { grep -aiqE 'FLAGS: ([1-9a-f]|0[1-9a-f]|00[4-9a-f])[0-9a-f]{5,7}([^0-9a-f]|$)' "$work/out"; }

# run STATUS KERNEL OPTIONS... -- ARGUMENTS...
run()
{
	wanted=$1 image=$2
	shift 2
	for try in 1 2; do
		timeout 250 lguest "$@" >"$work/out" 2>&1 </dev/null
		status=$?
		[ "$status" != "$wanted" ] || return 0
		flags_were_lost || break
		echo "$image: the emulator has lost the guest's flags, in try $try"
	done
	echo "$image: status $status, not $wanted"
	tail -n 60 "$work/out"
	return 1
}

boots()
{
	run 0 "$1" --initrd="$work/initrd" 256m "$1" || return 1
	grep -aq '^runs [0-9.]*' "$work/out" || { tail -n 40 "$work/out"; return 1; }
	! grep -aE 'BUG:|WARNING:|Oops|Call Trace|W.X.*FAILED' "$work/out"
}

# All of it, and the same in all six.
runs_on_four()
{
	# Each flush looks at the page tables that count as unchanged, too.
	check_shadow=/sys/module/lg/parameters/check_shadow
	echo Y >"$check_shadow"
	four
	found=$?
	echo N >"$check_shadow"
	! dmesg | grep 'check_shadow:' && return "$found"
}

four()
{
	run 0 "$first" --cpus=4 --initrd="$work/busy" 256m "$first" quiet || return 1
	if ! grep -a '^CPUs: 4' "$work/out" || [ "$(grep -ac '^same' "$work/out")" != 5 ]; then
		cat "$work/out"
		return 1
	fi
	! grep -aE 'BUG:|WARNING:|Oops|Call Trace|rcu.*stall' "$work/out"
}

# In the guest: what the host had written; on the host: what the guest has.
has_a_disk()
{
	name=$(basename "$1")
	mkdir -p "$work/driver"
	cp "$stock.ko/$name.ko" "$work/driver/blkfront.ko" || return 1
	{ cat "$work/disk"; (cd "$work/driver" && find . | cpio -o -H newc 2>/dev/null); } >"$work/disk.$name"
	head -c 1048576 /dev/urandom >"$work/xvda"
	before=$(md5sum <"$work/xvda")
	run 0 "$1" --block="$work/xvda" --initrd="$work/disk.$name" 256m "$1" || return 1
	after=$(md5sum <"$work/xvda")
	written=$(dd if="$work/xvda" bs=64k count=2 skip=1 2>/dev/null | md5sum)
	if ! grep -aF "reads $before" "$work/out" || ! grep -aF "sees $after" "$work/out" ||
	   [ "$before" = "$after" ] || [ "$written" != "$(head -c 131072 /dev/zero | md5sum)" ]; then
		tail -n 40 "$work/out"
		return 1
	fi
	! grep -aE 'BUG:|WARNING:|Call Trace|I/O error' "$work/out"
}

stops()
{
	timeout 100 lguest --name=two --initrd="$work/stops" 128m "$first" quiet >"$work/out" 2>&1 </dev/null &
	pid=$!
	wait_for 90 grep -aq '^waits' "$work/out" || { cat "$work/out"; return 1; }
	# The kernel says a little later that it listens.
	wait_for 10 lguest stop two || { cat "$work/out"; return 1; }
	wait "$pid" || { cat "$work/out"; return 1; }
}

restarts()
{
	timeout 100 lguest --name=one --initrd="$work/restart" 128m "$first" quiet >"$work/out" 2>&1 </dev/null &
	wait_for 90 twice_started; found=$?
	lguest kill one
	wait
	return "$found"
}
twice_started() { [ "$(grep -ac started "$work/out")" -ge 2 ]; }

panics()
{
	run 255 "$first" --initrd="$work/panic" 128m "$first" quiet || return 1
	said 'Kernel panic - not syncing: sysrq triggered crash' "$work/out"
}

for image in $(find "$stock" -type f | sort); do
	check "boots_$(basename "$image")" boots "$image"
done
check runs_on_four_cpus runs_on_four
for image in $(find "$stock" -type f | sort); do
	check "has_a_disk_$(basename "$image")" has_a_disk "$image"
done
check restarts restarts
check stops stops
check panics panics
check tells_of_its_devices misused 'no virtio devices' lguest --net=user 128m "$first"
check leaves_nothing_behind wait_for 5 refcnt_is 0
checked
