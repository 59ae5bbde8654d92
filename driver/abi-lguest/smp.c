// SPDX-License-Identifier: GPL-2.0-only
/*
 * What one virtual CPU does to another: start it, interrupt it, flush its TLB.
 *
 * A vCPU that is down waits in LGUEST_RUN. Its state goes DOWN, STARTING, START
 * by the one that starts it, and from there to RUNNING and to DOWN again by its
 * own thread. A request to flush is written under mmu_lock; its own thread does
 * it before it enters the Guest again.
 */
#include <linux/sched.h>
#include <linux/wait.h>
#include <asm/trapnr.h>

#include "lg.h"

static struct lg_vcpu *vcpu_of(struct lg_vm *vm, u64 number)
{
	/* Nor by speculation, with what lies behind: the Guest says the number. */
	return number < LGUEST_MAX_VCPUS ?
	       smp_load_acquire(&vm->vcpus[array_index_nospec(number, LGUEST_MAX_VCPUS)]) : NULL;
}

/**
 * lg_vcpu_up - LHCALL_VCPU_UP
 * @vcpu: who asks; its mutex is held
 * @number: of the one to start
 * @gva: of its struct lguest_vcpu_up
 *
 * Sleeps. -ENOENT: there is no such vCPU; -EBUSY: it is up; -EINVAL, -EFAULT.
 */
long lg_vcpu_up(struct lg_vcpu *vcpu, u64 number, gva_t gva)
{
	struct lg_vcpu *other = vcpu_of(vcpu->vm, number);
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
	other->start = up;
	smp_store_release(&other->state, LG_VCPU_START);
	wake_up(&other->halted);
	return 0;
}

/** lg_vcpu_down - LHCALL_VCPU_DOWN; the thread then waits in lg_vcpu_start() */
void lg_vcpu_down(struct lg_vcpu *vcpu)
{
	lockdep_assert_held(&vcpu->mutex);
	lg_set_timer(vcpu, ~0ULL);
	smp_store_release(&vcpu->state, LG_VCPU_DOWN);
}

/**
 * lg_vcpu_start - wait for LHCALL_VCPU_UP, and do it
 * @vcpu: the virtual CPU, not running; its mutex is held
 *
 * Also comes back for signals and for the VM's end.
 */
void lg_vcpu_start(struct lg_vcpu *vcpu)
{
	const struct lguest_vcpu_up *up = &vcpu->start;

	lockdep_assert_held(&vcpu->mutex);
	wait_event_interruptible(vcpu->halted,
				 smp_load_acquire(&vcpu->state) == LG_VCPU_START ||
				 READ_ONCE(vcpu->vm->dead) ||
				 READ_ONCE(vcpu->run->immediate_exit));
	if (smp_load_acquire(&vcpu->state) != LG_VCPU_START)
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

/** lg_send_ipi - LHCALL_SEND_IPI: -ENOENT: no such vCPU; -EINVAL: not a vector for it */
long lg_send_ipi(struct lg_vcpu *vcpu, u64 vector, u64 number)
{
	struct lg_vcpu *other = vcpu_of(vcpu->vm, number);

	if (!other)
		return -ENOENT;
	if (vector != X86_TRAP_NMI && (vector < LGUEST_FIRST_IPI || vector >= LG_VECTORS))
		return -EINVAL;
	lg_interrupt(other, vector);
	return 0;
}

/** lg_kick_halted - LHCALL_KICK: end the HALT of a vCPU, or its next */
long lg_kick_halted(struct lg_vcpu *vcpu, u64 number)
{
	struct lg_vcpu *other = vcpu_of(vcpu->vm, number);

	if (!other)
		return -ENOENT;
	WRITE_ONCE(other->unhalted, true);
	smp_mb();
	wake_up(&other->halted);
	return 0;
}

/* Two requests become one that is good for both. */
static void request_flush(struct lg_vcpu *other, u64 kind, gva_t start, gva_t end)
{
	struct lg_flush *flush = &other->flush;

	lockdep_assert_held_write(&other->vm->mmu_lock);
	if (!flush->kind) {
		flush->start = start;
		flush->end = end;
	} else if (kind == LGUEST_FLUSH_RANGE || flush->kind == LGUEST_FLUSH_RANGE) {
		kind = kind == LGUEST_FLUSH_USER && !((flush->end - 1) >> 63) ? LGUEST_FLUSH_USER :
										LGUEST_FLUSH_ALL;
	} else {
		kind = max(kind, flush->kind);
	}
	WRITE_ONCE(flush->kind, kind);
}

/**
 * lg_flush_multi - LHCALL_FLUSH_MULTI
 * @vcpu: who asks; its mutex is held
 * @kind: LGUEST_FLUSH_*
 * @start: first byte, for LGUEST_FLUSH_RANGE
 * @end: byte after the last
 * @mask: bit n: vCPU n; the caller itself does not count
 *
 * Atomic. When it returns, none of them runs with what it had: one that is in the
 * Guest was made to leave it, and does the rest on its way back; one that is not
 * will before it runs.
 */
void lg_flush_multi(struct lg_vcpu *vcpu, u64 kind, gva_t start, gva_t end, u64 mask)
{
	struct lg_vm *vm = vcpu->vm;
	struct lg_vcpu *other;
	unsigned int i;

	lg_assert_atomic(vcpu);
	mask &= ~BIT_ULL(vcpu->id);
	write_lock(&vm->mmu_lock);
	lg_for_each_vcpu(i, other, vm)
		if (mask & BIT_ULL(i))
			request_flush(other, kind, start, end);
	write_unlock(&vm->mmu_lock);
	lg_leave_guest(vm, mask);
}

/** lg_flush_requested - do what others asked for; atomic, before entering */
void lg_flush_requested(struct lg_vcpu *vcpu)
{
	struct lg_flush flush;

	lg_assert_atomic(vcpu);
	write_lock(&vcpu->vm->mmu_lock);
	flush = vcpu->flush;
	vcpu->flush.kind = 0;
	write_unlock(&vcpu->vm->mmu_lock);
	if (flush.kind)
		lg_flush(vcpu, true, flush.kind, flush.start, flush.end);
}
