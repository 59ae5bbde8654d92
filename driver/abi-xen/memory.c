// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's memory, as its kernel addresses it, where nobody may sleep: a page that the
 * launcher has not there is brought in by the run loop, and then all is done once more.
 */
#include <linux/mm.h>
#include <linux/uaccess.h>
#include <asm/trap_pf.h>

#include "abi-xen/xen.h"
#include "mmu/mmu.h"
#include "vcpu/vcpu.h"

/* Where the launcher has @gva; 0: *@slow says why not. */
static hva_t find_hva(struct lg_vcpu *vcpu, gva_t gva, u64 access, enum lg_slow *slow)
{
	struct lg_walk walk;
	hva_t hva = 0;

	switch (lg_canonical(gva) ? lg_walk(vcpu, gva, access, &walk) : LG_WALK_FAULT) {
	case LG_WALK_OK:
		hva = lg_gfn_to_hva(vcpu->vm, walk.gpa >> PAGE_SHIFT);
		break;
	case LG_WALK_AGAIN:
		vcpu->fault_hva = walk.hva;
		vcpu->fault_write = true;
		*slow = LG_SLOW_FAULT_IN;
		return 0;
	case LG_WALK_FAULT:
	case LG_WALK_DEAD:
		break;
	}
	if (hva)
		return hva + (walk.gpa & ~PAGE_MASK);
	lg_kill(vcpu->vm, "the guest's kernel has no memory at 0x%llx, of which it told its hypervisor, at 0x%llx",
		gva, vcpu->regs->ip);
	*slow = LG_SLOW_DEAD;
	return 0;
}

static enum lg_slow copy(struct lg_vcpu *vcpu, gva_t gva, void *buffer, size_t bytes, bool write)
{
	size_t first = min_t(size_t, bytes, PAGE_SIZE - (gva & ~PAGE_MASK)), left;
	u64 access = write ? X86_PF_WRITE : 0;
	enum lg_slow slow = LG_FAST;
	hva_t hva[2] = { 0 };

	hva[0] = find_hva(vcpu, gva, access, &slow);
	if (!slow && bytes > first)
		hva[1] = find_hva(vcpu, gva + first, access, &slow);
	if (slow)
		return slow;
	pagefault_disable();
	if (write)
		left = __copy_to_user_inatomic((void __user *)hva[0], buffer, first);
	else
		left = __copy_from_user_inatomic(buffer, (void __user *)hva[0], first);
	vcpu->fault_hva = hva[0];
	if (!left && bytes > first) {
		vcpu->fault_hva = hva[1];
		if (write)
			left = __copy_to_user_inatomic((void __user *)hva[1], buffer + first,
						       bytes - first);
		else
			left = __copy_from_user_inatomic(buffer + first, (void __user *)hva[1],
							 bytes - first);
	}
	pagefault_enable();
	/* As lg_walk() asks for it, and so a fault of the host's NUMA balancing is taken, too. */
	vcpu->fault_write = true;
	return left ? LG_SLOW_FAULT_IN : LG_FAST;
}

/**
 * lg_xen_read - copy from where the guest's kernel says
 * @vcpu: the virtual CPU; its mutex is held
 * @gva: canonical or not, in its current address space
 * @to: the copy
 * @bytes: at most a page
 *
 * Does not sleep. LG_FAST; LG_SLOW_FAULT_IN: do that and call again; LG_SLOW_DEAD.
 */
enum lg_slow lg_xen_read(struct lg_vcpu *vcpu, gva_t gva, void *to, size_t bytes)
{
	return copy(vcpu, gva, to, bytes, false);
}

/** lg_xen_push - the same, to where its kernel may write */
enum lg_slow lg_xen_push(struct lg_vcpu *vcpu, gva_t gva, const void *from, size_t bytes)
{
	return copy(vcpu, gva, (void *)from, bytes, true);
}

/**
 * lg_xen_pin - get at memory of the guest's from any context
 * @vm: the VM
 * @gpa: from the guest or the launcher, not checked; aligned to 8 bytes
 * @bytes: all in one page
 * @page: unpin_user_pages_dirty_lock() it
 *
 * Sleeps. NULL: there is no such memory.
 */
void *lg_xen_pin(struct lg_vm *vm, gpa_t gpa, size_t bytes, struct page **page)
{
	unsigned long offset = gpa & ~PAGE_MASK;
	hva_t hva = lg_gfn_to_hva(vm, gpa >> PAGE_SHIFT);

	if (!hva || (offset & 7) || offset + bytes > PAGE_SIZE ||
	    pin_user_pages_fast(hva, 1, FOLL_WRITE | FOLL_LONGTERM, page) != 1)
		return NULL;
	return page_address(*page) + offset;
}
