# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2154
#
# What the tests of the network share: guests that ping and fetch, a host that serves.
# Needs guest.sh.
command -v busybox >/dev/null || missing "no busybox, which serves files here"

# make_file MIB: what is fetched, and its sum.
make_file()
{
	mkdir -p "$work/www"
	dd if=/dev/urandom of="$work/www/file" bs=1M count="$1" 2>/dev/null
	sum=$(md5sum <"$work/www/file")
}

# serve ADDRESS: the host serves the file there, on port 8080, until the test ends: one
# that lived on would keep the pipe open by which kselftest's runner reads.
serve()
{
	busybox httpd -f -p "$1:8080" -h "$work/www" </dev/null >/dev/null 2>&1 &
	httpd=$!
	trap 'kill "$httpd"; rm -rf "$work"' EXIT
	wait_for 10 grep -q ':1F90 ' /proc/net/tcp
}

# run OPTIONS... -- COMMANDS: run COMMANDS in a guest, with an error ending them.
run()
{
	run_options=''
	while [ "$1" != -- ]; do run_options="$run_options $1"; shift; done
	# shellcheck disable=SC2086  # options are words
	timeout 200 lg-run --log "$work/log" $run_options -- sh -e -c "$2" && return
	tail -n 20 "$work/log"
	return 1
}

# For the guest: an address in the user network.
user_address()
{
	echo 'ip addr add 10.0.2.15/24 dev eth0; ip link set eth0 up; ip route add default via 10.0.2.2'
}

# ping_and_fetch ADDRESS: for the guest; no ping may be lost, the file must be right.
ping_and_fetch()
{
	echo "ping -c 10 -i 0.2 -W 20 $1 | tee /tmp/pings; grep -q '10 packets received' /tmp/pings
		wget -q -O /tmp/file http://$1:8080/file; md5sum </tmp/file; [ \"\$(md5sum </tmp/file)\" = '$sum' ]"
}

# reset_100_times: for the guest; the driver lets go of the card and finds it again.
# shellcheck disable=SC2016  # for the guest
reset_100_times()
{
	echo 'cd /sys/bus/virtio/drivers/virtio_net
		card=$(echo virtio*); i=0
		while [ $i -lt 100 ]; do
			ip link set eth0 up
			echo $card >unbind; [ ! -e /sys/class/net/eth0 ]; echo $card >bind
			[ -e /sys/class/net/eth0 ]; i=$((i + 1))
		done'
}

# forwards PORT: what the guest serves on port 80 is the host's on PORT.
forwards()
{
	timeout 200 lg-run --log "$work/log" --net="user,hostfwd=tcp:127.0.0.1:$1-:80" -- sh -e -c \
		"$(user_address); mkdir /tmp/www; echo from the guest >/tmp/www/index.html
		httpd -p 80 -h /tmp/www; echo ready; read -r word; echo \$word" \
		<"$work/stdin" >"$work/out" &
	launcher=$!
	exec 8>"$work/stdin"
	wait_for 100 said ready "$work/out" &&
		wget -q -O - "http://127.0.0.1:$1/" | grep -x 'from the guest'
	fetched=$?
	echo 'done' >&8
	exec 8>&-
	wait "$launcher" && [ "$fetched" = 0 ] && return
	cat "$work/out" "$work/log"
	return 1
}
mkfifo "$work/stdin"

# need_modules: what the host needs for tap devices, bridges and vhost-net.
need_modules()
{
	for module in /modules/net/*.ko; do insmod "$module" 2>/dev/null; done
	[ -e /dev/net/tun ] && [ -e /dev/vhost-net ]
}

# start OPTIONS... -- COMMANDS: a guest that runs COMMANDS, says "ready", and ends when
# stop is called. What it says is in $work/served.
start()
{
	start_options=''
	while [ "$1" != -- ]; do start_options="$start_options $1"; shift; done
	# shellcheck disable=SC2086  # options are words
	timeout 300 lg-run --log "$work/log2" $start_options -- sh -e -c "$2; echo ready; read -r word" \
		<"$work/stdin" >"$work/served" 2>"$work/served.err" &
	server=$!
	exec 8>"$work/stdin"
	wait_for 100 said ready "$work/served"
}

stop()
{
	echo 'done' >&8
	exec 8>&-
	wait "$server" && return
	cat "$work/served" "$work/served.err" "$work/log2"
	return 1
}

# shown WHERE: the commands that the documentation shows under "# WHERE".
shown()
{
	awk -v where="    # $1" '$0 == where { on = 1; next } !/^    / { on = 0 } on' network.md | grep .
}

# apply WHERE: run them here.
apply()
{
	shown "$1" >"$work/commands" && sh -e "$work/commands"
}
