#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The files of the launcher lean on each other in one direction: no file needs, by way of
# others, one that needs it. Told from what the objects define and use. (Which way the
# folders lean is told by walls.sh.)
set -u
cd "$(dirname -- "$0")/../.." || exit 1
. tests/selftests/check.sh
. tests/local/needs.sh

uses() { (cd launcher && find . -name '*.c' ! -path './session/init/*') | needs build/launcher; }

no_files_need_each_other() { uses | circles ''; }

# The check itself: it must see a circle where there is one.
a_circle_is_seen()
{
	{ uses; echo 'base/message terminal/terminal'; } | circles '' 2>&1 | grep -q 'loop'
}

scripts/deps build && make -s launcher || exit 1
check no_files_need_each_other no_files_need_each_other
check a_circle_is_seen a_circle_is_seen
checked
