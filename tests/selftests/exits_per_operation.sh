#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# What programs do most leaves the guest no more often than the file exits_limits says.
# Counted, not timed: by lg.ko's own counters, before and after some hundreds of each
# operation (tests/bench/count-exits). Exits that come by time, for an interrupt of the
# host or the timer, are left out. Programs always lie at the same addresses: which page
# tables they need is part of the count. Fails with the operation that got dearer; a
# limit that could be tighter is said.
# shellcheck source=tests/selftests/check.sh
. ./check.sh
# shellcheck source=tests/selftests/guest.sh
. ./guest.sh

count()
{
	mkdir -p "$work/root/bin"
	cp "$tests/bench" "$work/root/bin/bench"
	ln -s bin/bench "$work/root/init"
	{ cat "$LG_INITRD"; (cd "$work/root" && find . | cpio -o -H newc 2>/dev/null); } >"$work/initrd"
	"$tests/count-exits" "$work/initrd" 256 \
		"quiet nokaslr norandmaps panic=-1 bench_end=poweroff bench_args=--count,4" >"$work/counts"
}

# exits OPERATION: how often one left the guest.
exits()
{
	awk -v operation="$1" '
		$1 != "count" || $2 != operation { next }
		$4 == "exits" { exits += $3; found = 1 }
		$4 == "interrupts" || $4 == "hypercall_set_timer" || $4 == "hypercall_interrupt" { exits -= $3 }
		END { if (found) printf "%.2f\n", (exits > 0 ? exits : 0) }' "$work/counts"
}

# Once in a while the guest's timer finds work to do: a tenth is nothing, nor 2%.
at_most()
{
	found=$(exits "$1")
	[ -n "$found" ] || { echo "not counted"; grep "^failed $1 " "$work/counts"; return 1; }
	echo "$found exits, the limit is $2"
	awk -v found="$found" -v limit="$2" 'BEGIN { exit !(found <= limit * 1.02 + 0.1) }' && return
	awk -v operation="$1" '$1 == "count" && $2 == operation && ($3 >= 0.05 || $3 <= -0.05) { print $3, $4 }' "$work/counts"
	return 1
}

check every_operation_counted count
while read -r operation limit; do
	case $operation in ''|'#'*) continue ;; esac
	check "${operation}_within_$limit" at_most "$operation" "$limit"
	awk -v found="$(exits "$operation")" -v limit="$limit" -v operation="$operation" '
		BEGIN { if (found != "" && found < limit * 0.98 - 0.1) print "# " operation ": " found " would do" }'
done <exits_limits
checked
