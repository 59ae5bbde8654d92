#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The wings of the module and of the launcher lean on each other in one direction: whoever is
# further up may include and call what is further down. No file needs, by way of others, one
# that needs it. Functions fit on a screen.
set -u
cd "$(dirname -- "$0")/../.." || exit 1
. tests/selftests/check.sh

# in_driver COMMAND..., in_launcher COMMAND...: with these,
#	tree, objects	the sources, and what is made of them
#	floors		from the ground up, a line is a floor: files and folders
#	known		two files that may need each other, or nothing
#	inside		headers that only files of their own folder may include
in_driver()
{
	local tree=driver objects=build/lg/6.12-cloud/src/driver
	# A VM owns its vCPUs, and the file of a vCPU keeps its VM.
	local known='dev/vm dev/vcpu' inside='(mmu/shadow|host/window)[.]h'
	local floors='lg.h abi.h trace decode vcpu/flags.h mmu/address.h mmu/types.h mmu/entry.h io/types.h abi-lguest/types.h
vcpu
host
mmu
fetch
io abi-lguest
abi-xen
dispatch.h
exits emulate
run
dev
main'
	"$@"
}

in_launcher()
{
	local tree=launcher objects=build/launcher known=''
	local inside='(p9/(server|fields)|net/process|boot/(bzimage|payload|elf_image|pagetables)|loader/(bls|entry|ext|grub|volume)|session/cpio|virtio/(net|block|console)/.*)[.]h'
	local floors='base
memory option/config.h
terminal
sandbox
loader
boot p9 disk net
virtio
virtio/block virtio/net virtio/console virtio/balloon virtio/rng virtio/p9 virtio/vsock xen
virtio/kinds
last_resort
vm vcpu pause agent
session control report
run
start
option
command
main'
	"$@"
}

# Lines "USER USED", each a file of the tree, to lines of their floors: those of the file
# itself, or of the folder that is nearest to it.
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
		function of(file) {
			if (file in floor)
				return floor[file]
			sub(/\.[chS]$/, "", file)
			while (!(file in floor) && sub(/\/[^\/]*$/, "", file))
				;
			return floor[file] + 0
		}
		{ print of($1), of($2), $1, $2 }'
}

# Pairs "USER USED".
includes()
{
	(cd "$tree" && grep -Eo '^#include "[^"]+"' -r --include='*.[chS]' .) | sed -E 's,^\./,,; s,:#include ", ,; s,"$,,' |
	while read -r user used; do
		[ ! -e "$tree/$used" ] || echo "$user $used"
	done
}

# needs OBJECTS: lines "USER USED SYMBOL", for the sources on standard input, which are named
# from OBJECTS on. Not what is left there of files that are gone.
needs()
{
	sed -E 's,^\./,,; s,[cS]$,o,' | (cd "$1" && xargs nm -A --) | sed 's/\.o:/ /' |
	awk 'NF == 4 && $3 ~ /[TDBRV]/ { defines[$4] = $1 }
	     $(NF - 1) == "U" { user[++n] = $1; symbol[n] = $NF }
	     END { for (i = 1; i <= n; i++) if (symbol[i] in defines && defines[symbol[i]] != user[i])
		     print user[i], defines[symbol[i]], symbol[i] }' | sort -u
}

# circles KNOWN: for lines of needs() on standard input, fail where a file needs, by way of
# others, what needs that file; KNOWN is the one pair that may, or nothing.
circles() { awk '{ print $1, $2 }' | sort -u | grep -vxF "$1" | tsort >/dev/null; }

# Without the program that runs in the guest.
calls() { (cd "$tree" && find . -name '*.[cS]' ! -path './session/init/*') | needs "$objects"; }

none_upwards()
{
	local upwards
	upwards=$("$@" | with_floors | awk '
		!$1 || !$2 { print $3, $4, "has no floor" }
		$1 < $2 { print $3, "needs", $4 }
		END { if (!NR) print "nothing was seen" }')
	[ -z "$upwards" ] || { echo "$upwards"; return 1; }
}

insides_stay_inside()
{
	local outside
	outside=$("${1:-includes}" | awk -v inside="^$inside\$" '
		{ from = $1; to = $2; sub(/[^\/]*$/, "", from); sub(/[^\/]*$/, "", to) }
		from != to && $2 ~ inside { print $1, "includes", $2 }')
	[ -z "$outside" ] || { echo "$outside"; return 1; }
}

# Of the module, only these know the guest's ABI.
the_abi_stays_inside()
{
	local outside
	outside=$(includes | awk '$2 ~ /^abi-xen\// && $1 !~ /^abi-xen\// ||
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
	says_so() { echo "$1"; }
	! in_driver none_upwards says_so 'mmu/fault.c run.c' >/dev/null &&
		! in_launcher none_upwards says_so 'virtio/queue.c virtio/net/net.h' >/dev/null &&
		! in_launcher none_upwards says_so 'vm.c control/control.h' >/dev/null
}
an_include_of_an_inside_is_seen()
{
	says_so() { echo 'run.c mmu/shadow.h'; echo 'virtio/p9.c p9/fields.h'; }
	! in_driver insides_stay_inside says_so >/dev/null && ! in_launcher insides_stay_inside says_so >/dev/null
}
a_circle_is_seen()
{
	seen() { { calls; echo "$1"; } | circles "$known" 2>&1 | grep -q loop; }
	in_driver seen 'vcpu/kick mmu/fault' && in_launcher seen 'base/message terminal/terminal'
}
a_long_function_is_seen() { local longest=3; [ -n "$(long_functions)" ]; }

scripts/build-module 6.12-cloud >/dev/null && scripts/deps build && make -s launcher || exit 1
for wings in driver launcher; do
	check "${wings}_includes_nothing_upwards" "in_$wings" none_upwards includes
	check "${wings}_calls_nothing_upwards" "in_$wings" none_upwards calls
	check "${wings}_keeps_insides_inside" "in_$wings" insides_stay_inside
	check "${wings}_has_no_circles" "in_$wings" no_circles
done
check the_abi_stays_inside the_abi_stays_inside
check no_function_is_long no_function_is_long
check an_include_upwards_is_seen an_include_upwards_is_seen
check an_include_of_an_inside_is_seen an_include_of_an_inside_is_seen
check a_circle_is_seen a_circle_is_seen
check a_long_function_is_seen a_long_function_is_seen
checked
