#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The guest's clocks go as the host's: over 20 s, wall clock and monotonic time
# differ by less than 1%, and the wall clock is right within a second. Each line of
# the guest is stamped when it arrives; the quickest of twenty at each end counts, so
# that a busy machine does not look like a slow clock.
# shellcheck source=tests/selftests/check.sh
. ./check.sh
# shellcheck source=tests/selftests/guest.sh
. ./guest.sh

# Lines: guest's wall clock and monotonic time, then the host's, in ns.
collect()
{
	lg-run --log "$work/log" --add "$tests/clocks:/bin/clocks" -- \
		sh -c 'clocks 20 100; sleep 20; clocks 20 100' 2>"$work/err" |
	while read -r line; do
		echo "$line $("$tests/clocks")"
	done >"$work/lines"
	[ "$(wc -l <"$work/lines")" = 40 ] || { cat "$work/lines"; tail -n 20 "$work/log" "$work/err"; return 1; }
}

# compare FIELD LIMIT: of the two pairs with the least delay; nanoseconds are more
# than awk's numbers hold, so a base goes off first.
compare()
{
	awk -v g="$1" -v limit="$2" '
		function less(a, b) { return substr(a, 1, length(a) - 9) - substr(b, 1, length(b) - 9) + (substr(a, length(a) - 8) - substr(b, length(b) - 8)) / 1e9 }
		NR == 1 { guest0 = $g; host0 = $(g + 2) }
		{
			guest = less($g, guest0); host = less($(g + 2), host0); delay = host - guest
			half = NR > 20
			if (!(half in best) || delay < best[half]) { best[half] = delay; at[half] = guest; by[half] = host }
		}
		END {
			guest = at[1] - at[0]; host = by[1] - by[0]
			printf "guest %.3f s, host %.3f s: %.2f%%\n", guest, host, 100 * (guest / host - 1)
			exit !(host > 15 && guest / host < 1 + limit && guest / host > 1 - limit)
		}' "$work/lines"
}

# Whole seconds of the quickest line, which may fall on both sides of a second.
date_is_right()
{
	awk '{ d = substr($3, 1, 10) - substr($1, 1, 10); if (d < 0) d = -d; if (NR == 1 || d < least) least = d }
		END { print "off by " least " s"; exit !(least <= 1) }' "$work/lines"
}

check twenty_seconds_pass collect
check monotonic_time_within_1_percent compare 2 0.01
check wall_clock_within_1_percent compare 1 0.01
check date_is_right date_is_right
checked
