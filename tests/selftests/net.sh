#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# A guest's network card, with each of its back ends: what the guest sends arrives, and
# comes back, byte by byte; and bad words cost one line. Fails when pings are lost, a
# file arrives with another sum, or a device does not come back after a reset.
# shellcheck source=tests/selftests/check.sh
. ./check.sh
# shellcheck source=tests/selftests/guest.sh
. ./guest.sh
# shellcheck source=tests/selftests/net_lib.sh
. ./net_lib.sh

make_nobody
make_file 8
serve 127.0.0.1

check user_network run --net=user -- "$(user_address); $(ping_and_fetch 10.0.2.2)"
check user_network_gives_an_address run --net=user -- \
	"ip link set eth0 up; udhcpc -i eth0 -n -q -f -s /bin/true 2>&1 | grep -F '10.0.2.15 obtained from 10.0.2.2'"
check user_network_has_ipv6 run --net=user -- "ip link set eth0 up
	for i in 1 2 3 4 5 6 7 8 9 10; do ip -6 addr show dev eth0 | grep -q fec0:: && break; sleep 1; done
	ping -6 -c 3 -W 10 fec0::2"
check mac_is_as_asked run --net=user,mac=52:54:00:12:34:56 -- \
	'grep -x 52:54:00:12:34:56 /sys/class/net/eth0/address'
check two_cards run --net=user --net=user -- "$(user_address); cat /sys/class/net/eth1/address"

# A server in the guest, and the host goes to it by a port of its own.
check forwarded_port forwards 2222
check comes_back_100_times run --net=user -- "$(reset_100_times); $(user_address); $(ping_and_fetch 10.0.2.2)"

check no_such_network misused "no kind of network: there are" lguest --net=lan 64m "$kernel"
check no_such_word misused "does not know 'fast'" lguest --net=user,fast 64m "$kernel"
check bad_mac misused 'no hardware address: say six bytes' lguest --net=user,mac=1 64m "$kernel"
check bad_port misused 'no port to forward: say hostfwd=' lguest --net=user,hostfwd=22 64m "$kernel"
check port_is_taken refuses 'port 8080 of the host is taken: choose another' \
	lguest --net=user,hostfwd=tcp:127.0.0.1:8080-:80 64m "$kernel"
check port_is_root_s refuses 'below 1024 are root' \
	su -s /bin/sh nobody -c "$LGUEST --net=user,hostfwd=tcp::80-:80 64m $kernel"
checked
