#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Sockets between guest and host (--vsock): each side can call the other, and 1 MiB goes
# there and comes back byte for byte; also after the guest's driver has gone and come back
# 100 times. Addresses that a guest can't have are refused. Fails on any byte that differs.
# shellcheck disable=SC2016  # what the guest expands
# shellcheck source=tests/selftests/check.sh
. ./check.sh
# shellcheck source=tests/selftests/guest.sh
. ./guest.sh

head -c 1048576 /dev/urandom >"$work/sent"

# in_guest COMMAND: a shell command in a guest whose address is 5.
in_guest()
{
	timeout 300 lg-run --log "$work/log" --vsock=5 --add "$tests/vsock_peer:/bin/vsock_peer" -- sh -c "$1" ||
		{ echo "status $?"; tail -n 20 "$work/log"; return 1; }
}
came_back() { ls -l "$work/got" && cmp "$work/sent" "$work/got"; }

# guest_calls COMMAND: in the guest, after COMMAND. 2 is the host's address.
guest_calls()
{
	./vsock_peer listen 1000 <"$work/sent" >"$work/got" &
	listener=$!
	in_guest "$1 vsock_peer connect 2 1000 echo" || { kill "$listener"; return 1; }
	wait "$listener" && came_back
}

host_calls()
{
	in_guest 'vsock_peer listen 1000 echo' &
	guest=$!
	wait_for 100 call
	wait "$guest" && came_back
}
call() { ./vsock_peer connect 5 1000 <"$work/sent" >"$work/got" 2>"$work/err"; }

comes_and_goes()
{
	guest_calls 'cd /sys/bus/virtio/drivers/vmw_vsock_virtio_transport || exit 1
		device=$(echo virtio*)
		i=0
		while [ $i -lt 100 ]; do
			echo $device >unbind && echo $device >bind || exit 1
			i=$((i + 1))
		done; cd /;'
}

refused() { refuses "$1" lguest --vsock="$2" 64m "$kernel"; }
in_use()
{
	in_guest 'echo up; sleep 1000' >"$work/up" &
	guest=$!
	wait_for 100 grep -q up "$work/up" || return 1
	timeout 60 lguest --vsock=5 64m "$kernel" </dev/null >"$work/out" 2>&1
	in_use_status=$?
	kill "$(launcher_pid)"
	wait "$guest"
	cat "$work/out"
	[ "$in_use_status" = 1 ] && [ "$(wc -l <"$work/out")" = 1 ] &&
		grep -q '^lguest: another guest has the address 5' "$work/out"
}

check without_vhost_vsock_it_is_refused refused 'there is no /dev/vhost-vsock.*modprobe vhost_vsock' 5
for module in /modules/vsock/*.ko; do insmod "$module" 2>/dev/null; done
check the_host_has_vhost_vsock [ -c /dev/vhost-vsock ]
check guest_calls_host guest_calls ''
check host_calls_guest host_calls
check driver_comes_and_goes comes_and_goes
for address in 2 0 x 4294967295 99999999999999999999999 5x; do
	check "address_'$address'_is_refused" misused 'is no address of a guest: --vsock takes a number from 3' lguest --vsock="$address" 64m "$kernel"
done
check no_address_is_refused misused "option '--vsock=' needs a value: --vsock=CID" lguest --vsock= 64m "$kernel"
check address_in_use_is_refused in_use
checked
