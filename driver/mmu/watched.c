// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which frames are watched, and which pages are pending: the books of watch.c, where it says
 * what for. Under mmu_lock: written, but for lg_frame_is_watched().
 */
#include <linux/bitops.h>
#include <linux/list.h>

#include "lg.h"
#include "mmu/shadow.h"

/** lg_watch_tables - from now on, find the changed tables by watching them; before any memory */
void lg_watch_tables(struct lg_vm *vm)
{
	lockdep_assert_held(&vm->lock);
	vm->mmu.watches = true;
}

static unsigned long *watched_bit(struct lg_vm *vm, gfn_t gfn, unsigned long *bit)
{
	struct lg_memory_slot *slot = lg_slot_of(vm, &gfn);

	if (!slot)
		return NULL;
	*bit = gfn - slot->first;
	return slot->watched;
}

/* lg_is_watched() for a VM that watches. */
bool lg_frame_is_watched(struct lg_vm *vm, gfn_t gfn)
{
	unsigned long bit, *bits = watched_bit(vm, gfn, &bit);

	lockdep_assert_held(&vm->mmu_lock);
	return bits && test_bit(bit, bits);
}

void lg_set_watched(struct lg_vm *vm, gfn_t gfn, bool watched)
{
	unsigned long bit, *bits = watched_bit(vm, gfn, &bit);

	lockdep_assert_held_write(&vm->mmu_lock);
	if (bits)
		__assign_bit(bit, bits, watched);
}

/* The page's table may differ from it from now on. */
static void set_changed(struct lg_vm *vm, struct lg_shadow_page *page)
{
	page->changed = true;
	if (list_empty(&page->pending))
		list_add_tail(&page->pending, &vm->mmu.pending);
}

/** lg_watch_new - @page is new, and not compared yet */
void lg_watch_new(struct lg_vm *vm, struct lg_shadow_page *page)
{
	lockdep_assert_held_write(&vm->mmu_lock);
	if (!(page->role & LG_ROLE_SPLIT))
		set_changed(vm, page);
}

/**
 * lg_table_stored - the guest is about to store in a frame
 * @vm: the VM
 * @gfn: frame, in memory
 */
void lg_table_stored(struct lg_vm *vm, gfn_t gfn)
{
	struct lg_shadow_page *page;

	lockdep_assert_held_write(&vm->mmu_lock);
	if (!lg_is_watched(vm, gfn))
		return;
	lg_set_watched(vm, gfn, false);
	hlist_for_each_entry(page, lg_shadow_bucket(vm, gfn), hash)
		if (page->gfn == gfn && !(page->role & LG_ROLE_SPLIT))
			set_changed(vm, page);
}

/** lg_unwatch - @page goes: if it is the last one of its table, the guest may use the frame */
void lg_unwatch(struct lg_vm *vm, struct lg_shadow_page *page)
{
	const struct lg_shadow_page *other;

	lockdep_assert_held_write(&vm->mmu_lock);
	list_del_init(&page->pending);
	if ((page->role & LG_ROLE_SPLIT) || !lg_is_watched(vm, page->gfn))
		return;
	hlist_for_each_entry(other, lg_shadow_bucket(vm, page->gfn), hash)
		if (other != page && other->gfn == page->gfn && !(other->role & LG_ROLE_SPLIT))
			return;
	lg_set_watched(vm, page->gfn, false);
}
