/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The inside of the shadow page tables, for the files of mmu/ alone. All but alloc and free needs
 * mmu_lock written; for entries of level 1 it is enough to hold mmu_lock for reading, with the
 * page locked.
 *
 * A shadow page holds what the CPU uses in place of one guest page table (or
 * of a part of a large page). page_private() of its table leads back to it.
 */
#ifndef _LG_SHADOW_H
#define _LG_SHADOW_H

#include "host/host.h"
#include "mmu/entry.h"
#include "mmu/mmu.h"

#define LG_ENTRIES		512U
#define LG_LARGE_FRAMES		512U

/* For each entry: its links in the list of entries that map the same frame or table. */
struct lg_link {
	u32 gfn;			/* leaves: the guest's (first) frame */
	lg_spte_t next, prev;
};

struct lg_shadow_page {
	u64 *table;			/* the CPU's entries */
	struct lg_link *links;		/* by entry */
	u64 *top;			/* roots with LA57: the level above */
	struct hlist_node hash;
	struct list_head list;		/* lg_mmu.pages, .unlinked or .spare */
	struct list_head pending;	/* lg_mmu.pending, or empty */
	gfn_t gfn;			/* of the guest's table, or first of a large page */
	u32 id;				/* its number, while in use */
	lg_spte_t parents;		/* entries that point here */
	u8 level;			/* 1 to 4 */
	u8 role;			/* LG_ROLE_* */
	bool changed;			/* the guest's table has changed since it was compared */
	bool settled;			/* and mmu/watch.c is told of the next change for sure */
	u64 read_only_since;		/* lg_mmu.generation when its frame was last made so */
	bool recent;			/* used since it was last at the LRU tail: it stays */
	unsigned long busy;		/* bit 0: lg_shadow_trylock() */
	DECLARE_BITMAP(used, 512);	/* entries that map something, a root's window aside */
	u64 synced;			/* lg_mmu.sync_clock when last compared, and for: */
	gva_t synced_start, synced_last;
	bool synced_whole;		/* all addresses of the page were compared then */
};

#define LG_FIXED_INDEX		257	/* the one that lg_mmu.fixed_entry is for */
#define LG_WINDOW_INDEX		256	/* the top-level slot that is not the guest's */

static inline bool lg_is_window(const struct lg_shadow_page *page, unsigned int index)
{
	return (page->role & LG_ROLE_ROOT) && index == LG_WINDOW_INDEX;
}

/* Is the entry that maps @gva at @level one that the guest's tables need not have? */
static inline bool lg_is_fixed(const struct lg_vm *vm, gva_t gva, int level, u64 *entry)
{
	if (likely(!vm->mmu.fixed_entry) || level != LG_PT_LEVELS ||
	    lg_table_index(gva, level) != LG_FIXED_INDEX)
		return false;
	*entry = vm->mmu.fixed_entry;
	return true;
}

/* The shadow page that an entry points to; NULL: it points to none. */
static inline struct lg_shadow_page *lg_shadow_child(const struct lg_shadow_page *page,
						     unsigned int index)
{
	u64 entry = page->table[index];

	if (page->level == 1 || !lg_mapped(entry) || (entry & _PAGE_PSE) ||
	    lg_is_window(page, index))
		return NULL;
	return (void *)page_private(pfn_to_page(LG_ENTRY_FRAME(entry)));
}

/* The entry for @page that points to @child, made from the guest's entry. */
static inline u64 lg_shadow_table_entry(const struct lg_shadow_page *page,
					const struct lg_shadow_page *child, u64 guest_entry)
{
	return lg_shadow_branch_entry(guest_entry, page->role, __pa(child->table), child->role);
}

/* Does @child still shadow what the guest's entry points to? */
static inline bool lg_same_table(const struct lg_shadow_page *page,
				 const struct lg_shadow_page *child, u64 guest_entry)
{
	return lg_leads_to(guest_entry, page->level, page->role, child->gfn, child->role);
}

/*
 * The bucket that has the shadow pages of guest frame @gfn, among others. The guest does not know
 * the factor: so it cannot choose frames that share a bucket.
 */
static inline struct hlist_head *lg_shadow_bucket(struct lg_vm *vm, gfn_t gfn)
{
	return &vm->mmu.hash[gfn * vm->mmu.hash_secret >> (64 - LG_SHADOW_HASH_BITS)];
}

/* pages.c */
static inline void lg_mmu_lock(struct lg_vcpu *vcpu)
{
	vcpu->stats.shadow_alone++;
	write_lock(&vcpu->vm->mmu_lock);
}

/* With mmu_lock read: lock the entries of a page of level 1. Nobody waits for this lock. */
#define lg_shadow_trylock(page)	(!test_and_set_bit_lock(0, &(page)->busy))
#define lg_shadow_unlock(page)	clear_bit_unlock(0, &(page)->busy)

struct lg_shadow_page *lg_shadow_alloc(void);
void lg_shadow_free(struct lg_shadow_page *page);
void lg_shadow_number(struct lg_vm *vm, struct lg_shadow_page *page);
struct lg_shadow_page *lg_shadow_find(struct lg_vm *vm, gfn_t gfn, int level, u8 role);
struct lg_shadow_page *lg_shadow_new(struct lg_vm *vm, gfn_t gfn, int level, u8 role);
void lg_shadow_relink(struct lg_vm *vm, struct lg_shadow_page *page, unsigned int index,
		      u64 entry);
void lg_shadow_link(struct lg_vm *vm, struct lg_shadow_page *page, unsigned int index,
		    struct lg_shadow_page *child, u64 entry);
void lg_shadow_map(struct lg_vm *vm, struct lg_shadow_page *page, unsigned int index, u64 entry,
		   gfn_t gfn);
void lg_shadow_drop(struct lg_vm *vm, struct lg_shadow_page *page, unsigned int index,
		    u64 instead);
void lg_shadow_empty(struct lg_vm *vm, struct lg_shadow_page *page);
void lg_shadow_free_unlinked(struct lg_vm *vm);
void lg_shadow_trim(struct lg_vm *vm);
unsigned int lg_shadow_reclaim(struct lg_vm *vm, unsigned int wanted);
void lg_flush_others(struct lg_vm *vm);

/* dirty.c */
bool lg_table_changed(struct lg_vcpu *vcpu, struct lg_shadow_page *page, bool take);

/* watched.c */
void lg_set_watched(struct lg_vm *vm, gfn_t gfn, bool watched);
bool lg_frame_is_watched(struct lg_vm *vm, gfn_t gfn);
void lg_table_stored(struct lg_vm *vm, gfn_t gfn);
void lg_watch_new(struct lg_vm *vm, struct lg_shadow_page *page);
void lg_unwatch(struct lg_vm *vm, struct lg_shadow_page *page);
/* watch.c */
bool lg_watched_changed(struct lg_vcpu *vcpu, struct lg_shadow_page *page, bool take);
void lg_check_watched(struct lg_vm *vm);

/* May no shadow entry let the guest write to this frame now? */
static inline bool lg_is_watched(struct lg_vm *vm, gfn_t gfn)
{
	return unlikely(vm->mmu.watches) && lg_frame_is_watched(vm, gfn);
}

/* The leaf @entry for @gfn, read only if the frame is watched. */
static inline u64 lg_watched_entry(struct lg_vm *vm, gfn_t gfn, u64 entry)
{
	return (entry & _PAGE_RW) && lg_is_watched(vm, gfn) ?
	       entry & ~(u64)(_PAGE_RW | _PAGE_DIRTY) : entry;
}

/* The page that has the entry @spte, and the entry's index in it. */
static inline struct lg_shadow_page *lg_spte_page(struct lg_vm *vm, lg_spte_t spte,
						  unsigned int *index)
{
	*index = spte % LG_ENTRIES;
	return vm->mmu.by_id[spte / LG_ENTRIES];
}

static inline struct lg_link *lg_spte_link(struct lg_vm *vm, lg_spte_t spte)
{
	return &vm->mmu.by_id[spte / LG_ENTRIES]->links[spte % LG_ENTRIES];
}

static inline gfn_t lg_large_of(const struct lg_memory_slot *slot, gfn_t gfn)
{
	return gfn / LG_LARGE_FRAMES - slot->first / LG_LARGE_FRAMES;
}

/* rmap.c */
int lg_slot_alloc(struct lg_memory_slot *slot, bool watches);
void lg_spte_add(struct lg_vm *vm, lg_spte_t *head, struct lg_shadow_page *page,
		 unsigned int index);
void lg_spte_del(struct lg_vm *vm, lg_spte_t *head, struct lg_shadow_page *page,
		 unsigned int index);
lg_spte_t *lg_frame_sptes(struct lg_vm *vm, gfn_t gfn, int level);
bool lg_frame(struct lg_vm *vm, gfn_t gfn, u64 *frame);
bool lg_frame_large(struct lg_vm *vm, gfn_t gfn, u64 *first);
bool lg_frame_may_be_large(struct lg_vm *vm, gfn_t gfn);
void lg_frame_not_large(struct lg_vm *vm, gfn_t gfn);
bool lg_shadow_concerned(struct lg_vm *vm, hva_t start, hva_t end);
void lg_shadow_invalidate(struct lg_vm *vm, hva_t start, hva_t end);
bool lg_shadow_young(struct lg_vm *vm, hva_t start, hva_t end, bool clear);

/* path.c */
struct lg_path *lg_shadow_path(struct lg_vcpu *vcpu, struct lg_shadow_page *root, gva_t gva);

/* sync.c */
void lg_shadow_sync(struct lg_vcpu *vcpu, struct lg_shadow_page *page);
void lg_shadow_adopt(struct lg_vm *vm, struct lg_shadow_page *to, struct lg_shadow_page *from);
void lg_sync_user(struct lg_vcpu *vcpu);

/* How did an attempt to make an entry end? */
enum lg_fill {
	LG_FILL_DONE = 0,	/* or the fault is the guest's own, and pending now */
	LG_FILL_EXCLUSIVE,	/* needs mmu_lock written: a walk, or another table */
	LG_FILL_IRQS_ON,	/* needs the host's page tables, but interrupts are off */
	LG_FILL_FAULT_IN,	/* vcpu->fault_hva must be made present */
	LG_FILL_NOTIFIER,	/* the mmu_notifier is at work at vcpu->fault_hva */
	LG_FILL_NO_MEMORY,	/* the guest's entry points to no memory */
	LG_FILL_MMIO,		/* the guest's entry points to a device, at vcpu->mmio_gpa */
	LG_FILL_NO_PAGES,	/* no spare pages: lg_shadow_topup() first */
	LG_FILL_DEAD,		/* the VM was killed */
};

/* frame.c */
int lg_host_pages(hva_t hva, struct page **pages, int count, u64 writable);
enum lg_fill lg_guest_frame(struct lg_vcpu *vcpu, gfn_t gfn, bool write, u64 *frame);
bool lg_large_frame(struct lg_vcpu *vcpu, const struct lg_walk *walk, u64 frame, u64 *first);

/* fill.c */
#define LG_AROUND	16U	/* entries that a fault looks at, with the one that faulted */
void lg_shadow_fill(struct lg_vm *vm, struct lg_shadow_page *page, unsigned int index,
		    u64 guest_entry);
void lg_fill_behind(struct lg_vcpu *vcpu, struct lg_shadow_page *page, unsigned int index,
		    u64 guest_entry);
void lg_fill_batch(struct lg_vcpu *vcpu, struct lg_shadow_page *page, unsigned int first,
		   const u64 entries[LG_AROUND], u64 mask);
int lg_read_around(struct lg_vm *vm, const struct lg_shadow_page *page, unsigned int index,
		   unsigned int count, u64 *entries);
void lg_fill_around(struct lg_vcpu *vcpu, struct lg_shadow_page *page, unsigned int index,
		    u64 mask);
void lg_fill_new(struct lg_vcpu *vcpu, struct lg_shadow_page *page, unsigned int index, u64 mask);

/* walk.c */
int lg_read_entry(struct lg_vm *vm, gpa_t gpa, u64 *entry, hva_t *hva);
int lg_read_entries(struct lg_vm *vm, gpa_t gpa, u64 *entries, unsigned int count);

#endif /* _LG_SHADOW_H */
