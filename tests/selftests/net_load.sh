#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The network under load, in each mode, from guest to host or guest to guest: 10,000 pings
# as fast as they come back, of which none may be lost, and iperf3's streams, one each way,
# which must come to their end. How fast they were is told in comments, and no promise.
# shellcheck source=tests/selftests/check.sh
. ./check.sh
# shellcheck source=tests/selftests/guest.sh
. ./guest.sh
# shellcheck source=tests/selftests/net_lib.sh
. ./net_lib.sh
export LGUEST_KERNEL="$kernel"
pings=${PINGS:-10000} seconds=${SECONDS_OF_IPERF:-5}

# load ADDRESS: for the guest.
load()
{
	echo "/lg/ping -f -q -c $pings -W 30 $1
		iperf3 -f m -t $seconds -c $1; iperf3 -f m -t $seconds -R -c $1"
}

# loads OPTION COMMANDS ADDRESS: a guest whose network is up after COMMANDS loads ADDRESS.
loads()
{
	timeout 400 lguest run --verbose --memory=128m "$1" -- sh -e -c "$2; $(load "$3")" \
		</dev/null >"$work/out" 2>"$work/err"
	status=$?
	cat "$work/err" "$work/out"
	[ "$status" = 0 ] && grep -q "^$pings packets transmitted, $pings received, 0% packet loss" "$work/out" &&
		[ "$(grep -c 'receiver$' "$work/out")" = 2 ] && ! grep -q '  0.00 Mbits/sec.*receiver$' "$work/out"
}

# check_load NAME OPTION COMMANDS ADDRESS
check_load()
{
	check "$1" loads "$2" "$3" "$4"
	awk -v name="$1" '
		/^rtt/ { split($4, rtt, "/"); ping = rtt[2] }
		/receiver$/ { speed[++n] = $7 }
		END { printf "# %s: ping %s ms, %s Mbit/s there, %s Mbit/s back\n", name, ping, speed[1], speed[2] }' "$work/out"
}

# serves OPTION COMMANDS: another guest, which answers until stop is called.
serves()
{
	timeout 600 lguest run --memory=128m "$1" -- sh -e -c "$2; iperf3 -s >/dev/null & echo ready; read -r word" \
		<"$work/stdin" >"$work/served" 2>"$work/served.err" &
	server=$!
	exec 8>"$work/stdin"
	wait_for 100 said ready "$work/served" || { cat "$work/served.err"; return 1; }
}

# through_vhost_net yes|no: did the last guest's packets go through it?
through_vhost_net() { grep "go through $1" "$work/err"; }

# between_guests NAME OPTION: two guests that have the same OPTION.
between_guests()
{
	check "first_of_$1" serves "$2" 'ip addr add 10.1.0.1/24 dev eth0; ip link set eth0 up'
	check_load "$1" "$2" 'ip addr add 10.1.0.2/24 dev eth0; ip link set eth0 up' 10.1.0.1
	check "end_of_$1" stop
}

iperf3 -s >"$work/iperf3" 2>&1 &
serving=$!
check_load user_network_to_the_host --net=user : 10.0.2.2

check host_has_its_modules need_modules
check a_bridge_is_there apply 'bridge: on the host'
check_load tap_to_the_host_by_vhost_net --tunnet=192.168.21.1 "$(shown 'routed: in the guest')" 192.168.21.1
check it_was_vhost_net through_vhost_net vhost-net
check_load bridge_to_the_host_by_vhost_net --net=bridge:br0 "$(shown 'bridge: in the guest')" 192.168.20.1
between_guests bridge_between_guests_by_vhost_net --net=bridge:br0
mv /dev/vhost-net /dev/no-vhost-net
check_load tap_to_the_host --tunnet=192.168.21.1 "$(shown 'routed: in the guest')" 192.168.21.1
check it_was_lguest through_vhost_net lguest
between_guests bridge_between_guests --net=bridge:br0
mv /dev/no-vhost-net /dev/vhost-net
between_guests socket_between_guests "--net=socket:$work/cable"
kill "$serving"
checked
