// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's page tables. Frames of Xen's ABI are the guest's own (mfn = gfn), and its
 * tables are ordinary memory of its: what it may map is what it has, so there is nothing to
 * check but that an entry lies in its memory. Pins and read-only tables are Xen's way to
 * trust a table that the CPU uses; our CPU uses the shadow, so pins do nothing.
 *
 * All of this may sleep.
 */
#include <linux/mm.h>
#include <linux/preempt.h>
#include <linux/uaccess.h>

#include "abi-xen/xen.h"
#include "mmu/mmu.h"
#include "vcpu/vcpu.h"

#define FRAME_BITS	32	/* as many as a gfn may have: lg_set_memory() */

static gpa_t frame_to_gpa(u64 frame)
{
	return frame >> FRAME_BITS ? GENMASK_ULL(51, PAGE_SHIFT) : frame << PAGE_SHIFT;
}

/* One request of HYPERVISOR_mmu_update. */
static long update(struct lg_vcpu *vcpu, const struct mmu_update *request)
{
	switch (request->ptr & 3) {
	case MMU_MACHPHYS_UPDATE:
		/* The table from machine frames to the guest's says the same for all times. */
		return 0;
	case MMU_NORMAL_PT_UPDATE:
		return lg_write_entry(vcpu, request->ptr & ~7ULL, request->val, 0);
	case MMU_PT_UPDATE_PRESERVE_AD:
		return lg_write_entry(vcpu, request->ptr & ~7ULL, request->val,
				      _PAGE_ACCESSED | _PAGE_DIRTY);
	}
	return -ENOSYS;
}

/**
 * lg_xen_mmu_update - HYPERVISOR_mmu_update
 * @vcpu: the virtual CPU; its mutex is held
 * @list: of struct mmu_update; says afterwards what is done and what is left
 *
 * 0, -ERESTART, or -EINVAL, -EFAULT, -ENOSYS of the first that cannot be done.
 */
long lg_xen_mmu_update(struct lg_vcpu *vcpu, struct lg_xen_list *list)
{
	struct mmu_update request;
	long err;

	lockdep_assert_held(&vcpu->mutex);
	for (; list->count; list->count--, list->done++, list->gva += sizeof(request)) {
		if (lg_xen_must_stop(vcpu, list->done))
			return -ERESTART;
		if (lg_read_gva(vcpu, list->gva, &request, sizeof(request)))
			return -EFAULT;
		err = update(vcpu, &request);
		if (err)
			return err;
	}
	return 0;
}

/* Flush this virtual CPU's TLB, and those of the others in @mask. */
static void flush(struct lg_vcpu *vcpu, u64 mask, enum lg_flush_kind kind, gva_t gva)
{
	gva_t start = gva & PAGE_MASK, end = start + PAGE_SIZE;

	if (mask & BIT_ULL(vcpu->id))
		lg_flush(vcpu, false, kind, start, end);
	if (!(mask & ~BIT_ULL(vcpu->id)))
		return;
	preempt_disable();
	lg_flush_multi(vcpu, kind, start, end, mask);
	preempt_enable();
}

/* The guest's bitmap of virtual CPUs. */
static long read_mask(struct lg_vcpu *vcpu, gva_t gva, u64 *mask)
{
	u16 bits;

	static_assert(LGUEST_MAX_VCPUS <= 16);
	if (lg_read_gva(vcpu, gva, &bits, sizeof(bits)))
		return -EFAULT;
	*mask = bits;
	return 0;
}

static long flush_multi(struct lg_vcpu *vcpu, const struct mmuext_op *op, enum lg_flush_kind kind)
{
	u64 mask;
	long err = read_mask(vcpu, (gva_t)op->arg2.vcpumask, &mask);

	if (!err)
		flush(vcpu, mask, kind, op->arg1.linear_addr);
	return err;
}

/* One operation of HYPERVISOR_mmuext_op. */
static long extended(struct lg_vcpu *vcpu, const struct mmuext_op *op)
{
	u64 self = BIT_ULL(vcpu->id);

	switch (op->cmd) {
	case MMUEXT_PIN_L1_TABLE ... MMUEXT_PIN_L4_TABLE:
	case MMUEXT_NEW_USER_BASEPTR:
	case MMUEXT_FLUSH_CACHE:
	case MMUEXT_FLUSH_CACHE_GLOBAL:
		/* User mode's view is made of the U bits of the kernel's table. */
		return 0;
	case MMUEXT_UNPIN_TABLE:
		lg_release_table(vcpu, op->arg1.mfn);
		return 0;
	case MMUEXT_NEW_BASEPTR:
		lg_load_cr3(vcpu, frame_to_gpa(op->arg1.mfn));
		return 0;
	case MMUEXT_TLB_FLUSH_LOCAL:
		flush(vcpu, self, LG_FLUSH_ALL, 0);
		return 0;
	case MMUEXT_INVLPG_LOCAL:
		flush(vcpu, self, LG_FLUSH_RANGE, op->arg1.linear_addr);
		return 0;
	case MMUEXT_TLB_FLUSH_ALL:
		flush(vcpu, ~0ULL, LG_FLUSH_ALL, 0);
		return 0;
	case MMUEXT_INVLPG_ALL:
		flush(vcpu, ~0ULL, LG_FLUSH_RANGE, op->arg1.linear_addr);
		return 0;
	case MMUEXT_TLB_FLUSH_MULTI:
		return flush_multi(vcpu, op, LG_FLUSH_ALL);
	case MMUEXT_INVLPG_MULTI:
		return flush_multi(vcpu, op, LG_FLUSH_RANGE);
	case MMUEXT_SET_LDT:
		return op->arg2.nr_ents ? -EINVAL : 0;
	}
	return -ENOSYS;
}

/** lg_xen_mmuext_op - HYPERVISOR_mmuext_op: as lg_xen_mmu_update() */
long lg_xen_mmuext_op(struct lg_vcpu *vcpu, struct lg_xen_list *list)
{
	struct mmuext_op op;
	long err;

	lockdep_assert_held(&vcpu->mutex);
	for (; list->count; list->count--, list->done++, list->gva += sizeof(op)) {
		if (lg_xen_must_stop(vcpu, list->done))
			return -ERESTART;
		if (lg_read_gva(vcpu, list->gva, &op, sizeof(op)))
			return -EFAULT;
		err = extended(vcpu, &op);
		if (err)
			return err;
	}
	return 0;
}

/*
 * Linux makes its page tables read-only where it maps them itself, since Xen insists. The
 * shadow would have to follow, for nothing: so the mapping stays writable.
 */
static u64 stay_writable(u64 old, u64 value)
{
	const u64 writable = _PAGE_PRESENT | _PAGE_RW;

	if ((old & writable) != writable || (value & writable) != _PAGE_PRESENT ||
	    ((old ^ value) & GENMASK_ULL(51, PAGE_SHIFT)))
		return value;
	return value | _PAGE_RW | (old & (_PAGE_ACCESSED | _PAGE_DIRTY));
}

/** lg_xen_update_va_mapping - HYPERVISOR_update_va_mapping: -EINVAL: no table of @gva's */
long lg_xen_update_va_mapping(struct lg_vcpu *vcpu, gva_t gva, u64 value, u64 flags)
{
	u64 mask = BIT_ULL(vcpu->id), whom = flags & ~(u64)UVMF_FLUSHTYPE_MASK, old;
	gpa_t gpa;
	long err = 0;

	lockdep_assert_held(&vcpu->mutex);
	if (whom == UVMF_ALL)
		mask = ~0ULL;
	else if (whom)
		err = read_mask(vcpu, whom & ~7ULL, &mask);
	if (!err)
		err = lg_find_entry(vcpu, gva, &gpa, &old);
	if (!err)
		err = lg_write_entry(vcpu, gpa, stay_writable(old, value), 0);
	if (err)
		return err;
	if ((flags & UVMF_FLUSHTYPE_MASK) == UVMF_TLB_FLUSH)
		flush(vcpu, mask, LG_FLUSH_ALL, 0);
	else if ((flags & UVMF_FLUSHTYPE_MASK) == UVMF_INVLPG)
		flush(vcpu, mask, LG_FLUSH_RANGE, gva);
	return 0;
}
