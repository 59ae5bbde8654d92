// SPDX-License-Identifier: GPL-2.0-only
/*
 * Flushes: what the Guest may no longer see, by the rules of the TLB (SDM
 * volume 3, 4.10.4). The shadow entries are not thrown away to be faulted in
 * again: each is compared with the Guest's and brought up to date in place.
 */
#include <linux/mm.h>

#include "lg.h"

/* More pages than this in a range, and the whole address space is as quick. */
#define RANGE_PAGES	64

/* A leaf: same frame, or away with it. */
static void sync_leaf(struct lg_vm *vm, struct lg_shadow_page *page, unsigned int index,
		      u64 guest_entry)
{
	u64 old = page->table[index];
	bool keep = (guest_entry & _PAGE_PRESENT) && (guest_entry & _PAGE_ACCESSED) &&
		    LG_ENTRY_FRAME(guest_entry) == page->gfns[index] &&
		    ((page->role & LG_ROLE_KERNEL) || (guest_entry & _PAGE_USER));

	if (keep)
		WRITE_ONCE(page->table[index],
			   lg_shadow_leaf_entry(LG_ENTRY_FRAME(old), guest_entry, page->role));
	else
		lg_shadow_drop(vm, page, index);
}

/* Does @child still shadow what the Guest's entry points to? */
static bool same_table(const struct lg_shadow_page *page, const struct lg_shadow_page *child,
		       u64 guest_entry)
{
	if (!(guest_entry & _PAGE_PRESENT))
		return false;
	if (!(guest_entry & _PAGE_USER) && !(child->role & LG_ROLE_KERNEL))
		return false;
	if (page->level < LG_PT_LEVELS && (guest_entry & _PAGE_PSE))
		return child->gfn == LG_ENTRY_FRAME(guest_entry & ~(u64)_PAGE_PAT_LARGE) &&
		       child->role == lg_shadow_direct_role(page->role, guest_entry);
	return child->gfn == LG_ENTRY_FRAME(guest_entry) && !(child->role & LG_ROLE_DIRECT);
}

/*
 * Compare one present entry. Returns the page below if it is still linked and
 * shadows a table of the Guest's.
 */
static struct lg_shadow_page *sync_entry(struct lg_vcpu *vcpu, struct lg_shadow_page *page,
					 unsigned int index)
{
	struct lg_vm *vm = vcpu->vm;
	struct lg_shadow_page *child;
	u64 guest_entry;
	hva_t hva;

	/* Swapped out: it has no A bit that anyone relies on. Start afresh. */
	if (lg_read_entry(vm, (page->gfn << PAGE_SHIFT) + index * 8, &guest_entry, &hva))
		guest_entry = 0;
	if (page->level == 1) {
		sync_leaf(vm, page, index, guest_entry);
		return NULL;
	}
	child = lg_shadow_child(page, index);
	if (!child)
		return NULL;
	if (!same_table(page, child, guest_entry)) {
		lg_shadow_drop(vm, page, index);
		return NULL;
	}
	WRITE_ONCE(page->table[index], lg_shadow_table_entry(page, index, child, guest_entry));
	return child->role & LG_ROLE_DIRECT ? NULL : child;
}

/*
 * Each page once, however many entries of a hostile Guest's tables lead to it:
 * the time this takes is bounded by the number of shadow pages.
 */
static void sync_page(struct lg_vcpu *vcpu, struct lg_shadow_page *page, unsigned int first,
		      unsigned int end)
{
	struct lg_shadow_page *child;
	unsigned int i;

	if (page->synced == vcpu->vm->mmu.sync_clock)
		return;
	page->synced = vcpu->vm->mmu.sync_clock;
	vcpu->stats.shadow_syncs++;
	for (i = first; i < end && page->used; i++) {
		if (!page->table[i])
			continue;
		child = sync_entry(vcpu, page, i);
		if (child)
			sync_page(vcpu, child, 0, 512);
	}
}

/** lg_shadow_sync - bring @page and all below it up to date; at most 4 levels deep */
void lg_shadow_sync(struct lg_vcpu *vcpu, struct lg_shadow_page *page)
{
	vcpu->vm->mmu.sync_clock++;
	sync_page(vcpu, page, 0, 512);
}

static void sync_address(struct lg_vcpu *vcpu, struct lg_shadow_page *page, gva_t gva)
{
	while (page) {
		unsigned int index = lg_table_index(gva, page->level);

		if (!page->table[index])
			break;
		page = sync_entry(vcpu, page, index);
	}
}

static void sync_root(struct lg_vcpu *vcpu, struct lg_root *root, unsigned int end)
{
	sync_page(vcpu, root->user, 0, end);
	sync_page(vcpu, root->kernel, 0, end);
}

/*
 * INVLPG drops global entries of all address spaces. Their tables are shared by
 * all roots, so it is enough to find them through one that knows the slot.
 */
static void sync_kernel_address(struct lg_vcpu *vcpu, gva_t gva)
{
	unsigned int slot = lg_table_index(gva, LG_PT_LEVELS), i;

	for (i = 0; i < LG_ROOTS && !vcpu->root->kernel->table[slot]; i++)
		sync_address(vcpu, vcpu->roots[i].kernel, gva);
	sync_address(vcpu, vcpu->root->kernel, gva);
}

static void flush_pages(struct lg_vcpu *vcpu, gva_t gva, unsigned int pages)
{
	for (; pages; pages--, gva += PAGE_SIZE) {
		sync_address(vcpu, vcpu->root->user, gva);
		if (gva >> 63)
			sync_kernel_address(vcpu, gva);
		else
			sync_address(vcpu, vcpu->root->kernel, gva);
	}
}

static void flush_locked(struct lg_vcpu *vcpu, u64 kind, gva_t start, gva_t end)
{
	unsigned int i;

	vcpu->vm->mmu.sync_clock++;
	if (kind == LGUEST_FLUSH_RANGE) {
		/* Counted, not compared: the range may end where gva_t does. */
		u64 pages = (end >> PAGE_SHIFT) - (start >> PAGE_SHIFT) + !!(end & ~PAGE_MASK);

		if (start <= end && pages <= RANGE_PAGES) {
			flush_pages(vcpu, start, pages);
			return;
		}
		kind = start >> 63 ? LGUEST_FLUSH_ALL : LGUEST_FLUSH_USER;
	}
	if (kind == LGUEST_FLUSH_USER) {
		/* Linux has global pages in its upper half, and those stay. */
		sync_root(vcpu, vcpu->root, 256);
		return;
	}
	for (i = 0; i < LG_ROOTS; i++)
		if (vcpu->roots[i].gfn != ~0ULL)
			sync_root(vcpu, &vcpu->roots[i], 512);
}

/**
 * lg_flush - LHCALL_FLUSH_TLB, on this vCPU
 * @vcpu: the virtual CPU; its mutex is held
 * @kind: LGUEST_FLUSH_*
 * @start: first byte, for LGUEST_FLUSH_RANGE
 * @end: byte after the last
 *
 * Atomic or not. The CPU's own TLB is flushed at the next entry.
 */
void lg_flush(struct lg_vcpu *vcpu, u64 kind, gva_t start, gva_t end)
{
	struct lg_vm *vm = vcpu->vm;

	vcpu->stats.flushes++;
	spin_lock(&vm->mmu_lock);
	flush_locked(vcpu, kind, start, end);
	lg_shadow_flush_freed(vm);
	spin_unlock(&vm->mmu_lock);
}

/**
 * lg_load_cr3 - LHCALL_LOAD_CR3: MOV to CR3 as the Guest's PCID-aware CPU does it
 * @vcpu: the virtual CPU; its mutex is held
 * @cr3: as MOV to CR3 would take it
 *
 * Without NOFLUSH (bit 63) what the address space had is stale.
 */
void lg_load_cr3(struct lg_vcpu *vcpu, u64 cr3)
{
	gfn_t gfn = LG_ENTRY_FRAME(cr3);
	struct lg_vm *vm = vcpu->vm;
	u64 window = (vcpu->root->kernel->top ?: vcpu->root->kernel->table)[LG_WINDOW_INDEX];

	spin_lock(&vm->mmu_lock);
	vcpu->cr3 = cr3 & ~BIT_ULL(63);
	vm->mmu.sync_clock++;
	if (lg_root_select(vcpu, gfn) && !(cr3 >> 63))
		sync_root(vcpu, vcpu->root, 256);
	lg_root_set_window(vcpu, window);
	lg_shadow_flush_freed(vm);
	spin_unlock(&vm->mmu_lock);
}
