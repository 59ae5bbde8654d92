// SPDX-License-Identifier: GPL-2.0-only
/*
 * What one virtual CPU does to another: start it, send it an interrupt, end its HALT.
 *
 * A vCPU that is down waits in LGUEST_RUN. The thread that starts it takes its state from DOWN to
 * STARTING and START; its own thread takes it on to RUNNING, and later to DOWN again.
 */
#include <linux/sched.h>
#include <linux/wait.h>
#include <asm/trapnr.h>

#include "lg.h"
#include "abi-lguest/lguest.h"
#include "mmu/mmu.h"
#include "vcpu/vcpu.h"

static struct lg_vcpu *vcpu_by_number(struct lg_vm *vm, u64 number)
{
	/* The guest chooses the number: clamp it, for speculation, too. */
	return number < LGUEST_MAX_VCPUS ?
	       smp_load_acquire(&vm->vcpus[array_index_nospec(number, LGUEST_MAX_VCPUS)]) : NULL;
}

/**
 * lg_vcpu_up - LHCALL_VCPU_UP
 * @vcpu: the virtual CPU that asks; its mutex is held
 * @number: number of the vCPU to start
 * @gva: address of the guest's struct lguest_vcpu_up
 *
 * Sleeps. 0, -ENOENT: there is no such vCPU; -EBUSY: it is up; -EINVAL, -EFAULT.
 */
long lg_vcpu_up(struct lg_vcpu *vcpu, u64 number, gva_t gva)
{
	struct lg_vcpu *other = vcpu_by_number(vcpu->vm, number);
	struct lguest_vcpu_up up;

	lockdep_assert_held(&vcpu->mutex);
	if (!other)
		return -ENOENT;
	if (lg_read_gva(vcpu, gva, &up, sizeof(up)))
		return -EFAULT;
	if (!lg_canonical(up.ip) || !lg_canonical(up.gs_base) || up.cr3 & GENMASK_ULL(63, 52))
		return -EINVAL;
	if (cmpxchg(&other->state, LG_VCPU_DOWN, LG_VCPU_STARTING) != LG_VCPU_DOWN)
		return -EBUSY;
	other->lguest.start = up;
	smp_store_release(&other->state, LG_VCPU_START);
	wake_up(&other->halted);
	return 0;
}

/** lg_vcpu_down - LHCALL_VCPU_DOWN: the thread waits in lg_vcpu_start() next */
void lg_vcpu_down(struct lg_vcpu *vcpu)
{
	lockdep_assert_held(&vcpu->mutex);
	lg_set_timer(vcpu, ~0ULL);
	smp_store_release(&vcpu->state, LG_VCPU_DOWN);
}

/**
 * lg_vcpu_start - wait for LHCALL_VCPU_UP, and start the vCPU
 * @vcpu: the virtual CPU, not running; its mutex is held
 *
 * Sleeps. Also returns for signals, for immediate_exit and for the VM's end.
 */
void lg_vcpu_start(struct lg_vcpu *vcpu)
{
	const struct lguest_vcpu_up *up = &vcpu->lguest.start;

	lockdep_assert_held(&vcpu->mutex);
	if (!lg_wait_for_start(vcpu))
		return;
	bitmap_zero(vcpu->pending, LG_VECTORS);
	vcpu->exception_pending = false;
	vcpu->unhalted = false;
	lg_reset_regs(vcpu, up->ip, up->sp, up->gs_base);
	lg_load_cr3(vcpu, up->cr3);
	if (lg_register_data(vcpu, up->data, up->gs_base))
		lg_kill(vcpu->vm, "virtual CPU %u has no lguest_data at 0x%llx", vcpu->id,
			up->data);
	WRITE_ONCE(vcpu->state, LG_VCPU_RUNNING);
}

/** lg_send_ipi - LHCALL_SEND_IPI. -ENOENT: no such vCPU; -EINVAL: not a vector for an IPI */
long lg_send_ipi(struct lg_vcpu *vcpu, u64 vector, u64 number)
{
	struct lg_vcpu *other = vcpu_by_number(vcpu->vm, number);

	if (!other)
		return -ENOENT;
	if (vector != X86_TRAP_NMI && (vector < LGUEST_FIRST_IPI || vector >= LG_VECTORS))
		return -EINVAL;
	lg_interrupt(other, vector);
	return 0;
}

/** lg_kick_halted - LHCALL_KICK: end the HALT of a vCPU, or its next one. -ENOENT: no such vCPU */
long lg_kick_halted(struct lg_vcpu *vcpu, u64 number)
{
	struct lg_vcpu *other = vcpu_by_number(vcpu->vm, number);

	if (!other)
		return -ENOENT;
	WRITE_ONCE(other->unhalted, true);
	smp_mb();
	wake_up(&other->halted);
	return 0;
}

