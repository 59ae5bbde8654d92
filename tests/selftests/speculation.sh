#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Where the host's kernel guards its way to and from user mode against what this CPU
# guesses, lg.ko says at load that its exits do the same, and guests run with it. Fails when
# the line and the kernel's own account in sysfs disagree, or when a guest's case of
# hostile_guest ends otherwise than elsewhere. What the CPU guesses no emulator shows.
# shellcheck source=tests/selftests/check.sh
. ./check.sh
needs=device
# shellcheck source=tests/selftests/guest.sh
. ./guest.sh

bugs=/sys/devices/system/cpu/vulnerabilities
line=$(dmesg | sed -n 's/.*lguest: at each exit://p')

# agrees WORDS FILE PATTERN...: the line has WORDS if, and only if, a FILE of $bugs has PATTERN.
agrees()
{
	words=$1
	shift
	needed=no said=no
	case $line in *"$words"*) said=yes ;; esac
	while [ $# -gt 0 ]; do
		[ ! -e "$bugs/$1" ] || { echo "$1: $(cat "$bugs/$1")"; grep -qE "$2" "$bugs/$1" && needed=yes; }
		shift 2
	done
	echo "needed: $needed, said: $said"
	[ "$needed" = "$said" ]
}

affected='^(Vulnerable|Mitigation|Unknown)'
returns='untrained return thunk|Safe RET|IBPB'

guests_run()
{
	./hostile_guest ready_power_off halt_ends_with_the_timer page_fault int3 flags_tf wild_hypercalls \
		load_many_cr3 iret_frames user_ud2 user_shuts_down stacks_in_the_window_for_ever >"$work/out" && return
	cat "$work/out"
	return 1
}

echo "# at each exit:$line"
check buffers agrees "CPU buffers cleared" mds "$affected" tsx_async_abort "$affected" \
	mmio_stale_data '^(Vulnerable|Mitigation)' reg_file_data_sampling "$affected" tsa "$affected"
check branch_history agrees "branch history cleared" spectre_v2 'BHI: SW loop'
check returns agrees "returns untrained" retbleed "$returns" spec_rstack_overflow "$returns"
check guests_run guests_run
checked
