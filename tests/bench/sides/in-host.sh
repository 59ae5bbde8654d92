# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# What the sides share that run in the host VM.

# resident PID: KiB that the program has beside the guest's memory, its largest mapping.
resident()
{
	awk '
		/^[0-9a-f]+-[0-9a-f]+ / { size = 0 }
		/^Size:/ { size = $2 }
		/^Rss:/ { rss += $2; if (size > largest) { largest = size; guest = $2 } }
		END { print "rss launcher " rss - guest; print "rss guest " guest }' "/proc/$1/smaps"
}

# pass_on PID: a guest's console; at the first word of its measuring program, what the
# process that runs it has of memory.
pass_on()
{
	while read -r line; do
		echo "$line"
		case $line in calibrate*) resident "$1" ;; esac
	done | tr -d '\r'
}
