#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# A guest with several virtual CPUs: they come up, interrupt each other, go offline
# and come back under load, answer NMIs, flush each other's TLBs; and the guest
# knows what time the host has kept from it. On more CPUs than the host has, too.
# shellcheck source=tests/selftests/check.sh
. ./check.sh
# shellcheck source=tests/selftests/guest.sh
. ./guest.sh

# run CPUS COMMANDS: run COMMANDS in a guest; what it says is in $work/out. Its kernel is
# told what is in $append.
append=
run()
{
	lg-run --log "$work/log" --cpus="$1" --stats --append "$append" --add "$tests/userland64:/bin/userland64" \
		--add "$tests/page_tables:/bin/page_tables" -- \
		sh -c "$2" >"$work/out" 2>"$work/err" && return
	tail -n 30 "$work/out" "$work/log" "$work/err"
	return 1
}

# out TEXT: the guest said that line.
out() { grep -qxF -- "$1" "$work/out" || { echo "no \"$1\" in:"; cat "$work/out"; return 1; }; }

# counted NAME: how many the host counted of it.
counted() { sed -n "s/^lguest:   *$1 *\([0-9]*\)$/\1/p" "$work/err"; }

# over NUMBER NAME: the host counted more than NUMBER of NAME.
over()
{
	count=$(counted "$2")
	echo "$2: ${count:-none}"
	[ "${count:-0}" -gt "$1" ]
}

# at_most PERCENT NAME ALL: of 100 of ALL, the host counted no more than that of NAME.
at_most()
{
	count=$(counted "$2") all=$(counted "$3")
	echo "$2: ${count:-none} of ${all:-none}"
	[ "${all:-0}" -gt 0 ] && [ "$((${count:-$all} * 100))" -le "$(($1 * all))" ]
}

clean() { ! grep -aE 'WARNING|BUG|Oops|rcu.*stall|No irq handler|soft lockup' "$work/log"; }

# shellcheck disable=SC2016  # for the guest
load='work() { i=0; while [ $i -lt 40 ]; do busybox true; echo x | grep -q x; i=$((i + 1)); done; }
	for i in 1 2 3 4; do work & done'

# shellcheck disable=SC2016  # for the guest
check two_cpus run 2 'nproc; awk "/^RES:/ { print (\$2 + \$3 > 0 ? \"rescheduled\" : \"\") }
	/^CAL:/ { print (\$2 + \$3 > 0 ? \"called\" : \"\") }" /proc/interrupts'
check both_are_online out 2
check reschedule_interrupts_arrive out rescheduled
check function_calls_arrive out called
check no_complaint_of_two clean

check four_cpus_under_load run 4 "nproc; $load; wait; echo done; awk '/^cpu / { print (\$9 > 0 ? \"stolen\" : \"\") }' /proc/stat"
check all_four_are_online out 4
check load_ends out "done"
check stolen_time_is_told out stolen
check no_complaint_of_four clean

# shellcheck disable=SC2016  # for the guest
check hotplug_under_load run 4 "$load"'
	for round in 1 2 3 4 5; do
		for state in 0 1; do
			for cpu in 1 2 3; do echo $state >/sys/devices/system/cpu/cpu$cpu/online || echo failed; done
		done
	done
	wait; nproc; echo done'
check all_are_back out 4
check load_ends_after_hotplug out "done"
check no_complaint_of_hotplug clean

# shellcheck disable=SC2016  # for the guest
check four_cpus_only_fault run 4 'for round in 1 2; do
	for i in 1 2 3 4; do dd if=/dev/zero of=/dev/null bs=8M count=1 2>/dev/null & done; wait; done'
# How many wait is luck; how many keep the others out is not.
check they_fault_side_by_side at_most 10 "faults and flushes alone in the shadow" "exception #PF"

# Its first process ends, and the panic wants a backtrace of each CPU: by NMI.
panic_of_four()
{
	make_initrd "$work/initrd" 'exit 3'
	lguest --cpus=4 --initrd="$work/initrd" 64m "$kernel" panic_print=0x40 </dev/null \
		>"$work/out" 2>"$work/err"
	[ $? = 255 ]
}

backtraces()
{
	count=$(grep -aoh 'NMI backtrace for cpu [0-9]' "$work/out" "$work/err" | sort -u | wc -l)
	echo "backtraces of $count CPUs"
	[ "$count" = "$1" ]
}

check a_panic_of_four_cpus panic_of_four
check nmis_reach_each backtraces 4

# Threads that map and unmap in one address space, and a page table in use elsewhere.
check threads_share_memory run 4 'userland64 | grep -c "^ok"'
check all_of_userland out 27
check flushes_reach_the_others over 0 "hypercall flush_multi"
check tables_are_rewritten_while_in_use run 4 page_tables
check no_stale_entry out "1..4"

append=nopvspin
check four_cpus_with_native_spinlocks run 4 "$load; wait; dmesg | grep -o 'spinlocks are native'"
check spinlocks_are_native_when_told out 'spinlocks are native'
append=
check sixteen_cpus run 16 'nproc'
check sixteen_are_online out 16
check no_complaint_of_sixteen clean
checked
