#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# A guest's reboot is none of the host's business. The guest has a writable share in which
# its kernel, its initrd, its disk and its port's file lie, replaces them by links to files
# outside and reboots: it gets what it had. Its tap device is the same one, with the address
# that the host gave it; its sockets, among them the one of a server that serves once, are the
# same; its port is forwarded and its disk locked, and the host's kernel takes the rings of
# its vsock again. Fails if a link leads anywhere, or if anything is another one afterwards.
# shellcheck disable=SC2016  # what the guest expands
# shellcheck source=tests/selftests/check.sh
. ./check.sh
# shellcheck source=tests/selftests/guest.sh
. ./guest.sh
vm=$work/vm
tap=/sys/class/net/lgt0

# What the guest does in its first boot, and in its second one.
boots='mount -t devtmpfs none /dev
mkdir -p /mnt
mount -t 9p -o trans=virtio,version=9p2000.L share0 /mnt || exit 9
port() { grep -l "^$1\$" /sys/class/virtio-ports/*/name | cut -d / -f 5; }
until [ "$(port log)" ] && [ "$(port peer)" ]; do usleep 100000; done
if [ ! -e /mnt/first ]; then
	echo first >"/dev/$(port log)"
	for file in kernel initrd.img disk log; do
		rm "/mnt/$file"
		ln -s "../outside/$file" "/mnt/$file"
	done
	touch /mnt/first
	until [ -e /mnt/go ]; do usleep 100000; done
	reboot -f
	sleep 60
fi
head -c 4 /dev/vda >/mnt/has-disk
echo second >"/dev/$(port log)"
echo hello >"/dev/$(port peer)"
cat /sys/class/net/eth0/address >/mnt/second
until [ -e /mnt/end ]; do usleep 100000; done
poweroff -f
sleep 60'

set_up()
{
	for module in /modules/net/*.ko /modules/vsock/*.ko; do insmod "$module" 2>/dev/null; done
	[ -c /dev/net/tun ] && [ -c /dev/vhost-vsock ] || return 1
	mkdir "$vm" "$work/outside"
	cp "$kernel" "$vm/kernel"
	make_initrd "$vm/initrd.img" "$boots"
	for file in disk log; do
		head -c 65536 /dev/zero | sed "1s/^/mine/" >"$vm/$file"
		printf 'outs' >"$work/outside/$file"
		head -c 65532 /dev/zero >>"$work/outside/$file"
	done
	: >"$vm/log"
	truncate -s 65536 "$vm/disk"
	make_initrd "$work/outside/initrd.img" 'echo this is the wrong initrd; poweroff -f'
	echo 'no kernel' >"$work/outside/kernel"
	# Names that stay.
	ln "$vm/log" "$work/log"
	ln "$vm/disk" "$work/disk"
	md5sum "$work"/outside/* >"$work/sums"
}

start()
{
	./vsock_peer serve "$work/peer" >"$work/heard" &
	wait_for 10 [ -S "$work/peer" ] || return 1
	lguest --share="$vm" --block="$vm/disk" --port="log:$vm/log" --port="peer:$work/peer" \
		--net=tap:lgt0 --net=user,hostfwd=tcp:127.0.0.1:2222-:22 --vsock=7 \
		64m "$vm/kernel" quiet </dev/null >"$work/console" 2>&1 &
	launcher=$!
	wait_for 100 [ -e "$vm/first" ] || { tail -n 20 "$work/console"; return 1; }
}

# sockets: all of the launcher's, by number.
sockets() { find "/proc/$launcher/fd" -type l -exec readlink '{}' ';' | grep '^socket:' | sort; }
locked()
{
	"$tests/disk" lock "$work/disk" 0
	[ $? = 3 ]
}
forwards() { grep -q ' 0100007F:08AE ' /proc/net/tcp; }

before()
{
	ip addr add 198.51.100.1/24 dev lgt0
	cat "$tap/ifindex" >"$work/ifindex"
	sockets >"$work/sockets"
	cat "$work/sockets"
	locked && forwards && [ "$(wc -l <"$work/sockets")" -gt 2 ]
}

reboots()
{
	touch "$vm/go"
	wait_for 100 [ -e "$vm/second" ] || { tail -n 20 "$work/console"; return 1; }
}

tap_is_the_same()
{
	ip addr show dev lgt0
	[ "$(cat "$tap/ifindex")" = "$(cat "$work/ifindex")" ] && ip addr show dev lgt0 | grep -q '198.51.100.1/24'
}
sockets_are_the_same() { sockets >"$work/sockets2"; diff "$work/sockets" "$work/sockets2"; }
disk_is_its_own() { [ "$(cat "$vm/has-disk")" = mine ]; }
log_is_its_own() { cat "$work/log"; [ "$(tr '\n' ' ' <"$work/log")" = 'first second ' ]; }
peer_is_served() { wait_for 10 grep -q hello "$work/heard"; }
outside_is_as_it_was() { md5sum "$work"/outside/* | diff "$work/sums" - && ! grep -q wrong "$work/console"; }

ends()
{
	touch "$vm/end"
	wait "$launcher"
	status=$?
	cat "$work/console"
	[ "$status" = 0 ] && ! grep '^lguest: ' "$work/console"
}

# What lies there now is for the next one who names it.
next_run_takes_no_link_by_itself()
{
	mkdir "$work/next"
	cp "$kernel" "$work/next/kernel"
	ln -s ../outside/initrd.img "$work/next/initrd.img"
	timeout 60 lguest 64m "$work/next/kernel" quiet panic=1 </dev/null >"$work/out" 2>"$work/err"
	said 'is a link, and not taken as the initrd' "$work/err" && ! grep -q wrong "$work/out"
}

check a_guest_with_all_in_a_share set_up
check starts start
check has_them before
check reboots reboots
check tap_and_its_address_are_the_same tap_is_the_same
check sockets_are_the_same sockets_are_the_same
check port_is_forwarded forwards
check disk_is_locked locked
check disk_is_its_own disk_is_its_own
check log_is_its_own log_is_its_own
check server_that_serves_once_has_it_still peer_is_served
check outside_is_as_it_was outside_is_as_it_was
check ends ends
check next_run_takes_no_link_by_itself next_run_takes_no_link_by_itself
checked
