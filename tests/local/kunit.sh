#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Documentation/kernel-developers.md on KUnit: suites that are built into a kernel run when a
# guest boots it, and kunit.py of the kernel's own tree understands what it says. Fails when
# a test of theirs fails, or when kunit.py finds none. The kernel is one of its own
# (tests/kunit.config) and takes as long to build as the other: the first run does.
set -u
cd "$(dirname -- "$0")/../.." || exit 1
. tests/selftests/check.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export PYTHONDONTWRITEBYTECODE=1

kernel_is_built() { kernel=$(scripts/build-guest tests/kunit.config 2>"$work/log") || { tail -n 40 "$work/log"; return 1; }; }

# shellcheck disable=SC2016  # for the shell in the VM
in_the_vm='
run() { suites=$1; shift; lguest run --kernel /src/bzImage --append "kunit.enable=1$suites" "$@"; }
run "" --verbose -- true >/src/all 2>&1; echo "all: $?"
run " kunit.filter_glob=list*" --verbose -- true >/src/list 2>&1; echo "list: $?"
run "" -- cat /sys/kernel/debug/kunit/list-kunit-test/results >/src/results 2>&1; echo "results: $?"'

guests_run()
{
	tests/hostvm --kernel 6.1 --smp 2 --timeout 900 --add "$kernel:/src/bzImage" \
		--get "/src/all:$work/all" --get "/src/list:$work/list" --get "/src/results:$work/results" \
		-- sh -c "$in_the_vm" >"$work/out" 2>"$work/err" </dev/null || { cat "$work/err"; return 1; }
	cat "$work/out"
	[ "$(cat "$work/out")" = $'all: 0\nlist: 0\nresults: 0' ]
}

# kunit_py FILE: what kunit.py makes of it, in parsed; its status is kunit.py's.
kunit_py()
{
	local source
	source=$(scripts/fetch-kernel source-6.12) || return 1
	[ -d "$work/linux" ] || { mkdir "$work/linux" && tar -x -C "$work/linux" --strip-components=1 \
		-f "$source/linux.tar.xz" linux-source-6.12/tools/testing/kunit; } || return 1
	"$work/linux/tools/testing/kunit/kunit.py" parse <"$1" >"$work/parsed" 2>&1
}

# all_pass FILE SUITE...: by kunit.py's judgement; these suites are among them.
all_pass()
{
	local file=$1 suite
	shift
	kunit_py "$file" || { tail -n 60 "$work/parsed"; return 1; }
	for suite; do
		grep -q "PASSED. $suite *=*\$" "$work/parsed" || { echo "no $suite in:"; cat "$work/parsed"; return 1; }
	done
	tail -n 3 "$work/parsed"
}

some_can_be_chosen() { all_pass "$work/list" list-kunit-test && ! grep example "$work/parsed"; }

results_can_be_read() { cat "$work/results"; all_pass "$work/results" list-kunit-test; }

scripts/deps guest hostvm test >&2
check kernel_is_built kernel_is_built
check guests_run guests_run
check all_suites_pass all_pass "$work/all" list-kunit-test usercopy example kunit_fault
check some_can_be_chosen some_can_be_chosen
check results_can_be_read results_can_be_read
checked
