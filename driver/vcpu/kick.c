// SPDX-License-Identifier: GPL-2.0-only
/*
 * Make a virtual CPU look at what has changed, let it wait until something does, and end a VM.
 *
 * The handshake with run_atomic(): another thread writes its change first, then reads
 * running_cpu; the vCPU's thread writes running_cpu first, then looks for changes. Both have a
 * full barrier between the two steps, so at least one of them sees what the other has written.
 */
#include <linux/kernel.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/wait.h>

#include "abi.h"
#include "vcpu/vcpu.h"

/**
 * lg_kill - end a guest that cannot or must not go on
 * @vm: the VM
 * @fmt: the reason, as printf() takes it
 *
 * Any context. The launcher prints the first reason.
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
 * Any context. Ends a HALT, and makes a thread that runs the guest leave the guest.
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
 * lg_vcpu_leave_guest - make one vCPU leave the guest, if another CPU runs it
 * @vcpu: any virtual CPU of a VM that lives
 *
 * Waits for the other CPU. Before the call, write what the vCPU is to see, then a full barrier: see
 * lg_leave_guest().
 */
void lg_vcpu_leave_guest(const struct lg_vcpu *vcpu)
{
	int cpu = READ_ONCE(vcpu->running_cpu);

	if (cpu >= 0 && cpu != smp_processor_id())
		smp_call_function_single(cpu, leave_guest_ipi, NULL, 1);
}

/**
 * lg_leave_guest - make vCPUs leave the guest
 * @vm: the VM
 * @mask: bit n: vCPU n
 *
 * Sends an IPI to each CPU that runs one of them, and waits for the IPI. They see what was written
 * before this call before they enter again. The barrier pairs with the one in run.c between the
 * write of running_cpu and the entry.
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

/** lg_halt - wait until an interrupt is pending, the halt is ended or a signal comes; always 0 */
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

/**
 * lg_wait_for_start - wait until another vCPU has said how this one is to start
 * @vcpu: the virtual CPU, not running; its mutex is held
 *
 * Sleeps. False: it is not to start yet; a signal, immediate_exit or the VM's end came first.
 */
bool lg_wait_for_start(struct lg_vcpu *vcpu)
{
	lockdep_assert_held(&vcpu->mutex);
	wait_event_interruptible(vcpu->halted,
				 smp_load_acquire(&vcpu->state) == LG_VCPU_START ||
				 READ_ONCE(vcpu->vm->dead) ||
				 READ_ONCE(vcpu->run->immediate_exit));
	return smp_load_acquire(&vcpu->state) == LG_VCPU_START;
}
