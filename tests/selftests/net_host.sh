#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# A guest with a network device of the host's (tap, bridge), with vhost-net and without,
# and the offloads they bring. Fails when pings are lost, a file arrives with another sum,
# or a device does not come back after a reset.
# shellcheck source=tests/selftests/check.sh
. ./check.sh
# shellcheck source=tests/selftests/guest.sh
. ./guest.sh
# shellcheck source=tests/selftests/net_lib.sh
. ./net_lib.sh

make_file 8
check refused_without_tun refuses 'there is no /dev/net/tun.*modprobe tun' lguest --net=tap 64m "$kernel"
check host_has_its_modules need_modules
serve 0.0.0.0

apply 'bridge: on the host'
check bridge run --verbose --net=bridge:br0 -- "$(shown 'bridge: in the guest'); $(ping_and_fetch 192.168.20.1)"
check offloads_are_on run --net=bridge:br0 -- \
	"cat /sys/bus/virtio/devices/virtio*/features | grep -x '11...1.111.111.11.*'"
check tap_by_vhost_net sh -c "lg-run --verbose --log /dev/null --net=tap -- true 2>&1 | grep 'go through vhost-net'"
check tap_says_its_name sh -c "lg-run --log /dev/null --net=tap -- true 2>&1 | grep 'network card is tap0 on this host'"

apply 'routed: on the host'
check tunnet run --tunnet=192.168.21.1:52:54:00:12:34:56 -- "$(shown 'routed: in the guest')
	grep 52:54:00:12:34:56 /sys/class/net/eth0/address; $(ping_and_fetch 192.168.21.1)"
check comes_back_100_times run --net=bridge:br0 -- \
	"$(reset_100_times); $(shown 'bridge: in the guest'); $(ping_and_fetch 192.168.20.1)"

mv /dev/vhost-net /dev/no-vhost-net
check tap_without_vhost_net sh -c "lg-run --verbose --log /dev/null --net=tap -- true 2>&1 | grep 'go through lguest'"
check bridge_without_vhost_net run --net=bridge:br0 -- \
	"$(shown 'bridge: in the guest'); $(ping_and_fetch 192.168.20.1)"
check comes_back_100_times_without_vhost_net run --net=bridge:br0 -- \
	"$(reset_100_times); $(shown 'bridge: in the guest'); $(ping_and_fetch 192.168.20.1)"
mv /dev/no-vhost-net /dev/vhost-net

checked
