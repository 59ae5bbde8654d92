// SPDX-License-Identifier: GPL-2.0-only
/*
 * LGUEST_RUN: the loop around the switcher.
 *
 * Inner loop, atomic: deliver what is due, enter the guest, see why it was left, again. Outer loop:
 * do what may sleep. Every interrupt of the host ends the atomic part, so that softirqs and other
 * tasks of the host can run.
 */
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/vtime.h>
#include <asm/trapnr.h>

#include "dispatch.h"
#include "trace.h"
#include "host/host.h"
#include "host/user_work.h"
#include "io/io.h"
#include "mmu/mmu.h"
#include "vcpu/trap.h"
#include "vcpu/vcpu.h"

/*
 * Must LGUEST_RUN return -EINTR? The launcher then calls it again, and the kernel does its work on
 * the way through user mode. TIF_USER_RETURN_NOTIFY: KVM has left MSRs with the values of a guest
 * of its own, SYSCALL's among them. lg_user_work() does all other work for the kernel.
 */
static bool must_return(struct lg_vcpu *vcpu)
{
	return READ_ONCE(vcpu->run->immediate_exit) || signal_pending(current) ||
	       test_thread_flag(TIF_USER_RETURN_NOTIFY);
}

/* Is there a reason not to enter the guest? Called with interrupts off. */
static bool must_leave(struct lg_vcpu *vcpu)
{
	lg_assert_irqs_off(vcpu);
	return READ_ONCE(vcpu->kicked) || must_return(vcpu) || lg_user_work_pending();
}

static bool is_host_interrupt(const struct lg_vcpu *vcpu)
{
	u32 trap = lg_trap(vcpu->regs);

	return trap >= 32 && trap < LG_VECTORS && !(lg_int80 && trap == LG_INT80);
}

/*
 * Enter the guest with interrupts off, and again after an exit that lg_exit_quickly() can handle.
 * An interrupt that waits meanwhile comes as soon as the guest runs: so whoever sends one after a
 * change may count on us to see the change, since running_cpu says that we run.
 *
 * Hand an interrupt of the host over at once, as if it came now. First give the registers of the
 * extended state back, since a handler may use them. Return: was there one?
 */
static bool enter_guest(struct lg_vcpu *vcpu)
{
	bool interrupted;

	lg_assert_irqs_off(vcpu);
	/*
	 * Count our time and the switcher's as the guest's, too, as a program's system calls count
	 * as the program's.
	 */
	vtime_account_guest_enter();
	lg_host_state_save(vcpu);
	do {
		vcpu->stats.exits++;
		trace_lguest_entry(vcpu->id, vcpu->cpu->mode, vcpu->regs->ip);
		lg_root_load(vcpu);
		lg_window_enter(vcpu);
		lg_root_exit(vcpu);
		trace_lguest_exit(vcpu->id, lg_trap(vcpu->regs), vcpu->cpu->mode, vcpu->regs->ip,
				  vcpu->regs->error, vcpu->cpu->cr2);
	} while (lg_exit_quickly(vcpu));
	lg_host_state_restore(vcpu);
	WRITE_ONCE(vcpu->running_cpu, -1);

	interrupted = is_host_interrupt(vcpu);
	if (interrupted) {
		vcpu->stats.interrupts++;
		lg_fpu_interrupted(vcpu);
		/* This returns with interrupts on. */
		lg_host_interrupt(lg_host_handler(vcpu, lg_trap(vcpu->regs)));
		local_irq_disable();
	}
	/* Do this only now: the timer's handler accounts the time. */
	vtime_account_guest_exit();
	return interrupted;
}

/*
 * IRET to a non-canonical address would fault in ring 0. The guest's kernel can get there by
 * SYSCALL in the last bytes of the lower half; with 5-level paging, user mode by any jump.
 */
static enum lg_slow check_guest_ip(struct lg_vcpu *vcpu)
{
	if (likely(lg_canonical(vcpu->regs->ip)))
		return LG_FAST;
	if (vcpu->cpu->mode == LG_USER) {
		lg_exception(vcpu, X86_TRAP_GP, 0);
		return lg_abi_deliver(vcpu);
	}
	lg_kill(vcpu->vm, "kernel at non-canonical address 0x%llx", vcpu->regs->ip);
	return LG_SLOW_DEAD;
}

/* The atomic loop. *interrupted: the host had an interrupt, and the extended state is saved. */
static enum lg_slow run_atomic(struct lg_vcpu *vcpu, bool *interrupted)
{
	enum lg_slow slow;

	lg_assert_atomic(vcpu);
	if (lg_abi_calls_wait(vcpu))
		lg_abi_drain(vcpu);
	for (;;) {
		if (READ_ONCE(vcpu->flush.kind))
			lg_flush_requested(vcpu);
		slow = lg_abi_deliver(vcpu);
		if (!slow)
			slow = check_guest_ip(vcpu);
		if (slow || READ_ONCE(vcpu->vm->dead))
			return slow ?: LG_SLOW_DEAD;

		local_irq_disable();
		WRITE_ONCE(vcpu->running_cpu, smp_processor_id());
		/* If someone has changed something and not seen us run, we see the change below. */
		smp_mb();
		slow = must_leave(vcpu) ? LG_SLOW_WORK : LG_FAST;
		if (slow || READ_ONCE(vcpu->flush.kind)) {
			WRITE_ONCE(vcpu->running_cpu, -1);
			local_irq_enable();
			if (slow)
				return slow;
			continue;
		}
		/* Set TF to step the guest out of its noirq range. */
		if (vcpu->stepping)
			vcpu->regs->flags |= X86_EFLAGS_TF;
		*interrupted = enter_guest(vcpu);
		local_irq_enable();
		if (vcpu->stepping)
			vcpu->regs->flags &= ~X86_EFLAGS_TF;
		if (*interrupted)
			return LG_SLOW_WORK;
		/* The guest put these calls into its ring before what has caused the exit. */
		if (lg_abi_calls_wait(vcpu))
			lg_abi_drain(vcpu);
		slow = lg_exit(vcpu);
		if (slow)
			return slow;
	}
}

static enum lg_slow run_loaded(struct lg_vcpu *vcpu)
{
	bool interrupted = false, elsewhere;
	enum lg_slow slow;
	u64 window;

	clear_bit(0, &vcpu->kicked);
	smp_mb__after_atomic();
	/* Preemption is off from here to lg_fpu_end(). */
	lg_fpu_begin(vcpu);
	window = lg_window_load(vcpu, &elsewhere);
	lg_roots_show(vcpu, window, elsewhere);
	lg_abi_loaded(vcpu);
	slow = run_atomic(vcpu, &interrupted);
	lg_abi_put(vcpu);
	lg_window_put(vcpu);
	lg_fpu_end(vcpu, interrupted);
	return slow;
}

/*
 * A split lock stops all CPUs for some thousand cycles. Linux slows down programs of the host that
 * make split locks, and so do we: after a sleep the vCPU may make them for two ticks, if no other
 * vCPU of any VM may meanwhile; else it faults, or traps, and sleeps again. So it is with
 * split_lock_detect=fatal, too: the VM goes on, slowly.
 */
static void slow_down_split_locks(struct lg_vcpu *vcpu)
{
	static unsigned long granted_until;	/* jiffies; changed by cmpxchg() alone */
	unsigned long until, now;

	/*
	 * If a signal cuts the sleep short, grant nothing: the instruction faults again. A trap
	 * (#DB) comes after its instruction, which would have cost nothing: sleep through signals.
	 */
	if (lg_trap(vcpu->regs) == X86_TRAP_DB)
		msleep(10);
	else if (msleep_interruptible(10))
		return;
	until = READ_ONCE(granted_until);
	now = jiffies;
	if (until && time_before(now, until))
		return;
	if (cmpxchg(&granted_until, until, now + 2) == until)
		vcpu->split_locks_until = now + 2;
}

/*
 * Bring vcpu->fault_hva in. -ENOMEM: the host has no memory now, the launcher may try again later.
 */
static int fault_in_page(struct lg_vcpu *vcpu)
{
	int err = lg_fault_in(vcpu, vcpu->fault_hva, vcpu->fault_write);

	if (err && err != -ENOMEM)
		lg_kill(vcpu->vm, "the launcher has no memory at 0x%lx, or no more to give",
			vcpu->fault_hva);
	return err == -ENOMEM ? err : 0;
}

/* Do what the atomic part could not. 0: go on; else LGUEST_RUN returns this value, but 0 for 1. */
static int do_slow_work(struct lg_vcpu *vcpu, enum lg_slow slow)
{
	switch (slow) {
	case LG_SLOW_FAULT_IN:
		return fault_in_page(vcpu);
	case LG_SLOW_WAIT:
		lg_notifier_wait(vcpu);
		return 0;
	case LG_SLOW_MMIO:
		return lg_emulate_mmio(vcpu);
	case LG_SLOW_EMULATE:
		return lg_emulate(vcpu);
	case LG_SLOW_HYPERCALL:
		return vcpu->abi->hypercall_slow(vcpu);
	case LG_SLOW_HALT:
		return lg_halt(vcpu);
	case LG_SLOW_SPLIT_LOCK:
		slow_down_split_locks(vcpu);
		return 0;
	case LG_FAST:
	case LG_SLOW_WORK:
	case LG_SLOW_MEMORY:
	case LG_SLOW_DEAD:
		return 0;
	}
	return 0;
}

static int run_vcpu_loop(struct lg_vcpu *vcpu)
{
	int ret = 0;

	while (!ret) {
		if (READ_ONCE(vcpu->vm->dead) == 2) {
			vcpu->run->exit_reason = LGUEST_EXIT_KILLED;
			strscpy(vcpu->run->killed.reason, vcpu->vm->reason, LGUEST_REASON_MAX);
			return 0;
		}
		if (must_return(vcpu) || lg_user_work())
			return -EINTR;
		/*
		 * Tell Tasks RCU of a quiescent state: preemption is none, and this may never
		 * sleep.
		 */
		cond_resched_tasks_rcu_qs();
		if (unlikely(READ_ONCE(vcpu->state) != LG_VCPU_RUNNING)) {
			vcpu->abi->start(vcpu);
			continue;
		}
		if (unlikely(!READ_ONCE(vcpu->vm->mmu.fixed)))
			lg_notifier_fix_slots(vcpu->vm);
		ret = lg_clock_wait() ?: lg_shadow_topup(vcpu->vm);
		if (!ret)
			ret = do_slow_work(vcpu, run_loaded(vcpu));
	}
	return ret;
}

/**
 * lg_run - LGUEST_RUN: run the guest
 * @vcpu: the virtual CPU; its mutex is held
 *
 * Sleeps; takes vm->lock. 0: run->exit_reason tells what the launcher has to do; -EINTR: a signal
 * or immediate_exit; -ENOMEM.
 */
int lg_run(struct lg_vcpu *vcpu)
{
	int ret;

	lockdep_assert_held(&vcpu->mutex);
	if (!READ_ONCE(vcpu->vm->started)) {
		mutex_lock(&vcpu->vm->lock);
		vcpu->vm->started = true;
		mutex_unlock(&vcpu->vm->lock);
	}
	WRITE_ONCE(vcpu->task, current);
	vcpu->run_delay = current->sched_info.run_delay;
	vcpu->run->exit_reason = LGUEST_EXIT_NONE;
	lg_complete_mmio(vcpu);
	if (vcpu->abi->complete)
		vcpu->abi->complete(vcpu);
	ret = run_vcpu_loop(vcpu);
	WRITE_ONCE(vcpu->task, NULL);
	if (ret == -EINTR)
		vcpu->run->exit_reason = LGUEST_EXIT_INTR;
	return ret > 0 ? 0 : ret;
}
