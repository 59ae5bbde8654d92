// SPDX-License-Identifier: GPL-2.0-only
/* Why was the guest left, and which function handles it? Atomic. */
#include <linux/jiffies.h>
#include <linux/percpu.h>
#include <asm/cpufeature.h>
#include <asm/debugreg.h>
#include <asm/traps.h>

#include "dispatch.h"
#include "host/host.h"
#include "mmu/mmu.h"
#include "vcpu/trap.h"
#include "vcpu/vcpu.h"

/*
 * Is this #DB for a locked access across two cache lines? They trap on a host with
 * split_lock_detect=ratelimit, or without #AC for them. Bit 11 of DR6 is clear then, and set in all
 * other cases. SDM volume 3, OS Bus-Lock Detection; AMD64 Architecture Programmer's Manual volume
 * 2, Bus Lock Trap.
 */
static bool is_bus_lock(const struct lg_vcpu *vcpu)
{
	return boot_cpu_has(X86_FEATURE_BUS_LOCK_DETECT) && !(vcpu->dr6 & DR_BUS_LOCK);
}

/*
 * #DB. For a bus lock it is the host's: the access is over by now. If we were stepping, it is ours.
 * Else it is the guest's, by TF: the guest has no breakpoints, and does not know bus locks.
 */
static enum lg_slow guest_debug(struct lg_vcpu *vcpu)
{
	enum lg_slow slow = LG_FAST;

	if (is_bus_lock(vcpu)) {
		if (!time_before(jiffies, vcpu->split_locks_until))
			slow = LG_SLOW_SPLIT_LOCK;
		if (!(vcpu->dr6 & DR_STEP))
			return slow;
		vcpu->dr6 |= DR_BUS_LOCK;
	}
	if (vcpu->stepping && (vcpu->dr6 & DR_STEP)) {
		vcpu->stepping = false;
		return slow;
	}
	lg_exception(vcpu, X86_TRAP_DB, ~0ULL);
	return slow;
}

/* INT n in user mode arrives as #GP with the gate's selector error code. */
#define ERROR_IDT(vector)	((u64)(vector) << 3 | 2)

/*
 * #GP: an INT n that the guest's kernel allows, an instruction that lg_emulate() may know (for user
 * mode only RDTSC), or an exception for the guest.
 */
static enum lg_slow guest_protection(struct lg_vcpu *vcpu)
{
	u64 error = vcpu->regs->error;
	u8 vector = error >> 3;

	if (vcpu->cpu->mode == LG_KERNEL)
		return LG_SLOW_EMULATE;
	if (error == ERROR_IDT(vector) && vcpu->abi->user_gate(vcpu, vector)) {
		/* INT imm8 has two bytes; the return address is behind it. */
		vcpu->regs->ip += 2;
		lg_exception(vcpu, vector, ~0ULL);
		return LG_FAST;
	}
	if (!error && vcpu->vm->tsc_offset)
		return LG_SLOW_EMULATE;
	lg_exception(vcpu, X86_TRAP_GP, error);
	return LG_FAST;
}

/* INT $0x80 through its own gate; %rip is behind the instruction already. */
static enum lg_slow guest_int80(struct lg_vcpu *vcpu)
{
	if (vcpu->cpu->mode == LG_USER && vcpu->abi->user_gate(vcpu, LG_INT80)) {
		lg_exception(vcpu, LG_INT80, ~0ULL);
	} else {
		vcpu->regs->ip -= 2;
		lg_exception(vcpu, X86_TRAP_GP, ERROR_IDT(LG_INT80));
	}
	return LG_FAST;
}

/*
 * #AC although the guest asks for no alignment checks: a locked access across two cache lines, on a
 * host that detects those (split_lock_detect=; SDM volume 3, MSR_TEST_CTRL). The guest does not
 * know of that: Linux in the guest would run into the same fault for ever.
 */
static bool is_split_lock(const struct lg_vcpu *vcpu)
{
	return boot_cpu_has(X86_FEATURE_SPLIT_LOCK_DETECT) && !(vcpu->regs->flags & X86_EFLAGS_AC);
}

/* SDM volume 3, table 6-1 */
#define HAVE_ERROR_CODE	(BIT(X86_TRAP_DF) | GENMASK(X86_TRAP_PF, X86_TRAP_TS) | \
			 BIT(X86_TRAP_AC) | BIT(X86_TRAP_CP))

static enum lg_slow guest_exception(struct lg_vcpu *vcpu, u8 vector)
{
	vcpu->stats.exceptions[vector]++;
	switch (vector) {
	case X86_TRAP_PF:
		/* The calls that wait may be a flush: do them first, the fault comes again. */
		if (unlikely(lg_abi_calls_wait(vcpu)))
			return LG_SLOW_WORK;
		return lg_shadow_fault(vcpu);
	case X86_TRAP_DB:
		return guest_debug(vcpu);
	case X86_TRAP_GP:
		return guest_protection(vcpu);
	case X86_TRAP_NMI:
	case X86_TRAP_MC:
		/* These are the host's, and lg_call_switcher() has handed them over. */
		return LG_FAST;
	case X86_TRAP_UD:
		if (vcpu->cpu->mode == LG_KERNEL)
			return LG_SLOW_EMULATE;
		break;
	case X86_TRAP_AC:
		if (is_split_lock(vcpu))
			return LG_SLOW_SPLIT_LOCK;
		break;
	}
	lg_exception(vcpu, vector, HAVE_ERROR_CODE >> vector & 1 ? vcpu->regs->error : ~0ULL);
	return LG_FAST;
}

static enum lg_slow switcher_fault(struct lg_vcpu *vcpu)
{
	u64 vector, error, offset;

	lg_window_fault(vcpu, &vector, &error, &offset);
	lg_kill(vcpu->vm, "exception %llu (error code 0x%llx) in the switcher at +0x%llx",
		vector, error, offset);
	return LG_SLOW_DEAD;
}

/**
 * lg_exit - handle an exit that is not an interrupt of the host
 * @vcpu: the virtual CPU; its mutex is held
 *
 * Atomic. LG_FAST: enter again; else what to do outside of the atomic part.
 */
enum lg_slow lg_exit(struct lg_vcpu *vcpu)
{
	u32 trap = lg_trap(vcpu->regs);

	lg_assert_atomic(vcpu);
	switch (trap) {
	case TRAP_SYSCALL:
		if (vcpu->cpu->mode == LG_USER)
			return lg_abi_system_call(vcpu);
		return lg_abi_hypercall(vcpu);
	case TRAP_SYSCALL32:
		/*
		 * 32-bit SYSCALL is not advertised to guest programs: raise #UD at the instruction.
		 */
		vcpu->regs->ip -= 2;
		lg_exception(vcpu, X86_TRAP_UD, ~0ULL);
		return LG_FAST;
	case TRAP_ABORTED:
		/*
		 * Nobody knows whether CR3 was loaded, and so whether the TLB was flushed: flush
		 * again.
		 */
		WRITE_ONCE(vcpu->generation, ~0ULL);
		return LG_FAST;
	case TRAP_RING0:
		return switcher_fault(vcpu);
	}
	if (lg_int80 && trap == LG_INT80)
		return guest_int80(vcpu);
	return guest_exception(vcpu, trap & 31);
}

/**
 * lg_exit_quickly - handle an exit that needs little, between two entries
 * @vcpu: the virtual CPU; its mutex is held
 *
 * Interrupts off, behind lg_host_state_save(): wait for no lock but LG_SPTES_BUSY, wake nobody,
 * deliver nothing. False: lg_exit() has to handle the exit, and may find that it is done.
 */
bool lg_exit_quickly(struct lg_vcpu *vcpu)
{
	lg_assert_irqs_off(vcpu);
	if (vcpu->stepping || !lg_canonical(vcpu->regs->ip) || lg_abi_calls_wait(vcpu))
		return false;
	if (vcpu->regs->trap == TRAP_SYSCALL)
		return vcpu->cpu->mode == LG_KERNEL && lg_abi_quickly(vcpu);
	return vcpu->regs->trap == X86_TRAP_PF && lg_shadow_fault_quickly(vcpu);
}
