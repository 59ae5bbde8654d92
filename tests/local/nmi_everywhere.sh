#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# nmi_everywhere [MACHINE]: a guest may choose what %rsp is when it makes a system call
# or returns from one, and so what the switcher has in its hand for some instructions in
# ring 0. NMIs that come right there harm nobody. A build of lg.ko that waits at all those
# places (LG_TEST_PAUSES in switcher/switcher.S) runs guests whose stack pointer leads into
# the window's own state, while NMIs come as fast as they can be sent.
# Fails when the host dies, hangs or warns, or when a guest ends.
#
# And a #DB that arrives at the first instruction behind a gate that user mode may use is
# forgiven, too: it ends no VM.
#
# With QEMU the NMIs come by its monitor, and the #DB that MOV SS holds back over SYSCALL,
# or INT n, which QEMU does not know, from an INT $1 of that build. With Bochs, the strict machine,
# the #DB is real, and the other CPU sends the NMIs.
set -u
cd "$(dirname -- "$0")/../.." || exit 1
. tests/selftests/check.sh
. scripts/lib.sh
machine=${1:-qemu}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cases="mov_ss_syscall_for_ever step_syscall_for_ever stacks_in_the_window_for_ever"
# What enters ring 0 by a gate, with a #DB at the first instruction there.
gates="int3 mov_ss_int3 user_mov_ss_int3 user_mov_ss_int_3 user_int_4 user_mov_ss_int_4 user_int80_open
	user_int80_closed user_mov_ss_int80_open user_mov_ss_int80 user_mov_ss_int1
	user_mov_ss_ud2 user_mov_ss_syscall"
pauses=3000 seconds=8 enough=300
[ "$machine" = qemu ] || { pauses=300 seconds=4 enough=50; }

# On CPU 0, whose window the guests know; CPU 1 may send NMIs to it through its own APIC:
# SDM volume 3, 10.6.1.
# shellcheck disable=SC2016  # for the shell in the VM
in_the_vm='
cd /lg/selftests
nmis() { awk "/NMI:/ { print \$2 }" /proc/interrupts; }
echo "until [ -e /tmp/stop ]; do
	devmem 0xfee00310 32 0; devmem 0xfee00300 32 0x4400
done" >/tmp/storm
./hostile_guest $4 >/tmp/out && echo "gates 0" || cat /tmp/out
before=$(nmis)
echo running
if [ "$2" = bochs ]; then taskset 2 sh /tmp/storm & fi
end=$(($(date +%s) + $1))
status=0
while [ "$(date +%s)" -lt "$end" ] && [ $status = 0 ]; do
	taskset 1 ./hostile_guest $3 >/tmp/out || { cat /tmp/out; status=1; }
done
touch /tmp/stop
wait
echo "status $status"
echo "counted $(($(nmis) - before))"
'

storm()
{
	until grep -qs '^running' "$work/out"; do
		[ -e "$work/ended" ] && return
		sleep 0.2
	done
	until [ -e "$work/ended" ]; do
		for _ in $(seq 50); do
			echo nmi
			sleep 0.002
		done
	done | socat -t 1 - "UNIX-CONNECT:$work/monitor" >/dev/null 2>&1
}

options=(--no-guest --append "nmi_watchdog=0" --kernel 6.1)
if [ "$machine" = qemu ]; then
	options+=(--cpu "max,-la57" --smp 1 --monitor "$work/monitor" --timeout 150)
else
	options+=(--machine bochs --smp 2 --append nox2apic --append iomem=relaxed --timeout 900)
fi

run_storm()
{
	[ "$machine" != qemu ] || storm &
	tests/hostvm "${options[@]}" --module "$module" --add "$LG_BUILD/selftests:/lg/selftests" -- \
		sh -c "$in_the_vm" sh $seconds "$machine" "$cases" "$gates" >"$work/out" 2>"$work/err" </dev/null
	echo "hostvm $?" >>"$work/out"
	touch "$work/ended"
	wait
}

says() { grep -q "^$1\$" "$work/out" || { cat "$work/out" "$work/err"; return 1; }; }

many_came()
{
	local counted
	counted=$(awk '/^counted/ { print $2 }' "$work/out")
	echo "$counted NMIs"
	[ "${counted:-0}" -ge "$enough" ] || { cat "$work/out"; return 1; }
}

scripts/deps test >&2
[ -x "$LG_BUILD/selftests/hostile_guest" ] || make -s -C tests/selftests OUTPUT="$LG_BUILD/selftests" >&2
module=$(AFLAGS=-DLG_TEST_PAUSES=$pauses MODULE_OUT="$LG_BUILD/lg-pauses" scripts/build-module 6.1-cloud) || exit 1
run_storm
check a_step_behind_a_gate_is_forgiven says 'gates 0'
check the_guests_go_on says 'status 0'
check the_host_does_not_complain says 'hostvm 0'
check many_nmis_came many_came
checked
