// SPDX-License-Identifier: GPL-2.0-only
/*
 * What it means for shadow entries that the launcher's memory changes, or that the host asks
 * which of it is in use. The kernel tells notifier.c, and notifier.c calls this file.
 */
#include <linux/mm.h>

#include "lg.h"
#include "mmu/shadow.h"

static void drop_sptes(struct lg_vm *vm, const lg_spte_t *head)
{
	struct lg_shadow_page *page;
	unsigned int index;

	lockdep_assert_held_write(&vm->mmu_lock);
	while (*head) {
		page = lg_spte_page(vm, *head, &index);
		lg_shadow_drop(vm, page, index, lg_unknown);
	}
}

/* Drop all entries that map guest frames [first, end) of @slot, frame by frame. */
static void drop_frames_by_rmap(struct lg_vm *vm, struct lg_memory_slot *slot, gfn_t first,
				gfn_t end)
{
	gfn_t gfn, large;

	for (gfn = first; gfn < end; gfn++)
		drop_sptes(vm, &slot->sptes[gfn - slot->first]);
	for (large = lg_large_of(slot, first); large <= lg_large_of(slot, end - 1); large++)
		drop_sptes(vm, &slot->large_sptes[large]);
}

/* Do the same by a search of all shadow entries, which is shorter for many frames. */
static void drop_frames_by_search(struct lg_vm *vm, gfn_t first, gfn_t end)
{
	struct lg_shadow_page *page;
	unsigned int i;

	list_for_each_entry(page, &vm->mmu.pages, list) {
		gfn_t span = page->level == 1 ? 1 : LG_LARGE_FRAMES;

		if (page->level > 2)
			continue;
		for_each_set_bit(i, page->used, LG_ENTRIES) {
			gfn_t gfn = page->links[i].gfn;

			if (!lg_shadow_child(page, i) && gfn < end && gfn + span > first)
				lg_shadow_drop(vm, page, i, lg_unknown);
		}
	}
}

static void drop_frame_range(struct lg_vm *vm, struct lg_memory_slot *slot, gfn_t first, gfn_t end)
{
	gfn_t large = lg_large_of(slot, first);

	memset(slot->no_large + large, 0, lg_large_of(slot, end - 1) + 1 - large);
	if (end - first > (gfn_t)vm->mmu.count * LG_ENTRIES)
		drop_frames_by_search(vm, first, end);
	else
		drop_frames_by_rmap(vm, slot, first, end);
}

/* Which frames of @slot does the launcher have in [start, end)? From @first to before @last. */
static bool slot_frames(const struct lg_memory_slot *slot, hva_t start, hva_t end, gfn_t *first,
			gfn_t *last)
{
	hva_t from = max(start, slot->hva);
	hva_t to = min(end, slot->hva + (slot->frames << PAGE_SHIFT));

	*first = slot->first + ((from - slot->hva) >> PAGE_SHIFT);
	*last = slot->first + ((to - slot->hva + PAGE_SIZE - 1) >> PAGE_SHIFT);
	return from < to;
}

/** lg_shadow_concerned - is guest memory in the launcher's [start, end)? The slots are fixed */
bool lg_shadow_concerned(struct lg_vm *vm, hva_t start, hva_t end)
{
	gfn_t first, last;
	unsigned int i;

	for (i = 0; i < vm->nr_slots; i++)
		if (slot_frames(&vm->slots[i], start, end, &first, &last))
			return true;
	return false;
}

/**
 * lg_shadow_invalidate - drop all entries for the launcher's memory [start, end)
 * @vm: the VM
 * @start: first byte, in the launcher
 * @end: byte after the last
 *
 * mmu_lock written. The time grows with the frames in the range or the entries in the shadow,
 * whichever are fewer. On return, no CPU can reach the old pages through this VM.
 */
void lg_shadow_invalidate(struct lg_vm *vm, hva_t start, hva_t end)
{
	gfn_t first, last;
	unsigned int i;

	lockdep_assert_held_write(&vm->mmu_lock);
	for (i = 0; i < vm->nr_slots; i++) {
		struct lg_memory_slot *slot = &vm->slots[i];

		if (!slot_frames(slot, start, end, &first, &last))
			continue;
		drop_frame_range(vm, slot, first, last);
		/*
		 * Do so even if nothing was dropped: a vCPU may have dropped the entries before,
		 * and have flushed its own TLB alone.
		 */
		lg_flush_others(vm);
	}
}

/* Has a CPU used the shadow entry @spte? With @clear, make it unused. */
static bool young_spte(struct lg_vm *vm, lg_spte_t spte, bool clear)
{
	unsigned int index;
	struct lg_shadow_page *page = lg_spte_page(vm, spte, &index);
	u64 old = READ_ONCE(page->table[index]);

	lockdep_assert_held_write(&vm->mmu_lock);
	if (!(old & _PAGE_ACCESSED))
		return false;
	/* Nobody but the CPU may set bits meanwhile. */
	while (clear && !try_cmpxchg64(&page->table[index], &old,
				       old & ~(_PAGE_ACCESSED | LG_PREFILLED)))
		;
	if (clear && (old & LG_PREFILLED))
		atomic64_inc(&vm->mmu.prefills_used);
	return true;
}

/*
 * The guest can make the list as long as it likes, and the host holds the lock of its own page
 * table. So look at the newest entries only, and take the others for unused: if the page counted
 * as young then, the guest could keep it from ever being reclaimed.
 */
#define YOUNG_SPTES	64

static bool young_sptes(struct lg_vm *vm, const lg_spte_t *head, bool clear)
{
	unsigned int left = YOUNG_SPTES;
	bool young = false;
	lg_spte_t spte;

	for (spte = *head; spte && left && (clear || !young);
	     spte = lg_spte_link(vm, spte)->next, left--)
		young |= young_spte(vm, spte, clear);
	return young;
}

static bool young_frame(struct lg_vm *vm, struct lg_memory_slot *slot, gfn_t gfn, bool clear)
{
	lg_spte_t *small = &slot->sptes[gfn - slot->first];
	lg_spte_t *large = &slot->large_sptes[lg_large_of(slot, gfn)];
	bool young;

	/* No entry maps most of the frames that the host asks about. */
	if (!READ_ONCE(*small) && !READ_ONCE(*large))
		return false;
	write_lock(&vm->mmu_lock);
	young = young_sptes(vm, small, clear);
	young |= young_sptes(vm, large, clear);
	write_unlock(&vm->mmu_lock);
	return young;
}

/**
 * lg_shadow_young - has the guest used what the launcher has in [start, end)?
 * @vm: the VM
 * @start: first byte, in the launcher
 * @end: byte after the last
 * @clear: make the entries unused
 *
 * Does not sleep; the host holds locks of its page tables. A CPU whose TLB has an entry does not
 * set A again: the caller flushes, or does not mind.
 */
bool lg_shadow_young(struct lg_vm *vm, hva_t start, hva_t end, bool clear)
{
	gfn_t gfn, first, last;
	bool young = false;
	unsigned int i;

	for (i = 0; i < smp_load_acquire(&vm->nr_slots); i++) {
		if (!slot_frames(&vm->slots[i], start, end, &first, &last))
			continue;
		for (gfn = first; gfn < last && (clear || !young); gfn++)
			young |= young_frame(vm, &vm->slots[i], gfn, clear);
	}
	return young;
}
