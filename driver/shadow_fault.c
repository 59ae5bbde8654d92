// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page faults: which of them are the Guest's, and how a shadow entry is made
 * for those that are not.
 *
 * To the CPU every page that the Guest may touch is a user page, since both of
 * the Guest's modes are ring 3. What parts them is the root: the user's has
 * user pages only. In the lower half both roots share tables of user pages, and
 * the kernel's root has NX on the top-level entry (SMEP for nothing). A slot of
 * the lower half in which the kernel has pages of its own (text_poke() does
 * that) gets tables of its own in the kernel's root.
 */
#include <linux/mm.h>
#include <asm/trap_pf.h>
#include <asm/trapnr.h>

#include "lg.h"

/**
 * lg_shadow_leaf_entry - the shadow of a Guest's page-table entry
 * @pfn: the Host's frame
 * @guest_entry: the Guest's entry, as read
 * @role: LG_ROLE_* of the page that will hold it
 *
 * Writable only if the Guest's is dirty, so that the first write faults and
 * sets D. Never global, never wider than the Guest's.
 */
u64 lg_shadow_leaf_entry(u64 pfn, u64 guest_entry, u8 role)
{
	u64 entry = pfn << PAGE_SHIFT | _PAGE_PRESENT | _PAGE_USER | _PAGE_ACCESSED;

	if ((guest_entry & _PAGE_RW) && (guest_entry & _PAGE_DIRTY))
		entry |= _PAGE_RW | _PAGE_DIRTY;
	if ((guest_entry & _PAGE_NX) || ((role & LG_ROLE_KERNEL) && (guest_entry & _PAGE_USER)))
		entry |= _PAGE_NX;
	return entry;
}

/* The shadow of a Guest entry that points to a table, or that is a large page. */
u64 lg_shadow_table_entry(const struct lg_shadow_page *page, unsigned int index,
			  const struct lg_shadow_page *child, u64 guest_entry)
{
	u64 entry = __pa(child->table) | _PAGE_PRESENT | _PAGE_USER | _PAGE_ACCESSED;
	bool direct = child->role & LG_ROLE_DIRECT;

	if (direct || (guest_entry & _PAGE_RW))
		entry |= _PAGE_RW;
	if (!direct && (guest_entry & _PAGE_NX))
		entry |= _PAGE_NX;
	/* The kernel's root never runs pages that the user can reach. */
	if ((page->role & LG_ROLE_ROOT) && (page->role & LG_ROLE_KERNEL) &&
	    !(child->role & LG_ROLE_KERNEL))
		entry |= _PAGE_NX;
	return entry;
}

/* Role of the pages that split a large page with this entry. */
u8 lg_shadow_direct_role(u8 parent_role, u64 guest_entry)
{
	u8 role = LG_ROLE_DIRECT | (parent_role & LG_ROLE_KERNEL);

	if ((guest_entry & _PAGE_RW) && (guest_entry & _PAGE_DIRTY))
		role |= LG_ROLE_WRITE;
	if (!(guest_entry & _PAGE_NX))
		role |= LG_ROLE_EXEC;
	if (guest_entry & _PAGE_USER)
		role |= LG_ROLE_USER_PAGE;
	return role;
}

/* Which tables does the slot @index of a root want? */
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
 * The page below @page for the address of @walk: the one that is linked, or
 * another one of the VM's, or a new one. One that another address space knows
 * too may be stale there, where the Guest has not flushed yet, but not here.
 */
static struct lg_shadow_page *descend(struct lg_vcpu *vcpu, struct lg_shadow_page *page,
				      const struct lg_walk *walk)
{
	unsigned int index = lg_table_index(walk->gva, page->level);
	struct lg_shadow_page *now = lg_shadow_child(page, index), *child;
	int level = page->level - 1;
	u64 guest_entry = walk->entry[max_t(int, page->level, walk->leaf)];
	gfn_t gfn;
	u8 role;

	if (page->level <= walk->leaf) {
		gfn = walk->gpa >> PAGE_SHIFT & ~((1ULL << 9 * level) - 1);
		role = lg_shadow_direct_role(page->role, guest_entry);
	} else {
		gfn = LG_ENTRY_FRAME(guest_entry);
		role = page->role & LG_ROLE_ROOT ? chain_role(page, index, walk) :
						   page->role & LG_ROLE_KERNEL;
	}
	if (now && now->gfn == gfn && now->role == role) {
		WRITE_ONCE(page->table[index],
			   lg_shadow_table_entry(page, index, now, guest_entry));
		return now;
	}
	child = lg_shadow_find(vcpu->vm, gfn, level, role);
	if (child && !(role & LG_ROLE_DIRECT))
		lg_shadow_sync(vcpu, child);
	if (!child)
		child = lg_shadow_new(vcpu, gfn, level, role);
	if (!child)
		return NULL;
	/* Linked before the old one goes: that may have been its other parent. */
	child->parents++;
	lg_shadow_drop(vcpu->vm, page, index);
	child->parents--;
	lg_shadow_link(page, index, child, lg_shadow_table_entry(page, index, child, guest_entry));
	return child;
}

/* Make the entry that @walk asks for; the frame behind it is @pfn. */
static enum lg_slow map(struct lg_vcpu *vcpu, const struct lg_walk *walk, u64 pfn)
{
	struct lg_shadow_page *page = vcpu->cpu->mode == LG_USER ? vcpu->root->user :
							      vcpu->root->kernel;
	u64 guest_entry = walk->entry[walk->leaf], entry;

	while (page->level > 1) {
		page = descend(vcpu, page, walk);
		if (!page)
			return LG_SLOW_MEMORY;
	}
	/* It takes U at all levels to make a user page. */
	if (!walk->user)
		guest_entry &= ~(u64)_PAGE_USER;
	entry = lg_shadow_leaf_entry(pfn, guest_entry, page->role);
	lg_shadow_map(page, lg_table_index(walk->gva, 1), entry, walk->gpa >> PAGE_SHIFT);
	vcpu->stats.shadow_fills++;
	return LG_FAST;
}

/* The Host's page behind the Guest's; it stays until the mmu_notifier says so. */
static int guest_page(struct lg_vcpu *vcpu, gpa_t gpa, u64 *pfn)
{
	struct page *page;

	vcpu->fault_hva = lg_gfn_to_hva(vcpu->vm, gpa >> PAGE_SHIFT);
	if (!vcpu->fault_hva)
		return -ENOENT;
	if (get_user_pages_fast_only(vcpu->fault_hva, 1, FOLL_WRITE, &page) != 1)
		return -EFAULT;
	*pfn = page_to_pfn(page);
	/* Our CPU's writes set no dirty bit in the Launcher's tables. */
	set_page_dirty(page);
	put_page(page);
	return 0;
}

static enum lg_slow out_of_memory_map(struct lg_vcpu *vcpu, gpa_t gpa)
{
	lg_kill(vcpu->vm, "access to Guest physical 0x%llx, where there is no memory, at 0x%llx",
		gpa, vcpu->regs->ip);
	return LG_SLOW_DEAD;
}

/* With the lock held: the walk and the link are one step to whoever flushes. */
static enum lg_slow fault_locked(struct lg_vcpu *vcpu, gva_t gva, u64 access)
{
	struct lg_walk walk;
	u64 pfn;
	int err;

	if (vcpu->vm->mmu.invalidating)
		return LG_SLOW_WAIT;
	switch (lg_walk(vcpu, gva, access, &walk)) {
	case LG_WALK_FAULT:
		if (vcpu->data)
			WRITE_ONCE(vcpu->data->cr2, gva);
		lg_exception(vcpu, X86_TRAP_PF, walk.error);
		return LG_FAST;
	case LG_WALK_AGAIN:
		vcpu->fault_hva = walk.hva;
		return LG_SLOW_FAULT_IN;
	case LG_WALK_DEAD:
		lg_kill(vcpu->vm, "page tables outside of memory, for address 0x%llx at 0x%llx",
			gva, vcpu->regs->ip);
		return LG_SLOW_DEAD;
	case LG_WALK_OK:
		break;
	}
	if (lg_in_hole(walk.gpa)) {
		vcpu->mmio_gpa = walk.gpa;
		return LG_SLOW_MMIO;
	}
	err = guest_page(vcpu, walk.gpa, &pfn);
	if (err == -ENOENT)
		return out_of_memory_map(vcpu, walk.gpa);
	if (err)
		return LG_SLOW_FAULT_IN;
	if (vcpu->vm->mmu.count + LG_PT_LEVELS > vcpu->vm->mmu.limit)
		lg_shadow_zap_all(vcpu->vm);
	return map(vcpu, &walk, pfn);
}

/* Addresses that the Guest's tables cannot map: not canonical, or the window's. */
static bool reserved_address(struct lg_vcpu *vcpu, gva_t gva, u64 access)
{
	if (!lg_canonical(gva)) {
		/* Only with 5-level paging: to 48-bit code this is #GP. */
		lg_exception(vcpu, X86_TRAP_GP, 0);
		return true;
	}
	if (lg_table_index(gva, LG_PT_LEVELS) != LG_WINDOW_INDEX)
		return false;
	if (vcpu->data)
		WRITE_ONCE(vcpu->data->cr2, gva);
	lg_exception(vcpu, X86_TRAP_PF, access & ~(u64)X86_PF_PROT);
	return true;
}

/**
 * lg_shadow_fault - a page fault came from the Guest
 * @vcpu: the virtual CPU; its mutex is held
 *
 * Atomic. Makes the shadow entry, or gives the fault to the Guest, or tells
 * what must be done first where it may sleep.
 */
enum lg_slow lg_shadow_fault(struct lg_vcpu *vcpu)
{
	gva_t gva = vcpu->cpu->cr2;
	u64 error = vcpu->regs->error;
	u64 access = error & (X86_PF_WRITE | X86_PF_INSTR);
	enum lg_slow slow;

	if (vcpu->cpu->mode == LG_USER)
		access |= X86_PF_USER;
	if (error & X86_PF_RSVD) {
		lg_kill(vcpu->vm, "shadow entry with reserved bits for 0x%llx: a bug of lg.ko",
			gva);
		return LG_SLOW_DEAD;
	}
	/* Protection keys, which user mode can set though it is not told of them. */
	if ((error & X86_PF_PK) && vcpu->cpu->mode == LG_USER) {
		if (vcpu->data)
			WRITE_ONCE(vcpu->data->cr2, gva);
		lg_exception(vcpu, X86_TRAP_PF, error);
		return LG_FAST;
	}
	if (reserved_address(vcpu, gva, access))
		return LG_FAST;
	spin_lock(&vcpu->vm->mmu_lock);
	slow = fault_locked(vcpu, gva, access);
	lg_shadow_flush_freed(vcpu->vm);
	spin_unlock(&vcpu->vm->mmu_lock);
	return slow;
}
