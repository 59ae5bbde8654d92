#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# On a CPU without FSGSBASE (qemu64) and on a real-time kernel lg.ko is refused: ENODEV,
# one clear line in the log, and nothing else changes. lguest --check says the same. For a
# host VM that was started with --no-load.
# shellcheck source=tests/selftests/check.sh
. ./check.sh
needs=launcher
# shellcheck source=tests/selftests/guest.sh
. ./guest.sh

if grep -q ' PREEMPT_RT ' /proc/version; then
	why='PREEMPT_RT'
elif ! grep -qw fsgsbase /proc/cpuinfo; then
	why='FSGSBASE'
else
	skip_all "nothing is wrong with this host"
fi

insmod_fails()
{
	if load_module 2>"$work/err"; then return 1; fi
	cat "$work/err"
	# ENODEV in busybox's words.
	grep -qi 'no such device' "$work/err"
}

one_line()
{
	# busybox's insmod asks twice, by finit_module() and init_module().
	dmesg | grep -a 'lguest: ' | sed 's/^\[[^]]*\] //' | sort -u >"$work/lines"
	cat "$work/lines"
	[ "$(wc -l <"$work/lines")" = 1 ] && grep -q "lguest: cannot run here: .*$why" "$work/lines"
}

launcher_says_so()
{
	lguest 64m "$kernel" >"$work/out" 2>"$work/err" </dev/null
	status=$?
	cat "$work/err"
	[ "$status" = 1 ] && [ "$(wc -l <"$work/err")" = 1 ] && grep -q 'lguest --check' "$work/err"
}

check_says_so()
{
	if lguest --check >"$work/out"; then cat "$work/out"; return 1; fi
	grep "^NO.*$why" "$work/out"
}

check insmod_fails_with_enodev insmod_fails
check the_log_has_one_clear_line one_line
check there_is_no_device test ! -e /dev/lguest
check there_is_no_module test ! -e /sys/module/lg
check the_launcher_sends_to_check launcher_says_so
check check_says_what_is_missing check_says_so
checked
