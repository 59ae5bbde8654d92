// SPDX-License-Identifier: GPL-2.0-only
/* What the code below run.c asks of this CPU and of the kernel it runs under; fixed at load. */
#define pr_fmt(fmt) "lguest: " fmt

#include <linux/init.h>
#include <linux/printk.h>
#include <asm/cpufeature.h>
#include <asm/processor-flags.h>

#include "lg.h"
#include "host/host.h"
#include "host/insn.h"

bool lg_la57, lg_pcid, lg_pke, lg_int80;
/* A shadow entry that was never looked at; 0: this CPU has no reserved bits that fault. */
u64 lg_unknown;

/*
 * Is vector 0x80 the Host's own gate for system calls, so that no device can
 * ever have it? Then a Guest's INT $0x80 may arrive by itself, too.
 */
static bool host_has_int80(void)
{
	struct desc_ptr idtr;
	const gate_desc *gate;

	store_idt(&idtr);
	gate = (const gate_desc *)idtr.address + LG_INT80;
	return gate->bits.p && gate->bits.dpl == 3;
}

/* They end at 0x7fe in a kernel that can have KPTI, else at 0xffe. Ours: mmu/roots.c */
#define PCIDS_COLLIDE (boot_cpu_has(X86_FEATURE_PTI) || \
	!(IS_ENABLED(CONFIG_MITIGATION_PAGE_TABLE_ISOLATION) || IS_ENABLED(CONFIG_PAGE_TABLE_ISOLATION)))

/** lg_cpu_init - look at the CPU; first of all at load */
void __init lg_cpu_init(void)
{
	u64 cr4 = native_read_cr4();
	u32 ebx;

	lg_cpuid(0x80000008, &ebx);
	lg_la57 = cr4 & X86_CR4_LA57;
	/* What Linux hands out for INVLPGB (AMD APM volume 3, E.4.7) may be ours. */
	lg_pcid = (cr4 & X86_CR4_PCIDE) && !((ebx & BIT(3)) && PCIDS_COLLIDE);
	lg_pke = cr4 & X86_CR4_PKE;
	lg_int80 = host_has_int80();
}

