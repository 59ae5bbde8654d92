#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The module's wings lean on each other in one direction: whoever is further up may include
# and call what is further down. No file needs, by way of others, one that needs it. And
# functions fit on a screen.
set -u
cd "$(dirname -- "$0")/../.." || exit 1
. tests/selftests/check.sh
. tests/local/needs.sh

# From the ground up; a line is a floor.
floors='lg.h abi.h trace decode vcpu/flags.h mmu/address.h mmu/types.h mmu/entry.h io/types.h abi-lguest/types.h
vcpu
host
mmu
fetch
io abi-lguest
dispatch.h
exits emulate
run
dev
main'
# A VM owns its vCPUs, and the file of a vCPU keeps its VM.
known='dev/vm dev/vcpu'
object=build/lg/6.12-cloud/src/driver
longest=60

# floor_of: lines of FILE..., each word a file of driver/ without suffix, to lines of their floors.
with_floors()
{
	awk -v floors="$floors" '
		BEGIN {
			lines = split(floors, line, "\n")
			for (i = 1; i <= lines; i++) {
				words = split(line[i], word, " ")
				for (j = 1; j <= words; j++)
					floor[word[j]] = i
			}
		}
		function of(file, wing) {
			wing = file
			sub(/\/.*/, "", wing)
			sub(/\.[chS]$/, "", wing)
			return file in floor ? floor[file] : wing in floor ? floor[wing] : 0
		}
		{ print of($1), of($2), $1, $2 }'
}

# Pairs "USER USED".
includes()
{
	(cd driver && grep -Eo '^#include "[^"]+"' -r .) | sed -E 's,^\./,,; s,:#include ", ,; s,"$,,' |
	while read -r user used; do
		[ ! -e "driver/$used" ] || echo "$user $used"
	done
}

calls() { (cd driver && find . -name '*.[cS]') | needs "$object"; }

none_upwards()
{
	local upwards
	upwards=$("$1" | with_floors | awk '!$1 || !$2 { print $3, $4, "has no floor" } $1 < $2 { print $3, "needs", $4 }')
	[ -z "$upwards" ] || { echo "$upwards"; return 1; }
}

# What only a wing's own files may know.
insides_stay_inside()
{
	local outside
	outside=$(includes | awk '$2 == "mmu/shadow.h" && $1 !~ /^mmu\// || $2 == "host/window.h" && $1 !~ /^host\// ||
		$2 == "abi-lguest/lguest.h" && $1 !~ /^abi-lguest\// && $1 != "dispatch.h"')
	[ -z "$outside" ] || { echo "$outside"; return 1; }
	! grep -lE 'lguest_data|LHCALL_' -r driver --include='*.[ch]' | grep -vE '^driver/(abi-lguest/|trace.h|dev/debugfs.c)'
}

no_circles() { calls | circles "$known"; }

# Lines from a "{" in column 0 to its "}".
long_functions()
{
	git ls-files -- '*.c' | grep -E '^(driver|launcher|switcher)/' | while read -r file; do
		awk -v file="$file" -v longest="$longest" '
			/^\{/ { from = NR }
			/^\}/ && from { if (NR - from + 1 > longest) print file ":" from ": " NR - from + 1 " lines"; from = 0 }' "$file"
	done
}

no_function_is_long() { local long; long=$(long_functions); [ -z "$long" ] || { echo "$long"; return 1; }; }

# The checks themselves: each must see what it is there for.
an_include_upwards_is_seen()
{
	says_so() { echo 'mmu/fault.c run.c'; }
	! none_upwards says_so >/dev/null
}
a_circle_is_seen() { { calls; echo 'vcpu/kick mmu/fault'; } | circles "$known" 2>&1 | grep -q loop; }
a_long_function_is_seen() { local longest=3; [ -n "$(long_functions)" ]; }

scripts/build-module 6.12-cloud >/dev/null || exit 1
check no_include_upwards none_upwards includes
check no_call_upwards none_upwards calls
check insides_stay_inside insides_stay_inside
check no_circles no_circles
check no_function_is_long no_function_is_long
check an_include_upwards_is_seen an_include_upwards_is_seen
check a_circle_is_seen a_circle_is_seen
check a_long_function_is_seen a_long_function_is_seen
checked
