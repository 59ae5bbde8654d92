#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Every way a guest can end has its exit status and its words: poweroff 0, reboot
# boots again, a panic (here: init ends) 255 with its message, a fault that the kernel
# cannot take 255 with the reason, panic=-1 boots again. Fails on another status, on silence, or
# when the guest hangs instead.
# shellcheck source=tests/selftests/check.sh
. ./check.sh
# shellcheck source=tests/selftests/guest.sh
. ./guest.sh

# The guest asks what to do: so each boot of one launcher can end otherwise.
# shellcheck disable=SC2016  # for the guest
make_initrd "$work/initrd" 'echo BOOTED; read -r answer; eval "$answer"; sleep 100'

booted() { [ "$(grep -ac BOOTED "$work/out")" -ge "$1" ]; }

# ends STATUS KERNEL-ARGUMENTS ANSWER...: one ANSWER for each boot.
ends()
{
	want=$1 arguments=$2 boots=0
	shift 2
	rm -f "$work/in" "$work/out"
	mkfifo "$work/in"
	: >"$work/out"
	# shellcheck disable=SC2086  # arguments are words
	timeout 200 lguest --initrd="$work/initrd" 64m "$kernel" quiet $arguments \
		<"$work/in" >"$work/out" 2>"$work/err" &
	launcher=$!
	exec 7>"$work/in"
	for answer; do
		boots=$((boots + 1))
		if ! wait_for 90 booted "$boots"; then
			echo "no boot number $boots"
			kill "$launcher"
			break
		fi
		echo "$answer" >&7
	done
	exec 7>&-
	wait "$launcher"
	status=$?
	[ "$status" = "$want" ] || { echo "status $status, not $want"; tail -n 30 "$work/out" "$work/err"; return 1; }
}

faults()
{
	lguest 64m "$tests/stub-kernel-fault" >"$work/out" 2>"$work/err" </dev/null
	status=$?
	[ "$status" = 255 ] || { echo "status $status"; cat "$work/err"; return 1; }
}

one_boot() { [ "$(grep -ac BOOTED "$work/out")" = 1 ]; }

check poweroff_is_0 ends 0 '' 'poweroff -f'
check nothing_is_said_then sh -c "! grep . $work/err"
# The last words of a kernel whose devices are off by then: by the early console.
check poweroff_with_keep_bootcon_is_0 ends 0 keep_bootcon 'poweroff -f'
check poweroff_is_called_so said 'reboot: Power down' "$work/out"
check reboot_boots_again ends 0 '' 'reboot -f' 'reboot -f' 'poweroff -f'
check panic_is_255 ends 255 '' 'exit 3'
check panic_comes_with_its_message said 'Attempted to kill init! exitcode=0x00000300' "$work/err"
check panic_comes_with_registers said 'rip ' "$work/err"
check panic_does_not_boot_again one_boot
# What panic() has to say after its notifiers, of which the guest's own is one.
check panic_with_more_to_say_is_255 ends 255 panic_print=2 'exit 3'
check panic_says_it_all said 'Mem-Info:' "$work/out"
check panic_1_reboots ends 0 panic=-1 'exit 3' 'poweroff -f'
check no_init_at_all_is_255 ends 255 rdinit=/nowhere
check no_init_comes_with_its_message said 'Unable to mount root fs' "$work/err"
check fault_that_it_cannot_take_is_255 faults
check fault_comes_with_its_reason said 'the host ended the guest' "$work/err"
check leaves_nothing_behind wait_for 5 refcnt_is 0
checked
