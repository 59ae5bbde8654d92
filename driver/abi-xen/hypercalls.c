// SPDX-License-Identifier: GPL-2.0-only
/*
 * Xen's hypercalls: SYSCALL in kernel mode, the number in %eax, arguments in %rdi, %rsi,
 * %rdx, %r10 and %r8, the result in %rax.
 *
 * What needs no memory is done at once, the rest where it may sleep. What neither the mmu
 * nor the virtual CPUs are concerned with goes to the launcher. All arguments are the
 * guest's word.
 *
 * A list of the guest's can be long. Where this thread is wanted elsewhere, the registers
 * are made to say what of the list is left, and the guest does its SYSCALL once more.
 */
#include <linux/string.h>
#include <linux/uaccess.h>
#include <asm/msr.h>
#include <xen/interface/sched.h>

#include "trace.h"
#include "abi-xen/xen.h"
#include "mmu/mmu.h"
#include "vcpu/vcpu.h"

#define VERSION		(4 << 16 | 17)	/* of the ABI: the major number above the minor one */
#define SYSCALL_BYTES	2

/* Xen's way to say that the count is what is left of a call that was begun. */
#define PREEMPTED	BIT(31)

static enum lg_slow result(struct lg_vcpu *vcpu, long value)
{
	vcpu->regs->ax = value;
	return LG_FAST;
}

/**
 * lg_xen_hypercall - SYSCALL in kernel mode
 * @vcpu: the virtual CPU; its mutex is held
 *
 * Atomic. LG_SLOW_HYPERCALL passes it on to lg_xen_hypercall_slow().
 */
enum lg_slow lg_xen_hypercall(struct lg_vcpu *vcpu)
{
	const struct guest_regs *regs = vcpu->regs;
	const u64 arg[3] = { regs->di, regs->si, regs->dx };
	u64 nr = (u32)regs->ax;

	lg_assert_atomic(vcpu);
	vcpu->stats.hypercalls++;
	trace_lguest_hypercall(vcpu->id, nr, arg);
	switch (nr) {
	case __HYPERVISOR_iret:
		return lg_xen_iret(vcpu);
	case __HYPERVISOR_stack_switch:
		vcpu->xen->kernel_sp = arg[1];
		return result(vcpu, 0);
	case __HYPERVISOR_set_segment_base:
		return result(vcpu, lg_xen_set_segment_base(vcpu, arg[0], arg[1]));
	case __HYPERVISOR_fpu_taskswitch:
		/* Linux switches the extended state eagerly. */
		return result(vcpu, 0);
	case __HYPERVISOR_xen_version:
		/* Linux calls it to have a pending event delivered, too. */
		if (!arg[0])
			return result(vcpu, VERSION);
		break;
	}
	return LG_SLOW_HYPERCALL;
}

/* Xen's pair of a count and where the guest wants to read how many are done. */
static long do_list(struct lg_vcpu *vcpu, u64 nr, struct lg_xen_list *list, gva_t done_gva)
{
	u32 before = 0;
	long err;

	if (list->count & PREEMPTED) {
		list->count &= ~(u64)PREEMPTED;
		if (done_gva && lg_read_gva(vcpu, done_gva, &before, sizeof(before)))
			return -EFAULT;
	}
	err = nr == __HYPERVISOR_mmu_update ? lg_xen_mmu_update(vcpu, list) :
					      lg_xen_mmuext_op(vcpu, list);
	before += list->done;
	if (done_gva && lg_write_gva(vcpu, done_gva, &before, sizeof(before)))
		return -EFAULT;
	return err;
}

/* The calls that a multicall may have. -ERESTART: @arg says what is left. */
static long call(struct lg_vcpu *vcpu, u64 nr, u64 arg[4])
{
	struct lg_xen_list list;
	long err;

	switch (nr) {
	case __HYPERVISOR_mmu_update:
	case __HYPERVISOR_mmuext_op:
		list = (struct lg_xen_list) { .gva = arg[0], .count = (u32)arg[1] };
		err = do_list(vcpu, nr, &list, arg[2]);
		if (err == -ERESTART) {
			arg[0] = list.gva;
			arg[1] = list.count | PREEMPTED;
		}
		return err;
	case __HYPERVISOR_update_va_mapping:
		return lg_xen_update_va_mapping(vcpu, arg[0], arg[1], arg[2]);
	case __HYPERVISOR_set_trap_table:
		return lg_xen_set_trap_table(vcpu, arg[0]);
	case __HYPERVISOR_set_gdt:
		return lg_xen_set_gdt(vcpu, arg[0], arg[1]);
	case __HYPERVISOR_update_descriptor:
		return lg_xen_update_descriptor(vcpu, arg[0], arg[1]);
	case __HYPERVISOR_stack_switch:
		vcpu->xen->kernel_sp = arg[1];
		return 0;
	case __HYPERVISOR_set_segment_base:
		return lg_xen_set_segment_base(vcpu, arg[0], arg[1]);
	case __HYPERVISOR_fpu_taskswitch:
		return 0;
	case __HYPERVISOR_set_debugreg:
		/* No breakpoints of the hardware's. */
		if (arg[0] == 6)
			vcpu->xen->dr6 = arg[1];
		return 0;
	case __HYPERVISOR_get_debugreg:
		return arg[0] == 6 ? vcpu->xen->dr6 : 0;
	case __HYPERVISOR_callback_op:
		return lg_xen_callback_op(vcpu, arg[0], arg[1]);
	case __HYPERVISOR_event_channel_op:
		return lg_xen_event_channel_op(vcpu, arg[0], arg[1]);
	case __HYPERVISOR_vcpu_op:
		return lg_xen_vcpu_op(vcpu, arg[0], arg[1], arg[2]);
	case __HYPERVISOR_xen_version:
		return arg[0] ? -ENOSYS : VERSION;
	}
	return -ENOSYS;
}

/* SYSCALL is done once more, with what is left. */
static int restart(struct lg_vcpu *vcpu, u64 nr)
{
	vcpu->regs->ax = nr;
	vcpu->regs->ip -= SYSCALL_BYTES;
	return 0;
}

/* Put what is left of an entry that was begun back to where the guest had it. */
static int restart_entry(struct lg_vcpu *vcpu, gva_t gva, const struct multicall_entry *entry)
{
	if (lg_write_gva(vcpu, gva, entry, sizeof(*entry)))
		return -EFAULT;
	return restart(vcpu, __HYPERVISOR_multicall);
}

static int multicall(struct lg_vcpu *vcpu)
{
	struct guest_regs *regs = vcpu->regs;
	struct multicall_entry entry;
	u64 arg[4], done = 0;

	for (; (u32)regs->si; regs->si--, regs->di += sizeof(entry), done++) {
		if (lg_xen_must_stop(vcpu, done))
			return restart(vcpu, __HYPERVISOR_multicall);
		if (lg_read_gva(vcpu, regs->di, &entry, sizeof(entry)))
			goto fault;
		memcpy(arg, entry.args, sizeof(arg));
		vcpu->stats.ring_calls++;
		entry.result = call(vcpu, entry.op, arg);
		if (entry.result == -ERESTART) {
			memcpy(entry.args, arg, sizeof(arg));
			entry.result = 0;
			if (restart_entry(vcpu, regs->di, &entry))
				goto fault;
			return 0;
		}
		if (lg_write_gva(vcpu, regs->di + offsetof(struct multicall_entry, result),
				 &entry.result, sizeof(entry.result)))
			goto fault;
	}
	regs->ax = 0;
	return 0;
fault:
	regs->ax = -EFAULT;
	return 0;
}

/* The launcher answers: lg_xen_complete() gives the guest what it says. */
static int ask_launcher(struct lg_vcpu *vcpu, u64 nr)
{
	const struct guest_regs *regs = vcpu->regs;
	struct lguest_run *run = vcpu->run;

	memset(&run->hypercall, 0, sizeof(run->hypercall));
	run->hypercall.nr = nr;
	run->hypercall.arg[0] = regs->di;
	run->hypercall.arg[1] = regs->si;
	run->hypercall.arg[2] = regs->dx;
	run->hypercall.arg[3] = regs->r10;
	run->hypercall.arg[4] = regs->r8;
	run->hypercall.cr3 = vcpu->cr3;
	run->hypercall.result = -ENOSYS;
	run->exit_reason = LGUEST_EXIT_HYPERCALL;
	vcpu->xen->awaited = LG_XEN_HYPERCALL;
	return 1;
}

/**
 * lg_xen_hypercall_slow - the hypercalls that sleep, or that end LGUEST_RUN
 * @vcpu: the virtual CPU; its mutex is held
 *
 * 0: run the guest again; 1: run->exit_reason is set.
 */
int lg_xen_hypercall_slow(struct lg_vcpu *vcpu)
{
	struct guest_regs *regs = vcpu->regs;
	u64 arg[4] = { regs->di, regs->si, regs->dx, regs->r10 };
	u64 nr = (u32)regs->ax;
	long value;

	lockdep_assert_held(&vcpu->mutex);
	switch (nr) {
	case __HYPERVISOR_multicall:
		return multicall(vcpu);
	case __HYPERVISOR_sched_op:
		return lg_xen_sched_op(vcpu, arg[0], arg[1]);
	case __HYPERVISOR_mmu_update:
	case __HYPERVISOR_mmuext_op:
	case __HYPERVISOR_update_va_mapping:
	case __HYPERVISOR_set_trap_table:
	case __HYPERVISOR_set_gdt:
	case __HYPERVISOR_update_descriptor:
	case __HYPERVISOR_set_debugreg:
	case __HYPERVISOR_get_debugreg:
	case __HYPERVISOR_callback_op:
	case __HYPERVISOR_event_channel_op:
	case __HYPERVISOR_vcpu_op:
		break;
	default:
		return ask_launcher(vcpu, nr);
	}
	value = call(vcpu, nr, arg);
	if (value == -ERESTART) {
		regs->di = arg[0];
		regs->si = arg[1];
		return restart(vcpu, nr);
	}
	regs->ax = value;
	return 0;
}
