#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# tests/selftests in a kernel's tree, where "make kselftest-install" lays them: they are
# built there, and run by kselftest's two runners as they are. Where there is neither a
# launcher nor lg.ko each is skipped, with the reason; in a host VM that has both, but in
# places of its own, those that are run there pass. Fails when a program is not built, a
# test is not skipped or does not pass, or prints something other than TAP 13.
set -u
cd "$(dirname -- "$0")/../.." || exit 1
. tests/selftests/check.sh
[ ! -e /sys/module/lg ] || skip_all "lg.ko is loaded on this machine: the tests would run here"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
selftests=$work/linux/tools/testing/selftests
in_the_vm='hostile_guest hostile_tables boot.sh bad_input.sh'

# A tree of just what kselftest is.
make_tree()
{
	local source tree=linux-source-6.12
	local -a files=(Makefile lib.mk run_kselftest.sh kselftest kselftest.h kselftest_harness.h)
	source=$(scripts/fetch-kernel source-6.12) || return 1
	tar -x -C "$work" -f "$source/linux.tar.xz" "$tree/scripts/subarch.include" \
		"$tree/tools/include/uapi" "${files[@]/#/$tree/tools/testing/selftests/}" || return 1
	mv "$work/$tree" "$work/linux"
}

refuses_what_is_no_tree()
{
	! make -s kselftest-install && ! make -s kselftest-install KDIR="$work" && [ ! -e "$work/tools" ]
}

lay() { make -s kselftest-install KDIR="$work/linux"; }

build()
{
	make -C "$selftests" TARGETS=lguest FORCE_TARGETS=1 install >"$work/log" 2>&1 || { tail -n 40 "$work/log"; return 1; }
	! grep 'warning:' "$work/log"
}

nothing_reaches_out_of_it() { ! grep -nE '\.\./\.\./|\.\./(bench|lib/)' "$selftests/lguest"/*.sh "$selftests/lguest"/*.[chS]; }

# nothing_here RUNNER...: there is neither launcher nor module. The runners open what is
# their output anew: it must be a pipe.
nothing_here()
{
	rm -f "$work/skipped"
	(set -o pipefail
	LGUEST=$work/none LG_MODULE=$work/none timeout 300 "$@" </dev/null | cat >"$work/skipped")
}

# tap OUTPUT: it begins as TAP 13 does, each test's own lines, too, and the plan is kept.
tap()
{
	awk '
		NR == 1 && $0 != "TAP version 13" { print "not TAP: " $0; bad = 1 }
		/^1\.\./ { plan = substr($0, 4) }
		/^# selftests: lguest: / { test = $4; first = 1; next }
		/^# timeout set to/ { next }
		first { if ($0 != "# TAP version 13") { print test ": " $0; bad = 1 } first = 0 }
		/^(not )?ok / { seen++ }
		END { print plan " planned, " seen " seen"; exit bad || !plan || plan != seen }' "$1" ||
		{ head -n 40 "$1"; return 1; }
}

# For each test one reason, "TAP version 13" before it, and the runner's word.
all_are_skipped()
{
	local tests reasons
	tests=$(wc -l <"$selftests/kselftest_install/kselftest-list.txt")
	tap "$work/skipped" || return 1
	grep -E '^(not )?ok ' "$work/skipped" | grep -v ' # SKIP$' && return 1
	reasons=$(grep -cE '^# 1\.\.0 # SKIP (no launcher|no /dev/lguest|lg\.ko is not loaded)' "$work/skipped")
	echo "$tests tests, $reasons reasons"
	if [ "$tests" -lt 20 ] || [ "$reasons" != "$tests" ]; then cat "$work/skipped"; return 1; fi
}

# The host VM's own places are empty, and the runner's timeout is the real one.
run_in_the_vm()
{
	local name chosen=
	for name in $in_the_vm; do chosen+=" -t lguest:$name"; done
	tests/hostvm --kernel 6.12 --smp 2 --timeout 600 --no-load --add "$selftests/kselftest_install:/src/kselftest" \
		--add /usr/bin/timeout:/bin/timeout -- sh -c "
		mkdir /opt && mv /lg /opt/here && rm /bin/lg-run || exit 1
		export LGUEST=/opt/here/lguest LG_MODULE=/opt/here/lg.ko
		export LG_KERNEL=/opt/here/guest-6.12/bzImage LG_INITRD=/opt/here/initrd.img PATH=/bin
		insmod \$LG_MODULE && cd /src/kselftest && ./run_kselftest.sh$chosen | cat" >"$work/passed" 2>"$work/err" </dev/null ||
		{ cat "$work/passed" "$work/err"; return 1; }
}

they_pass()
{
	local name
	tap "$work/passed" || return 1
	for name in $in_the_vm; do
		grep -qE "^ok [0-9]* selftests: lguest: $name$" "$work/passed" || { echo "$name:"; tail -n 40 "$work/passed"; return 1; }
	done
}

scripts/deps build guest hostvm test >&2
check a_tree_is_there make_tree
check what_is_no_tree_is_refused refuses_what_is_no_tree
check they_are_laid_there lay
check nothing_reaches_out_of_it nothing_reaches_out_of_it
check they_are_built_and_installed build
check make_runs_them_without_a_module nothing_here \
	make -s -C "$selftests" TARGETS=lguest run_tests
check all_of_these_are_skipped all_are_skipped
check run_kselftest_runs_them_without_a_module nothing_here "$selftests/kselftest_install/run_kselftest.sh" -c lguest
check all_of_those_are_skipped all_are_skipped
check run_kselftest_runs_them_with_a_module run_in_the_vm
check those_pass they_pass
checked
