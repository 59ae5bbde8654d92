/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Page-table entries: what a guest's entry means, and which shadow entry is made from it.
 * Rules alone: nothing here reads memory, takes a lock or changes anything. tests/pure
 * compares these rules with the manual's.
 */
#ifndef _LG_MMU_ENTRY_H
#define _LG_MMU_ENTRY_H

#include <linux/bits.h>
#include <linux/types.h>
#include <asm/pgtable_types.h>

#include "mmu/address.h"

#define LG_ENTRY_FRAME(entry)	(((entry) & GENMASK_ULL(51, PAGE_SHIFT)) >> PAGE_SHIFT)

/* Levels by number: 4 = PML4 ... 1 = page table. */
static inline unsigned int lg_table_index(gva_t gva, int level)
{
	return gva >> (PAGE_SHIFT + 9 * (level - 1)) & 511;
}

/*
 * In a leaf, in a bit that the CPU ignores: the host's own tables allow writes to the page.
 * Without this bit the shadow entry is read only, whatever the guest's entry says.
 */
#define LG_HOST_WRITABLE	((u64)_PAGE_SOFTW1)
#define LG_FRAME(entry)		((entry) & (GENMASK_ULL(51, PAGE_SHIFT) | LG_HOST_WRITABLE))

/* In a leaf, too: the entry was made beside one that faulted, and nobody has seen it used yet. */
#define LG_PREFILLED		((u64)_PAGE_SOFTW2)

static inline bool lg_mapped(u64 entry)
{
	return (entry & (BIT_ULL(52) | _PAGE_PRESENT)) == _PAGE_PRESENT;
}

/* Roles: shadow pages of the same guest table with different roles are different pages. */
#define LG_ROLE_KERNEL		1	/* maps supervisor pages too; else user pages only */
#define LG_ROLE_SPLIT		2	/* part of a large page: no guest table */
#define LG_ROLE_WRITE		4	/* split: writable, and dirty in the guest */
#define LG_ROLE_EXEC		8	/* split: executable */
#define LG_ROLE_USER_PAGE	16	/* split: the guest's user may use it */
#define LG_ROLE_ROOT		32	/* level 4, of one vCPU */

static inline u64 lg_level_mask(int level)
{
	return (1ULL << (PAGE_SHIFT + 9 * (level - 1))) - 1;
}

/* Are bits set that must be zero, for which the CPU faults with RSVD? */
static inline bool lg_reserved_bits(u64 entry, int level)
{
	if (entry & GENMASK_ULL(51, 46))
		return true;
	if (!(entry & _PAGE_PSE) || level == 1)
		return false;
	return level == 4 || (entry & lg_level_mask(level) & GENMASK_ULL(51, 13));
}

/** lg_usable - may the guest's entry have a leaf, in a shadow page of this role? */
static inline bool lg_usable(u64 guest_entry, u8 role)
{
	u64 wanted = _PAGE_PRESENT | _PAGE_ACCESSED | (role & LG_ROLE_KERNEL ? 0 : _PAGE_USER);

	return (guest_entry & wanted) == wanted && !lg_reserved_bits(guest_entry, 1);
}

/**
 * lg_shadow_leaf_entry - the shadow of a guest's page-table entry
 * @frame: the host's frame, with LG_HOST_WRITABLE
 * @guest_entry: the guest's entry, as read
 * @role: LG_ROLE_* of the page that will hold it
 *
 * The shadow entry is writable only if the guest's is dirty, so that the first write faults
 * and sets D. It is never global, and never allows more than the guest's or the host's.
 */
static inline u64 lg_shadow_leaf_entry(u64 frame, u64 guest_entry, u8 role)
{
	u64 entry = frame | _PAGE_PRESENT | _PAGE_USER | _PAGE_ACCESSED;

	if ((guest_entry & _PAGE_RW) && (guest_entry & _PAGE_DIRTY) && (frame & LG_HOST_WRITABLE))
		entry |= _PAGE_RW | _PAGE_DIRTY;
	if ((guest_entry & _PAGE_NX) || ((role & LG_ROLE_KERNEL) && (guest_entry & _PAGE_USER)))
		entry |= _PAGE_NX;
	return entry;
}

/* The role of the shadow pages that split the large page which this entry maps. */
static inline u8 lg_shadow_split_role(u8 parent_role, u64 guest_entry)
{
	u8 role = LG_ROLE_SPLIT | (parent_role & LG_ROLE_KERNEL);

	if ((guest_entry & _PAGE_RW) && (guest_entry & _PAGE_DIRTY))
		role |= LG_ROLE_WRITE;
	if (!(guest_entry & _PAGE_NX))
		role |= LG_ROLE_EXEC;
	if (guest_entry & _PAGE_USER)
		role |= LG_ROLE_USER_PAGE;
	return role;
}

/* The small entry that the guest would have if it had split its large page itself. */
static inline u64 lg_split_entry(u8 role, gfn_t gfn)
{
	return gfn << PAGE_SHIFT | _PAGE_PRESENT | _PAGE_ACCESSED |
	       (role & LG_ROLE_WRITE ? _PAGE_RW | _PAGE_DIRTY : 0) |
	       (role & LG_ROLE_EXEC ? 0 : _PAGE_NX) |
	       (role & LG_ROLE_USER_PAGE ? _PAGE_USER : 0);
}

/**
 * lg_shadow_branch_entry - the shadow of a guest entry that is not a leaf in the shadow
 * @guest_entry: the guest's entry, as read: it points to a table, or is a large page in parts
 * @role: LG_ROLE_* of the shadow page that will hold the new entry
 * @child: host physical address of the table it will point to
 * @child_role: LG_ROLE_* of that table
 */
static inline u64 lg_shadow_branch_entry(u64 guest_entry, u8 role, u64 child, u8 child_role)
{
	u64 entry = child | _PAGE_PRESENT | _PAGE_USER | _PAGE_ACCESSED;
	bool split = child_role & LG_ROLE_SPLIT;

	if (split || (guest_entry & _PAGE_RW))
		entry |= _PAGE_RW;
	if (!split && (guest_entry & _PAGE_NX))
		entry |= _PAGE_NX;
	/* In the kernel's root, user pages are never executable. */
	if ((role & LG_ROLE_ROOT) && (role & LG_ROLE_KERNEL) && !(child_role & LG_ROLE_KERNEL))
		entry |= _PAGE_NX;
	return entry;
}

/**
 * lg_leads_to - does a shadow page still shadow what the guest's entry points to?
 * @guest_entry: the guest's entry, as read
 * @level: of the table that holds the entry: 2 to 4
 * @role: LG_ROLE_* of the page that shadows this table
 * @gfn: what the shadow page was made for: a table, or a part of a large page
 * @child_role: LG_ROLE_* of that page
 */
static inline bool lg_leads_to(u64 guest_entry, int level, u8 role, gfn_t gfn, u8 child_role)
{
	if (!(guest_entry & _PAGE_PRESENT))
		return false;
	if (!(guest_entry & _PAGE_USER) && !(child_role & LG_ROLE_KERNEL))
		return false;
	/* In the top level, PS is a reserved bit. */
	if (guest_entry & _PAGE_PSE)
		return level < LG_PT_LEVELS && (guest_entry & _PAGE_ACCESSED) &&
		       gfn == LG_ENTRY_FRAME(guest_entry & ~(u64)_PAGE_PAT_LARGE) &&
		       child_role == lg_shadow_split_role(role, guest_entry);
	return gfn == LG_ENTRY_FRAME(guest_entry) && !(child_role & LG_ROLE_SPLIT);
}

#endif /* _LG_MMU_ENTRY_H */
