// SPDX-License-Identifier: GPL-2.0-only
/*
 * Put a vCPU into this CPU's window, and enter the guest: which CPU state is switched for a
 * guest, and how long it stays switched. Some of it stays switched for as long as the vCPU is
 * loaded (MSRs, GDT entries), some for as long as interrupts are off (CR4, DR7, PKRU), some
 * for one entry (debug stores). What the switcher itself switches is in switcher.S.
 */
#include <linux/jiffies.h>
#include <linux/version.h>
#include <asm/cpufeature.h>
#include <asm/debugreg.h>
#include <asm/fsgsbase.h>
#include <asm/msr-index.h>
#include <asm/nospec-branch.h>
#include <asm/trapnr.h>

#include "lg.h"
#include "host/insn.h"
#include "host/window.h"

#ifndef X86_CR4_LASS
#define X86_CR4_LASS	0
#endif

#ifndef MSR_IA32_U_CET
#define MSR_IA32_U_CET	0x6a0
#endif

/*
 * Before 6.12 KVM reads the host's MSRs of SYSCALL in an IPI, so they must be back before
 * interrupts go on. Later versions read them where no vCPU of ours can be loaded.
 */
static bool msrs_each_time(void)
{
	return LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0);
}

static u64 clear_msr(bool there, u32 msr)
{
	u64 value = there ? lg_rdmsr(msr) : 0;

	if (value)
		lg_wrmsr(msr, 0);
	return value;
}

static void syscall_msrs_to_guest(struct lg_vcpu *vcpu, struct lg_window *w)
{
	lockdep_assert_irqs_disabled();
	w->msrs.lstar = lg_rdmsr(MSR_LSTAR);
	w->msrs.cstar = lg_rdmsr(MSR_CSTAR);
	w->msrs.sysenter_cs = lg_rdmsr(MSR_IA32_SYSENTER_CS);
	lg_wrmsr(MSR_LSTAR, window_alias(w, switcher_syscall));
	lg_wrmsr(MSR_CSTAR, window_alias(w, switcher_syscall32));
	/* SYSENTER with a null CS is #GP (SDM volume 2, SYSENTER). */
	lg_wrmsr(MSR_IA32_SYSENTER_CS, 0);
}

static void syscall_msrs_to_host(struct lg_vcpu *vcpu, struct lg_window *w)
{
	lg_wrmsr(MSR_LSTAR, w->msrs.lstar);
	lg_wrmsr(MSR_CSTAR, w->msrs.cstar);
	lg_wrmsr(MSR_IA32_SYSENTER_CS, w->msrs.sysenter_cs);
}

/* A shadow stack of the launcher would check the guest's RETs, too: SDM volume 1, 17.2. */
static bool launcher_has_shadow_stack(void)
{
#ifdef X86_FEATURE_USER_SHSTK
	return boot_cpu_has(X86_FEATURE_USER_SHSTK);
#else
	return false;
#endif
}

static void shadow_stack_to_guest(struct lg_vcpu *vcpu, struct lg_window *w)
{
	w->u_cet = clear_msr(launcher_has_shadow_stack(), MSR_IA32_U_CET);
}

static void shadow_stack_to_host(struct lg_vcpu *vcpu, struct lg_window *w)
{
	if (w->u_cet)
		lg_wrmsr(MSR_IA32_U_CET, w->u_cet);
}

/*
 * A guest that slow_down_split_locks() in run.c has slowed down may make split locks for a
 * while. Both threads of a core share the MSR: if the sibling sets the bit again, the guest
 * is slowed down once more.
 */
static void split_locks_to_guest(struct lg_vcpu *vcpu, struct lg_window *w)
{
	u64 value;

	w->test_ctrl = 0;
	if (likely(!time_before(jiffies, vcpu->split_locks_until)) ||
	    !boot_cpu_has(X86_FEATURE_SPLIT_LOCK_DETECT))
		return;
	value = lg_rdmsr(MSR_TEST_CTRL);
	if (!(value & MSR_TEST_CTRL_SPLIT_LOCK_DETECT))
		return;
	lg_wrmsr(MSR_TEST_CTRL, value & ~(u64)MSR_TEST_CTRL_SPLIT_LOCK_DETECT);
	w->test_ctrl = value;
}

static void split_locks_to_host(struct lg_vcpu *vcpu, struct lg_window *w)
{
	if (w->test_ctrl)
		lg_wrmsr(MSR_TEST_CTRL, w->test_ctrl);
}

/* Without debug stores the fields for them stay 0, and an entry has nothing to switch. */
static __always_inline bool has_debug_stores(void)
{
	return cpu_feature_enabled(X86_FEATURE_PEBS) || cpu_feature_enabled(X86_FEATURE_BTS);
}

/* Clear all but the detection of bus locks, which cost the host as much in a guest. */
static u64 clear_debugctl(void)
{
	u64 value = cpu_feature_enabled(X86_FEATURE_BTS) ? lg_rdmsr(MSR_IA32_DEBUGCTLMSR) : 0;

	if (!(value & ~DEBUGCTLMSR_BUS_LOCK_DETECT))
		return 0;
	lg_wrmsr(MSR_IA32_DEBUGCTLMSR, value & DEBUGCTLMSR_BUS_LOCK_DETECT);
	return value;
}

/*
 * The CPU writes debug stores to linear addresses, through whatever page tables are loaded:
 * turn them off while those are the guest's. The handlers of perf's interrupts turn them on
 * and off, so do this with interrupts off, for each entry. Its NMI handler can turn them on
 * again, if they were on: the switcher checks once more.
 */
static void debug_store_to_guest(struct lg_vcpu *vcpu, struct lg_window *w)
{
	lockdep_assert_irqs_disabled();
	w->pebs = clear_msr(cpu_feature_enabled(X86_FEATURE_PEBS), MSR_IA32_PEBS_ENABLE);
	w->debugctl = clear_debugctl();
	window_state(w)->stores = (w->pebs ? STORES_PEBS : 0) | (w->debugctl ? STORES_BTS : 0);
}

static void debug_store_to_host(struct lg_vcpu *vcpu, struct lg_window *w)
{
	if (w->pebs && !lg_rdmsr(MSR_IA32_PEBS_ENABLE))
		lg_wrmsr(MSR_IA32_PEBS_ENABLE, w->pebs);
	if (w->debugctl) {
		/* If an NMI has turned them on, perf wants these bits as they are now. */
		u64 now = lg_rdmsr(MSR_IA32_DEBUGCTLMSR), set = now & DEBUGCTL_STORES;

		lg_wrmsr(MSR_IA32_DEBUGCTLMSR,
			 set ? now | (w->debugctl & ~(u64)DEBUGCTL_STORES) : w->debugctl);
	}
}

/*
 * CR4 while the guest runs:
 *
 *   PGE   clear: global entries of the host would survive the load of CR3, at addresses that
 *         the guest uses, too (SDM volume 3, 4.10.2.4). The host may set PGE again in any
 *         interrupt, from its own copy: so look each time. A change of PGE flushes
 *         everything (4.10.4.1).
 *   LASS  clear: it would keep ring 3 out of the upper half, where the guest's kernel lives.
 *   PKE   clear: then the guest's user mode has no WRPKRU, and the guest's kernel needs no
 *         protection from it. Change PKRU while PKE is set, since WRPKRU is #UD otherwise.
 *   TSD   set if the VM's TSC is shifted: RDTSC then ends in lg_emulate().
 */
static void cr4_to_guest(struct lg_vcpu *vcpu, struct lg_window *w)
{
	u64 cr4 = native_read_cr4(), guest = cr4 & ~(X86_CR4_PGE | X86_CR4_LASS | X86_CR4_PKE);

	if (lg_pke) {
		w->host_pkru = rdpkru();
		wrpkru(0);
	}
	if (vcpu->vm->tsc_offset)
		guest |= X86_CR4_TSD;
	if (cr4 != guest) {
		w->cr4_cleared |= cr4 & X86_CR4_PGE;
		lg_write_cr4(guest);
	}
	w->cr4_diff = (cr4 ^ guest) & ~X86_CR4_PGE;
}

static void cr4_to_host(struct lg_vcpu *vcpu, struct lg_window *w)
{
	if (w->cr4_diff)
		lg_write_cr4(native_read_cr4() ^ w->cr4_diff);
	/* XRSTOR in the guest may have written PKRU, whatever CR4 said. */
	if (lg_pke)
		wrpkru(w->host_pkru);
}

/* The host's breakpoints are at addresses that the guest may use, too. */
static void breakpoints_to_guest(struct lg_vcpu *vcpu, struct lg_window *w)
{
	w->host_dr7 = hw_breakpoint_active() ? native_get_debugreg(7) : 0;
	if (w->host_dr7)
		native_set_debugreg(7, 0);
}

static void breakpoints_to_host(struct lg_vcpu *vcpu, struct lg_window *w)
{
	/* Read DR6 before the host can have a #DB of its own. */
	if (vcpu->regs->trap == X86_TRAP_DB) {
		vcpu->dr6 = lg_read_dr6();
		native_set_debugreg(6, DR6_RESERVED);
	}
	if (w->host_dr7)
		native_set_debugreg(7, w->host_dr7);
}

/* The launcher may have an LDT, at an address where the guest may map something else. */
static void ldt_to_guest(struct lg_vcpu *vcpu, struct lg_window *w)
{
	store_ldt(w->host_ldt);
	if (w->host_ldt)
		lg_lldt(0);
}

static void ldt_to_host(struct lg_vcpu *vcpu, struct lg_window *w)
{
	if (w->host_ldt)
		lg_lldt(w->host_ldt);
}

/* Load SPEC_CTRL with what Linux wants there in the kernel, without the bits in @clear. */
static __always_inline void set_spec_ctrl(u64 clear)
{
	if (cpu_feature_enabled(X86_FEATURE_KERNEL_IBRS))
		lg_wrmsr(MSR_IA32_SPEC_CTRL, this_cpu_read(x86_spec_ctrl_current) & ~clear);
}

/*
 * Which registers of the host are switched for a guest, for how long, and on which kernels
 * and CPUs. lg_window_enter() itself switches SPEC_CTRL; the rest is in switcher.S.
 */

/* From lg_window_load() to lg_window_put(): */
#define WHILE_LOADED(X)								\
	X(syscall_msrs, !msrs_each_time())	/* LSTAR, CSTAR, SYSENTER_CS */	\
	X(shadow_stack, true)			/* U_CET, if it is not 0 */	\
	X(split_locks, true)			/* TEST_CTRL, for a while */

/* From lg_host_state_save() to lg_host_state_restore(), with interrupts off: */
#define WHILE_IRQS_OFF(X)							\
	X(breakpoints, true)			/* DR7, if there are any; DR6 */ \
	X(syscall_msrs, msrs_each_time())	/* 6.1 */			\
	X(cr4, true)				/* PGE, LASS, PKE, TSD; PKRU */	\
	X(ldt, true)				/* if there is one */

/* For one entry, since handlers of NMIs change these: */
#define WHILE_ENTERED(X)							\
	X(debug_store, has_debug_stores())	/* PEBS_ENABLE, DEBUGCTL */

#define TO_GUEST(name, when)	((when) ? name##_to_guest(vcpu, w) : (void)0);
#define TO_HOST(name, when)	((when) ? name##_to_host(vcpu, w) : (void)0);

/* Note what the registers of this CPU hold now: the thread may have been on another CPU before. */
static void sample_host_state(struct lg_window *w)
{
	struct switcher_host *host = window_host(w);
	struct desc_ptr gdtr, idtr;

	native_store_gdt(&gdtr);
	store_idt(&idtr);
	host->gdtr.limit = gdtr.size;
	host->gdtr.base = gdtr.address;
	host->idtr.limit = idtr.size;
	host->idtr.base = idtr.address;
	memcpy(host->tss, (struct desc_struct *)gdtr.address + GDT_ENTRY_TSS, sizeof(host->tss));
	host->tss[0] &= ~(2ULL << 40);	/* available: LTR will mark it busy */
	host->gs_base = rdgsbase();
	host->fs_base = rdfsbase();
}

/** lg_window_gdt - copy @vcpu's descriptors to the GDT of its window, if it is loaded */
void lg_window_gdt(struct lg_vcpu *vcpu)
{
	struct desc_struct *gdt;

	if (!vcpu->window)
		return;
	gdt = window_gdt(vcpu->window);
	memcpy(&gdt[GDT_ENTRY_TLS_MIN], vcpu->tls, sizeof(vcpu->tls));
	/* getcpu() of Linux's vDSO reads the CPU's number from the limit. */
	gdt[GDT_ENTRY_CPUNODE].limit0 = vcpu->id;
	gdt[GDT_ENTRY_CPUNODE].limit1 = 0;
}

/**
 * lg_window_load - put @vcpu's state into this CPU's window
 * @vcpu: the virtual CPU; its mutex is held
 * @elsewhere: set if the vCPU was loaded elsewhere, or another one here, since it was last
 *	loaded here
 *
 * Atomic; preemption stays off until lg_window_put(). Return: what slot 256 of the roots has
 * to hold to show this window.
 */
u64 lg_window_load(struct lg_vcpu *vcpu, bool *elsewhere)
{
	int cpu = smp_processor_id();
	struct lg_window *w = lg_window_of(cpu);
	unsigned int data = (cpu % WINDOWS_PER_PT) * (WINDOW_STRIDE >> PAGE_SHIFT) +
			    (WINDOW_DATA >> PAGE_SHIFT);

	lg_assert_atomic(vcpu);
	*window_regs(w) = vcpu->saved_regs;
	window_state(w)->vcpu = vcpu->saved_cpu;
	vcpu->regs = window_regs(w);
	vcpu->cpu = &window_state(w)->vcpu;
	vcpu->window = w;
	lg_window_gdt(vcpu);
	/*
	 * If the page is not the one of last time, lg_mmu.generation has changed: the entry
	 * flushes.
	 */
	w->guest_pt[data] = vcpu->shared_page ?
			    (u64)page_to_pfn(vcpu->shared_page) << PAGE_SHIFT | ENTRY_DATA : 0;
	*elsewhere = w->last_vcpu != vcpu->serial || vcpu->last_window != w;
	w->last_vcpu = vcpu->serial;
	vcpu->last_window = w;
	lg_speculation_load(w, vcpu->vm->mm->context.ctx_id);
	sample_host_state(w);
	/* No need to save the launcher's: it is 64-bit code, and has null there. */
	loadsegment(ds, 0);
	loadsegment(es, 0);
	local_irq_disable();
	WHILE_LOADED(TO_GUEST)
	local_irq_enable();
	return w->guest_entry;
}

/** lg_window_put - take @vcpu's state out of the window; atomic */
void lg_window_put(struct lg_vcpu *vcpu)
{
	struct lg_window *w = vcpu->window;

	lg_assert_atomic(vcpu);
	vcpu->saved_regs = *vcpu->regs;
	vcpu->saved_cpu = *vcpu->cpu;
	vcpu->stats.direct_syscalls = vcpu->cpu->direct_syscalls;
	vcpu->stats.direct_returns = vcpu->cpu->direct_returns;
	vcpu->stats.direct_events = vcpu->cpu->direct_events;
	vcpu->stats.direct_cr3_loads = vcpu->cpu->direct_cr3_loads;
	vcpu->regs = &vcpu->saved_regs;
	vcpu->cpu = &vcpu->saved_cpu;
	vcpu->window = NULL;
	lg_speculation_put();
	local_irq_disable();
	WHILE_LOADED(TO_HOST)
	/*
	 * Without KPTI Linux counts on INVLPG to flush a kernel address for all PCIDs. INVLPG
	 * does so for global entries alone (SDM volume 3, 4.10.4.1): make them global again.
	 */
	if (lg_pcid && !boot_cpu_has(X86_FEATURE_PTI) && w->cr4_cleared)
		lg_window_restore_cr4(w);
	local_irq_enable();
}

/* The switcher loads these in ring 0, where a bad one would fault. */
static void check_guest_selectors(struct lg_vcpu *vcpu)
{
	struct switcher_vcpu *cpu = vcpu->cpu;
	struct guest_regs *regs = vcpu->regs;

	if (!lg_return_selectors_ok(vcpu, regs->cs, regs->ss))
		regs->ss = __USER_DS;

	cpu->ds = lg_check_selector(vcpu, cpu->ds);
	cpu->es = lg_check_selector(vcpu, cpu->es);
	cpu->fs = lg_check_selector(vcpu, cpu->fs);
	cpu->gs = lg_check_selector(vcpu, cpu->gs);
}

/**
 * lg_host_state_save - set the host's state aside, for some entries
 * @vcpu: the virtual CPU; its mutex is held
 *
 * Interrupts are off, and stay off until lg_host_state_restore(): so nobody else touches this
 * state meanwhile.
 */
void lg_host_state_save(struct lg_vcpu *vcpu)
{
	struct lg_window *w = vcpu->window;

	lg_assert_irqs_off(vcpu);
	WHILE_IRQS_OFF(TO_GUEST)
	/* The way back needs no flush: nobody else has touched the host's PCIDs meanwhile. */
	window_state(w)->host_cr3 = __native_read_cr3() | (lg_pcid ? BIT_ULL(63) : 0);
}

/** lg_host_state_restore - the reverse of lg_host_state_save(); interrupts are still off */
void lg_host_state_restore(struct lg_vcpu *vcpu)
{
	struct lg_window *w = vcpu->window;

	lg_assert_irqs_off(vcpu);
	WHILE_IRQS_OFF(TO_HOST)
}

/**
 * lg_window_enter - run the guest until something happens
 * @vcpu: the virtual CPU; its mutex is held
 *
 * Interrupts off, behind lg_host_state_save() and lg_root_load(). regs->trap tells what
 * happened.
 */
void lg_window_enter(struct lg_vcpu *vcpu)
{
	const struct switcher_vcpu *cpu = vcpu->cpu;
	struct lg_window *w = vcpu->window;

	lg_assert_irqs_off(vcpu);
	if (*(const u64 *)&cpu->ds | (vcpu->regs->ss ^ __USER_DS))
		check_guest_selectors(vcpu);
	WHILE_ENTERED(TO_GUEST)
	/* While IBRS is clear, make no indirect branch but into the switcher. */
	set_spec_ctrl(SPEC_CTRL_IBRS);
	vcpu->stats.nmis += lg_call_switcher(w->entry, window_state(w));
	set_spec_ctrl(0);
	WHILE_ENTERED(TO_HOST)
}

/* After TRAP_RING0: tell what the switcher noted, for lg_kill(). */
void lg_window_fault(struct lg_vcpu *vcpu, u64 *vector, u64 *error, u64 *offset)
{
	struct switcher_state *state = window_state(vcpu->window);

	*vector = state->fault_vector & 0xff;
	*error = state->fault_error;
	*offset = state->fault_ip - vcpu->window->va;
}

/* The address of the host's handler for @vector, from the host's own IDT. */
unsigned long lg_host_handler(struct lg_vcpu *vcpu, u8 vector)
{
	const gate_desc *idt = (void *)window_host(vcpu->window)->idtr.base;

	return gate_offset(&idt[vector]);
}
