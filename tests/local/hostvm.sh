#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What tests/hostvm promises: streams, statuses, files. No lg.ko in this one.
set -u
cd "$(dirname -- "$0")/../.." || exit 1
. tests/selftests/check.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

vm() { tests/hostvm --no-load --no-build --timeout "${limit:-200}" "$@" </dev/null; }

# status WANTED COMMAND...: COMMAND ends with just that status.
status()
{
	local want=$1 got=0
	shift
	"$@" || got=$?
	[ "$got" = "$want" ] || { echo "status $got, not $want"; return 1; }
}

streams_are_apart_and_exact()
{
	head -c 200000 /dev/urandom >"$work/in"
	tests/hostvm --no-load --no-build -- sh -c 'cat; echo no >&2' <"$work/in" >"$work/out" 2>"$work/err"
	cmp "$work/in" "$work/out" && [ "$(cat "$work/err")" = no ]
}

files_go_in_and_come_out()
{
	echo in >"$work/file"
	status 3 vm --add "$work/file" --add "$work/file:/a/b" --get "/root/o u t:$work/back" -- \
		sh -c 'cat /lg/file /a/b >"o u t"; exit 3' && [ "$(cat "$work/back")" = $'in\nin' ]
}

# shellcheck disable=SC2016  # the dollar is the point
arguments_arrive_as_they_are()
{
	[ "$(vm -- printf '[%s]' "it's" 'two  words' '' $'a\nb' '$HOME')" = "[it's][two  words][]["$'a\nb][$HOME]' ]
}

disk_is_there()
{
	truncate -s 1M "$work/disk"
	echo data | dd of="$work/disk" conv=notrunc status=none
	[ "$(vm --disk "$work/disk" -- sh -c 'head -n 1 /dev/vda; echo back >/dev/vda')" = data ] &&
		[ "$(head -n 1 "$work/disk")" = back ]
}

icount_repeats()
{
	local first second
	first=$(vm --icount -- sed -n 's/^now at //p' /proc/timer_list)
	second=$(vm --icount -- sed -n 's/^now at //p' /proc/timer_list)
	echo "$first, $second"
	[ -n "$first" ] && [ "$first" = "$second" ]
}

# Of a kernel that had something of ours, and of one that had nothing yet.
panics()
{
	status 125 vm "$@" 2>"$work/err"
}
ours_panics()
{
	panics -- sh -c 'echo c >/proc/sysrq-trigger; sleep 60' && ! grep 'before anything of ours' "$work/err"
}
others_panic()
{
	panics --append rdinit=/nonexistent -- true && grep 'before anything of ours' "$work/err"
}

# A complaint counts, however much is said after it.
# shellcheck disable=SC2016  # for the host VM
says_much_after_a_warning()
{
	status 125 vm -- sh -c 'echo "<4>WARNING: CPU: 0 PID: 1 at here" >/dev/kmsg
		i=0; while [ $i -lt 2000 ]; do echo "<4>nothing is wrong" >/dev/kmsg; i=$((i + 1)); done'
}

# int3 BYTES: as of an int3 there.
int3() { panics -- sh -c "echo '<0>Oops: int3: 0000 [#1]' >/dev/kmsg; echo '<0>Code: $1' >/dev/kmsg"; }
emulators_int3() { int3 '8b 52 78 e9 <cc> 00' && grep 'a fault of QEMU' "$work/err"; }
another_int3() { int3 '8b 52 78 cc <cc> 00' && ! grep 'a fault of QEMU' "$work/err"; }

bochs_does_the_same()
{
	status 7 vm --machine bochs --smp 1 --add /etc/passwd --get "/root/o:$work/o" -- \
		sh -c 'echo out; echo err >&2; cp /lg/passwd o; exit 7' >"$work/out" 2>"$work/err" &&
		[ "$(cat "$work/out" "$work/err")" = $'out\nerr' ] && cmp /etc/passwd "$work/o"
}

check streams_are_apart_and_exact streams_are_apart_and_exact
check status_of_the_command_comes_back status 42 vm -- sh -c 'exit 42'
check files_go_in_and_come_out files_go_in_and_come_out
check arguments_arrive_as_they_are arguments_arrive_as_they_are
check disk_is_there disk_is_there
limit=15 check timeout_is_124 status 124 vm -- sleep 1000
check panic_is_125 ours_panics
check panic_before_our_init_is_told others_panic
check warning_is_125 status 125 vm -- sh -c 'echo "<4>WARNING: CPU: 0 PID: 1 at here" >/dev/kmsg'
check so_it_is_with_much_after_it says_much_after_a_warning
check emulators_int3_is_told emulators_int3
check another_int3_is_not another_int3
check early_end_is_125 status 125 vm -- sh -c 'poweroff -f; sleep 60'
check no_such_cpu_is_125 status 125 vm --cpu nonsense -- true
check icount_repeats icount_repeats
check bochs_does_the_same bochs_does_the_same
checked
