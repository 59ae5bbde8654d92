# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
#
# How a host VM's run ended: its files, its kernel's complaints, its status.

# What a healthy host kernel never says. The "] " before it is the end of the
# kernel's time stamp: COMMAND may print such words itself.
complaints='\] .*(WARNING:|BUG:|Oops|[Gg]eneral protection|double fault|UBSAN|KASAN|KFENCE|detected stall|self-detected|INFO: task .* blocked|hung task|unchecked MSR access|unable to handle|Kernel panic|kernel stack overflow|refcount_t:|list_(add|del) corruption|bad page|Bad page|scheduling while atomic|sleeping function called|Call Trace:|soft lockup|hard LOCKUP|irq .*: nobody cared)'
# What a healthy one does say on a CPU with known weaknesses.
harmless='(RETBleed|Spectre V[0-9]|L1TF|MDS|TAA|MMIO Stale Data|SRBDS|GDS|VMSCAPE|ITS|TSA|Speculative Return Stack Overflow)[^:]*: (WARNING|Vulnerable)'

# Said when the kernel ended before its first process ran, which is ours: tests/run
# gives such a machine another go. On a busy machine emulators lose one now and then.
nothing_of_ours='that was before anything of ours ran in it'
# So it does when the kernel ran into an int3 that is not in memory. While one CPU changes
# code that others run, QEMU before 8.1 drops its translation first and writes then; what
# another CPU translates in between stays (LKML, "qemu-x86_64 booting with 8.0.0 stil see
# int3", July 2023). Seen without lg.ko, too: a tracepoint turned on and off in a hot path.
emulators_own='that int3 is not in memory: a fault of QEMU before 8.1'

# complained RUN: print what the kernel complained of, with what follows; fail when
# it did not complain. Said once on the console or once in the log is enough.
complained()
{
	local file
	for file in "$1/console.log" "$1/dmesg"; do
		[ -e "$file" ] || continue
		# Each reads to the end: who writes to one that does not is killed, and fails the pipe.
		if tr -d '\r' <"$file" | grep -avE "$harmless" | grep -aE -A 40 "$complaints" | sed -n 1,41p | cut -c 1-160; then
			return 0
		fi
	done
	return 1
}

# stale_int3 RUN: the byte before the one in angle brackets, where the CPU has come to, is
# none; the list of bytes is the first after that Oops.
stale_int3()
{
	local code
	code=$(tr -d '\r' <"$1/console.log" | sed -n '/\] \(Oops: \)\?int3: 0000/,/Code: /s/.*Code: //p' | sed -n 1p)
	[[ $code =~ ([0-9a-f]{2})\ \< ]] && [ "${BASH_REMATCH[1]}" != cc ]
}

# collect RUN FILE:HERE...: take the files that came out of the machine.
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

# verdict RUN STATUS: end with the status that hostvm promises; STATUS is how the
# emulator ended, 124 for a timeout.
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
