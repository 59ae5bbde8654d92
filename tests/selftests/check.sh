# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# For tests written in shell: one result of the Test Anything Protocol per promise.
#   . check.sh; check "what it promises" command...; ...; checked
# Plain sh: the tests in the host VM use it, too.

check_count=0
check_failed=0
echo "TAP version 13"

# check NAME COMMAND...: ok when COMMAND succeeds; else show what it said.
check()
{
	check_name=$1
	shift
	check_count=$((check_count + 1))
	check_output=$(mktemp)
	if "$@" >"$check_output" 2>&1; then
		echo "ok $check_count $check_name"
	else
		echo "not ok $check_count $check_name"
		sed 's/^/# /' <"$check_output" | tail -n 40
		check_failed=$((check_failed + 1))
	fi
	rm -f "$check_output"
}

# skip NAME WHY
skip()
{
	check_count=$((check_count + 1))
	echo "ok $check_count $1 # SKIP $2"
}

# skip_all WHY: nothing of it can be told here. 4 is kselftest's status for that.
skip_all()
{
	echo "1..0 # SKIP $1"
	exit 4
}

# missing WHY: what the test needs is not here. Where LG_MUST_RUN is set, it has to be.
missing()
{
	[ -n "${LG_MUST_RUN:-}" ] || skip_all "$1"
	echo "not ok 1 $1"
	echo "1..1"
	exit 1
}

# checked: the plan, and the end.
checked()
{
	echo "1..$check_count"
	[ "$check_failed" = 0 ] || exit 1
	exit 0
}
