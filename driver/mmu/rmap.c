// SPDX-License-Identifier: GPL-2.0-only
/*
 * The way back: from a Guest frame to the shadow entries that map it, and from
 * a shadow page to the entries that point to it.
 *
 * Both are lists of places, linked through lg_shadow_page.links. They cost one
 * step to add to and to take from, however often a hostile Guest maps a frame.
 * All of it is under lg_vm.mmu_lock, written or read; each list has a lock of its
 * own in its head. An entry is in its list only while it maps the frame, so that
 * whoever has locked the list may look at the entry.
 */
#include <linux/irqflags.h>
#include <linux/mm.h>
#include <linux/vmalloc.h>

#include "lg.h"

/* The page of @place, and where in it. */
struct lg_shadow_page *lg_place_page(struct lg_vm *vm, lg_place_t place, unsigned int *index)
{
	*index = place % LG_ENTRIES;
	return vm->mmu.by_id[place / LG_ENTRIES];
}

static struct lg_link *link_at(struct lg_vm *vm, lg_place_t place)
{
	return &vm->mmu.by_id[place / LG_ENTRIES]->links[place % LG_ENTRIES];
}

/*
 * The first of the list. With interrupts off, whoever holds it: others wait for it with
 * theirs off, and so wait for some instructions and for no interrupt's handler.
 */
static __always_inline lg_place_t lock_places(lg_place_t *head, unsigned long *flags)
{
	lg_place_t first;

	local_irq_save(*flags);
	first = READ_ONCE(*head) & ~LG_PLACES_BUSY;
	while (!try_cmpxchg_acquire(head, &first, first | LG_PLACES_BUSY)) {
		cpu_relax();
		first &= ~LG_PLACES_BUSY;
	}
	return first;
}

/* @first: what is the first of the list now. */
static __always_inline void unlock_places(lg_place_t *head, lg_place_t first, unsigned long flags)
{
	smp_store_release(head, first);
	local_irq_restore(flags);
}

void lg_place_add(struct lg_vm *vm, lg_place_t *head, struct lg_shadow_page *page,
		  unsigned int index)
{
	lg_place_t place = page->id * LG_ENTRIES + index, first;
	unsigned long flags;

	lockdep_assert_held(&vm->mmu_lock);
	first = lock_places(head, &flags);
	page->links[index].next = first;
	page->links[index].prev = 0;
	if (first)
		link_at(vm, first)->prev = place;
	unlock_places(head, place, flags);
}

void lg_place_del(struct lg_vm *vm, lg_place_t *head, struct lg_shadow_page *page,
		  unsigned int index)
{
	const struct lg_link *link = &page->links[index];
	lg_place_t first;
	unsigned long flags;

	lockdep_assert_held(&vm->mmu_lock);
	first = lock_places(head, &flags);
	if (link->prev)
		link_at(vm, link->prev)->next = link->next;
	else
		first = link->next;
	if (link->next)
		link_at(vm, link->next)->prev = link->prev;
	unlock_places(head, first, flags);
}

static gfn_t large_of(const struct lg_memory_slot *slot, gfn_t gfn)
{
	return gfn / LG_LARGE_FRAMES - slot->first / LG_LARGE_FRAMES;
}

/** lg_slot_alloc - what a new memory slot needs here; sleeps; -ENOMEM */
int lg_slot_alloc(struct lg_memory_slot *slot)
{
	gfn_t large = large_of(slot, slot->first + slot->frames - 1) + 1;

	slot->places = kvcalloc(slot->frames, sizeof(*slot->places), GFP_KERNEL_ACCOUNT);
	slot->large_places = kvcalloc(large, sizeof(*slot->large_places), GFP_KERNEL_ACCOUNT);
	slot->no_large = kvcalloc(large, sizeof(*slot->no_large), GFP_KERNEL_ACCOUNT);
	if (slot->places && slot->large_places && slot->no_large)
		return 0;
	lg_slot_free(slot);
	return -ENOMEM;
}

void lg_slot_free(struct lg_memory_slot *slot)
{
	kvfree(slot->places);
	kvfree(slot->large_places);
	kvfree(slot->no_large);
}

/* The list of @gfn's places at this level: 1, or 2 for 2 MiB. It is in a slot. */
lg_place_t *lg_frame_places(struct lg_vm *vm, gfn_t gfn, int level)
{
	struct lg_memory_slot *slot = lg_slot_of(vm, &gfn);

	return level == 1 ? &slot->places[gfn - slot->first] :
			    &slot->large_places[large_of(slot, gfn)];
}

static u64 frame_at(struct lg_vm *vm, lg_place_t place)
{
	unsigned int index;
	struct lg_shadow_page *page = lg_place_page(vm, place, &index);

	return LG_FRAME(READ_ONCE(page->table[index]));
}

/**
 * lg_frame - the Host's frame behind @gfn, if an entry has it already
 * @vm: the VM
 * @gfn: Guest frame, from the Guest
 * @frame: its address, with LG_HOST_WRITABLE; the Launcher's until the mmu_notifier
 *	says otherwise
 */
bool lg_frame(struct lg_vm *vm, gfn_t gfn, u64 *frame)
{
	struct lg_memory_slot *slot = lg_slot_of(vm, &gfn);
	lg_place_t *head, place = 0;
	unsigned long flags;

	lockdep_assert_held(&vm->mmu_lock);
	if (!slot)
		return false;
	head = &slot->places[gfn - slot->first];
	if (READ_ONCE(*head)) {
		place = lock_places(head, &flags);
		if (place)
			*frame = frame_at(vm, place);
		unlock_places(head, place, flags);
	}
	if (place || !lg_frame_large(vm, gfn, frame))
		return place;
	*frame += gfn % LG_LARGE_FRAMES << PAGE_SHIFT;
	return true;
}

/* The same for the 2 MiB around @gfn, if an entry has them all: mmu_lock is written for those. */
bool lg_frame_large(struct lg_vm *vm, gfn_t gfn, u64 *first)
{
	struct lg_memory_slot *slot = lg_slot_of(vm, &gfn);
	lg_place_t place = slot ? slot->large_places[large_of(slot, gfn)] : 0;

	lockdep_assert_held(&vm->mmu_lock);
	if (place)
		*first = frame_at(vm, place);
	return place;
}

/*
 * May the 2 MiB around @gfn be one entry? They must be in one slot; whether the
 * Host has them in one piece is remembered until the mmu_notifier comes by.
 */
bool lg_frame_may_be_large(struct lg_vm *vm, gfn_t gfn)
{
	const struct lg_memory_slot *slot = lg_slot_of(vm, &gfn);
	gfn_t first = round_down(gfn, LG_LARGE_FRAMES);

	return slot && first >= slot->first &&
	       first + LG_LARGE_FRAMES <= slot->first + slot->frames &&
	       !slot->no_large[large_of(slot, gfn)];
}

void lg_frame_not_large(struct lg_vm *vm, gfn_t gfn)
{
	struct lg_memory_slot *slot = lg_slot_of(vm, &gfn);

	lockdep_assert_held_write(&vm->mmu_lock);
	slot->no_large[large_of(slot, gfn)] = 1;
}

static void drop_places(struct lg_vm *vm, const lg_place_t *head)
{
	struct lg_shadow_page *page;
	unsigned int index;

	lockdep_assert_held_write(&vm->mmu_lock);
	while (*head) {
		page = lg_place_page(vm, *head, &index);
		lg_shadow_drop(vm, page, index, lg_unknown);
	}
}

/* Drop what maps Guest frames [first, end) of @slot, frame by frame. */
static void drop_frames(struct lg_vm *vm, struct lg_memory_slot *slot, gfn_t first, gfn_t end)
{
	gfn_t gfn, large;

	for (gfn = first; gfn < end; gfn++)
		drop_places(vm, &slot->places[gfn - slot->first]);
	for (large = large_of(slot, first); large <= large_of(slot, end - 1); large++)
		drop_places(vm, &slot->large_places[large]);
}

/* The same, looking at all that is mapped: the way that is shorter for many frames. */
static void drop_leaves(struct lg_vm *vm, gfn_t first, gfn_t end)
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

static void drop_range(struct lg_vm *vm, struct lg_memory_slot *slot, gfn_t first, gfn_t end)
{
	gfn_t large = large_of(slot, first);

	memset(slot->no_large + large, 0, large_of(slot, end - 1) + 1 - large);
	if (end - first > (gfn_t)vm->mmu.count * LG_ENTRIES)
		drop_leaves(vm, first, end);
	else
		drop_frames(vm, slot, first, end);
}

/* The frames of @slot that the Launcher has in [start, end), from @first to before @last. */
static bool slot_frames(const struct lg_memory_slot *slot, hva_t start, hva_t end, gfn_t *first,
			gfn_t *last)
{
	hva_t from = max(start, slot->hva);
	hva_t to = min(end, slot->hva + (slot->frames << PAGE_SHIFT));

	*first = slot->first + ((from - slot->hva) >> PAGE_SHIFT);
	*last = slot->first + ((to - slot->hva + PAGE_SIZE - 1) >> PAGE_SHIFT);
	return from < to;
}

/** lg_shadow_concerned - is any of the Launcher's memory [start, end) the Guest's? */
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
 * lg_shadow_invalidate - the Launcher's memory [start, end) is changing
 * @vm: the VM
 * @start: first byte, in the Launcher
 * @end: byte after the last
 *
 * It takes as long as there are frames in the range or entries in the shadow,
 * whichever are fewer. When it returns, no CPU can reach the old pages through this VM.
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
		drop_range(vm, slot, first, last);
		/* Even if nothing was dropped: a vCPU may have flushed for itself alone. */
		lg_flush_others(vm);
	}
}

/* Has the CPU used the entry at @place? If asked to, say no from now on. */
static bool young_place(struct lg_vm *vm, lg_place_t place, bool clear)
{
	unsigned int index;
	struct lg_shadow_page *page = lg_place_page(vm, place, &index);
	u64 old = READ_ONCE(page->table[index]);

	lockdep_assert_held_write(&vm->mmu_lock);
	if (!(old & _PAGE_ACCESSED))
		return false;
	/* The CPU may set bits meanwhile, nobody else. */
	while (clear && !try_cmpxchg64(&page->table[index], &old,
				       old & ~(_PAGE_ACCESSED | LG_PREFILLED)))
		;
	if (clear && (old & LG_PREFILLED))
		atomic64_inc(&vm->mmu.prefills_used);
	return true;
}

/*
 * The Guest makes the list as long as it likes, and the Host's lock of its page table is
 * held. So the newest places are asked, and the others taken for unused: to call the page
 * young then would let the Guest keep it from ever being reclaimed.
 */
#define YOUNG_PLACES	64

static bool young_places(struct lg_vm *vm, const lg_place_t *head, bool clear)
{
	unsigned int left = YOUNG_PLACES;
	bool young = false;
	lg_place_t place;

	for (place = *head; place && left && (clear || !young); place = link_at(vm, place)->next, left--)
		young |= young_place(vm, place, clear);
	return young;
}

static bool young_frame(struct lg_vm *vm, struct lg_memory_slot *slot, gfn_t gfn, bool clear)
{
	lg_place_t *small = &slot->places[gfn - slot->first];
	lg_place_t *large = &slot->large_places[large_of(slot, gfn)];
	bool young;

	/* Of most frames that the Host asks about, nothing maps them. */
	if (!READ_ONCE(*small) && !READ_ONCE(*large))
		return false;
	write_lock(&vm->mmu_lock);
	young = young_places(vm, small, clear);
	young |= young_places(vm, large, clear);
	write_unlock(&vm->mmu_lock);
	return young;
}

/**
 * lg_shadow_young - has the Guest used what the Launcher has in [start, end)?
 * @vm: the VM
 * @start: first byte, in the Launcher
 * @end: byte after the last
 * @clear: from now on it has not
 *
 * Does not sleep; the Host holds locks of its page tables. A TLB that has an entry
 * does not set A in it again: the caller sees to that, or does not mind.
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
