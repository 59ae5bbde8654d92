#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Documentation/kernel-developers.md on kselftest: tests of the guest kernel's own tree run
# in a guest where they were built, by the two runners that they come with. Fails when one
# of them does not start there, or does not say that its test passed.
set -u
cd "$(dirname -- "$0")/../.." || exit 1
. tests/selftests/check.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# build TARGETS: these tests in a tree of just what they need, and what make install makes.
build()
{
	local source tree=linux-source-6.12 selftests=tools/testing/selftests
	local -a files=(Makefile lib.mk run_kselftest.sh kselftest kselftest.h kselftest_harness.h)
	# shellcheck disable=SC2206  # words
	files+=($1)
	source=$(scripts/fetch-kernel source-6.12) || return 1
	tar -x -C "$work" -f "$source/linux.tar.xz" "$tree/scripts/subarch.include" \
		"$tree/tools/include/uapi" "${files[@]/#/$tree/$selftests/}" || return 1
	mv "$work/$tree" "$work/linux"
	make -C "$work/linux/$selftests" TARGETS="$1" FORCE_TARGETS=1 install >"$work/log" 2>&1 || { tail -n 40 "$work/log"; return 1; }
}

# The host VM has what any host has: make, and a timeout that takes all of its options.
# shellcheck disable=SC2016  # for the shell in the VM
in_the_vm='
cd /src/linux || exit 1
lguest run -- make -C tools/testing/selftests TARGETS=sigaltstack run_tests
echo "make: $?"
cd tools/testing/selftests/kselftest_install || exit 1
lguest run -- ./run_kselftest.sh -t timers:nanosleep -t size:get_size
echo "run_kselftest: $?"'

run_both()
{
	tests/hostvm --kernel 6.1 --smp 2 --timeout 900 --add "$work/linux:/src/linux" \
		--add /usr/bin/make:/bin/make --add /usr/bin/timeout:/bin/timeout \
		-- sh -c "$in_the_vm" >"$work/out" 2>"$work/err" </dev/null
}

says()
{
	local line
	for line; do
		grep -qxF "$line" "$work/out" || { echo "no '$line' in:"; cat "$work/out" "$work/err"; return 1; }
	done
}

scripts/deps build guest hostvm test >&2
check they_are_built build "sigaltstack size timers"
check they_are_run run_both
check make_run_tests_passes says 'ok 1 selftests: sigaltstack: sas' 'make: 0'
check run_kselftest_passes says 'ok 1 selftests: timers: nanosleep' \
	'ok 1 selftests: size: get_size' 'run_kselftest: 0'
checked
