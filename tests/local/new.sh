#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# tests/new in a copy of what it needs: both skeletons are in the Makefile, the one builds
# and has the style of its neighbours, the other passes shellcheck. What has a bad name, or one
# that is there already, is refused, and nothing is changed.
set -u
cd "$(dirname -- "$0")/../.." || exit 1
. tests/selftests/check.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
selftests=$work/tests/selftests

copy() { git ls-files -z --cached --others --exclude-standard tests/new tests/selftests include .shellcheckrc | xargs -0 cp --parents -t "$work"; }

says_how() { "$work/tests/new" --help | tee "$work/help" && grep -q 'new \[--shell\] NAME' "$work/help"; }

# refused ARGUMENT...: with one line, and nothing changes.
refused()
{
	find "$selftests" -type f -exec sha256sum {} + | sort >"$work/before"
	! "$work/tests/new" "$@" >"$work/out" 2>"$work/err" || { echo "tests/new $* is done"; return 1; }
	if [ -s "$work/out" ] || [ "$(wc -l <"$work/err")" != 1 ]; then cat "$work/out" "$work/err"; return 1; fi
	find "$selftests" -type f -exec sha256sum {} + | sort | cmp - "$work/before"
}

bad_names_are_refused()
{
	refused && refused '' && refused Big && refused 2nd && refused a-b && refused ../out && refused 'a b' &&
		refused one two && refused --shell && refused --nothing
}

names_that_are_there_are_refused()
{
	refused host_memory && refused --shell host_memory && refused boot && refused --shell boot &&
		refused stub_kernel && refused guest
}

c_is_made()
{
	"$work/tests/new" made_in_c && make -s -C "$selftests" OUTPUT="$work/built" "$work/built/made_in_c" &&
		[ -x "$work/built/made_in_c" ]
}

# It is a test that needs lg.ko, and says so.
c_runs()
{
	[ ! -e /sys/module/lg ] || return 0
	env -u LG_MUST_RUN "$work/built/made_in_c" | grep -x '1..0 # SKIP lg.ko is not loaded'
	[ "${PIPESTATUS[0]}" = 4 ]
}

c_has_style()
{
	head -n 1 "$selftests/made_in_c.c" | grep -qF 'SPDX-License-Identifier: GPL-2.0-only' &&
		! grep -nE '.{101}|[[:space:]]$' "$selftests/made_in_c.c"
}

shell_is_made()
{
	"$work/tests/new" --shell made_in_shell && [ -x "$selftests/made_in_shell.sh" ] &&
		(cd "$work" && shellcheck -x tests/selftests/made_in_shell.sh)
}

# what NAME VARIABLE: is one of the Makefile's, as kselftest's lib.mk will read it.
is_a_test() { make -s -C "$selftests" --eval "print: ; @echo \$($2)" print | tr ' ' '\n' | grep -xF -- "$1"; }

check what_it_needs_is_copied copy
check help_says_how says_how
check bad_names_are_refused bad_names_are_refused
check names_that_are_there_are_refused names_that_are_there_are_refused
check a_guest_in_c_is_made_and_builds c_is_made
check it_says_what_it_lacks c_runs
check it_has_the_style_of_others c_has_style
check it_is_a_test_of_the_makefile is_a_test made_in_c TEST_GEN_PROGS
check a_shell_test_is_made_and_passes_shellcheck shell_is_made
check that_is_a_test_of_the_makefile is_a_test made_in_shell.sh TEST_PROGS
check a_second_of_that_name_is_refused refused made_in_c
checked
