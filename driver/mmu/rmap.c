// SPDX-License-Identifier: GPL-2.0-only
/*
 * The reverse map: from a guest frame to the shadow entries that map it, and from a shadow page
 * to the entries that point to it.
 *
 * Both are lists of shadow entries, linked through lg_shadow_page.links. To add an entry or to
 * remove one is a single step, however often a hostile guest maps a frame. All of this is under
 * lg_vm.mmu_lock, written or read; each list has a lock of its own in its head. An entry is in
 * its list only while it maps the frame: so whoever has locked the list may look at the entry.
 */
#include <linux/irqflags.h>
#include <linux/mm.h>
#include <linux/vmalloc.h>

#include "lg.h"
#include "mmu/shadow.h"

/*
 * Lock a list, and return its first entry. The holder has interrupts off: other CPUs wait with
 * their interrupts off, and must not wait for a handler, but for some instructions only.
 */
static __always_inline lg_spte_t lock_sptes(lg_spte_t *head, unsigned long *flags)
{
	lg_spte_t first;

	local_irq_save(*flags);
	first = READ_ONCE(*head) & ~LG_SPTES_BUSY;
	while (!try_cmpxchg_acquire(head, &first, first | LG_SPTES_BUSY)) {
		cpu_relax();
		first &= ~LG_SPTES_BUSY;
	}
	return first;
}

/* @first: the first entry of the list from now on. */
static __always_inline void unlock_sptes(lg_spte_t *head, lg_spte_t first, unsigned long flags)
{
	smp_store_release(head, first);
	local_irq_restore(flags);
}

void lg_spte_add(struct lg_vm *vm, lg_spte_t *head, struct lg_shadow_page *page,
		 unsigned int index)
{
	lg_spte_t spte = page->id * LG_ENTRIES + index, first;
	unsigned long flags;

	lockdep_assert_held(&vm->mmu_lock);
	first = lock_sptes(head, &flags);
	page->links[index].next = first;
	page->links[index].prev = 0;
	if (first)
		lg_spte_link(vm, first)->prev = spte;
	unlock_sptes(head, spte, flags);
}

void lg_spte_del(struct lg_vm *vm, lg_spte_t *head, struct lg_shadow_page *page,
		 unsigned int index)
{
	const struct lg_link *link = &page->links[index];
	lg_spte_t first;
	unsigned long flags;

	lockdep_assert_held(&vm->mmu_lock);
	first = lock_sptes(head, &flags);
	if (link->prev)
		lg_spte_link(vm, link->prev)->next = link->next;
	else
		first = link->next;
	if (link->next)
		lg_spte_link(vm, link->next)->prev = link->prev;
	unlock_sptes(head, first, flags);
}

/** lg_slot_alloc - allocate the lists of a new memory slot; sleeps; -ENOMEM */
int lg_slot_alloc(struct lg_memory_slot *slot, bool watches)
{
	gfn_t large = lg_large_of(slot, slot->first + slot->frames - 1) + 1;

	slot->sptes = kvcalloc(slot->frames, sizeof(*slot->sptes), GFP_KERNEL_ACCOUNT);
	slot->large_sptes = kvcalloc(large, sizeof(*slot->large_sptes), GFP_KERNEL_ACCOUNT);
	slot->no_large = kvcalloc(large, sizeof(*slot->no_large), GFP_KERNEL_ACCOUNT);
	if (watches)
		slot->watched = kvcalloc(BITS_TO_LONGS(slot->frames), sizeof(long),
					 GFP_KERNEL_ACCOUNT);
	if (slot->sptes && slot->large_sptes && slot->no_large && (slot->watched || !watches))
		return 0;
	lg_slot_free(slot);
	return -ENOMEM;
}

void lg_slot_free(struct lg_memory_slot *slot)
{
	kvfree(slot->sptes);
	kvfree(slot->large_sptes);
	kvfree(slot->no_large);
	kvfree(slot->watched);
}

/* The list of @gfn's shadow entries at this level: 1, or 2 for 2 MiB. @gfn is in a slot. */
lg_spte_t *lg_frame_sptes(struct lg_vm *vm, gfn_t gfn, int level)
{
	struct lg_memory_slot *slot = lg_slot_of(vm, &gfn);

	return level == 1 ? &slot->sptes[gfn - slot->first] :
			    &slot->large_sptes[lg_large_of(slot, gfn)];
}

static u64 spte_frame(struct lg_vm *vm, lg_spte_t spte)
{
	unsigned int index;
	struct lg_shadow_page *page = lg_spte_page(vm, spte, &index);

	return LG_FRAME(READ_ONCE(page->table[index]));
}

/**
 * lg_frame - find the host's frame behind @gfn, if an entry maps it already
 * @vm: the VM
 * @gfn: guest frame, from the guest
 * @frame: set to its address, with LG_HOST_WRITABLE; good until the mmu_notifier says otherwise
 *
 * mmu_lock read or written.
 */
bool lg_frame(struct lg_vm *vm, gfn_t gfn, u64 *frame)
{
	struct lg_memory_slot *slot = lg_slot_of(vm, &gfn);
	lg_spte_t *head, spte = 0;
	unsigned long flags;

	lockdep_assert_held(&vm->mmu_lock);
	if (!slot)
		return false;
	head = &slot->sptes[gfn - slot->first];
	if (READ_ONCE(*head)) {
		spte = lock_sptes(head, &flags);
		if (spte)
			*frame = spte_frame(vm, spte);
		unlock_sptes(head, spte, flags);
	}
	if (spte || !lg_frame_large(vm, gfn, frame))
		return spte;
	*frame += gfn % LG_LARGE_FRAMES << PAGE_SHIFT;
	return true;
}

/*
 * lg_frame() for the 2 MiB around @gfn, if one entry maps them all; @first: the first frame. Needs
 * no lock of a list: entries of 2 MiB change only while mmu_lock is written.
 */
bool lg_frame_large(struct lg_vm *vm, gfn_t gfn, u64 *first)
{
	struct lg_memory_slot *slot = lg_slot_of(vm, &gfn);
	lg_spte_t spte = slot ? slot->large_sptes[lg_large_of(slot, gfn)] : 0;

	lockdep_assert_held(&vm->mmu_lock);
	if (spte)
		*first = spte_frame(vm, spte);
	return spte;
}

/*
 * May the 2 MiB around @gfn be one entry? They must be in one slot. If the host does not have
 * them in one piece, lg_frame_not_large() notes so until the mmu_notifier reports a change.
 */
bool lg_frame_may_be_large(struct lg_vm *vm, gfn_t gfn)
{
	const struct lg_memory_slot *slot = lg_slot_of(vm, &gfn);
	gfn_t first = round_down(gfn, LG_LARGE_FRAMES);

	return slot && first >= slot->first &&
	       first + LG_LARGE_FRAMES <= slot->first + slot->frames &&
	       !slot->no_large[lg_large_of(slot, gfn)];
}

void lg_frame_not_large(struct lg_vm *vm, gfn_t gfn)
{
	struct lg_memory_slot *slot = lg_slot_of(vm, &gfn);

	lockdep_assert_held_write(&vm->mmu_lock);
	slot->no_large[lg_large_of(slot, gfn)] = 1;
}

