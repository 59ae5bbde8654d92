// SPDX-License-Identifier: GPL-2.0-only
/*
 * Flushes: after one the guest must not see stale entries, by the rules of the TLB (SDM volume 3,
 * 4.10.4). Do not drop the shadow entries, to be faulted in again: compare each with the guest's
 * entry, and bring it up to date in place.
 */
#include <linux/mm.h>
#include <linux/uaccess.h>

#include "lg.h"
#include "trace.h"
#include "mmu/shadow.h"

/* Entries read from a guest's table at once. */
#define BATCH		16U

/* The halves of a guest's 48-bit address space. */
#define USER_LAST	(gva_t)GENMASK_ULL(46, 0)
#define KERNEL_FIRST	(gva_t)GENMASK_ULL(63, 47)

/* Compare a 2 MiB leaf: if the guest still has the same large page there, keep it, else drop it. */
static void sync_large_entry(struct lg_vm *vm, struct lg_shadow_page *page, unsigned int index,
			     u64 guest_entry)
{
	gfn_t gfn = LG_ENTRY_FRAME(guest_entry & ~(u64)_PAGE_PAT_LARGE);

	if (lg_usable(guest_entry, page->role) && (guest_entry & _PAGE_PSE) &&
	    page->links[index].gfn == gfn)
		lg_shadow_relink(vm, page, index,
				 lg_shadow_leaf_entry(LG_FRAME(page->table[index]), guest_entry,
						      page->role) | _PAGE_PSE);
	else
		lg_shadow_drop(vm, page, index, guest_entry & _PAGE_PRESENT ? lg_unknown : 0);
}

/*
 * Compare one entry that maps something. Return the page below, if it is still linked and shadows
 * a table of the guest.
 */
static struct lg_shadow_page *sync_branch_entry(struct lg_vm *vm, struct lg_shadow_page *page,
						unsigned int index, u64 guest_entry)
{
	struct lg_shadow_page *child = lg_shadow_child(page, index);

	if (page->level == 1) {
		lg_shadow_fill(vm, page, index, guest_entry);
		return NULL;
	}
	if (!child) {
		sync_large_entry(vm, page, index, guest_entry);
		return NULL;
	}
	if (!lg_same_table(page, child, guest_entry)) {
		lg_shadow_drop(vm, page, index, guest_entry & _PAGE_PRESENT ? lg_unknown : 0);
		return NULL;
	}
	lg_shadow_relink(vm, page, index, lg_shadow_table_entry(page, child, guest_entry));
	return child->role & LG_ROLE_SPLIT ? NULL : child;
}

/* Read the guest's entries. If they are swapped out: entries without A, which a fault looks at. */
static void read_guest_entries(struct lg_vm *vm, const struct lg_shadow_page *page,
			       unsigned int first, unsigned int count, u64 *entries)
{
	if (lg_read_entries(vm, (page->gfn << PAGE_SHIFT) + first * 8, entries, count))
		memset64(entries, _PAGE_PRESENT, count);
	if (unlikely(vm->mmu.fixed_entry) && page->level == LG_PT_LEVELS &&
	    LG_FIXED_INDEX - first < count)
		entries[LG_FIXED_INDEX - first] = vm->mmu.fixed_entry;
}

/* What else does a comparison of a page do? */
enum sync_how {
	SYNC_FLUSH,		/* compare the pages below, too */
	SYNC_FLUSH_PAGE,	/* nothing */
	SYNC_FAULT,		/* those below, too, but a flush still has to compare all of them */
};

/*
 * Compare the entries of @page for the addresses from @start to @last, both of which it covers.
 *
 * A page is compared as a whole at most once, however many entries of a hostile guest's tables lead
 * to it, and each of the two edges of a range is one path down: so the number of shadow pages
 * bounds the time.
 */
static void sync_shadow_page(struct lg_vcpu *vcpu, struct lg_shadow_page *page, gva_t start,
			     gva_t last, enum sync_how how)
{
	u64 span = 1ULL << (PAGE_SHIFT + 9 * (page->level - 1)), entries[BATCH];
	unsigned int first = lg_table_index(start, page->level), i;
	unsigned int end = lg_table_index(last, page->level);
	/* Compare all of the page? At the edge of a range it is only a part. */
	bool whole = !(start & (512 * span - 1)) && !(~last & (512 * span - 1)), changed;
	unsigned int read = LG_ENTRIES;
	struct lg_vm *vm = vcpu->vm;

	lockdep_assert_held_write(&vm->mmu_lock);
	if (page->synced == vm->mmu.sync_clock &&
	    (page->synced_whole || (page->synced_start == start && page->synced_last == last)))
		return;
	changed = !whole || lg_table_changed(vcpu, page, how != SYNC_FAULT);
	page->synced = vm->mmu.sync_clock;
	page->synced_whole = whole;
	page->synced_start = start;
	page->synced_last = last;
	if (!changed && (page->level == 1 || how == SYNC_FLUSH_PAGE))
		return;
	vcpu->stats.shadow_syncs++;
	for (i = first; (i = find_next_bit(page->used, end + 1, i)) <= end; i++) {
		gva_t from = i == first ? start : (start & ~(span - 1)) + (i - first) * span;
		struct lg_shadow_page *child = lg_shadow_child(page, i);

		if (!changed) {
			if (child && !(child->role & LG_ROLE_SPLIT))
				sync_shadow_page(vcpu, child, from, from | (span - 1), how);
			continue;
		}
		/* Read the guest's entries in batches, from the next one that is needed. */
		if (i >= read + BATCH || read == LG_ENTRIES) {
			read = i;
			read_guest_entries(vm, page, i, min3(BATCH, end + 1 - i, LG_ENTRIES - i),
					   entries);
		}
		child = sync_branch_entry(vm, page, i, entries[i - read]);
		if (child && how != SYNC_FLUSH_PAGE)
			sync_shadow_page(vcpu, child, from, min(last, from | (span - 1)), how);
	}
}

/**
 * lg_shadow_adopt - link the tables of the guest's kernel from an old root into a new one
 * @vm: the VM
 * @to: empty root
 * @from: root in use
 *
 * mmu_lock written. The kernel's half is global, so its tables need no comparison.
 */
void lg_shadow_adopt(struct lg_vm *vm, struct lg_shadow_page *to, struct lg_shadow_page *from)
{
	unsigned int i = LG_ENTRIES / 2;

	lockdep_assert_held_write(&vm->mmu_lock);
	for_each_set_bit_from(i, from->used, LG_ENTRIES) {
		struct lg_shadow_page *child = lg_shadow_child(from, i);
		u64 entry;

		read_guest_entries(vm, to, i, 1, &entry);
		if (child && lg_same_table(to, child, entry))
			lg_shadow_link(vm, to, i, child, lg_shadow_table_entry(to, child, entry));
	}
}

/* Compare one entry of @page, mapped or not. */
static void sync_one_entry(struct lg_vm *vm, struct lg_shadow_page *page, unsigned int index)
{
	u64 entry;

	if (page->level > 1 && !test_bit(index, page->used))
		return;
	read_guest_entries(vm, page, index, 1, &entry);
	sync_branch_entry(vm, page, index, entry);
}

/**
 * lg_entry_written - an entry of the guest's page tables was written on its behalf
 * @vcpu: who asked; its mutex is held
 * @gpa: of the entry
 *
 * What the shadow has of it becomes the same at once, on all virtual CPUs. Sleeps not.
 */
void lg_entry_written(struct lg_vcpu *vcpu, gpa_t gpa)
{
	unsigned int index = (gpa & ~PAGE_MASK) / 8, i, j;
	struct lg_vm *vm = vcpu->vm;
	gfn_t gfn = gpa >> PAGE_SHIFT;
	struct lg_shadow_page *page;
	struct lg_vcpu *other;

	lg_mmu_lock(vcpu);
	hlist_for_each_entry(page, lg_shadow_bucket(vm, gfn), hash)
		if (page->gfn == gfn && !(page->role & LG_ROLE_SPLIT))
			sync_one_entry(vm, page, index);
	lg_for_each_vcpu(i, other, vm)
		for (j = 0; j < LG_ROOTS; j++)
			if (other->roots[j].gfn == gfn) {
				sync_one_entry(vm, other->roots[j].kernel, index);
				sync_one_entry(vm, other->roots[j].user, index);
			}
	lg_shadow_free_unlinked(vm);
	write_unlock(&vm->mmu_lock);
}

/**
 * lg_shadow_sync - bring @page and all below it, 4 levels at most, up to date, in a fault
 * @vcpu: the virtual CPU
 * @page: shadow page
 *
 * mmu_lock written. The fault has read entries of the guest's before, and will make its own of
 * them: so no table counts as compared by this. The flush that the guest asks for behind a store
 * that came between finds it still changed.
 */
void lg_shadow_sync(struct lg_vcpu *vcpu, struct lg_shadow_page *page)
{
	vcpu->vm->mmu.sync_clock++;
	sync_shadow_page(vcpu, page, 0, ~0ULL, SYNC_FAULT);
}

/* For a VM that watches: compare the tables that may have changed, wherever they are. */
static void sync_pending(struct lg_vcpu *vcpu)
{
	struct lg_mmu *mmu = &vcpu->vm->mmu;
	struct lg_shadow_page *page;
	LIST_HEAD(pending);

	lockdep_assert_held_write(&vcpu->vm->mmu_lock);
	list_splice_init(&mmu->pending, &pending);
	while ((page = list_first_entry_or_null(&pending, struct lg_shadow_page, pending))) {
		list_del_init(&page->pending);
		sync_shadow_page(vcpu, page, 0, ~0ULL, SYNC_FLUSH_PAGE);
		if (page->changed || !page->settled)
			list_add_tail(&page->pending, &mmu->pending);
	}
}

/* Below the roots of a VM that watches, all that may have changed is pending. */
static bool finds_changes(const struct lg_vm *vm, gva_t start, gva_t last)
{
	return vm->mmu.watches && !start && last >= USER_LAST;
}

static void sync_root(struct lg_vcpu *vcpu, struct lg_root *root, gva_t start, gva_t last)
{
	enum sync_how how = finds_changes(vcpu->vm, start, last) ? SYNC_FLUSH_PAGE : SYNC_FLUSH;

	sync_shadow_page(vcpu, root->user, start, last, how);
	sync_shadow_page(vcpu, root->kernel, start, last, how);
}

static void sync_roots(struct lg_vcpu *vcpu, bool every, gva_t start, gva_t last)
{
	unsigned int i;

	if (!every)
		sync_root(vcpu, vcpu->root, start, last);
	for (i = 0; every && i < LG_ROOTS; i++)
		if (vcpu->roots[i].gfn != ~0ULL)
			sync_root(vcpu, &vcpu->roots[i], start, last);
	if (finds_changes(vcpu->vm, start, last))
		sync_pending(vcpu);
}

/** lg_sync_user - bring user space of the current address space up to date; mmu_lock written */
void lg_sync_user(struct lg_vcpu *vcpu)
{
	lockdep_assert_held_write(&vcpu->vm->mmu_lock);
	vcpu->vm->mmu.sync_clock++;
	sync_roots(vcpu, false, 0, USER_LAST);
}

static void flush_gva_range(struct lg_vcpu *vcpu, bool every, gva_t start, gva_t last)
{
	if (start > last)
		return;
	if (start <= USER_LAST)
		sync_roots(vcpu, every, start, min(last, USER_LAST));
	/* INVLPG drops global entries of all address spaces. */
	if (last >= KERNEL_FIRST)
		sync_roots(vcpu, true, max(start, KERNEL_FIRST), last);
}

/**
 * lg_flush - flush the guest's TLB of this vCPU
 * @vcpu: the virtual CPU; its mutex is held
 * @every: in all address spaces: another vCPU asks, and this one may be about to load one of them
 * @kind: which entries
 * @start: first byte, for LG_FLUSH_RANGE
 * @end: byte after the last
 *
 * Atomic or not; takes mmu_lock. The next entry flushes the CPU's own TLB.
 */
void lg_flush(struct lg_vcpu *vcpu, bool every, enum lg_flush_kind kind, gva_t start, gva_t end)
{
	struct lg_vm *vm = vcpu->vm;

	lockdep_assert_held(&vcpu->mutex);
	vcpu->stats.flushes++;
	trace_lguest_flush(vcpu->id, kind, start, end);
	lg_mmu_lock(vcpu);
	vm->mmu.sync_clock++;
	if (kind == LG_FLUSH_RANGE)
		flush_gva_range(vcpu, every, start, end - 1);
	else if (kind == LG_FLUSH_USER)
		/* Linux has global pages in its upper half, which this flush does not concern. */
		sync_roots(vcpu, every, 0, USER_LAST);
	else
		sync_roots(vcpu, true, 0, ~0ULL);
	lg_check_watched(vm);
	lg_shadow_free_unlinked(vm);
	write_unlock(&vm->mmu_lock);
}

/* Are the shadow's entries on the path to a table still made from the guest's current entries? */
static bool is_path_unchanged(struct lg_path *path, const u64 guest[LG_PT_LEVELS + 1])
{
	struct lg_shadow_page *page = path->root;

	if (path->compared)
		return guest[4] == path->guest[4] && guest[3] == path->guest[3] &&
		       guest[2] == path->guest[2];
	while (page->level > 1) {
		unsigned int index = lg_table_index(path->gva << PMD_SHIFT, page->level);
		struct lg_shadow_page *child = lg_shadow_child(page, index);
		u64 entry = guest[page->level];

		if (!lg_same_table(page, child, entry) ||
		    page->table[index] != lg_shadow_table_entry(page, child, entry))
			return false;
		path->guest[page->level] = entry;
		page = child;
	}
	path->compared = true;
	return true;
}

/*
 * Read the guest's entries on a path, and @count entries of the table from @first on. Does not
 * sleep.
 */
static bool read_guest_path(const struct lg_path *path, u64 guest[LG_PT_LEVELS + 1],
			    unsigned int first, unsigned int count, u64 *entries)
{
	const u64 __user *table = (const u64 __user *)path->hva[1] + first;
	unsigned int i;
	int level;

	pagefault_disable();
	for (level = LG_PT_LEVELS; level > 1; level--)
		if (__get_user(guest[level], (u64 __user *)path->hva[level]))
			break;
	for (i = 0; level == 1 && i < count; i++)
		if (__get_user(entries[i], table + i))
			break;
	pagefault_enable();
	return level == 1 && i == count;
}

/* Flush a few pages in one table, if the shadow's path to the table is up to date. */
static bool flush_few_pages_quickly(struct lg_vcpu *vcpu, gva_t start, gva_t last)
{
	unsigned int top = lg_table_index(start, LG_PT_LEVELS), first = lg_table_index(start, 1);
	unsigned int count = lg_table_index(last, 1) + 1 - first, i;
	u64 kernel = vcpu->root->kernel->table[top], user = vcpu->root->user->table[top];
	u64 guest[LG_PT_LEVELS + 1], entries[BATCH];
	struct lg_path *path;
	bool done;

	lockdep_assert_held(&vcpu->vm->mmu_lock);
	/* If the kernel's root has tables of its own, both tables need a comparison: not here. */
	if (lg_mapped(kernel) && kernel != (user | _PAGE_NX))
		return false;
	path = lg_shadow_path(vcpu, vcpu->root->user, start);
	if (!path || (path->table->role & LG_ROLE_SPLIT) || !lg_shadow_trylock(path->table))
		return false;
	done = read_guest_path(path, guest, first, count, entries) &&
	       is_path_unchanged(path, guest);
	/*
	 * A one-page flush usually follows a write to that entry, so the page is about to be used:
	 * fill it.
	 */
	for (i = 0; done && i < count; i++)
		if (count == 1 || lg_mapped(path->table->table[first + i]))
			lg_shadow_fill(vcpu->vm, path->table, first + i, entries[i]);
	lg_shadow_unlock(path->table);
	return done;
}

/** lg_flush_quickly - LG_FLUSH_RANGE of a few pages of user space: see lg_exit_quickly() */
bool lg_flush_quickly(struct lg_vcpu *vcpu, gva_t start, gva_t end)
{
	gva_t last = end - 1;
	bool done;

	if (start > last || last > USER_LAST ||
	    ((start ^ last) & ~(gva_t)(BATCH * PAGE_SIZE - 1)) || !read_trylock(&vcpu->vm->mmu_lock))
		return false;
	done = flush_few_pages_quickly(vcpu, start, last);
	read_unlock(&vcpu->vm->mmu_lock);
	if (!done)
		return false;
	vcpu->stats.flushes++;
	trace_lguest_flush(vcpu->id, LG_FLUSH_RANGE, start, end);
	return true;
}
