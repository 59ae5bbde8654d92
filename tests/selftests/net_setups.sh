#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The set-ups of Documentation/network.md, with its own commands, and two guests at a
# socket. "The world" that a routed guest reaches is a network namespace:
#
#   guest eth0 192.168.21.2 --- 192.168.21.1 tap0, host, world 10.9.0.1 --- 10.9.0.2 veth0
#
# Fails when pings are lost, or come without NAT, a file arrives with another sum, or bad
# words are not told in one line.
# shellcheck source=tests/selftests/check.sh
. ./check.sh
# shellcheck source=tests/selftests/guest.sh
. ./guest.sh
# shellcheck source=tests/selftests/net_lib.sh
. ./net_lib.sh

make_nobody
check host_has_its_modules need_modules
check forwarding_is_on apply 'routed: on the host'

# in_world COMMAND...: run it there.
in_world() { nsenter -t "$world" -n "$@"; }

other_namespace() { [ "$(readlink "/proc/$world/ns/net")" != "$(readlink /proc/self/ns/net)" ]; }

# Busybox's ip knows no "peer": the kernel calls the other end veth0.
make_world()
{
	wait_for 10 other_namespace && ip link add name world type veth && ip link set veth0 netns "$world" &&
		ip addr add 10.9.0.1/24 dev world && ip link set world up &&
		in_world ip addr add 10.9.0.2/24 dev veth0 && in_world ip link set veth0 up &&
		ping -c 3 -W 10 10.9.0.2
}

# The world does not know the way back: nothing comes until it is told, or the host
# masquerades.
unshare -n sleep 10000 &
world=$!
check host_reaches_the_world make_world
check world_can_not_answer run --tunnet=192.168.21.1 -- "$(shown 'routed: in the guest'); ! ping -c 2 -W 5 10.9.0.2"
in_world ip route add 192.168.21.0/24 via 10.9.0.1
check routed_world_answers run --tunnet=192.168.21.1 -- "$(shown 'routed: in the guest'); ping -c 5 -W 20 10.9.0.2"
in_world ip route del 192.168.21.0/24
check nat_is_set_up apply 'nat: on the host'
check nat_world_answers run --tunnet=192.168.21.1 -- "$(shown 'routed: in the guest'); ping -c 5 -W 20 10.9.0.2"
kill $world

first="ip addr add 10.1.0.1/24 dev eth0; ip link set eth0 up; mkdir /tmp/www
	dd if=/dev/zero of=/tmp/www/file bs=1M count=8 2>/dev/null; httpd -p 8080 -h /tmp/www"
sum=$(dd if=/dev/zero bs=1M count=8 2>/dev/null | md5sum)
check first_of_two_guests start --net="socket:$work/cable" -- "$first"
check second_of_two_guests run --net="socket:$work/cable" -- \
	"ip addr add 10.1.0.2/24 dev eth0; ip link set eth0 up; $(ping_and_fetch 10.1.0.1)"
check again_when_it_has_gone run --net="socket:$work/cable" -- \
	"ip addr add 10.1.0.2/24 dev eth0; ip link set eth0 up; $(ping_and_fetch 10.1.0.1)"
check first_ends stop
check socket_is_gone sh -c "! [ -e $work/cable ]"
check no_carrier_alone run --net="socket:$work/cable" -- 'ip link set eth0 up; grep -x 0 /sys/class/net/eth0/carrier'

check no_such_bridge refuses "no bridge 'br9': make it: ip link add br9" lguest --net=bridge:br9 64m "$kernel"
check bridge_without_a_name misused 'needs to know more: --net=bridge:BR' lguest --net=bridge 64m "$kernel"
check no_tap_device refuses "'lo' can't be a tap device" lguest --net=tap:lo 64m "$kernel"
check name_too_long refuses 'too long for a network device' lguest --net=tap:abcdefghijklmnop 64m "$kernel"
check no_ip misused "'here' is no IPv4 address" lguest --tunnet=here 64m "$kernel"
chmod 600 /dev/net/tun
check tun_without_permission refuses 'no permission to open /dev/net/tun: run lguest as root' \
	su -s /bin/sh nobody -c "$LGUEST --net=tap 64m $kernel"
chmod 666 /dev/net/tun
check tap_without_permission refuses 'no permission to use the tap device.*let root make it' \
	su -s /bin/sh nobody -c "$LGUEST --net=tap 64m $kernel"
checked
