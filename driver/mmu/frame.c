// SPDX-License-Identifier: GPL-2.0-only
/* The host's frames behind the guest's frames. */
#include <linux/mm.h>

#include "lg.h"
#include "mmu/shadow.h"

/*
 * Find up to @count pages of the host from @hva on: as many as are present and, with
 * LG_HOST_WRITABLE, writable in the host's tables. They stay so until the mmu_notifier says
 * otherwise. Return: their number.
 */
int lg_host_pages(hva_t hva, struct page **pages, int count, u64 writable)
{
	int i, got = get_user_pages_fast_only(hva, count, writable ? FOLL_WRITE : 0, pages);

	for (i = 0; i < got; i++) {
		/* The guest's writes set no dirty bit in the launcher's tables: do it now. */
		if (writable)
			set_page_dirty(pages[i]);
		put_page(pages[i]);
	}
	return max(got, 0);
}

/*
 * Find the host's frame behind the guest's. If the guest only reads, a page that the host
 * shares (by KSM, the zero page, a file's) stays shared. LG_FILL_NOTIFIER: the host's page
 * tables are changing there, and must not be used now.
 */
enum lg_fill lg_guest_frame(struct lg_vcpu *vcpu, gfn_t gfn, bool write, u64 *frame)
{
	const struct lg_last_frame *last_frame = &vcpu->last_frame;
	struct page *page;
	hva_t hva;

	lockdep_assert_held(&vcpu->vm->mmu_lock);
	if (lg_frame(vcpu->vm, gfn, frame) && (!write || (*frame & LG_HOST_WRITABLE)))
		return LG_FILL_DONE;
	vcpu->fault_hva = hva = lg_gfn_to_hva(vcpu->vm, gfn);
	vcpu->fault_write = write;
	if (!hva)
		return LG_FILL_NO_MEMORY;
	/* set_page_dirty() of a file's page may turn interrupts on. */
	if (irqs_disabled())
		return LG_FILL_IRQS_ON;
	if (lg_invalidating(vcpu->vm, hva, PAGE_SIZE))
		return LG_FILL_NOTIFIER;
	if (lg_host_pages(hva, &page, 1, LG_HOST_WRITABLE) == 1)
		*frame = page_to_phys(page) | LG_HOST_WRITABLE;
	else if (write)
		return LG_FILL_FAULT_IN;
	else if (lg_host_pages(hva, &page, 1, 0) == 1)
		*frame = page_to_phys(page);
	/* The fast way does not find the zero page: use what lg_fault_in() has found. */
	else if (last_frame->hva == hva && last_frame->invalidated == vcpu->vm->mmu.invalidated)
		*frame = last_frame->frame;
	else
		return LG_FILL_FAULT_IN;
	return LG_FILL_DONE;
}

/*
 * Can the 2 MiB around the address of @walk be one entry? Yes, if the guest has them in one
 * entry, and the host has 512 pages in a row. If one of these moves, the mmu_notifier drops
 * them all.
 */
bool lg_large_frame(struct lg_vcpu *vcpu, const struct lg_walk *walk, u64 frame, u64 *first)
{
	gfn_t gfn = walk->gpa >> PAGE_SHIFT, first_gfn = round_down(gfn, LG_LARGE_FRAMES);
	u64 pfn = LG_ENTRY_FRAME(frame) - (gfn - first_gfn), writable = frame & LG_HOST_WRITABLE;
	hva_t hva;
	unsigned int i;

	lockdep_assert_held_write(&vcpu->vm->mmu_lock);
	/* A table in the middle may have to be read only. */
	if (walk->leaf < 2 || vcpu->vm->mmu.watches)
		return false;
	if (lg_frame_large(vcpu->vm, gfn, first) && (*first & LG_HOST_WRITABLE) >= writable)
		return true;
	*first = pfn << PAGE_SHIFT | writable;
	hva = lg_gfn_to_hva(vcpu->vm, first_gfn);
	if ((pfn & (LG_LARGE_FRAMES - 1)) || !lg_frame_may_be_large(vcpu->vm, gfn) ||
	    lg_invalidating(vcpu->vm, hva, PMD_SIZE))
		return false;
	if (!PageCompound(pfn_to_page(pfn)) ||
	    lg_host_pages(hva, vcpu->pages, LG_LARGE_FRAMES, writable) != LG_LARGE_FRAMES)
		goto no;
	for (i = 0; i < LG_LARGE_FRAMES; i++)
		if (page_to_pfn(vcpu->pages[i]) != pfn + i)
			goto no;
	return true;
no:
	lg_frame_not_large(vcpu->vm, gfn);
	return false;
}
