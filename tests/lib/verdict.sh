# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
#
# The verdict on a host VM's run: its files, its kernel's complaints, its status.

# What a healthy host kernel never says. The "] " at the front is the end of the
# kernel's time stamp, since COMMAND may print such words, too.
complaints='\] .*(WARNING:|BUG:|Oops|[Gg]eneral protection|double fault|UBSAN|KASAN|KFENCE|detected stall|self-detected|INFO: task .* blocked|hung task|unchecked MSR access|unable to handle|Kernel panic|kernel stack overflow|refcount_t:|list_(add|del) corruption|bad page|Bad page|scheduling while atomic|sleeping function called|Call Trace:|soft lockup|hard LOCKUP|irq .*: nobody cared)'
# What a healthy host kernel does say on a CPU with known weaknesses.
harmless='(RETBleed|Spectre V[0-9]|L1TF|MDS|TAA|MMIO Stale Data|SRBDS|GDS|VMSCAPE|ITS|TSA|Speculative Return Stack Overflow)[^:]*: (WARNING|Vulnerable)'

# Printed if the kernel ended before its first process ran, which is host-init: tests/run
# then starts the machine once more. On a busy machine an emulator loses one now and then.
nothing_of_ours='that was before anything of ours ran in it'
# Printed if the kernel ran into an int3 that is not in memory; tests/run then starts the
# machine once more, too. When one CPU changes code that others run, QEMU before 8.1 first
# drops its translation of the code and then writes the code: what another CPU translates in
# between stays (LKML, "qemu-x86_64 booting with 8.0.0 stil see int3", July 2023). It happens
# without lg.ko, too, when a tracepoint in a hot path is turned on and off.
emulators_own='that int3 is not in memory: a fault of QEMU before 8.1'

# complained RUN: print the kernel's first complaint and the lines after it; fail if there is
# none. A complaint may be only on the console, or only in the log.
complained()
{
	local file
	for file in "$1/console.log" "$1/dmesg"; do
		[ -e "$file" ] || continue
		# Let each command read to the end: otherwise SIGPIPE kills the one before it, and
		# the pipe fails.
		if tr -d '\r' <"$file" | grep -avE "$harmless" | grep -aE -A 40 "$complaints" | sed -n 1,41p | cut -c 1-160; then
			return 0
		fi
	done
	return 1
}

# stale_int3 RUN: did an int3 trap although memory has none there? The Oops lists the bytes of
# code; the one in angle brackets is the next instruction, the one before it should be cc.
stale_int3()
{
	local code
	code=$(tr -d '\r' <"$1/console.log" | sed -n '/\] \(Oops: \)\?int3: 0000/,/Code: /s/.*Code: //p' | sed -n 1p)
	[[ $code =~ ([0-9a-f]{2})\ \< ]] && [ "${BASH_REMATCH[1]}" != cc ]
}

# collect RUN FILE:HERE...: copy the files that came out of the machine to where they belong.
collect()
{
	local run=$1 pair from to
	shift
	mkdir -p "$run/files"
	tar -x -C "$run/files" -f "$run/files.tar" 2>/dev/null || true
	[ ! -e "$run/files/tmp/lg-files/dmesg" ] || mv "$run/files/tmp/lg-files/dmesg" "$run/dmesg"
	for pair; do
		from=${pair%%:*} to=${pair#*:}
		if [ -e "$run/files/$from" ]; then
			cp -a --no-preserve=ownership "$run/files/$from" "$to"
		else
			say "no $from came out of the machine"
		fi
	done
	rm -rf "$run/files" "$run/files.tar"
}

# verdict RUN STATUS: exit with the status that hostvm promises. STATUS is the emulator's,
# 124 after a timeout.
verdict()
{
	local run=$1 word status complaint
	if complaint=$(complained "$run"); then
		say "the host kernel complained (all of it: $run/console.log):"
		echo "$complaint" >&2
		grep -aq 'host-init: up' "$run/console.log" || say "$nothing_of_ours"
		! stale_int3 "$run" || say "$emulators_own"
		exit 125
	fi
	if [ "$2" = 124 ]; then
		say "timeout after $timeout s (console: $run/console.log)"
		exit 124
	fi
	read -r word status <"$run/control" || true
	case ${word:-} in
	status) exit "$status" ;;
	no-module)
		say "lg.ko did not load"
		exit 125 ;;
	esac
	say "the machine ended before COMMAND did (console: $run/console.log)"
	tail -n 5 "$run/console.log" "$run/emulator.log" >&2 2>/dev/null || true
	exit 125
}
