#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Nothing that the module allocated before this test, in the tests of the same row, was
# lost: kmemleak of the debug host finds no object of lg.ko that nobody points to. On a
# kernel without kmemleak it can't be told.
# shellcheck source=tests/selftests/check.sh
. ./check.sh
needs=device
# shellcheck source=tests/selftests/guest.sh
. ./guest.sh

kmemleak=/sys/kernel/debug/kmemleak
[ -e "$kmemleak" ] || skip_all "this kernel has no kmemleak"

# What is young, or was reachable by a register only, is reported by the second scan at last.
scan()
{
	sleep 6
	echo scan >"$kmemleak"
	sleep 1
	echo scan >"$kmemleak"
}

# Reports with a function of lg.ko in their backtrace, whole.
lost()
{
	scan
	awk '/^unreferenced object/ { if (ours) printf "%s", text; text = ""; ours = 0 }
		{ text = text $0 "\n" } /\[lg\]/ { ours = 1 }
		END { if (ours) printf "%s", text }' "$kmemleak" >"$work/lost"
	head -n 40 "$work/lost"
	[ ! -s "$work/lost" ]
}

check module_has_lost_no_memory lost
checked
