// SPDX-License-Identifier: GPL-2.0-only
/*
 * Exceptions, events and system calls for the guest's kernel, and the way back. Unlike with
 * our own ABI the frame is on the guest's stack: C writes it there as a program of the
 * launcher's would, so no bad stack of the guest's can be a fault of ours.
 *
 * All of this is atomic. What has to wait for a page has changed nothing yet.
 */
#include <uapi/asm/debugreg.h>
#include <asm/segment.h>
#include <asm/trapnr.h>

#include "trace.h"
#include "abi-xen/xen.h"
#include "host/host.h"
#include "vcpu/vcpu.h"

#define NO_ERROR_CODE	~0ULL
#define MASKS_EVENTS	4	/* trap_info.flags */

/* Xen's frame has what SYSCALL uses up below what the CPU would push. */
struct xen_frame {
	u64 cx, r11;
	u64 word[6];		/* [error code], rip, cs and the event mask, rflags, rsp, ss */
};

static bool events_masked(const struct lg_xen_vcpu *xen)
{
	return READ_ONCE(xen->info->evtchn_upcall_mask);
}

static void mask_events(struct lg_xen_vcpu *xen, bool on)
{
	WRITE_ONCE(xen->info->evtchn_upcall_mask, on);
}

/* From user mode to kernel mode: the other GS base, the other page tables. */
static void to_kernel_mode(struct lg_vcpu *vcpu)
{
	vcpu->xen->user_gs_base = vcpu->cpu->gs_base;
	vcpu->cpu->gs_base = vcpu->cpu->kernel_gs_base;
	vcpu->cpu->mode = LG_KERNEL;
}

/* Push a frame, and go to @handler. */
static enum lg_slow bounce(struct lg_vcpu *vcpu, u64 handler, bool masks, u64 error)
{
	struct lg_xen_vcpu *xen = vcpu->xen;
	struct guest_regs *regs = vcpu->regs;
	bool user = vcpu->cpu->mode == LG_USER, masked = events_masked(xen);
	struct xen_frame frame = { .cx = regs->cx, .r11 = regs->r11 };
	u64 sp = (user ? xen->kernel_sp : regs->sp) & ~15ULL;
	unsigned int words = 0, bytes;
	enum lg_slow slow;

	if (error != NO_ERROR_CODE)
		frame.word[words++] = error;
	frame.word[words++] = regs->ip;
	frame.word[words++] = (user ? regs->cs : __KERNEL_CS) | (u64)masked << 32;
	frame.word[words++] = (regs->flags & ~(u64)(X86_EFLAGS_IF | X86_EFLAGS_IOPL)) |
			      (masked ? 0 : X86_EFLAGS_IF);
	frame.word[words++] = regs->sp;
	frame.word[words++] = user ? regs->ss : __KERNEL_DS;
	bytes = offsetof(struct xen_frame, word[words]);
	slow = lg_xen_push(vcpu, sp - bytes, &frame, bytes);
	if (slow)
		return slow;
	if (user)
		to_kernel_mode(vcpu);
	if (masks)
		mask_events(xen, true);
	regs->sp = sp - bytes;
	regs->ip = handler;
	regs->cs = __USER_CS;
	regs->ss = __USER_DS;
	regs->flags = lg_event_flags(regs->flags);
	vcpu->stats.injected++;
	return LG_FAST;
}

static enum lg_slow bounce_trap(struct lg_vcpu *vcpu, u8 vector, u64 error)
{
	const struct trap_info *trap = &vcpu->xen->traps[vector];
	enum lg_slow slow;

	if (!trap->address) {
		lg_kill(vcpu->vm, "exception %u (error code 0x%llx, address 0x%llx) at 0x%llx, for which the guest's kernel has no handler",
			vector, error == NO_ERROR_CODE ? 0 : error, vcpu->cpu->cr2, vcpu->regs->ip);
		return LG_SLOW_DEAD;
	}
	slow = bounce(vcpu, trap->address, trap->flags & MASKS_EVENTS, error);
	if (!slow)
		trace_lguest_inject(vcpu->id, vector, error);
	return slow;
}

static enum lg_slow deliver_exception(struct lg_vcpu *vcpu)
{
	u8 vector = vcpu->exception_vector;
	enum lg_slow slow;

	if (vector == X86_TRAP_PF)
		WRITE_ONCE(vcpu->xen->info->arch.cr2, vcpu->exception_address);
	else if (vector == X86_TRAP_DB)
		vcpu->xen->dr6 = vcpu->dr6 & ~(u64)DR_TRAP_BITS;
	slow = bounce_trap(vcpu, vector, vcpu->exception_error);
	if (!slow)
		vcpu->exception_pending = false;
	return slow;
}

/* Another NMI waits until the handler has returned. */
static enum lg_slow deliver_nmi(struct lg_vcpu *vcpu)
{
	enum lg_slow slow = bounce_trap(vcpu, X86_TRAP_NMI, NO_ERROR_CODE);

	if (!slow) {
		clear_bit(X86_TRAP_NMI, vcpu->pending);
		vcpu->xen->nmi_runs = true;
	}
	return slow;
}

static bool nmi_comes(const struct lg_vcpu *vcpu)
{
	return unlikely(test_bit(X86_TRAP_NMI, vcpu->pending)) && !vcpu->xen->nmi_runs &&
	       vcpu->xen->traps[X86_TRAP_NMI].address;
}

/* Would a halt end, which lets events through? */
bool lg_xen_events_wait(const struct lg_vcpu *vcpu)
{
	return READ_ONCE(vcpu->xen->info->evtchn_upcall_pending) || nmi_comes(vcpu);
}

/* Would the guest be interrupted now? */
bool lg_xen_events_come(const struct lg_vcpu *vcpu)
{
	return (READ_ONCE(vcpu->xen->info->evtchn_upcall_pending) && !events_masked(vcpu->xen)) ||
	       nmi_comes(vcpu);
}

/**
 * lg_xen_deliver - deliver what is due before the guest is entered
 * @vcpu: the virtual CPU; its mutex is held
 */
enum lg_slow lg_xen_deliver(struct lg_vcpu *vcpu)
{
	struct lg_xen_vcpu *xen = vcpu->xen;
	enum lg_slow slow = LG_FAST;

	lg_assert_atomic(vcpu);
	if (vcpu->exception_pending)
		slow = deliver_exception(vcpu);
	if (!slow && nmi_comes(vcpu))
		slow = deliver_nmi(vcpu);
	if (!slow && READ_ONCE(xen->info->evtchn_upcall_pending) && !events_masked(xen) &&
	    xen->event_callback)
		slow = bounce(vcpu, xen->event_callback, true, NO_ERROR_CODE);
	return slow;
}

/** lg_xen_system_call - SYSCALL in user mode */
enum lg_slow lg_xen_system_call(struct lg_vcpu *vcpu)
{
	struct lg_xen_vcpu *xen = vcpu->xen;
	enum lg_slow slow;

	lg_assert_atomic(vcpu);
	vcpu->cpu->last_fault = ~0ULL;
	if (!xen->syscall_callback) {
		lg_kill(vcpu->vm, "a system call at 0x%llx, for which the guest's kernel has no handler",
			vcpu->regs->ip);
		return LG_SLOW_DEAD;
	}
	slow = bounce(vcpu, xen->syscall_callback, xen->syscall_masks, NO_ERROR_CODE);
	if (slow) {
		/* SYSCALL is two bytes: the program does it once more. */
		vcpu->regs->ip -= 2;
		return slow;
	}
	vcpu->stats.syscalls++;
	vcpu->regs->flags &= ~(u64)X86_EFLAGS_DF;
	return LG_FAST;
}

/* HYPERVISOR_iret: what the kernel has pushed, from the stack pointer up. */
struct iret_frame {
	u64 ax, r11, cx, flags;
	u64 ip, cs, rflags, sp, ss;
};

/* IRET must not fault in ring 0: what it could not return with is #GP of the program. */
static void to_user_mode(struct lg_vcpu *vcpu, const struct iret_frame *frame)
{
	struct guest_regs *regs = vcpu->regs;
	u64 cs = frame->cs & U32_MAX;	/* the event mask of then is above */

	vcpu->cpu->kernel_gs_base = vcpu->cpu->gs_base;
	vcpu->cpu->gs_base = vcpu->xen->user_gs_base;
	vcpu->cpu->mode = LG_USER;
	if (lg_return_selectors_ok(vcpu, cs, frame->ss)) {
		regs->cs = cs;
		regs->ss = frame->ss;
		return;
	}
	regs->cs = __USER_CS;
	regs->ss = __USER_DS;
	lg_exception(vcpu, X86_TRAP_GP, frame->cs & 0xfffc);
}

/**
 * lg_xen_iret - HYPERVISOR_iret
 * @vcpu: the virtual CPU; its mutex is held
 *
 * Each field is read once and checked. run.c looks at the address.
 */
enum lg_slow lg_xen_iret(struct lg_vcpu *vcpu)
{
	struct guest_regs *regs = vcpu->regs;
	struct iret_frame frame;
	enum lg_slow slow;

	lg_assert_atomic(vcpu);
	slow = lg_xen_read(vcpu, regs->sp, &frame, sizeof(frame));
	if (slow) {
		regs->ip -= 2;
		return slow;
	}
	regs->ax = frame.ax;
	regs->r11 = frame.r11;
	regs->cx = frame.cx;
	regs->ip = frame.ip;
	regs->sp = frame.sp;
	regs->flags = lg_runnable_flags(frame.rflags);
	vcpu->xen->nmi_runs = false;
	mask_events(vcpu->xen, !(frame.rflags & X86_EFLAGS_IF));
	if (frame.cs & 3)
		to_user_mode(vcpu, &frame);
	return LG_FAST;
}
