// SPDX-License-Identifier: GPL-2.0-only
/*
 * Putting a vCPU into this CPU's window, and going through it: what of the
 * CPU's state stands aside for a Guest, and for how long. Some for as long as
 * the vCPU is loaded (MSRs, GDT entries), some for as long as interrupts are off
 * (CR4, DR7, PKRU), some for one entry (debug stores). What the Switcher itself changes is in switcher.S.
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
 * KVM of 6.1 reads the Host's values in an IPI, so there they are back before
 * each sti; later ones read them where no vCPU of ours can be loaded.
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

/* Its RETs would be checked against it while the Guest runs: SDM volume 1, 17.2. */
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
 * A Guest that has been slowed down for its split locks may go on with them: see
 * slow_down_split_locks() in run.c. The register is the core's: what a sibling does to it
 * costs another sleep.
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

/* Without them, all that says so stays 0, and an entry has nothing to do. */
static __always_inline bool has_debug_stores(void)
{
	return cpu_feature_enabled(X86_FEATURE_PEBS) || cpu_feature_enabled(X86_FEATURE_BTS);
}

/* All but the Host's watch over bus locks: they cost it the same in a Guest. */
static u64 clear_debugctl(void)
{
	u64 value = cpu_feature_enabled(X86_FEATURE_BTS) ? lg_rdmsr(MSR_IA32_DEBUGCTLMSR) : 0;

	if (!(value & ~DEBUGCTLMSR_BUS_LOCK_DETECT))
		return 0;
	lg_wrmsr(MSR_IA32_DEBUGCTLMSR, value & DEBUGCTLMSR_BUS_LOCK_DETECT);
	return value;
}

/*
 * Debug stores go to linear addresses, by whatever page tables are loaded: they
 * are off while those are the Guest's. Handlers of perf's interrupts turn them
 * on and off, so this belongs between the last CLI and the next STI. Its handler
 * of NMIs does, too, if they were on: the Switcher looks again.
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
		/* Has an NMI turned them on, perf wants these as they are. */
		u64 now = lg_rdmsr(MSR_IA32_DEBUGCTLMSR), set = now & DEBUGCTL_STORES;

		lg_wrmsr(MSR_IA32_DEBUGCTLMSR,
			 set ? now | (w->debugctl & ~(u64)DEBUGCTL_STORES) : w->debugctl);
	}
}

/*
 * CR4 while the Guest runs. Global entries of the Host would outlive the CR3
 * load at addresses that the Guest uses too (SDM volume 3, 4.10.2.4). The Host
 * may set PGE again in any interrupt from its own copy, hence each time; a
 * change of PGE flushes everything (4.10.4.1). LASS would keep ring 3 out of
 * the upper half, where the Guest's kernel lives. Without PKE the Guest's user
 * has no WRPKRU, and its kernel needs no protection from what that sets; PKRU is
 * changed while PKE is set, since WRPKRU is #UD otherwise. With TSD, RDTSC ends in
 * lg_emulate().
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
	/* XRSTOR in the Guest may have written it, whatever CR4 said. */
	if (lg_pke)
		wrpkru(w->host_pkru);
}

/* Breakpoints of the Host, at addresses that are the Guest's, too. */
static void breakpoints_to_guest(struct lg_vcpu *vcpu, struct lg_window *w)
{
	w->host_dr7 = hw_breakpoint_active() ? native_get_debugreg(7) : 0;
	if (w->host_dr7)
		native_set_debugreg(7, 0);
}

static void breakpoints_to_host(struct lg_vcpu *vcpu, struct lg_window *w)
{
	/* Before the Host has a #DB of its own. */
	if (vcpu->regs->trap == X86_TRAP_DB) {
		vcpu->dr6 = lg_read_dr6();
		native_set_debugreg(6, DR6_RESERVED);
	}
	if (w->host_dr7)
		native_set_debugreg(7, w->host_dr7);
}

/* The Launcher may have an LDT, at an address that is the Guest's to map. */
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

/* What Linux wants in it in the kernel, without @clear. */
static __always_inline void set_spec_ctrl(u64 clear)
{
	if (cpu_feature_enabled(X86_FEATURE_KERNEL_IBRS))
		lg_wrmsr(MSR_IA32_SPEC_CTRL, this_cpu_read(x86_spec_ctrl_current) & ~clear);
}

/*
 * Which of the Host's registers stand aside, for how long, and on which kernels and CPUs.
 * SPEC_CTRL is lg_window_enter()'s own; what the Switcher changes is in switcher.S.
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

/* For one entry, since the handlers of NMIs change these: */
#define WHILE_ENTERED(X)							\
	X(debug_store, has_debug_stores())	/* PEBS_ENABLE, DEBUGCTL */

#define TO_GUEST(name, when)	((when) ? name##_to_guest(vcpu, w) : (void)0);
#define TO_HOST(name, when)	((when) ? name##_to_host(vcpu, w) : (void)0);

/* What the Host's registers hold now: another CPU's, if we have moved. */
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

/** lg_window_gdt - what the GDT has of the loaded @vcpu; also when that changes */
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
 * @elsewhere: has it, or has this window, been with another since the two last met?
 *
 * Preemption off, until lg_window_put(). Return: what slot 256 of the roots has to hold to
 * show this window.
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
	/* If it is another page than last time, the entry flushes: lg_mmu.generation has changed. */
	w->guest_pt[data] = vcpu->shared_page ?
			    (u64)page_to_pfn(vcpu->shared_page) << PAGE_SHIFT | ENTRY_DATA : 0;
	*elsewhere = w->last_vcpu != vcpu->serial || vcpu->last_window != w;
	w->last_vcpu = vcpu->serial;
	vcpu->last_window = w;
	lg_speculation_load(w, vcpu->vm->mm->context.ctx_id);
	sample_host_state(w);
	/* The Launcher's own are null: it is 64-bit code. */
	loadsegment(ds, 0);
	loadsegment(es, 0);
	local_irq_disable();
	WHILE_LOADED(TO_GUEST)
	local_irq_enable();
	return w->guest_entry;
}

/** lg_window_put - take @vcpu's state out again; preemption still off */
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
	 * Without KPTI Linux counts on INVLPG to flush an address of the kernel's for all
	 * PCIDs, which it does for global entries alone (SDM volume 3, 4.10.4.1).
	 */
	if (lg_pcid && !boot_cpu_has(X86_FEATURE_PTI) && w->cr4_cleared)
		lg_window_restore_cr4(w);
	local_irq_enable();
}

/* The Switcher loads these in ring 0, where a bad one would fault. */
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
 * lg_host_state_save - let what is the Host's stand aside, for some entries
 * @vcpu: the virtual CPU; its mutex is held
 *
 * Interrupts off until lg_host_state_restore(): until then, nobody else touches any of this.
 */
void lg_host_state_save(struct lg_vcpu *vcpu)
{
	struct lg_window *w = vcpu->window;

	lg_assert_irqs_off(vcpu);
	WHILE_IRQS_OFF(TO_GUEST)
	/* NOFLUSH on the way back: nobody but us touched the Host's PCIDs. */
	window_state(w)->host_cr3 = __native_read_cr3() | (lg_pcid ? BIT_ULL(63) : 0);
}

/** lg_host_state_restore - the reverse of lg_host_state_save(); interrupts still off */
void lg_host_state_restore(struct lg_vcpu *vcpu)
{
	struct lg_window *w = vcpu->window;

	lg_assert_irqs_off(vcpu);
	WHILE_IRQS_OFF(TO_HOST)
}

/**
 * lg_window_enter - run the Guest until something happens
 * @vcpu: the virtual CPU; its mutex is held
 *
 * lg_host_state_save() and lg_root_load() were called. regs->trap tells what happened.
 */
void lg_window_enter(struct lg_vcpu *vcpu)
{
	const struct switcher_vcpu *cpu = vcpu->cpu;
	struct lg_window *w = vcpu->window;

	lg_assert_irqs_off(vcpu);
	if (*(const u64 *)&cpu->ds | (vcpu->regs->ss ^ __USER_DS))
		check_guest_selectors(vcpu);
	WHILE_ENTERED(TO_GUEST)
	/* Without IBRS no indirect branch of ours: right before the Switcher, and behind it. */
	set_spec_ctrl(SPEC_CTRL_IBRS);
	vcpu->stats.nmis += lg_call_switcher(w->entry, window_state(w));
	set_spec_ctrl(0);
	WHILE_ENTERED(TO_HOST)
}

/* TRAP_RING0: what the Switcher saw, for lg_kill(). */
void lg_window_fault(struct lg_vcpu *vcpu, u64 *vector, u64 *error, u64 *offset)
{
	struct switcher_state *state = window_state(vcpu->window);

	*vector = state->fault_vector & 0xff;
	*error = state->fault_error;
	*offset = state->fault_ip - vcpu->window->va;
}

/* The Host's handler for @vector, from its own IDT. */
unsigned long lg_host_handler(struct lg_vcpu *vcpu, u8 vector)
{
	const gate_desc *idt = (void *)window_host(vcpu->window)->idtr.base;

	return gate_offset(&idt[vector]);
}
