// SPDX-License-Identifier: GPL-2.0-only
/*
 * Does a reserved bit in a page-table entry fault as the manual says? Measure it.
 *
 * CPUID tells how many physical address bits there are (SDM volume 3, 4.1.4); the bits above
 * them are reserved. A hypervisor that runs this host may report fewer bits than the CPU has.
 * The CPU then does not fault, but goes on to an address where that hypervisor has no memory,
 * and the hypervisor takes the access for one to a device: it emulates the instruction. KVM's
 * emulator finds the reserved bits in its own walk and injects the page fault that we want,
 * but only for instructions that it knows: a program of the guest would die of the first AVX
 * instruction that touches new memory.
 *
 * So a fault alone proves nothing. But an emulated fault takes several times as long as a
 * fault for an entry that is not present, which no hypervisor with nested paging sees. On a
 * CPU that checks the bits itself, both take the same time.
 */
#define pr_fmt(fmt) "lguest: " fmt

#include <linux/irqflags.h>
#include <linux/minmax.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <asm/asm.h>
#include <asm/msr.h>
#include <asm/tsc.h>

#include "lg.h"
#include "host/insn.h"
#include "host/window.h"

#define TRIES	64

/*
 * How many ticks of the TSC does a load from @address take that faults? 0: it does not fault.
 * Load by a plain MOV, which every emulator knows. The address is in the kernel's half: for a
 * reserved bit under a user address Linux would report corrupted page tables.
 */
static noinline u64 fault_ticks(unsigned long address)
{
	unsigned long flags, value;
	u32 faulted = 1;
	u64 from, to;

	local_irq_save(flags);
	from = rdtsc_ordered();
	asm volatile("1: mov (%2), %0\n\t"
		     "xor %1, %1\n"
		     "2:\n" _ASM_EXTABLE(1b, 2b)
		     : "=&r" (value), "+&r" (faulted) : "r" (address) : "cc");
	to = rdtsc_ordered();
	local_irq_restore(flags);
	return faulted ? max(to - from, 1ULL) : 0;
}

/* Compare the shortest of many tries: other activity makes some of them longer, not all. */
static bool reserved_as_cheap_as_absent(unsigned long absent, unsigned long reserved)
{
	u64 least_absent = ~0ULL, least_reserved = ~0ULL;
	int i;

	for (i = 0; i < TRIES; i++) {
		u64 absent_ticks = fault_ticks(absent), reserved_ticks = fault_ticks(reserved);

		if (!absent_ticks || !reserved_ticks)
			return false;
		least_absent = min(least_absent, absent_ticks);
		least_reserved = min(least_reserved, reserved_ticks);
	}
	pr_debug("a fault takes %llu ticks for a reserved bit, %llu for an absent page\n",
		 least_reserved, least_absent);
	return least_reserved <= least_absent + least_absent / 2;
}

/* Does the CPU itself fault at LG_ENTRY_UNKNOWN? False, too, if it cannot be measured. */
static bool __init unknown_faults(void)
{
	struct mm_struct *mm = current->mm;
	unsigned long absent, reserved;
	bool faults = false;

	if (!mm || lg_windows_attach(mm))
		return false;
	absent = lg_window_spare(0, 0);
	reserved = lg_window_spare(1, LG_ENTRY_UNKNOWN);
	faults = reserved_as_cheap_as_absent(absent, reserved);
	lg_window_spare(1, 0);
	lg_windows_detach(mm);
	return faults;
}

/**
 * lg_cpu_probe - set lg_unknown, the value of a shadow entry that was never looked at
 *
 * Process context, at load: after lg_windows_init(), before there is a VM.
 */
void __init lg_cpu_probe(void)
{
	u32 ebx;

	if ((lg_cpuid(0x80000008, &ebx) & 0xff) >= 52)
		return;
	if (unknown_faults())
		lg_unknown = LG_ENTRY_UNKNOWN;
	else
		pr_notice("reserved bits in page tables do not fault as this CPU's number of address bits says: each page fault of a guest costs one more exit\n");
}
