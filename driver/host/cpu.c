// SPDX-License-Identifier: GPL-2.0-only
/* Facts about this CPU and the kernel of the host, for the code below run.c; fixed at load. */
#define pr_fmt(fmt) "lguest: " fmt

#include <linux/init.h>
#include <linux/printk.h>
#include <asm/cpufeature.h>
#include <asm/processor-flags.h>

#include "lg.h"
#include "host/host.h"
#include "host/insn.h"

bool lg_la57, lg_pcid, lg_pke, lg_int80;
/* The value of a shadow entry that was never looked at; 0: no reserved bits fault on this CPU. */
u64 lg_unknown;

/*
 * Does the host use vector 0x80 as its own gate for system calls? Then no device can ever
 * get that vector, and a guest's INT $0x80 may go through a gate, too.
 */
static bool host_has_int80(void)
{
	struct desc_ptr idtr;
	const gate_desc *gate;

	store_idt(&idtr);
	gate = (const gate_desc *)idtr.address + LG_INT80;
	return gate->bits.p && gate->bits.dpl == 3;
}

/*
 * Linux's PCIDs end at 0x7fe in a kernel that can have KPTI, else at 0xffe. Can they be those
 * that mmu/roots.c uses?
 */
#define PCIDS_COLLIDE (boot_cpu_has(X86_FEATURE_PTI) || \
	!(IS_ENABLED(CONFIG_MITIGATION_PAGE_TABLE_ISOLATION) || IS_ENABLED(CONFIG_PAGE_TABLE_ISOLATION)))

/** lg_cpu_init - look at the CPU; called first of all at load */
void __init lg_cpu_init(void)
{
	u64 cr4 = native_read_cr4();
	u32 ebx;

	lg_cpuid(0x80000008, &ebx);
	lg_la57 = cr4 & X86_CR4_LA57;
	/* The PCIDs that Linux hands out for INVLPGB (AMD APM volume 3, E.4.7) may be ours. */
	lg_pcid = (cr4 & X86_CR4_PCIDE) && !((ebx & BIT(3)) && PCIDS_COLLIDE);
	lg_pke = cr4 & X86_CR4_PKE;
	lg_int80 = host_has_int80();
}

