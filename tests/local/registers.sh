#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What nothing in the host can see, seen from outside by QEMU's monitor: the host's
# control registers, descriptor tables and task register are the same before insmod,
# while a VM is there but does not run, after its end, and after rmmod; only CR4.PGE
# may be off while a VM lives that has run. And NMIs, as many as the monitor can send,
# harm neither a guest that runs nor the host.
# Fails when a register differs, or when the host warns or dies of an NMI.
set -u
cd "$(dirname -- "$0")/../.." || exit 1
. tests/selftests/check.sh
. scripts/lib.sh
work=$(mktemp -d)
vm=
# shellcheck disable=SC2154
trap '[ -z "$vm" ] || kill "$vm" 2>/dev/null; rm -rf "$work"' EXIT

# monitor COMMAND...: what QEMU answers.
monitor()
{
	perl -MIO::Socket::UNIX -e '
		my $s = IO::Socket::UNIX->new(Peer => shift) or exit 1;
		sub answer { my ($all, $part) = ""; until ($all =~ /\(qemu\) $/) { sysread($s, $part, 65536) or last; $all .= $part } $all }
		answer();
		for (@ARGV) { syswrite $s, "$_\n"; print answer() }' "$work/monitor" "$@"
}

# The host VM says where it is, and waits for the name of the next step.
in_vm()
{
	cat <<'END'
	step() { echo "at $1"; read -r next; }
	cd /lg/selftests
	step start
	insmod /lg/lg.ko || exit 1
	step loaded
	./hostile_guest power_off >/dev/null || exit 1
	exec 7<>/dev/lguest
	step open
	exec 7<&-
	step closed
	i=0
	while [ ! -e /tmp/stop ]; do ./hostile_guest power_off page_fault user_shuts_down halt_ends_with_the_timer spin || exit 1; done >/tmp/out &
	step busy
	touch /tmp/stop
	wait $! || { cat /tmp/out; exit 1; }
	rmmod lg || exit 1
	step unloaded
END
}

reach() { timeout 120 sh -c "until grep -q 'at $1\$' $work/out; do sleep 0.2; done"; }
go_on() { echo on >&3; }

# Registers that are the host's own business from moment to moment are left out.
registers()
{
	monitor 'info registers -a' | tr -d '\r' |
		sed -nE 's/.*CR0=([0-9a-f]+) .*CR4=([0-9a-f]+).*/CR0=\1 CR4=\2/p; /^(TR|LDT|GDT|IDT) *=/p; s/.*(EFER=[0-9a-f]+).*/\1/p'
}

same_as()
{
	diff "$work/$1" "$work/$2" && [ -s "$work/$1" ]
}

# The host waits in a read: no VM runs.
snapshot()
{
	reach "$1" || { cat "$work/out" "$work/err"; return 1; }
	registers >"$work/$1"
	[ -s "$work/$1" ]
}

nmi_storm()
{
	reach busy || { cat "$work/out" "$work/err"; return 1; }
	local -a storm=()
	local i
	for ((i = 0; i < 200; i++)); do storm+=(nmi); done
	for ((i = 0; i < 10; i++)); do monitor "${storm[@]}" >/dev/null || return 1; done
}

start()
{
	mkfifo "$work/in"
	tests/hostvm --no-load --no-guest --timeout 280 --append nmi_watchdog=0 --monitor "$work/monitor" \
		--add "$LG_BUILD/selftests:/lg/selftests" -- sh -c "$(in_vm)" \
		<"$work/in" >"$work/out" 2>"$work/err" &
	vm=$!
	exec 3>"$work/in"
	reach start || { cat "$work/err"; return 1; }
}

the_host_is_well()
{
	exec 3>&-
	wait "$vm"
	local status=$?
	vm=
	cat "$work/err"
	[ "$status" = 0 ]
}

if [ ! -x "$LG_BUILD/selftests/hostile_guest" ]; then
	make -s -C tests/selftests OUTPUT="$LG_BUILD/selftests" >&2
fi
check the_host_starts start
check seen_before_insmod snapshot start
go_on
check seen_after_insmod snapshot loaded
check insmod_changes_nothing same_as start loaded
go_on
check seen_with_a_vm snapshot open
check a_vm_that_does_not_run_changes_nothing same_as start open
go_on
check seen_after_the_vm snapshot closed
check the_end_of_the_last_vm_gives_all_back same_as start closed
go_on
check a_storm_of_nmis_while_guests_run nmi_storm
go_on
check seen_after_rmmod snapshot unloaded
check rmmod_leaves_nothing same_as start unloaded
go_on
check the_host_is_well the_host_is_well
checked
