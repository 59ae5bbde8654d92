#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A storm of NMIs while a guest makes system calls: they land in the guest, in the
# switcher and in the host, and each must reach the host's handler. Fails when the host
# or the guest dies of one, and when the host has counted clearly fewer than were sent.
set -u
cd "$(dirname -- "$0")/../.." || exit 1
. tests/selftests/check.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

sent=500 enough=450

# Sent one by one through QEMU's monitor, from the moment the guest says that it runs:
# with no time between them they would be one to the CPU.
storm()
{
	until grep -qs '^running' "$work/out"; do
		[ -e "$work/ended" ] && return
		sleep 0.2
	done
	for _ in $(seq $sent); do
		echo nmi
		sleep 0.01
	done | socat -t 5 - "UNIX-CONNECT:$work/monitor" >/dev/null
}

# The guest works until the host has counted enough, or for so long that it never will.
# shellcheck disable=SC2016  # for the shells in the VM and in the guest
in_the_vm='
counted() { echo $(($(awk "/NMI:/ { print \$2 }" /proc/interrupts) - before)); }
before=0
before=$(counted)
until_counted()
{
	seconds=0
	until [ "$(counted)" -ge "$1" ] || [ $seconds -ge 100 ]; do
		sleep 1
		seconds=$((seconds + 1))
	done
	echo enough
}
until_counted "$1" | lg-run --stats -- sh -c "
	exec 3<&0
	{ read -r _ <&3; touch /enough; } &
	echo running
	until [ -e /enough ]; do dd if=/dev/zero of=/dev/null bs=1 count=60000 2>/dev/null; done
	echo finished" 2>/tmp/log
echo "status $?"
echo "counted $(counted)"
grep "NMIs of the host" /tmp/log || cat /tmp/log
'

run_storm()
{
	storm &
	tests/hostvm --kernel 6.1 --smp 1 --timeout 240 --monitor "$work/monitor" -- \
		sh -c "$in_the_vm" sh $enough >"$work/out" </dev/null
	echo "hostvm $?" >>"$work/out"
	touch "$work/ended"
	wait
}

says() { grep -q "^$1\$" "$work/out" || { cat "$work/out"; return 1; }; }

number() { awk -v word="$1" '$0 ~ word { print $NF }' "$work/out"; }

nearly_all_reach_the_host()
{
	counted=$(number '^counted')
	[ "${counted:-0}" -ge "$enough" ] || { cat "$work/out"; return 1; }
}

some_hit_the_guest() { [ "$(number 'NMIs of')" -ge 100 ] || { cat "$work/out"; return 1; }; }

scripts/deps test >&2
run_storm
check the_guest_works_on says finished
check the_guest_ends_well says 'status 0'
check the_host_does_not_complain says 'hostvm 0'
check nearly_all_reach_the_host nearly_all_reach_the_host
check some_hit_the_guest_or_the_switcher some_hit_the_guest
checked
