#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Kernels of a distribution, as they are installed, run as guests: through Xen's ABI for
# paravirtual guests, which they all carry. Each kernel in $LG_STOCK (/lg/stock) boots to a
# shell, complains of nothing, and powers off; the first one does so with four CPUs, too, and
# with programs that fork and change their memory on all of them. Each has a disk and a network,
# too, by its own drivers ($LG_STOCK.ko/NAME/DRIVER.ko).
# shellcheck disable=SC2016  # for the guest
# shellcheck source=tests/selftests/check.sh
. ./check.sh
# shellcheck source=tests/selftests/guest.sh
. ./guest.sh
# shellcheck source=tests/selftests/net_lib.sh
. ./net_lib.sh
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
make_initrd "$work/disk" 'mount -t devtmpfs none /dev; insmod /xen-blkfront.ko || exit' \
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

# with_driver DRIVER KERNEL INITRD: $work/drives is that initrd, with the kernel's driver.
with_driver()
{
	{ cat "$3"; (cd "$stock.ko/$(basename "$2")" && echo "$1.ko" | cpio -o -H newc 2>/dev/null); } >"$work/drives"
}

# In the guest: what the host had written; on the host: what the guest has.
has_a_disk()
{
	with_driver xen-blkfront "$1" "$work/disk" || return 1
	head -c 1048576 /dev/urandom >"$work/xvda"
	before=$(md5sum <"$work/xvda")
	run 0 "$1" --block="$work/xvda" --initrd="$work/drives" 256m "$1" || return 1
	after=$(md5sum <"$work/xvda")
	written=$(dd if="$work/xvda" bs=64k count=2 skip=1 2>/dev/null | md5sum)
	if ! grep -aF "reads $before" "$work/out" || ! grep -aF "sees $after" "$work/out" ||
	   [ "$before" = "$after" ] || [ "$written" != "$(head -c 131072 /dev/zero | md5sum)" ]; then
		tail -n 40 "$work/out"
		return 1
	fi
	! grep -aE 'BUG:|WARNING:|Call Trace|I/O error' "$work/out"
}

# make_net_initrd FILE ADDRESS HOST: what speaks with that host, 16 MiB each way. It sends with
# sendfile(), in large pieces: nc's own are of 1 KiB, and how many of them come into a packet
# depends on how fast the host answers. Then wait until nothing is left to be sent: the
# connection to port 8090 is none of ESTABLISHED, FIN_WAIT1, LAST_ACK and CLOSING any more.
make_net_initrd()
{
	make_initrd "$1" 'insmod /xen-netfront.ko || exit' \
		'until [ -e /sys/class/net/eth0 ]; do sleep 1; done' \
		"ip addr add $2/24 dev eth0; ip link set eth0 up" \
		"ping -c 5 -i 0.2 -W 20 $3 | grep -q '5 packets received' && echo pinged" \
		'packets() { cat /sys/class/net/eth0/statistics/$1_packets; }' \
		"before=\$(packets rx); wget -q -O /tmp/file http://$3:8080/file" \
		'echo "in $(($(packets rx) - before)) packets got $(md5sum </tmp/file)"' \
		"before=\$(packets tx); nc $3 8090 -e cat /tmp/file" \
		'while grep -q ":1F9A 0[149B]" /proc/net/tcp; do sleep 1; done' \
		'echo "in $(($(packets tx) - before)) packets sent"' \
		'dmesg | grep -E "BUG:|WARNING:|suspect|vif.*(slots|offset|Invalid)"; exec poweroff -f'
}

# speaks KERNEL INITRD OPTIONS...: the guest pings, gets the file, and sends one.
speaks()
{
	with_driver xen-netfront "$1" "$2" || return 1
	image=$1
	shift 2
	run 0 "$image" "$@" --initrd="$work/drives" 256m "$image" || return 1
	grep -a '^in [0-9]* packets' "$work/out"
	if ! grep -aq '^pinged' "$work/out" || ! grep -aqF "got $sum" "$work/out"; then
		tail -n 40 "$work/out"
		return 1
	fi
	! grep -aE 'BUG:|WARNING:|Call Trace|suspect|vif.*(slots|offset|Invalid)|misuses' "$work/out"
}

# fewer_than NUMBER WHAT: segments are left to others.
fewer_than() { [ "$(sed -n "s/^in \([0-9]*\) packets $2.*/\1/p" "$work/out")" -lt "$1" ]; }

# has_a_network ARGUMENTS...: of speaks; the host hears the guest.
has_a_network()
{
	busybox nc -l -p 8090 <>"$work/stdin" >"$work/came" 2>/dev/null &
	listener=$!
	speaks "$@"
	ran=$?
	kill "$listener" 2>/dev/null
	wait "$listener"
	[ "$ran" = 0 ] && [ "$(md5sum <"$work/came")" = "$sum" ] && fewer_than 9000 sent
}

has_the_hosts_network()
{
	need_modules && has_a_network "$first" "$work/tap" --tunnet=10.1.1.1 && fewer_than 6000 got
}

# A guest of our own is at the other end: its card is virtio's.
has_a_cable()
{
	start --mem 128m --add "$work/www:www" --net="socket:$work/cable" -- 'ip addr add 10.1.1.1/24 dev eth0
		ip link set eth0 up; httpd -p 8080 -h /www
		(sleep 300 | nc -l -p 8090 | md5sum) & true' || { cat "$work/log2"; return 1; }
	speaks "$first" "$work/tap" --net="socket:$work/cable" && fewer_than 6000 got && fewer_than 9000 sent
	spoke=$?
	stop && [ "$spoke" = 0 ] && grep -F "$sum" "$work/served"
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
	pid=$!
	wait_for 90 twice_started; found=$?
	lguest kill one
	wait "$pid"	# the server of files goes on
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
make_file 16
serve 0.0.0.0
make_net_initrd "$work/user" 10.0.2.15 10.0.2.2
make_net_initrd "$work/tap" 10.1.1.2 10.1.1.1
for image in $(find "$stock" -type f | sort); do
	check "has_a_network_$(basename "$image")" has_a_network "$image" "$work/user" --net=user
done
check has_the_hosts_network has_the_hosts_network
check has_a_cable_to_our_guest has_a_cable
check restarts restarts
check stops stops
check panics panics
check tells_of_its_devices misused 'no virtio devices' lguest --vsock=5 128m "$first"
check leaves_nothing_behind wait_for 5 refcnt_is 0
checked
