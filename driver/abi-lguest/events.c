// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events for the guest's kernel: exceptions, interrupts and system calls, and the return from them.
 * The host writes them to lguest_data and sets registers; it never touches a guest stack.
 *
 * All of this is atomic, and knows no hypercall numbers.
 */
#include <uapi/asm/debugreg.h>
#include <asm/segment.h>
#include <asm/trapnr.h>

#include "lg.h"
#include "trace.h"
#include "abi-lguest/lguest.h"
#include "host/host.h"
#include "vcpu/vcpu.h"

/* Switch from user mode to kernel mode: to the other GS base and the other root. */
static void enter_kernel_mode(struct lg_vcpu *vcpu)
{
	WRITE_ONCE(vcpu->lguest.data->user_gs_base, vcpu->cpu->gs_base);
	vcpu->cpu->gs_base = vcpu->cpu->kernel_gs_base;
	vcpu->cpu->mode = LG_KERNEL;
}

static enum lg_slow kill_for_event(struct lg_vcpu *vcpu, unsigned int vector, const char *why)
{
	lg_kill(vcpu->vm, "exception %u (error code 0x%llx, address 0x%llx) at 0x%llx %s",
		vector, vector == vcpu->exception_vector ? vcpu->exception_error : 0,
		vcpu->cpu->cr2, vcpu->regs->ip, why);
	return LG_SLOW_DEAD;
}

/* Write the event record, and set the registers for the guest's entry point. */
static enum lg_slow deliver_event(struct lg_vcpu *vcpu, unsigned int vector, u64 error)
{
	struct lguest_data *data = vcpu->lguest.data;
	struct guest_regs *regs = vcpu->regs;
	bool user = vcpu->cpu->mode == LG_USER;

	if (!data || !vcpu->vm->lguest.ready)
		return kill_for_event(vcpu, vector, "before the guest's kernel is ready for any");
	if (READ_ONCE(data->event_valid))
		return kill_for_event(vcpu, vector, "while the kernel takes another");

	data->event_vector = vector;
	data->event_error = error;
	data->event.ip = regs->ip;
	data->event.sp = regs->sp;
	data->event.cs = user ? regs->cs : __KERNEL_CS;
	data->event.ss = user ? regs->ss : __KERNEL_DS;
	data->event.flags = (regs->flags & ~X86_EFLAGS_IF) |
			    (user ? X86_EFLAGS_IF : READ_ONCE(data->irq_enabled) & X86_EFLAGS_IF);
	WRITE_ONCE(data->irq_enabled, 0);
	WRITE_ONCE(data->event_valid, 1);
	if (user) {
		regs->sp = READ_ONCE(data->sp0);
		enter_kernel_mode(vcpu);
	}
	regs->ip = vcpu->vm->lguest.init.event_entry;
	regs->cs = __USER_CS;
	regs->ss = __USER_DS;
	regs->flags = lg_event_flags(regs->flags);
	vcpu->stats.injected++;
	trace_lguest_inject(vcpu->id, vector, error);
	return LG_FAST;
}

/* Deliver the pending exception, with what the CPU would have in CR2 and DR6. */
static enum lg_slow deliver_exception(struct lg_vcpu *vcpu)
{
	struct lguest_data *data = vcpu->lguest.data;
	u8 vector = vcpu->exception_vector;

	if (data && vector == X86_TRAP_PF)
		WRITE_ONCE(data->cr2, vcpu->exception_address);
	else if (data && vector == X86_TRAP_DB)
		/* The CPU may set B0 to B3 for the host's breakpoints although they are off. */
		WRITE_ONCE(data->dr6, vcpu->dr6 & ~(u64)DR_TRAP_BITS);
	return deliver_event(vcpu, vector, vcpu->exception_error);
}

/* Is the guest's kernel between "interrupts on" and the last instruction of a return to itself? */
static bool in_noirq_range(struct lg_vcpu *vcpu)
{
	const struct lguest_init *abi = &vcpu->vm->lguest.init;
	u64 ip = vcpu->regs->ip;

	return vcpu->cpu->mode == LG_KERNEL && ip >= abi->noirq_start && ip < abi->noirq_end;
}

static bool can_interrupt(struct lg_vcpu *vcpu)
{
	struct lguest_data *data = vcpu->lguest.data;

	if (READ_ONCE(data->event_valid))
		return false;
	return vcpu->cpu->mode == LG_USER || (READ_ONCE(data->irq_enabled) & X86_EFLAGS_IF);
}

/*
 * An NMI does not wait for irq_enabled, nor for the end of an interrupt. It waits only while the
 * guest's kernel cannot take it, which is never long: while a record is not read yet, in the noirq
 * range, and with user mode's GS base.
 */
static bool can_take_nmi(struct lg_vcpu *vcpu)
{
	if (READ_ONCE(vcpu->lguest.data->event_valid) || in_noirq_range(vcpu))
		return false;
	return vcpu->cpu->mode == LG_USER || vcpu->cpu->gs_base == vcpu->cpu->kernel_gs_base;
}

/*
 * Deliver one interrupt, if the guest can take it now, else set irq_pending. In the noirq range the
 * guest has read irq_pending already: step it out of the range.
 */
static enum lg_slow deliver_interrupt(struct lg_vcpu *vcpu)
{
	int vector;

	if (unlikely(test_bit(X86_TRAP_NMI, vcpu->pending))) {
		if (can_take_nmi(vcpu)) {
			clear_bit(X86_TRAP_NMI, vcpu->pending);
			return deliver_event(vcpu, X86_TRAP_NMI, ~0ULL);
		}
		vcpu->stepping = true;
	}
	vector = lg_interrupt_next(vcpu);
	if (vector < 0) {
		if (READ_ONCE(vcpu->lguest.data->irq_pending))
			WRITE_ONCE(vcpu->lguest.data->irq_pending, 0);
		return LG_FAST;
	}
	if (can_interrupt(vcpu)) {
		if (!in_noirq_range(vcpu)) {
			clear_bit(vector, vcpu->pending);
			WRITE_ONCE(vcpu->lguest.data->irq_pending, lg_interrupt_waiting(vcpu));
			return deliver_event(vcpu, vector, ~0ULL);
		}
		vcpu->stepping = true;
	}
	WRITE_ONCE(vcpu->lguest.data->irq_pending, 1);
	return LG_FAST;
}

/**
 * lg_deliver - deliver what is due before the guest is entered
 * @vcpu: the virtual CPU; its mutex is held
 *
 * Atomic. LG_FAST, or LG_SLOW_DEAD: the guest cannot take an exception.
 */
enum lg_slow lg_deliver(struct lg_vcpu *vcpu)
{
	lg_assert_atomic(vcpu);
	vcpu->stepping = false;
	if (vcpu->exception_pending) {
		vcpu->exception_pending = false;
		return deliver_exception(vcpu);
	}
	if (!vcpu->lguest.data || !vcpu->vm->lguest.ready)
		return LG_FAST;
	return deliver_interrupt(vcpu);
}

/** lg_system_call - SYSCALL in user mode, if the switcher has not done it: does the same; atomic */
enum lg_slow lg_system_call(struct lg_vcpu *vcpu)
{
	struct lguest_data *data = vcpu->lguest.data;
	struct guest_regs *regs = vcpu->regs;

	lg_assert_atomic(vcpu);
	vcpu->stats.syscalls++;
	vcpu->cpu->last_fault = ~0ULL;
	if (!data || READ_ONCE(data->event_valid))
		return kill_for_event(vcpu, TRAP_SYSCALL,
				      "(a system call) that the kernel cannot take");
	WRITE_ONCE(data->syscall_ip, regs->ip);
	WRITE_ONCE(data->syscall_flags, regs->flags);
	WRITE_ONCE(data->syscall_sp, regs->sp);
	WRITE_ONCE(data->irq_enabled, 0);
	regs->sp = READ_ONCE(data->sp0);
	regs->ip = vcpu->vm->lguest.init.syscall_entry;
	regs->flags = lg_runnable_flags(0);
	enter_kernel_mode(vcpu);
	return LG_FAST;
}

/* IRET would refuse the frame: raise #GP in the user code that it leads to. */
static void raise_iret_fault(struct lg_vcpu *vcpu, const struct lguest_frame *frame)
{
	vcpu->regs->ip = frame->ip;
	vcpu->regs->sp = frame->sp;
	vcpu->regs->cs = __USER_CS;
	vcpu->regs->ss = __USER_DS;
	lg_exception(vcpu, X86_TRAP_GP, frame->cs & 0xfffc);
}

/**
 * lg_iret - LHCALL_IRET: return to the frame that the guest's kernel has prepared
 * @vcpu: the virtual CPU; its mutex is held
 *
 * Atomic. Returns to user mode, or (for frames with TF or RF, which POPF cannot set) to kernel
 * mode. Read each field once and check it: IRET must not fault in ring 0.
 */
enum lg_slow lg_iret(struct lg_vcpu *vcpu)
{
	struct lguest_data *data = vcpu->lguest.data;
	struct guest_regs *regs = vcpu->regs;
	struct lguest_frame frame;
	u64 gs_base;

	lg_assert_atomic(vcpu);
	if (!data) {
		lg_kill(vcpu->vm, "return from an event before LHCALL_REGISTER");
		return LG_SLOW_DEAD;
	}
	frame.ip = READ_ONCE(data->iret.ip);
	frame.cs = READ_ONCE(data->iret.cs);
	frame.flags = READ_ONCE(data->iret.flags);
	frame.sp = READ_ONCE(data->iret.sp);
	frame.ss = READ_ONCE(data->iret.ss);
	regs->ax = READ_ONCE(data->iret_ax);
	regs->cx = READ_ONCE(data->iret_cx);
	regs->r11 = READ_ONCE(data->iret_r11);
	regs->flags = lg_runnable_flags(frame.flags);
	regs->sp = frame.sp;

	if (!(frame.cs & 3)) {
		if (!lg_canonical(frame.ip)) {
			lg_kill(vcpu->vm, "return to kernel address 0x%llx", frame.ip);
			return LG_SLOW_DEAD;
		}
		regs->ip = frame.ip;
		WRITE_ONCE(data->irq_enabled, frame.flags & X86_EFLAGS_IF);
		return LG_FAST;
	}

	/* WRGSBASE of a non-canonical address would fault in ring 0. */
	gs_base = READ_ONCE(data->user_gs_base);
	vcpu->cpu->gs_base = lg_canonical(gs_base) ? gs_base : 0;
	vcpu->cpu->mode = LG_USER;
	WRITE_ONCE(data->irq_enabled, X86_EFLAGS_IF);
	if (!lg_canonical(frame.ip) || !lg_return_selectors_ok(vcpu, frame.cs, frame.ss)) {
		raise_iret_fault(vcpu, &frame);
		return LG_FAST;
	}
	regs->ip = frame.ip;
	regs->cs = frame.cs;
	regs->ss = frame.ss;
	return LG_FAST;
}
