// SPDX-License-Identifier: GPL-2.0-only
/*
 * How a virtual CPU is made to look at what has changed, how it waits until
 * something does, and how a VM dies.
 *
 * The handshake with run_atomic(): who changes something that a vCPU must see
 * writes it first, then reads running_cpu; the vCPU writes running_cpu first,
 * then looks. A full barrier stands between the two steps on both sides, so one
 * of the two sees the other.
 */
#include <linux/kernel.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/wait.h>

#include "abi.h"
#include "vcpu/vcpu.h"

/**
 * lg_kill - end a Guest that cannot or must not go on
 * @vm: the VM
 * @fmt: the reason, as printf() takes it
 *
 * Any context. The first reason is the one that the Launcher prints.
 */
void lg_kill(struct lg_vm *vm, const char *fmt, ...)
{
	struct lg_vcpu *vcpu;
	unsigned int i;
	va_list args;

	if (cmpxchg(&vm->dead, 0, 1))
		return;
	va_start(args, fmt);
	vsnprintf(vm->reason, sizeof(vm->reason), fmt, args);
	va_end(args);
	smp_store_release(&vm->dead, 2);
	lg_for_each_vcpu(i, vcpu, vm)
		lg_kick(vcpu);
}

/**
 * lg_kick - make @vcpu look at what has changed
 * @vcpu: any virtual CPU of a VM that lives
 *
 * Any context. Ends a HALT; makes a thread that runs the Guest leave it.
 */
void lg_kick(struct lg_vcpu *vcpu)
{
	struct task_struct *task;

	set_bit(0, &vcpu->kicked);
	smp_mb__after_atomic();
	wake_up(&vcpu->halted);
	rcu_read_lock();
	task = READ_ONCE(vcpu->task);
	if (task && READ_ONCE(vcpu->running_cpu) >= 0)
		kick_process(task);
	rcu_read_unlock();
}

static void leave_guest_ipi(void *unused)
{
}

/**
 * lg_vcpu_leave_guest - make one vCPU leave the Guest, if another CPU runs it
 * @vcpu: any virtual CPU of a VM that lives
 *
 * Behind a full barrier that follows what it is to see: see lg_leave_guest().
 */
void lg_vcpu_leave_guest(const struct lg_vcpu *vcpu)
{
	int cpu = READ_ONCE(vcpu->running_cpu);

	if (cpu >= 0 && cpu != smp_processor_id())
		smp_call_function_single(cpu, leave_guest_ipi, NULL, 1);
}

/**
 * lg_leave_guest - make vCPUs leave the Guest
 * @vm: the VM
 * @mask: bit n: vCPU n
 *
 * By an IPI that we wait for, if they run elsewhere. What was written before is
 * seen by them before they enter again. Pairs with the barrier in run.c between
 * setting running_cpu and entering.
 */
void lg_leave_guest(struct lg_vm *vm, u64 mask)
{
	struct lg_vcpu *vcpu;
	unsigned int i;

	smp_mb();
	lg_for_each_vcpu(i, vcpu, vm)
		if (mask & BIT_ULL(i))
			lg_vcpu_leave_guest(vcpu);
}

/* HALT: until an interrupt waits, or somebody kicks us, or a signal comes. */
int lg_halt(struct lg_vcpu *vcpu)
{
	vcpu->stats.halts++;
	wait_event_interruptible(vcpu->halted,
				 vcpu->abi->waiting(vcpu) || READ_ONCE(vcpu->unhalted) ||
				 READ_ONCE(vcpu->vm->dead) ||
				 READ_ONCE(vcpu->run->immediate_exit));
	WRITE_ONCE(vcpu->unhalted, false);
	return 0;
}
