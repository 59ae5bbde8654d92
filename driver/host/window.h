/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A CPU's window: window.c makes it, enter.c uses it. Only its own CPU writes to it, with
 * preemption off.
 */
#ifndef _LG_WINDOW_H
#define _LG_WINDOW_H

#include <linux/mm.h>
#include <asm/desc.h>

#include "host/host.h"

#define ENTRY_TABLE	(_PAGE_PRESENT | _PAGE_RW | _PAGE_ACCESSED | _PAGE_DIRTY)
#define ENTRY_TEXT	(_PAGE_PRESENT | _PAGE_ACCESSED)
#define ENTRY_DATA	(ENTRY_TABLE | _PAGE_NX)

#define WINDOWS_PER_PT	(PMD_SIZE / WINDOW_STRIDE)

/* The host's MSRs of SYSCALL and SYSENTER, while a guest has its own. */
struct host_msr_values {
	u64 lstar, cstar, sysenter_cs;
};

/**
 * struct lg_window - one CPU's window
 * @va: its address on both sides
 * @entry: address of switcher_enter in it
 * @pages: its pages as the host sees them; NULL for the text and the alias
 * @guest_pt: the guest side's last-level table
 * @guest_tables: the guest side's other tables, from the last level up
 * @guest_entry: what slot 256 of a root holds to show this window
 * @msrs: the host's, while the guest's are loaded
 * @pebs: the host's MSR_IA32_PEBS_ENABLE, if not zero, while the guest runs
 * @debugctl: likewise MSR_IA32_DEBUGCTLMSR
 * @u_cet: likewise MSR_IA32_U_CET, while a vCPU is loaded
 * @test_ctrl: likewise MSR_TEST_CTRL, if the vCPU may make split locks
 * @cr4_cleared: PGE, if a guest's entry had to clear it
 * @cr4_diff: other bits that differ from the host's, until lg_host_state_restore()
 * @host_dr7: the host's, until then; 0: it has no breakpoints
 * @host_pkru: likewise
 * @host_ldt: likewise, the selector
 * @last_vcpu: serial number of the vCPU that was entered here last
 * @last_process: number of the process whose vCPU was loaded here last; 0: none
 */
struct lg_window {
	unsigned long va, entry;
	u8 *pages[WINDOW_PAGES];
	u64 *guest_pt;
	u64 *guest_tables[3];
	u64 guest_entry;
	struct host_msr_values msrs;
	u64 pebs, debugctl, u_cet, test_ctrl;
	u64 cr4_cleared, cr4_diff;
	u64 host_dr7;
	u32 host_pkru;
	u16 host_ldt;
	u64 last_vcpu;
	u64 last_process;
};

static inline struct switcher_state *window_state(struct lg_window *w)
{
	return (void *)w->pages[WINDOW_STATE >> PAGE_SHIFT];
}

static inline struct switcher_host *window_host(struct lg_window *w)
{
	return (void *)w->pages[WINDOW_HOST >> PAGE_SHIFT];
}

static inline struct guest_regs *window_regs(struct lg_window *w)
{
	return (void *)w->pages[WINDOW_STACK >> PAGE_SHIFT] + (REGS & ~PAGE_MASK);
}

static inline struct desc_struct *window_gdt(struct lg_window *w)
{
	return (void *)w->pages[WINDOW_GDT >> PAGE_SHIFT];
}

static inline u64 window_alias(struct lg_window *w, const char *label)
{
	return w->va + (label - switcher_text);
}

struct lg_window *lg_window_of(unsigned int cpu);
unsigned long lg_window_spare(unsigned int page, u64 entry);
void lg_window_restore_cr4(struct lg_window *w);
/* speculation.c */
u8 lg_speculation(void);
void lg_speculation_load(struct lg_window *w, u64 process);
void lg_speculation_put(void);
void lg_speculation_report(void);

#endif /* _LG_WINDOW_H */
