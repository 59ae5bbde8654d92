// SPDX-License-Identifier: GPL-2.0-only
/* A cache of the paths from a root down to tables that faults and flushes have lately used. */
#include <linux/mm.h>

#include "lg.h"
#include "mmu/shadow.h"

/**
 * lg_shadow_path - find the path from @root down to the table of @gva
 * @vcpu: the virtual CPU; its mutex is held
 * @root: one of its current roots
 * @gva: canonical
 *
 * mmu_lock read or written. No search if the cache has the path, and no entry that points to a
 * table has changed since. NULL: the shadow has no such table.
 */
struct lg_path *lg_shadow_path(struct lg_vcpu *vcpu, struct lg_shadow_page *root, gva_t gva)
{
	struct lg_path *path = &vcpu->path_cache[(gva >> PMD_SHIFT) % LG_PATHS];
	struct lg_shadow_page *page = root;
	struct lg_vm *vm = vcpu->vm;
	u64 above = _PAGE_RW;

	lockdep_assert_held(&vcpu->mutex);
	lockdep_assert_held(&vm->mmu_lock);
	if (path->root == root && path->gva == gva >> PMD_SHIFT && path->tables == vm->mmu.tables)
		return path;
	path->root = NULL;
	while (page->level > 1) {
		unsigned int index = lg_table_index(gva, page->level);

		path->hva[page->level] = lg_gfn_to_hva(vm, page->gfn) + index * 8;
		above &= page->table[index];
		page = lg_shadow_child(page, index);
		if (!page)
			return NULL;
	}
	path->hva[1] = lg_gfn_to_hva(vm, page->gfn);
	path->root = root;
	path->table = page;
	path->gva = gva >> PMD_SHIFT;
	path->tables = vm->mmu.tables;
	path->writable = above & _PAGE_RW;
	path->compared = false;
	WRITE_ONCE(page->recent, true);
	return path;
}
