#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The files of the Launcher lean on each other in one direction: in no circle does a file
# need what, by way of others, needs that file. Told from what the objects define and use.
set -u
cd "$(dirname -- "$0")/../.." || exit 1
. tests/selftests/check.sh

# One circle is left: a device and its queues know each other.
known='virtio/device virtio/queue'

# Pairs "USER USED" of objects.
uses()
{
	# Not what is left there of files that are gone.
	(cd launcher && find . -name '*.c' ! -path './session/init/*' -printf '%P\n') | sed 's/c$/o/' |
	(cd build/launcher && xargs nm -A --) | sed 's/\.o:/ /' |
	awk 'NF == 4 && $3 ~ /[TDBRV]/ { defines[$4] = $1 }
	     $(NF - 1) == "U" { user[++n] = $1; symbol[n] = $NF }
	     END { for (i = 1; i <= n; i++) if (symbol[i] in defines && defines[symbol[i]] != user[i])
		     print user[i], defines[symbol[i]] }' |
	sort -u
}

no_files_need_each_other() { uses | grep -vxF "$known" | tsort >/dev/null; }

# The check itself: it must see a circle where there is one.
a_circle_is_seen()
{
	{ uses; printf '%s\n' 'base/message terminal/terminal'; } | grep -vxF "$known" | tsort 2>&1 >/dev/null |
	grep -q 'loop'
}

scripts/deps build && make -s launcher || exit 1
check no_files_need_each_other no_files_need_each_other
check a_circle_is_seen a_circle_is_seen
checked
