// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page faults: give the guest those that are its own, and make a shadow entry for the others.
 *
 * To the CPU every page that the guest may touch is a user page, since both modes of the guest
 * run in ring 3. The roots keep the modes apart: the user's root has user pages only. In the
 * lower half both roots share tables of user pages, and the kernel's root has NX in the
 * top-level entry (SMEP for nothing). If the kernel has pages of its own in a slot of the lower
 * half (text_poke() does that), the kernel's root gets tables of its own for that slot.
 */
#include <linux/mm.h>
#include <asm/trap_pf.h>
#include <asm/trapnr.h>

#include "lg.h"
#include "trace.h"
#include "mmu/shadow.h"
#include "vcpu/vcpu.h"

/* Entries that a fault reads at an entry known to have been empty; elsewhere LG_AROUND. */
#define BESIDE		2U
/* Shadow pages to reclaim when the limit is reached; fewer if the limit is low. */
#define RECLAIM		64U

static struct lg_shadow_page *current_root(const struct lg_vcpu *vcpu)
{
	return vcpu->cpu->mode == LG_USER ? vcpu->root->user : vcpu->root->kernel;
}

/* Which role do the tables below slot @index of a root have? */
static u8 chain_role(struct lg_shadow_page *root, unsigned int index, const struct lg_walk *walk)
{
	struct lg_shadow_page *now = lg_shadow_child(root, index);

	if (!(root->role & LG_ROLE_KERNEL))
		return 0;
	if (index >= 256 || !walk->user || (now && (now->role & LG_ROLE_KERNEL)))
		return LG_ROLE_KERNEL;
	return 0;
}

/*
 * Find the page below @page for the address of @walk: the one that is linked, another one of
 * the VM, or a new one. A page that is linked in another address space may be stale there,
 * where the guest has not flushed yet; bring it up to date before linking it here. NULL: no
 * spare pages.
 */
static struct lg_shadow_page *descend_to_child(struct lg_vcpu *vcpu, struct lg_shadow_page *page,
					       const struct lg_walk *walk)
{
	unsigned int index = lg_table_index(walk->gva, page->level);
	struct lg_shadow_page *now = lg_shadow_child(page, index), *child, *other;
	u64 guest_entry = walk->entry[max_t(int, page->level, walk->leaf)];
	struct lg_vm *vm = vcpu->vm;
	int level = page->level - 1;
	gfn_t gfn;
	u8 role;

	lockdep_assert_held_write(&vcpu->vm->mmu_lock);
	if (page->level <= walk->leaf) {
		gfn = walk->gpa >> PAGE_SHIFT & ~((1ULL << 9 * level) - 1);
		role = lg_shadow_split_role(page->role, guest_entry);
	} else {
		gfn = LG_ENTRY_FRAME(guest_entry);
		role = page->role & LG_ROLE_ROOT ? chain_role(page, index, walk) :
						   page->role & LG_ROLE_KERNEL;
	}
	if (now && now->gfn == gfn && now->role == role) {
		lg_shadow_relink(vm, page, index,
				 lg_shadow_table_entry(page, now, guest_entry));
		return now;
	}
	/*
	 * Drop the old link before the search: the page to be found may have its last parent there.
	 */
	lg_shadow_drop(vm, page, index, lg_unknown);
	child = lg_shadow_find(vm, gfn, level, role);
	/* The upper half has global pages, which may stay stale until the guest flushes them. */
	if (child && !(role & LG_ROLE_SPLIT) && !(walk->gva >> 63))
		lg_shadow_sync(vcpu, child);
	if (!child)
		child = lg_shadow_new(vm, gfn, level, role);
	if (!child)
		return NULL;
	lg_shadow_link(vm, page, index, child, lg_shadow_table_entry(page, child, guest_entry));
	/* The other mode will use this table, too. */
	other = page == vcpu->root->user ? vcpu->root->kernel : vcpu->root->user;
	if ((page->role & LG_ROLE_ROOT) && !(role & LG_ROLE_KERNEL) &&
	    !lg_mapped(other->table[index]))
		lg_shadow_link(vm, other, index, child,
			       lg_shadow_table_entry(other, child, guest_entry));
	return child;
}

/* Give the guest's kernel a page fault. A second fault at the same page takes a walk. */
static enum lg_fill guest_fault(struct lg_vcpu *vcpu, gva_t gva, u64 error)
{
	vcpu->cpu->last_fault = gva >> PAGE_SHIFT;
	lg_page_fault(vcpu, gva, error);
	return LG_FILL_DONE;
}

/* Is a device at @gpa? Then the access is a doorbell, or the launcher has to do it. */
static bool is_device_access(struct lg_vcpu *vcpu, gpa_t gpa)
{
	vcpu->mmio_gpa = gpa;
	return lg_in_hole(vcpu->vm, gpa);
}

/*
 * The short way for most faults: the shadow's tables lead all the way down to @page, so read
 * only the last of the guest's entries. The tables above may be stale, but so may those be that
 * a CPU caches (SDM volume 3, 4.10.3). LG_FILL_EXCLUSIVE: a walk is needed. @page is locked:
 * so reading the guest's entries and making ours is one step to whoever flushes.
 */
static enum lg_fill fill_one_entry(struct lg_vcpu *vcpu, struct lg_shadow_page *page, gva_t gva,
				   u64 access)
{
	u64 wanted = access & X86_PF_WRITE ? _PAGE_RW | _PAGE_DIRTY : 0;
	/* An entry that was empty when last looked at: read just its neighbour, too. */
	unsigned int index = lg_table_index(gva, 1), beside = page->table[index] ? LG_AROUND : BESIDE;
	u64 entries[LG_AROUND], entry, frame;
	enum lg_fill fill;

	if (page->role & LG_ROLE_SPLIT) {
		/* An empty page: a walk may find that the host has it all in one piece now. */
		if (irqs_disabled() || bitmap_empty(page->used, LG_ENTRIES))
			return LG_FILL_EXCLUSIVE;
		entry = lg_split_entry(page->role, page->gfn + index);
	} else {
		if (lg_read_around(vcpu->vm, page, index, beside, entries))
			return LG_FILL_EXCLUSIVE;
		entry = entries[index % beside];
		/*
		 * The shadow says "not present" and the guest's entry agrees, so inject the
		 * fault. Every 255th takes the slow path as a check.
		 */
		if (!page->table[index] && !(entry & _PAGE_PRESENT) && !(gva >> 63) &&
		    vcpu->cpu->last_fault != gva >> PAGE_SHIFT &&
		    vcpu->stats.exceptions[X86_TRAP_PF] % 255)
			return guest_fault(vcpu, gva, access);
	}
	if (!lg_usable(entry, page->role) || (entry & wanted) != wanted)
		return LG_FILL_EXCLUSIVE;
	if (wanted && lg_is_watched(vcpu->vm, LG_ENTRY_FRAME(entry)))
		return LG_FILL_EXCLUSIVE;
	fill = lg_guest_frame(vcpu, LG_ENTRY_FRAME(entry), wanted, &frame);
	/*
	 * A doorbell must not wait for mmu_lock. Any other such access ends the guest: walk first.
	 */
	if (fill == LG_FILL_NO_MEMORY)
		return is_device_access(vcpu, LG_ENTRY_FRAME(entry) << PAGE_SHIFT |
					      (gva & ~PAGE_MASK)) ?
		       LG_FILL_MMIO : LG_FILL_EXCLUSIVE;
	if (fill)
		return fill;
	lg_shadow_map(vcpu->vm, page, index, lg_shadow_leaf_entry(frame, entry, page->role),
		      LG_ENTRY_FRAME(entry));
	if (page->role & LG_ROLE_SPLIT)
		lg_fill_behind(vcpu, page, index, entry);
	else if (beside == LG_AROUND)
		lg_fill_batch(vcpu, page, round_down(index, LG_AROUND), entries, ~0ULL);
	else if (entries[(index ^ 1) % BESIDE] & _PAGE_PRESENT &&
		 !lg_mapped(page->table[index ^ 1]))
		lg_fill_around(vcpu, page, index, ~0ULL);
	vcpu->cpu->last_fault = ~0ULL;
	vcpu->stats.shadow_fills++;
	trace_lguest_shadow_fill(vcpu->id, gva, LG_ENTRY_FRAME(entry), LG_ENTRY_FRAME(frame), 1,
				 access);
	return LG_FILL_DONE;
}

/* Make the shadow entry for what @walk has found; @frame is the host's frame behind it. */
static enum lg_fill map_walk(struct lg_vcpu *vcpu, const struct lg_walk *walk, u64 frame)
{
	struct lg_shadow_page *page = current_root(vcpu);
	/* A page is a user page only if U is set at all levels. */
	u64 mask = walk->user ? ~0ULL : ~(u64)_PAGE_USER, large_frames;
	u64 guest_entry = walk->entry[walk->leaf] & mask;
	bool large = lg_large_frame(vcpu, walk, frame, &large_frames);
	gfn_t gfn = walk->gpa >> PAGE_SHIFT;
	unsigned int index;
	bool first;

	lockdep_assert_held_write(&vcpu->vm->mmu_lock);
	while (page->level > (large ? 2 : 1)) {
		page = descend_to_child(vcpu, page, walk);
		if (!page)
			return LG_FILL_NO_PAGES;
	}
	vcpu->stats.shadow_fills++;
	list_move(&page->list, &vcpu->vm->mmu.pages);
	index = lg_table_index(walk->gva, page->level);
	trace_lguest_shadow_fill(vcpu->id, walk->gva, gfn, LG_ENTRY_FRAME(frame), page->level,
				 vcpu->regs->error);
	if (large) {
		lg_shadow_map(vcpu->vm, page, index,
			      lg_shadow_leaf_entry(large_frames, guest_entry, page->role) |
			      _PAGE_PSE,
			      round_down(gfn, LG_LARGE_FRAMES));
		return LG_FILL_DONE;
	}
	first = bitmap_empty(page->used, LG_ENTRIES);
	lg_shadow_map(vcpu->vm, page, index, lg_shadow_leaf_entry(frame, guest_entry, page->role),
		      gfn);
	if (page->role & LG_ROLE_SPLIT)
		lg_fill_behind(vcpu, page, index, guest_entry);
	else if (first && !(walk->gva >> 63))
		lg_fill_new(vcpu, page, index, mask);
	else
		lg_fill_around(vcpu, page, index, mask);
	return LG_FILL_DONE;
}

/*
 * The guest's tables do not allow the access. Make the shadow's tables as deep as they are, and
 * if they map nothing, note that in the shadow: then the next such fault needs no walk, and a
 * flush finds the shadow entry that belongs to the guest's.
 */
static void note_guest_fault(struct lg_vcpu *vcpu, const struct lg_walk *walk)
{
	struct lg_shadow_page *page = current_root(vcpu);
	unsigned int index;

	lockdep_assert_held_write(&vcpu->vm->mmu_lock);
	while (page && page->level > walk->leaf)
		page = descend_to_child(vcpu, page, walk);
	if (!page)
		return;
	index = lg_table_index(walk->gva, page->level);
	if (page->level > 1 && !lg_mapped(page->table[index]) && !(walk->error & X86_PF_PROT))
		lg_shadow_drop(vcpu->vm, page, index, 0);
	else if (page->level == 1 && page->table[index] == lg_unknown &&
		 (!(walk->error & X86_PF_PROT) || bitmap_empty(page->used, LG_ENTRIES)))
		lg_fill_new(vcpu, page, index, walk->user ? ~0ULL : ~(u64)_PAGE_USER);
}

/* With mmu_lock written: so the walk and the new entry are one step to whoever flushes. */
static enum lg_fill fault_locked(struct lg_vcpu *vcpu, gva_t gva, u64 access)
{
	struct lg_walk walk;
	enum lg_fill fill;
	u64 frame;

	lockdep_assert_held_write(&vcpu->vm->mmu_lock);
	if (vcpu->vm->mmu.count + LG_PT_LEVELS > vcpu->vm->mmu.limit)
		lg_shadow_reclaim(vcpu->vm, min(RECLAIM, vcpu->vm->mmu.limit / 8));
	switch (lg_walk(vcpu, gva, access, &walk)) {
	case LG_WALK_FAULT:
		/* But not in the user's root for tables that only the kernel may use. */
		if (!(gva >> 63) && (walk.user || vcpu->cpu->mode == LG_KERNEL))
			note_guest_fault(vcpu, &walk);
		return guest_fault(vcpu, gva, walk.error);
	case LG_WALK_AGAIN:
		vcpu->fault_hva = walk.hva;
		vcpu->fault_write = true;
		return LG_FILL_FAULT_IN;
	case LG_WALK_DEAD:
		lg_kill(vcpu->vm, "page tables outside of memory, for address 0x%llx at 0x%llx",
			gva, vcpu->regs->ip);
		return LG_FILL_DEAD;
	case LG_WALK_OK:
		break;
	}
	fill = lg_guest_frame(vcpu, walk.gpa >> PAGE_SHIFT, access & X86_PF_WRITE, &frame);
	if (fill == LG_FILL_NO_MEMORY) {
		if (is_device_access(vcpu, walk.gpa))
			return LG_FILL_MMIO;
		lg_kill(vcpu->vm, "access to guest physical address 0x%llx, where there is no memory, at 0x%llx",
			walk.gpa, vcpu->regs->ip);
		return LG_FILL_DEAD;
	}
	if (!fill && (access & X86_PF_WRITE))
		lg_table_stored(vcpu->vm, walk.gpa >> PAGE_SHIFT);
	return fill ?: map_walk(vcpu, &walk, frame);
}

/* Is this an address that the guest's tables cannot map: not canonical, or the window's? */
static bool is_reserved_address(struct lg_vcpu *vcpu, gva_t gva, u64 access)
{
	if (!lg_canonical(gva)) {
		/* Happens only on hosts with 5-level paging; with 48 bits the CPU raises #GP. */
		lg_exception(vcpu, X86_TRAP_GP, 0);
		return true;
	}
	if (lg_table_index(gva, LG_PT_LEVELS) != LG_WINDOW_INDEX)
		return false;
	guest_fault(vcpu, gva, access & ~(u64)X86_PF_PROT);
	return true;
}

/* With mmu_lock read: do what takes no more than one table and that table's lock. */
static enum lg_fill fault_shared(struct lg_vcpu *vcpu, gva_t gva, u64 access)
{
	struct lg_path *path;
	enum lg_fill fill;

	lockdep_assert_held(&vcpu->vm->mmu_lock);
	if (access & X86_PF_INSTR)
		return LG_FILL_EXCLUSIVE;
	path = lg_shadow_path(vcpu, current_root(vcpu), gva);
	if (!path || (!path->writable && (access & X86_PF_WRITE)) ||
	    !lg_shadow_trylock(path->table))
		return LG_FILL_EXCLUSIVE;
	fill = fill_one_entry(vcpu, path->table, gva, access);
	lg_shadow_unlock(path->table);
	return fill;
}

static u64 fault_access(const struct lg_vcpu *vcpu)
{
	return (vcpu->regs->error & (X86_PF_WRITE | X86_PF_INSTR)) |
	       (vcpu->cpu->mode == LG_USER ? X86_PF_USER : 0);
}

/* Translate for the run loop: what must be done first? */
static enum lg_slow slow_for_fill(enum lg_fill fill)
{
	switch (fill) {
	case LG_FILL_FAULT_IN:
		return LG_SLOW_FAULT_IN;
	case LG_FILL_NOTIFIER:
		return LG_SLOW_WAIT;
	case LG_FILL_MMIO:
		return LG_SLOW_MMIO;
	case LG_FILL_NO_PAGES:
		return LG_SLOW_MEMORY;
	case LG_FILL_DEAD:
		return LG_SLOW_DEAD;
	case LG_FILL_DONE:
	/* fault_locked() returns none of these. */
	case LG_FILL_EXCLUSIVE:
	case LG_FILL_IRQS_ON:
	case LG_FILL_NO_MEMORY:
		return LG_FAST;
	}
	return LG_FAST;
}

/**
 * lg_shadow_fault - a page fault came from the guest
 * @vcpu: the virtual CPU; its mutex is held
 *
 * Atomic. Makes the shadow entry, or gives the fault to the guest, or tells the run loop what
 * must be done first where it may sleep.
 */
enum lg_slow lg_shadow_fault(struct lg_vcpu *vcpu)
{
	u64 access = fault_access(vcpu);
	gva_t gva = vcpu->cpu->cr2;
	enum lg_fill fill;

	lockdep_assert_held(&vcpu->mutex);
	/* lg_shadow_fault_quickly() may have made the fault pending for the guest. */
	if (vcpu->exception_pending || is_reserved_address(vcpu, gva, access))
		return LG_FAST;
	/*
	 * Try the short way once more, now waiting for mmu_lock: readers do not keep each other
	 * out.
	 */
	read_lock(&vcpu->vm->mmu_lock);
	fill = fault_shared(vcpu, gva, access);
	read_unlock(&vcpu->vm->mmu_lock);
	if (fill != LG_FILL_EXCLUSIVE)
		return slow_for_fill(fill);
	vcpu->cpu->last_fault = ~0ULL;
	lg_mmu_lock(vcpu);
	fill = fault_locked(vcpu, gva, access);
	lg_shadow_free_unlinked(vcpu->vm);
	write_unlock(&vcpu->vm->mmu_lock);
	return slow_for_fill(fill);
}

/** lg_shadow_fault_quickly - see lg_exit_quickly(); the guest's own fault becomes pending */
bool lg_shadow_fault_quickly(struct lg_vcpu *vcpu)
{
	gva_t gva = vcpu->cpu->cr2;
	enum lg_fill fill;

	if (!lg_canonical(gva) || !read_trylock(&vcpu->vm->mmu_lock))
		return false;
	fill = fault_shared(vcpu, gva, fault_access(vcpu));
	read_unlock(&vcpu->vm->mmu_lock);
	if (fill || vcpu->exception_pending)
		return false;
	vcpu->stats.exceptions[X86_TRAP_PF]++;
	return true;
}
