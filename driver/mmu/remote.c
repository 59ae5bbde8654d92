// SPDX-License-Identifier: GPL-2.0-only
/*
 * Flushes for other virtual CPUs. The request is written under mmu_lock; the other vCPU's own
 * thread does the flush before it enters the guest again.
 */
#include "lg.h"
#include "mmu/shadow.h"
#include "vcpu/vcpu.h"

/* Add a request to one that waits: make one flush that covers both. */
static void request_vcpu_flush(struct lg_vcpu *other, enum lg_flush_kind kind, gva_t start,
			       gva_t end)
{
	struct lg_flush *flush = &other->flush;

	lockdep_assert_held_write(&other->vm->mmu_lock);
	if (!flush->kind) {
		flush->start = start;
		flush->end = end;
	} else if (kind == LG_FLUSH_RANGE || flush->kind == LG_FLUSH_RANGE) {
		kind = kind == LG_FLUSH_USER && !((flush->end - 1) >> 63) ? LG_FLUSH_USER :
										LG_FLUSH_ALL;
	} else {
		kind = max(kind, flush->kind);
	}
	WRITE_ONCE(flush->kind, kind);
}

/**
 * lg_flush_multi - flush the TLBs of other vCPUs
 * @vcpu: the virtual CPU that asks; its mutex is held
 * @kind: which entries
 * @start: first byte, for LG_FLUSH_RANGE
 * @end: byte after the last
 * @mask: bit n: vCPU n; @vcpu's own bit is ignored
 *
 * Atomic. On return, none of these vCPUs runs with its old entries: a vCPU that was in the guest
 * has left it, and flushes on its way back; the others flush before they run.
 */
void lg_flush_multi(struct lg_vcpu *vcpu, enum lg_flush_kind kind, gva_t start, gva_t end, u64 mask)
{
	struct lg_vm *vm = vcpu->vm;
	struct lg_vcpu *other;
	unsigned int i;

	lg_assert_atomic(vcpu);
	mask &= ~BIT_ULL(vcpu->id);
	write_lock(&vm->mmu_lock);
	lg_for_each_vcpu(i, other, vm)
		if (mask & BIT_ULL(i))
			request_vcpu_flush(other, kind, start, end);
	write_unlock(&vm->mmu_lock);
	lg_leave_guest(vm, mask);
}

/** lg_flush_requested - do the flush that other vCPUs asked for; atomic, before an entry */
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
