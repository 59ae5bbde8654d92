#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The guest's driver of a device goes and comes back 100 times, and the device is as it
# was: random numbers, the balloon, and the console with a named port. Those of disks,
# network cards, shares and sockets are in their own tests. Fails when something is lost on
# the way or does not work afterwards.
# shellcheck disable=SC2016  # what the guest expands
# shellcheck source=tests/selftests/check.sh
. ./check.sh
# shellcheck source=tests/selftests/guest.sh
. ./guest.sh
unset XDG_RUNTIME_DIR

# again DRIVER DEVICE COMMAND: for the guest: 100 times, COMMAND, and the driver goes and comes.
again()
{
	echo "i=0; while [ \$i -lt 100 ]; do
			$3
			echo $2 >/sys/bus/virtio/drivers/$1/unbind && echo $2 >/sys/bus/virtio/drivers/$1/bind || exit 1
			i=\$((i + 1))
		done"
}

# run OPTION... -- COMMANDS: in a guest; what they say is in $work/out.
run()
{
	timeout 900 lg-run --log "$work/log" "$@" >"$work/out" 2>"$work/err"
	status=$?
	cat "$work/out" "$work/err"
	[ "$status" = 0 ] || tail -n 20 "$work/log"
	return "$status"
}

# Half of the times, somebody waits for numbers.
random_numbers()
{
	run -- sh -e -c 'device=$(basename /sys/bus/virtio/drivers/virtio_rng/virtio*)
		'"$(again virtio_rng '$device' '[ $((i % 2)) = 0 ] || head -c 4096 /dev/hwrng >/dev/null 2>&1 &')"'
		wait
		head -c 4096 /dev/hwrng >/tmp/one; head -c 4096 /dev/hwrng >/tmp/other
		wc -c </tmp/one; wc -c </tmp/other; ! cmp -s /tmp/one /tmp/other || exit 1' &&
		[ "$(tr '\n' ' ' <"$work/out")" = '4096 4096 ' ]
}

# A driver that goes takes all memory back, and the one that comes gives it again.
balloon()
{
	mkfifo "$work/word"
	run --name=one --report-free -- sh -c 'grep MemTotal /proc/meminfo; read -r word
		device=$(basename /sys/bus/virtio/drivers/virtio_balloon/virtio*)
		'"$(again virtio_balloon '$device' :)"'
		echo again; read -r word; grep MemTotal /proc/meminfo' <"$work/word" &
	guest=$!
	exec 8>"$work/word"
	wait_for 100 said MemTotal "$work/out" >/dev/null && lguest balloon one 4m && wait_for 60 given 4194304 &&
		echo go >&8 && wait_for 800 said again "$work/out" >/dev/null && wait_for 60 given 4194304 &&
		lguest balloon one 0 && wait_for 60 given 0
	balloon_status=$?
	lguest stats one --json
	echo go >&8
	exec 8>&-
	wait "$guest" && [ "$balloon_status" = 0 ] && [ "$(grep -c MemTotal "$work/out")" = 2 ] &&
		[ "$(grep MemTotal "$work/out" | sort -u | wc -l)" = 1 ]
}

is_ready() { wait_for 800 said ready "$work/out" >/dev/null; }

# On the console a line each time. On the port, too, but one that is still on its way may go
# with the driver; and in the end, what comes in goes out again, all of it. Whoever has the
# console open loses it: the first process has not.
console()
{
	head -c 100000 /dev/urandom >"$work/sent"
	mkfifo "$work/input"
	make_initrd "$work/initrd" 'mount -t devtmpfs none /dev; exec </dev/null >/dev/null 2>&1; sleep 1' \
		'is_there() { until [ "$(cat /sys/class/virtio-ports/vport0p1/name)" = test ]; do usleep 1000; done; }' \
		'device=$(basename /sys/bus/virtio/drivers/virtio_console/virtio*); port=/dev/vport0p1' \
		"$(again virtio_console '$device' 'is_there; echo "round $i" >/dev/hvc0; echo $i >$port')" \
		'is_there; exec 3<>$port; echo ready >/dev/hvc0' \
		'read -r word </dev/hvc0; echo "heard $word" >/dev/hvc0' \
		'head -c 100000 <&3 >/tmp/got; cat /tmp/got >&3; sleep 1; poweroff -f; sleep 60'
	{ is_ready && echo hello && cat "$work/sent" >"$work/input"; } |
		timeout 900 lguest --initrd="$work/initrd" --port="test:$work/output,in=$work/input" \
			64m "$kernel" quiet >"$work/out" 2>"$work/err"
	status=$?
	tail -n 20 "$work/out" "$work/err"
	[ "$status" = 0 ] && [ "$(grep -c '^round [0-9]*' "$work/out")" = 100 ] && said 'heard hello' "$work/out"
}

port()
{
	lines=$(head -c -100000 "$work/output" | grep -c '^[0-9]*$')
	echo "$lines lines of 100"
	[ "$lines" -gt 50 ] && tail -c 100000 "$work/output" | cmp - "$work/sent"
}

check random_numbers_come_back_100_times random_numbers
check balloon_comes_back_100_times balloon
check console_comes_back_100_times console
check its_port_comes_back_100_times port
checked
