#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# What a guest makes the host do can be seen from outside while it lives: counters in
# debugfs, events in tracefs. Fails when a file is not there, is not what it says it is,
# disagrees with another, or stays behind; and when an event does not come.
# shellcheck source=tests/selftests/check.sh
. ./check.sh
# shellcheck source=tests/selftests/guest.sh
. ./guest.sh

debugfs=/sys/kernel/debug/lguest
tracefs=/sys/kernel/tracing
events="entry exit inject shadow_fill flush hypercall ring_call"

# start_guest COMMANDS: one that does them again and again
start_guest()
{
	make_initrd "$work/initrd" "echo here; while :; do $1; done" || return 1
	lguest --initrd="$work/initrd" 64m "$kernel" quiet </dev/null >"$work/console" 2>&1 &
	launcher=$!
	wait_for 60 grep -q here "$work/console"
}

# It is named by the launcher, which lives.
has_a_folder()
{
	folder=$(echo "$debugfs/$launcher"-*)
	find "$debugfs"
	[ -e "$folder/stats" ] && [ -e "$folder/stats.json" ] &&
		[ -e "$folder/vcpu0/stats" ] && [ -e "$folder/vcpu0/stats.json" ]
}

# value NAME [FILE]: what the VM's counters say.
value() { awk -v name="$1" '$1 == name { print $2; found = 1 } END { exit !found }' "${2:-$folder/stats}"; }

grows()
{
	before=$(value "$1") && sleep 1 && after=$(value "$1") && echo "$before, then $after" &&
		[ "$after" -gt "$before" ]
}

# A vCPU that runs must not be waited for: a hundred times in far less than its turn.
read_while_it_runs()
{
	i=0
	while [ "$i" -lt 100 ]; do cat "$folder/vcpu0/stats" >/dev/null || return 1; i=$((i + 1)); done
}

# stopped COMMAND...: with the launcher stopped, so that numbers stay as they are.
stopped()
{
	freeze "$launcher"
	cp "$folder/stats" "$work/before"
	"$@"
	stopped_status=$?
	cmp "$work/before" "$folder/stats" || stopped_status=1
	kill -CONT "$launcher"
	return "$stopped_status"
}

json_is_the_text()
{
	for file in "$folder/stats" "$folder"/vcpu*/stats; do
		"$tests/json" <"$file.json" >"$work/from-json" || return 1
		cmp "$file" "$work/from-json" || return 1
	done
	[ "$(wc -l <"$work/from-json")" -gt 60 ]
}

# Three vCPUs that have each done something else, and nothing now.
start_three_vcpus()
{
	"$tests/vcpus" >"$work/vcpus" 2>&1 &
	vcpus=$!
	wait_for 30 grep . "$work/vcpus" && grep here "$work/vcpus"
	folder=$(echo "$debugfs/$vcpus"-*)
}

own_counters()
{
	for i in 0 1 2; do
		echo "vcpu$i: $(value hypercall_flush_async "$folder/vcpu$i/stats")"
		[ "$(value hypercall_flush_async "$folder/vcpu$i/stats")" = $((i * 1000 + 1000)) ] || return 1
	done
	[ "$(value hypercall_flush_async)" = 6000 ]
}

sum_of_vcpus()
{
	cat "$folder"/vcpu*/stats |
		awk '!($1 in sum) { names[++n] = $1 } { sum[$1] += $2 } END { for (i = 1; i <= n; i++) printf "%s %.0f\n", names[i], sum[names[i]] }' \
		>"$work/sum"
	# What the vCPUs share is the VM's alone.
	grep -vE '^(shadow_pages|prefills_used|prefills_wasted) ' "$folder/stats" | cmp - "$work/sum"
}

end_three_vcpus() { kill -9 "$vcpus" && wait_for 10 refcnt_is 0 && no_folder; }

# Each exit has one reason. One may be under way when the launcher is stopped: an exit
# counts when the guest is entered.
reasons_add_up()
{
	awk '
		$1 == "exits" { exits = $2 }
		$1 ~ /^(interrupts|syscalls|hypercalls)$/ || $1 ~ /^exception_/ { sum += $2 }
		END { print exits " exits, " sum " reasons"; exit !(exits > 1000 && exits - sum >= 0 && exits - sum < exits / 100) }' \
		"$folder/stats"
	reasons_status=$?
	awk '$1 == "hypercalls" { all = $2 } $1 ~ /^hypercall_/ { sum += $2 } END { print all " hypercalls, " sum " by name"; exit all != sum }' \
		"$folder/stats" && return "$reasons_status"
}

# What was made ahead was used or not, and of the rest it is not known yet.
prefills_are_told_apart()
{
	awk '
		$1 ~ /^prefills/ { of[$1] = $2; print }
		END {
			known = of["prefills_used"] + of["prefills_wasted"]
			exit !(of["prefills_used"] > 0 && of["prefills_wasted"] > 0 && known <= of["prefills"])
		}' "$folder/stats"
}

event() { [ -e "$tracefs/events/lguest/lguest_$1/enable" ]; }

# Events go on and off while the guest stands still: to change code that runs is what the
# emulator of the host is bad at (verdict.sh: emulators_own).
trace_for_a_while()
{
	freeze "$launcher"
	echo 0 >"$tracefs/tracing_on"
	echo 4096 >"$tracefs/buffer_size_kb"
	echo >"$tracefs/trace"
	echo 1 >"$tracefs/events/lguest/enable"
	echo 1 >"$tracefs/tracing_on"
	kill -CONT "$launcher"
	sleep 2
	freeze "$launcher"
	echo 0 >"$tracefs/tracing_on"
	echo 0 >"$tracefs/events/lguest/enable"
	kill -CONT "$launcher"
	cat "$tracefs/trace" >"$work/trace"
	for event in $events; do
		echo "$(grep -c " lguest_$event: " "$work/trace") $event"
	done | tee "$work/counted"
}

came() { awk -v name="$1" '$2 == name { print $1; n = $1 } END { exit !n }' "$work/counted"; }

# In the order of one thread: never two entries or two exits in a row.
entries_and_exits_are_pairs()
{
	grep -E ' lguest_(entry|exit): ' "$work/trace" | awk '
		{ now = $0 ~ / lguest_entry: / }
		NR > 1 && now == last { print "twice: " $0; bad++ }
		{ last = now }
		END { print NR " events"; exit bad || NR < 100 }'
}

events_are_readable()
{
	grep -m 1 -E 'lguest_exit: vcpu 0 trap (#PF|syscall) (user|kernel) ip 0x[0-9a-f]+ error 0x[0-9a-f]+ cr2 0x[0-9a-f]+$' "$work/trace" &&
		grep -m 1 -E 'lguest_hypercall: vcpu 0 [a-z_0-9]+ 0x[0-9a-f]+ 0x[0-9a-f]+ 0x[0-9a-f]+$' "$work/trace" &&
		grep -m 1 -E 'lguest_shadow_fill: vcpu 0 gva 0x[0-9a-f]+ gfn 0x[0-9a-f]+ pfn 0x[0-9a-f]+ level [12] error 0x[0-9a-f]+$' "$work/trace"
}

# What a reader has open does not keep the VM's memory, and is told so.
gone_with_an_open_file()
{
	exec 7<"$folder/vcpu0/stats"
	kill -9 "$launcher"
	wait "$launcher" 2>/dev/null
	wait_for 10 no_folder || { ls -R "$debugfs"; return 1; }
	if read -r line <&7; then echo "still read: $line"; return 1; fi
	exec 7<&-
	wait_for 10 refcnt_is 0
}

no_folder() { [ -d "$debugfs" ] && [ "$(ls "$debugfs")" = "" ]; }

# Readers of a folder that comes and goes, all the time.
read_during_teardown()
{
	(while :; do cat "$debugfs"/*/stats "$debugfs"/*/*/stats.json; done) >/dev/null 2>&1 &
	reader=$!
	i=0
	while [ "$i" -lt 20 ]; do
		lguest --initrd="$work/initrd" 64m "$kernel" quiet </dev/null >/dev/null 2>&1 &
		launcher=$!
		sleep "0.$((i % 5))"
		kill -9 "$launcher"
		wait "$launcher" 2>/dev/null
		i=$((i + 1))
	done
	kill "$reader"
	wait "$reader" 2>/dev/null
	wait_for 10 refcnt_is 0 && no_folder
}

# Who takes a tracer away waits until every task has been seen not to run what goes. A guest
# that never sleeps must be no obstacle. The function that is traced is one that nobody calls.
tracer_goes()
{
	mkdir "$tracefs/instances/spin" && echo kernel_power_off >"$tracefs/instances/spin/set_ftrace_filter" &&
		echo function >"$tracefs/instances/spin/current_tracer" || return 1
	rm -f "$work/gone"
	{ echo nop >"$tracefs/instances/spin/current_tracer"; : >"$work/gone"; } &
	wait_for 60 [ -e "$work/gone" ] && rmdir "$tracefs/instances/spin"
}

end_spinning() { kill "$launcher"; wait "$launcher"; wait_for 10 refcnt_is 0; }

check three_vcpus_start start_three_vcpus
check each_has_its_own_counters own_counters
check vm_is_the_sum_of_three_vcpus sum_of_vcpus
check three_vcpus_go end_three_vcpus
check a_guest_starts start_guest 'sh -c "seq 50 | sort -r | wc -l >/dev/null"'
check has_a_folder has_a_folder
for name in exits interrupts exception_pf shadow_fills direct_syscalls direct_returns; do
	check "${name}_grow_while_it_runs" grows "$name"
done
check read_while_it_runs read_while_it_runs
check json_is_the_text stopped json_is_the_text
check vm_is_the_sum_of_a_guests_vcpus stopped sum_of_vcpus
check reasons_add_up stopped reasons_add_up
check prefills_are_told_apart stopped prefills_are_told_apart
for name in $events; do
	check "event_${name}_exists" event "$name"
done
check traces trace_for_a_while
for name in $events; do
	check "event_${name}_comes" came "$name"
done
check entries_and_exits_are_pairs entries_and_exits_are_pairs
check events_are_readable events_are_readable
check gone_with_an_open_file gone_with_an_open_file
check read_during_teardown read_during_teardown
check a_guest_spins start_guest :
check a_tracer_goes_beside_it tracer_goes
check the_spinning_guest_ends end_spinning
checked
