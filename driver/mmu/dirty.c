// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which of the guest's page tables have changed? The guest keeps a map with one byte for each
 * page of its memory, and sets the byte after each write to a page table in that page. So a
 * flush of everything need not compare everything. All of this is under mmu_lock.
 *
 * A guest that lies here keeps stale mappings of its own memory.
 */
#include <linux/mm.h>
#include <linux/uaccess.h>

#include "lg.h"
#include "mmu/shadow.h"

/* Read a byte of the map, and set it back to 0. Does not sleep. True, too, if that fails. */
static bool take_dirty_mark(struct lg_vm *vm, gfn_t gfn)
{
	u8 __user *byte = (u8 __user *)vm->mmu.dirty_map + gfn;
	u8 mark = 1;
	int err;

	pagefault_disable();
	err = __get_user(mark, byte);
	if (!err && mark)
		err = __put_user(0, byte);
	pagefault_enable();
	/* The caller reads the entries after the byte is 0 again. */
	smp_mb();
	return err || mark;
}

/**
 * lg_table_changed - has the guest's table behind @page changed since it was compared?
 * @vcpu: the virtual CPU that flushes; its mutex is held
 * @page: shadow page
 * @take: the caller compares the table now, and that counts: say yes once
 *
 * Always yes for a top-level table, which has
 * no mark.
 */
bool lg_table_changed(struct lg_vcpu *vcpu, struct lg_shadow_page *page, bool take)
{
	struct lg_vm *vm = vcpu->vm;
	struct lg_shadow_page *other;
	bool changed;

	lockdep_assert_held_write(&vm->mmu_lock);
	if (unlikely(vm->mmu.watches))
		return lg_watched_changed(vcpu, page, take);
	if (page->level == LG_PT_LEVELS || page->gfn >= vm->mmu.dirty_map_size)
		return true;
	/* The mark concerns all shadow pages of this table. */
	if (take_dirty_mark(vm, page->gfn))
		hlist_for_each_entry(other, lg_shadow_bucket(vm, page->gfn), hash)
			if (other->gfn == page->gfn)
				other->changed = true;
	changed = page->changed;
	if (take)
		page->changed = false;
	return changed;
}

/** lg_tables_changed - take all tables for changed: the guest has a new map */
void lg_tables_changed(struct lg_vm *vm)
{
	struct lg_shadow_page *page;

	lockdep_assert_held_write(&vm->mmu_lock);
	list_for_each_entry(page, &vm->mmu.pages, list)
		page->changed = true;
}
