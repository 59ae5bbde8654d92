// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which page tables have changed, for a guest that keeps no map of that (dirty.c)? Once a table is
 * compared with its shadow, its frame is watched: no shadow entry lets the guest write there. The
 * first store faults; then the frame is watched no more, later stores are free, and the next
 * flush compares the table again. Top-level tables are always compared: they are few, and each
 * vCPU has its own shadow of them.
 *
 * A TLB may still have a writable entry from before. So a table stays one to be compared until
 * each other vCPU has flushed since, or was out of the guest: then it is settled.
 *
 * All of this is under mmu_lock: written, but for lg_watched_entry(), for which read is enough.
 * What others than the guest's CPUs store in a table, such as a device, stays unseen: the guest
 * keeps a stale mapping of its own memory then.
 */
#include <linux/mm.h>
#include <linux/moduleparam.h>

#include "lg.h"
#include "mmu/shadow.h"

/* A frame that more entries map is not watched: time under mmu_lock is bounded. */
#define MOST_SPTES	16

static bool check_shadow;
module_param(check_shadow, bool, 0644);
MODULE_PARM_DESC(check_shadow, "after each flush, compare the tables that count as unchanged, too (slow)");

/* Watch a frame. False: that would take too long, or there is no memory at @gfn. */
static bool watch(struct lg_vm *vm, gfn_t gfn)
{
	struct lg_shadow_page *page;
	unsigned int index, n;
	lg_spte_t spte;

	if (lg_frame_is_watched(vm, gfn))
		return true;
	if (!lg_slot_of(vm, &gfn))
		return false;
	lg_set_watched(vm, gfn, true);
	/* Nobody else has the list while mmu_lock is written. */
	spte = *lg_frame_sptes(vm, gfn, 1);
	for (n = 0; spte && n < MOST_SPTES; n++, spte = page->links[index].next) {
		page = lg_spte_page(vm, spte, &index);
		/* It becomes read only, since the frame is watched. */
		lg_shadow_relink(vm, page, index, page->table[index]);
	}
	if (spte)
		lg_set_watched(vm, gfn, false);
	return !spte;
}

/*
 * Has each other vCPU flushed since @generation, or was it out of the guest after that? @vcpu
 * itself flushes before it enters: see lg_root_load().
 */
static bool others_have_flushed(const struct lg_vcpu *vcpu, u64 generation)
{
	struct lg_vcpu *other;
	unsigned int i;

	/* The entries are read only before we look; the other side: lg_root_load(). */
	smp_mb();
	lg_for_each_vcpu(i, other, vcpu->vm)
		if (other != vcpu && READ_ONCE(other->generation) < generation &&
		    READ_ONCE(other->running_cpu) >= 0)
			return false;
	return true;
}

/**
 * lg_watched_changed - lg_table_changed() for a VM that watches
 * @vcpu: the virtual CPU that flushes; its mutex is held
 * @page: shadow page of a guest's table; if true is returned, the caller compares it now
 * @take: and then it counts as compared
 */
bool lg_watched_changed(struct lg_vcpu *vcpu, struct lg_shadow_page *page, bool take)
{
	struct lg_vm *vm = vcpu->vm;

	lockdep_assert_held_write(&vm->mmu_lock);
	if (page->role & (LG_ROLE_ROOT | LG_ROLE_SPLIT))
		return true;
	if (!take)
		return page->changed || !page->settled;
	if (page->changed) {
		page->changed = !watch(vm, page->gfn);
		page->read_only_since = atomic64_read(&vm->mmu.generation);
	} else if (page->settled) {
		return false;
	}
	/* Before the comparison: a store that comes between the two is seen by it. */
	page->settled = !page->changed && others_have_flushed(vcpu, page->read_only_since);
	return true;
}

/* Does the shadow's entry allow no more than the guest's, of the same frame or table? */
static bool agrees(const struct lg_shadow_page *page, unsigned int index, u64 guest_entry)
{
	const struct lg_shadow_page *child = lg_shadow_child(page, index);
	u64 now = page->table[index];

	if (child)
		return lg_same_table(page, child, guest_entry) &&
		       !(lg_shadow_table_entry(page, child, guest_entry) & ~now & _PAGE_NX) &&
		       !(now & ~lg_shadow_table_entry(page, child, guest_entry) & _PAGE_RW);
	return lg_usable(guest_entry, page->role) &&
	       page->links[index].gfn == LG_ENTRY_FRAME(guest_entry) &&
	       (!(now & _PAGE_RW) || (~guest_entry & (_PAGE_RW | _PAGE_DIRTY)) == 0) &&
	       ((now & _PAGE_NX) || !(guest_entry & _PAGE_NX));
}

static void check_page(struct lg_vm *vm, const struct lg_shadow_page *page)
{
	unsigned int i;
	u64 entry;

	for_each_set_bit(i, page->used, LG_ENTRIES)
		/* An entry that the host is writing is shadowed in a moment: lg_write_entry(). */
		if (!lg_read_entries(vm, (page->gfn << PAGE_SHIFT) + i * 8, &entry, 1) &&
		    !agrees(page, i, entry) && !atomic_read(&vm->mmu.entries_in_writing))
			pr_warn_ratelimited("check_shadow: table 0x%llx, entry %u: 0x%llx is shadowed by 0x%llx\n",
					    page->gfn, i, entry, page->table[i]);
}

/** lg_check_watched - with check_shadow: do the tables that count as unchanged agree? */
void lg_check_watched(struct lg_vm *vm)
{
	const struct lg_shadow_page *page;

	lockdep_assert_held_write(&vm->mmu_lock);
	if (likely(!READ_ONCE(check_shadow)) || !vm->mmu.watches)
		return;
	list_for_each_entry(page, &vm->mmu.pages, list)
		if (!(page->role & LG_ROLE_SPLIT) && page->settled && !page->changed)
			check_page(vm, page);
}
