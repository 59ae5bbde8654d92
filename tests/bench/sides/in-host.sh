# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# What the sides that run in the host VM share.

# make_devices: make what devices need: a disk in memory; a tap device, on which the host
# answers pings; a program on the host that receives streams; and a folder, which is shared
# twice. Sets lguest_devices to the options for lguest.
make_devices()
{
	for folder in 0 1 2 3; do
		mkdir -p /tmp/shared/folder$folder
		for file in 0 1 2 3 4 5 6 7; do
			dd if=/dev/zero of=/tmp/shared/folder$folder/file$file bs=1000 count=2 2>/dev/null
		done
	done
	dd if=/dev/zero of=/tmp/shared/large bs=1M count=1 2>/dev/null
	dd if=/dev/zero of=/tmp/disk bs=1M count=16 2>/dev/null
	insmod /modules/net/*-tun.ko && tunctl -t tap0 >/dev/null &&
		ip addr add 192.168.21.1/24 dev tap0 && ip link set tap0 up || exit 1
	/lg/bench --sink >/dev/null 2>&1 </dev/null &
	# shellcheck disable=SC2034  # for who sources this
	lguest_devices='--block=/tmp/disk --net=user --net=tap:tap0
		--share=/tmp/shared:fixed,ro --share=/tmp/shared:open'
}

# resident PID: print the program's KiB, without guest memory, which is its largest mapping.
resident()
{
	awk '
		/^[0-9a-f]+-[0-9a-f]+ / { size = 0 }
		/^Size:/ { size = $2 }
		/^Rss:/ { rss += $2; if (size > largest) { largest = size; guest = $2 } }
		END { print "rss launcher " rss - guest; print "rss guest " guest }' "/proc/$1/smaps"
}

# pass_on PID: pass on a guest's console. At the first line of its measuring program, add a
# line with the memory of the process that runs the guest.
pass_on()
{
	while read -r line; do
		echo "$line"
		case $line in calibrate*) resident "$1" ;; esac
	done | tr -d '\r'
}
