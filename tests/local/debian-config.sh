#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# guest-patches/6.12/debian.config makes a guest of Debian's own kernel: one with all that
# the cloud's configuration has boots as a guest, without a module, runs a command on the
# host's files, loads no other kernel, does not hibernate, and boots on a PC as before.
# Fails when Kconfig does not grant what the fragment wants, when something built in can't
# live in ring 3, or when the guest's side gets in the way elsewhere. The first run builds
# that kernel, which takes long.
set -u
cd "$(dirname -- "$0")/../.." || exit 1
. tests/selftests/check.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

kernel_is_built() { kernel=$(scripts/build-guest --debian 2>"$work/log") || { tail -n 40 "$work/log"; return 1; }; }

# machine NAME OPTIONS-OF-HOSTVM...: what its command says, in NAME.
machine()
{
	local name=$1
	shift
	tests/hostvm --smp 2 --timeout 900 --no-guest "$@" >"$work/$name" 2>"$work/err" </dev/null && return
	tail -n 20 "$work/$name" "$work/err"
	return 1
}

# shellcheck disable=SC2016  # for the shell in the VM
in_the_host='
lg-run --mem 256m --cpus=2 --kernel /src/bzImage --log /src/log --add /src/kexec_load:/bin/kexec_load -- sh -c "
	uname -r; nproc; kexec_load; echo hibernation: \$(cat /sys/power/state) \$( (echo disk >/sys/power/state) 2>&1); dmesg" &&
echo "run: $(lguest run --kernel /src/bzImage -- sh -c "uname -r; cat /src/here")"'

# runs_on NAME WHAT: 6.12 did, and says that it is on WHAT, without a warning.
runs_on()
{
	head -n 1 "$work/$1" | grep '^6\.12\.' || { head -n 5 "$work/$1"; return 1; }
	grep "Booting paravirtualized kernel on $2\$" "$work/$1" || return 1
	! grep -E 'WARNING:|BUG:|Oops|Call Trace' "$work/$1"
}

program_is_built() { gcc -O2 -Wall -static -o "$work/kexec_load" tests/local/kexec_load.c; }

# What its programs are told, which on a PC would go well.
loads_no_kernel() { grep -x 'kexec_load: Operation not supported' "$work/guest"; }
does_not_hibernate() { grep -x 'hibernation: .*disk.* write error: Operation not supported' "$work/guest"; }
loads_a_kernel() { grep -x 'kexec_load: loaded' "$work/pc"; }

has_all_cpus() { sed -n 2p "$work/guest" | grep -x 2; }

runs_a_command() { grep -A 1 '^run: 6\.12\.' "$work/guest" | grep -x 'on the host'; }

scripts/deps build guest hostvm test >&2
echo 'on the host' >"$work/here"
check kernel_is_built kernel_is_built
check program_is_built program_is_built
check guest_ends_well machine guest --kernel 6.1 --add "$kernel:/src/bzImage" --add "$work/here:/src/here" \
	--add "$work/kexec_load:/src/kexec_load" -- sh -c "$in_the_host"
check knows_that_it_is_a_guest runs_on guest lguest
check has_both_of_its_cpus has_all_cpus
check runs_a_command_on_the_hosts_files runs_a_command
check loads_no_kernel loads_no_kernel
check does_not_hibernate does_not_hibernate
check pc_ends_well machine pc --kernel "$kernel" --no-load --add "$work/kexec_load:/src/kexec_load" -- \
	sh -c 'uname -r; /src/kexec_load; dmesg'
check loads_a_kernel loads_a_kernel
check knows_that_it_is_none runs_on pc 'bare hardware'
checked
