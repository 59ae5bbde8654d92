// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest memory is ordinary memory of the launcher: a few regions of guest physical space, each
 * at an address in the launcher. The host accesses it like any user memory, in the launcher's
 * own thread.
 */
#include <linux/mm.h>
#include <linux/uaccess.h>
#include <asm/trap_pf.h>

#include "abi.h"
#include "mmu/shadow.h"

/** lg_in_hole - are there devices at @gpa? */
bool lg_in_hole(const struct lg_vm *vm, gpa_t gpa)
{
	return gpa >= vm->abi->hole_start && gpa < vm->abi->hole_end;
}

static bool frames_overlap(gfn_t a, gfn_t na, gfn_t b, gfn_t nb)
{
	return a < b + nb && b < a + na;
}

/**
 * lg_set_memory - LGUEST_SET_MEMORY: add a region
 * @vm: the VM
 * @args: from the launcher, not yet checked
 *
 * vm->lock held; sleeps. -EINVAL: not in whole pages, empty, in the devices' hole, overlaps
 * another region, or not an address of the launcher; -ENOSPC: too many regions; -EBUSY: the
 * guest has run already; -ENOMEM: more than the host can keep lists for.
 */
int lg_set_memory(struct lg_vm *vm, const struct lguest_memory *args)
{
	gfn_t first = args->guest_phys >> PAGE_SHIFT, frames = args->size >> PAGE_SHIFT;
	struct lg_memory_slot *slot;
	unsigned int i;
	int err;

	lockdep_assert_held(&vm->lock);
	if (vm->started)
		return -EBUSY;
	if (args->reserved || (args->guest_phys | args->size | args->host_virt) & ~PAGE_MASK)
		return -EINVAL;
	/* A guest frame number has to fit in lg_link.gfn. */
	if (!frames || frames > U32_MAX || first > U32_MAX - frames)
		return -EINVAL;
	if (vm->abi->hole_start < vm->abi->hole_end &&
	    frames_overlap(first, frames, vm->abi->hole_start >> PAGE_SHIFT,
			   (vm->abi->hole_end - vm->abi->hole_start) >> PAGE_SHIFT))
		return -EINVAL;
	/* MMU notifiers report untagged addresses, so refuse a LAM-tagged base. */
	if (!access_ok((void __user *)args->host_virt, args->size) ||
	    args->host_virt + args->size > TASK_SIZE_MAX)
		return -EINVAL;
	for (i = 0; i < vm->nr_slots; i++)
		if (frames_overlap(first, frames, vm->slots[i].first, vm->slots[i].frames))
			return -EINVAL;
	if (vm->nr_slots == LGUEST_MAX_MEMORY)
		return -ENOSPC;
	/* lg_slot_alloc() allocates for each frame: refuse more frames than the host can have. */
	if (frames > min(16 * totalram_pages(), 1UL << 28))
		return -ENOMEM;
	slot = &vm->slots[vm->nr_slots];
	slot->first = first;
	slot->frames = frames;
	slot->hva = args->host_virt;
	err = lg_slot_alloc(slot, vm->mmu.watches);
	/* The mmu_notifier reads the slots without vm->lock: show it the whole slot. */
	if (!err)
		smp_store_release(&vm->nr_slots, vm->nr_slots + 1);
	return err;
}

/**
 * lg_fault_in - make the launcher's page at @hva present
 * @vcpu: the virtual CPU; its mutex is held
 * @hva: address in the launcher
 * @write: and writable, which gives the launcher a copy of a page that it shares
 *
 * Sleeps. -EFAULT: the launcher has no such memory. -ENOMEM: the host has none.
 */
int lg_fault_in(struct lg_vcpu *vcpu, hva_t hva, bool write)
{
	u64 invalidated = READ_ONCE(vcpu->vm->mmu.invalidated);
	struct page *page;
	int n;

	lockdep_assert_held(&vcpu->mutex);
	/* Read the counter before the page: a change from here on is counted later. */
	smp_rmb();
	n = get_user_pages_fast(hva, 1, write ? FOLL_WRITE : 0, &page);
	if (n != 1)
		return n < 0 ? n : -EFAULT;
	vcpu->last_frame = (struct lg_last_frame) {
		hva & PAGE_MASK, page_to_phys(page), invalidated
	};
	put_page(page);
	return 0;
}

/*
 * Copy from or to guest virtual memory, as the guest's kernel sees it in its current address
 * space. May sleep: a page that is swapped out comes back.
 */
static int copy_guest_memory(struct lg_vcpu *vcpu, gva_t gva, void *buffer, size_t bytes,
			     bool write)
{
	struct lg_walk walk;
	hva_t hva;

	lockdep_assert_held(&vcpu->mutex);
	while (bytes) {
		size_t part = min_t(size_t, bytes, PAGE_SIZE - (gva & ~PAGE_MASK));
		enum lg_walk_result result;
		unsigned int tries = 0;

		if (!lg_canonical(gva))
			return -EFAULT;
		do {
			result = lg_walk(vcpu, gva, write ? X86_PF_WRITE : 0, &walk);
			if (result == LG_WALK_AGAIN && lg_fault_in(vcpu, walk.hva, true))
				return -EFAULT;
		} while (result == LG_WALK_AGAIN && ++tries < 16);
		if (result != LG_WALK_OK)
			return -EFAULT;
		hva = lg_gfn_to_hva(vcpu->vm, walk.gpa >> PAGE_SHIFT);
		if (!hva)
			return -EFAULT;
		hva += walk.gpa & ~PAGE_MASK;
		if (write ? copy_to_user((void __user *)hva, buffer, part) :
			    copy_from_user(buffer, (void __user *)hva, part))
			return -EFAULT;
		gva += part;
		buffer += part;
		bytes -= part;
	}
	return 0;
}

/** lg_read_gva - copy from guest virtual memory; may sleep; 0 or -EFAULT */
int lg_read_gva(struct lg_vcpu *vcpu, gva_t gva, void *to, size_t bytes)
{
	return copy_guest_memory(vcpu, gva, to, bytes, false);
}

/** lg_write_gva - copy to guest memory that its kernel may write; may sleep; 0 or -EFAULT */
int lg_write_gva(struct lg_vcpu *vcpu, gva_t gva, const void *from, size_t bytes)
{
	return copy_guest_memory(vcpu, gva, (void *)from, bytes, true);
}
