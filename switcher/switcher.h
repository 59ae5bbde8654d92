/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The window: the only memory that is mapped on both sides of a world switch.
 *
 * Each CPU has its own window in slot 256 of the top-level page table, the hole that Linux's memory
 * map leaves for hypervisors. The host's page tables show all windows; a guest's show only the
 * window of the CPU that runs it, without the host page. Every window has an alias of the
 * switcher's text: so the text reaches the data of its own CPU %rip-relative, and needs neither
 * SWAPGS nor GS.
 *
 * Offsets here count from the start of a window. C sees the same pages as the structs below;
 * driver/host/window.c asserts that the two agree.
 */
#ifndef _LG_SWITCHER_H
#define _LG_SWITCHER_H

#define WINDOW_STRIDE		0x10000
#define WINDOW_TEXT_PAGES	2

#define WINDOW_IDT		0x2000	/* read-only */
#define WINDOW_GDT		0x3000	/* GDT, then TSS */
#define WINDOW_TSS		0x3100
#define WINDOW_STATE		0x4000	/* struct switcher_state */
#define WINDOW_IST		0x5000	/* four stacks of 1 KiB: see WINDOW_IST_TOP */
#define WINDOW_STACK		0x6000	/* ends with the struct guest_regs */
#define WINDOW_DATA		0x7000	/* lguest_data of the running vCPU; guest side only */
#define WINDOW_HOST		0x8000	/* struct switcher_host; host side only */
#define WINDOW_PAGES		9

#define WINDOW_IST_TOP(ist)	(WINDOW_IST + (ist) * 0x400)
/* IST_NMI is the host's own index, so that an NMI works with either TSS. */
#define IST_DF			1
#define IST_NMI			2
#define IST_DB			3
#define IST_MCE			4

/* The TSS is GDT entry 8, as in Linux's layout. */
#define GDT_TSS_SELECTOR	0x40
#define GDT_BYTES		0x80

#define WINDOW_STACK_TOP		(WINDOW_STACK + 0x1000)
#define REGS_WORDS		22
#define REGS			(WINDOW_STACK_TOP - REGS_WORDS * 8)
#define REGS_TRAP		(REGS + 15 * 8)	/* the vector; error code and frame follow */
#define REGS_ERROR		(REGS + 16 * 8)
#define REGS_IP			(REGS + 17 * 8)

/* Why was the guest left? guest_regs.trap is a vector, or one of these. */
#define TRAP_SYSCALL		256	/* SYSCALL; kernel mode makes it a hypercall */
#define TRAP_ABORTED		257	/* NMI or #MC before the guest had begun to run */
#define TRAP_RING0		258	/* exception in the switcher: see switcher_state.fault_* */
#define TRAP_SYSCALL32		259	/* SYSCALL from 32-bit code */

/* struct switcher_state */
#define STATE_HOST_CR3		(WINDOW_STATE + 0x00)
#define STATE_NMI		(WINDOW_STATE + 0x08)
#define STATE_MCE		(WINDOW_STATE + 0x09)
#define STATE_STORES		(WINDOW_STATE + 0x0a)
#define STATE_SPECULATION	(WINDOW_STATE + 0x0b)
#define STATE_SCRATCH		(WINDOW_STATE + 0x10)
#define STATE_GUEST_GDTR	(WINDOW_STATE + 0x20)
#define STATE_GUEST_IDTR	(WINDOW_STATE + 0x30)
#define STATE_GUEST_TSS		(WINDOW_STATE + 0x40)
#define STATE_FAULT_VECTOR	(WINDOW_STATE + 0x50)
#define STATE_FAULT_ERROR	(WINDOW_STATE + 0x58)
#define STATE_FAULT_IP		(WINDOW_STATE + 0x60)
/* struct switcher_vcpu: the part for the running vCPU */
#define STATE_VCPU		(WINDOW_STATE + 0x100)
#define STATE_CR3		(STATE_VCPU + 0x00)
#define STATE_CR2		(STATE_VCPU + 0x08)
#define STATE_FS_BASE		(STATE_VCPU + 0x10)
#define STATE_GS_BASE		(STATE_VCPU + 0x18)
#define STATE_SELECTORS		(STATE_VCPU + 0x20)
#define STATE_DS		(STATE_VCPU + 0x20)
#define STATE_ES		(STATE_VCPU + 0x22)
#define STATE_FS		(STATE_VCPU + 0x24)
#define STATE_GS		(STATE_VCPU + 0x26)
#define STATE_MODE		(STATE_VCPU + 0x28)
#define STATE_DIRECT		(STATE_VCPU + 0x29)
#define STATE_DIRECT_FAULTS	(STATE_VCPU + 0x2a)
#define STATE_FAULT_BUDGET	(STATE_VCPU + 0x2b)
#define STATE_DIRECT_INT80	(STATE_VCPU + 0x2c)
#define STATE_KERNEL_ROOT	(STATE_VCPU + 0x30)
#define STATE_USER_ROOT		(STATE_VCPU + 0x38)
#define STATE_KERNEL_GS_BASE	(STATE_VCPU + 0x40)
#define STATE_SYSCALL_ENTRY	(STATE_VCPU + 0x48)
#define STATE_DIRECT_SYSCALLS	(STATE_VCPU + 0x50)
#define STATE_DIRECT_RETURNS	(STATE_VCPU + 0x58)
#define STATE_EVENT_ENTRY	(STATE_VCPU + 0x60)
#define STATE_DIRECT_EVENTS	(STATE_VCPU + 0x68)
#define STATE_DIRECT_CR3_LOADS	(STATE_VCPU + 0x70)
#define STATE_LAST_FAULT	(STATE_VCPU + 0x78)
#define STATE_NOFLUSH		(STATE_VCPU + 0x80)
#define STATE_ROOT_SLOT		(STATE_VCPU + 0x88)
#define STATE_ROOTS		(STATE_VCPU + 0xa0)

/* struct switcher_root */
#define SWITCHER_ROOTS		16	/* a power of two */
#define ROOT_SHIFT		5
#define ROOT_CR3		0x00
#define ROOT_KERNEL		0x08
#define ROOT_USER		0x10

/* STATE_STORES: the debug stores that were on. DEBUGCTL_STORES: TR and BTS in DEBUGCTL */
#define STORES_BTS		1
#define STORES_PEBS		2
#define DEBUGCTL_STORES		0xc0

/* STATE_SPECULATION: what this CPU's bugs require */
#define SPECULATION_VERW	1	/* clear the CPU's buffers before the guest runs */
#define SPECULATION_HISTORY	2	/* clear the branch history on the way back */
#define SPECULATION_RETURNS	4	/* no near RET before the host's are untrained */

/* STATE_MODE */
#define MODE_USER		0
#define MODE_KERNEL		1

/* struct switcher_host */
#define HOST_RSP		(WINDOW_HOST + 0x00)
#define HOST_GS_BASE		(WINDOW_HOST + 0x08)
#define HOST_FS_BASE		(WINDOW_HOST + 0x10)
#define HOST_GDTR		(WINDOW_HOST + 0x20)
#define HOST_IDTR		(WINDOW_HOST + 0x30)
#define HOST_TSS		(WINDOW_HOST + 0x40)

#ifndef __ASSEMBLER__
#include <linux/types.h>

/**
 * struct guest_regs - the guest's registers while the host runs
 *
 * Lies at the end of the window's stack page; TSS.RSP0 points just behind. The CPU pushes the last
 * five words, the switcher the others.
 */
struct guest_regs {
	u64 bp, bx, r15, r14, r13, r12, r11, r10, r9, r8, ax, cx, dx, si, di;
	u64 trap;	/* vector or TRAP_* */
	u64 error;	/* error code of a vector that has one */
	u64 ip, cs, flags, sp, ss;
};

struct switcher_gdtr {
	u16 pad[3];
	u16 limit;	/* at offset 6: base is aligned */
	u64 base;
};

/** struct switcher_root - the roots for a CR3 of the guest */
struct switcher_root {
	u64 cr3;		/* the guest's, without bit 63; ~0: none */
	u64 kernel, user;	/* CR3 to load for each mode; stale while current */
	u64 pad;
};

/** struct switcher_vcpu - a vCPU's part of the state page, which has it while the vCPU is loaded */
struct switcher_vcpu {
	u64 cr3;		/* to load at the entry */
	u64 cr2;		/* of the guest at the exit */
	u64 fs_base;
	u64 gs_base;		/* of the mode that runs */
	u16 ds, es, fs, gs;	/* all zero, or checked against the GDT */
	u8 mode;		/* MODE_USER or MODE_KERNEL */
	u8 direct;		/* the switcher may change modes without C */
	u8 direct_faults;	/* the error code of #PF can be trusted: lg_unknown is not 0 */
	u8 fault_budget;	/* page faults until one goes to C in any case */
	u8 direct_int80;	/* INT $0x80 is a system call of the guest */
	u8 pad0[3];
	u64 kernel_root, user_root;	/* CR3 to load next for each mode */
	u64 kernel_gs_base;	/* canonical */
	u64 syscall_entry;	/* of the guest's kernel, canonical */
	u64 direct_syscalls, direct_returns;	/* counted by the switcher, as are these: */
	u64 event_entry;	/* of the guest's kernel, canonical */
	u64 direct_events, direct_cr3_loads;
	/*
	 * The page of the last fault that the guest was given; ~0 once it has made progress.
	 * A second fault on this page goes to C, and so does each 256th fault.
	 */
	u64 last_fault;
	u64 noflush;		/* bit 63 if loads of CR3 may set it, or 0 */
	u64 root_slot;		/* offset of the current roots in .roots */
	u64 pad1[2];
	struct switcher_root roots[SWITCHER_ROOTS];	/* by the low bits of the guest's PCID */
};

/** struct switcher_state - the state page of one CPU, mapped on both sides, supervisor only */
struct switcher_state {
	u64 host_cr3;		/* written before each entry, interrupts off */
	u8 nmi;			/* an NMI came, and the host's handler has yet to run */
	u8 mce;			/* a machine check came, likewise */
	u8 stores;		/* STORES_*: the debug stores that the host had on */
	u8 speculation;		/* SPECULATION_*; fixed when the window is made */
	u8 pad0[4];
	u64 scratch;		/* the guest's %rsp after SYSCALL */
	u64 pad1;
	struct switcher_gdtr guest_gdtr, guest_idtr;
	u64 guest_tss[2];	/* descriptor of the window's TSS, not busy */
	u64 fault_vector, fault_error, fault_ip;	/* TRAP_RING0 */
	u8 pad2[0x100 - 0x68];
	struct switcher_vcpu vcpu;
};

/** struct switcher_host - the host's state to restore; the guest's tables do not map this page */
struct switcher_host {
	u64 rsp;
	u64 gs_base;
	u64 fs_base;
	u64 pad;
	struct switcher_gdtr gdtr, idtr;
	u64 tss[2];		/* descriptor of the host's TSS, not busy */
};

/* Labels in the text. Call or compare them at their alias in a window. */
extern char switcher_text[], switcher_text_end[];
extern char switcher_enter[], switcher_syscall[], switcher_syscall32[];

#endif /* !__ASSEMBLER__ */
#endif /* _LG_SWITCHER_H */
