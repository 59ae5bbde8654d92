/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shadow page tables: what shadow_*.c share, and what others may call. lg.h includes it.
 */
#ifndef _LG_SHADOW_H
#define _LG_SHADOW_H

/*
 * shadow_*.c: everything but alloc and free with mmu_lock written, or read and the
 * page locked as far as it is about entries of level 1
 *
 * A shadow page holds what the CPU uses in place of one Guest page table (or
 * of a part of a large page). page_private() of its table leads back to it.
 */
#define LG_ENTRIES		512U
#define LG_LARGE_FRAMES		512U

/* Beside each entry: a list of those that map the same frame or table. */
struct lg_link {
	u32 gfn;			/* leaves: the Guest's (first) frame */
	lg_place_t next, prev;
};

struct lg_shadow_page {
	u64 *table;			/* the CPU's entries */
	struct lg_link *links;		/* by entry */
	u64 *top;			/* roots with LA57: the level above */
	struct hlist_node hash;
	struct list_head list;		/* lg_mmu.pages, .freed or .unused */
	gfn_t gfn;			/* of the Guest's table, or first of a large page */
	u32 id;				/* its number, while in use */
	lg_place_t parents;		/* entries that point here */
	u8 level;			/* 1 to 4 */
	u8 role;			/* LG_ROLE_* */
	bool changed;			/* the Guest's table has been, since we compared */
	bool recent;			/* used, since it was the next to be given up */
	unsigned long busy;		/* bit 0: lg_shadow_trylock() */
	DECLARE_BITMAP(used, 512);	/* entries that map something, a root's window aside */
	u64 synced;			/* lg_mmu.sync_clock when last compared, and for: */
	gva_t synced_start, synced_last;
	bool synced_whole;		/* that was all of its reach, by whatever address */
};

/*
 * Entries that map nothing: 0, or lg_unknown, which has P and address bits that
 * no CPU here has, so that its page fault comes with RSVD set (SDM volume 3,
 * 4.7): host/probe.c has seen it. Bit 52 is ignored by the CPU and tells it from all others.
 */
#define LG_ENTRY_UNKNOWN	(GENMASK_ULL(52, PAGE_SHIFT) | _PAGE_PRESENT)

/*
 * In a leaf, where the CPU ignores it: the Host's own tables let the page be
 * written. Without it the frame is read only to us, whatever the Guest's entry says.
 */
#define LG_HOST_WRITABLE	((u64)_PAGE_SOFTW1)
#define LG_FRAME(entry)		((entry) & (GENMASK_ULL(51, PAGE_SHIFT) | LG_HOST_WRITABLE))

/* In a leaf, too: it was made beside one that faulted, and was not seen used yet. */
#define LG_PREFILLED		((u64)_PAGE_SOFTW2)

static inline bool lg_mapped(u64 entry)
{
	return (entry & (BIT_ULL(52) | _PAGE_PRESENT)) == _PAGE_PRESENT;
}

/* Roles: pages for the same Guest table that differ in these are not shared. */
#define LG_ROLE_KERNEL		1	/* maps supervisor pages too; else user pages only */
#define LG_ROLE_DIRECT		2	/* part of a large page: no Guest table */
#define LG_ROLE_WRITE		4	/* direct: writable, and dirty in the Guest */
#define LG_ROLE_EXEC		8	/* direct: executable */
#define LG_ROLE_USER_PAGE	16	/* direct: the Guest's user may use it */
#define LG_ROLE_ROOT		32	/* level 4, of one vCPU */

#define LG_WINDOW_INDEX		256	/* the top-level slot that is not the Guest's */

static inline bool lg_is_window(const struct lg_shadow_page *page, unsigned int index)
{
	return (page->role & LG_ROLE_ROOT) && index == LG_WINDOW_INDEX;
}

/* What an entry points to; NULL: no page of ours. */
static inline struct lg_shadow_page *lg_shadow_child(const struct lg_shadow_page *page,
						     unsigned int index)
{
	u64 entry = page->table[index];

	if (page->level == 1 || !lg_mapped(entry) || (entry & _PAGE_PSE) ||
	    lg_is_window(page, index))
		return NULL;
	return (void *)page_private(pfn_to_page(LG_ENTRY_FRAME(entry)));
}

/* pages.c */
static inline void lg_mmu_lock(struct lg_vcpu *vcpu)
{
	vcpu->stats.shadow_alone++;
	write_lock(&vcpu->vm->mmu_lock);
}

/* With mmu_lock read: for the entries of a page of level 1. */
#define lg_shadow_trylock(page)	(!test_and_set_bit_lock(0, &(page)->busy))
#define lg_shadow_unlock(page)	clear_bit_unlock(0, &(page)->busy)

int lg_mmu_init(struct lg_vm *vm);
void lg_mmu_free(struct lg_vm *vm);
struct lg_shadow_page *lg_shadow_alloc(void);
void lg_shadow_free(struct lg_shadow_page *page);
int lg_shadow_topup(struct lg_vm *vm);
void lg_shadow_number(struct lg_vm *vm, struct lg_shadow_page *page);
struct lg_shadow_page *lg_shadow_find(struct lg_vm *vm, gfn_t gfn, int level, u8 role);
struct hlist_head *lg_shadow_bucket(struct lg_vm *vm, gfn_t gfn);
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
void lg_shadow_flush_freed(struct lg_vm *vm);
void lg_shadow_trim(struct lg_vm *vm);
int lg_shadow_set_limit(struct lg_vm *vm, unsigned long limit);
void lg_mmu_stats(const struct lg_vm *vm, struct lguest_stats *stats);
void lg_shadow_zap_all(struct lg_vm *vm);
unsigned int lg_shadow_reclaim(struct lg_vm *vm, unsigned int wanted);
void lg_leave_guest(struct lg_vm *vm, u64 mask);
void lg_flush_others(struct lg_vm *vm);

/* dirty.c */
bool lg_table_changed(struct lg_vm *vm, struct lg_shadow_page *page);
void lg_tables_changed(struct lg_vm *vm);

/* rmap.c */
int lg_slot_alloc(struct lg_memory_slot *slot);
void lg_slot_free(struct lg_memory_slot *slot);
struct lg_shadow_page *lg_place_page(struct lg_vm *vm, lg_place_t place, unsigned int *index);
void lg_place_add(struct lg_vm *vm, lg_place_t *head, struct lg_shadow_page *page,
		  unsigned int index);
void lg_place_del(struct lg_vm *vm, lg_place_t *head, struct lg_shadow_page *page,
		  unsigned int index);
lg_place_t *lg_frame_places(struct lg_vm *vm, gfn_t gfn, int level);
bool lg_frame(struct lg_vm *vm, gfn_t gfn, u64 *frame);
bool lg_frame_large(struct lg_vm *vm, gfn_t gfn, u64 *first);
bool lg_frame_may_be_large(struct lg_vm *vm, gfn_t gfn);
void lg_frame_not_large(struct lg_vm *vm, gfn_t gfn);
bool lg_shadow_concerned(struct lg_vm *vm, hva_t start, hva_t end);
void lg_shadow_invalidate(struct lg_vm *vm, hva_t start, hva_t end);
bool lg_shadow_young(struct lg_vm *vm, hva_t start, hva_t end, bool clear);

/* roots.c */
int lg_roots_alloc(struct lg_vcpu *vcpu);
void lg_roots_free(struct lg_vcpu *vcpu);
void lg_root_load(struct lg_vcpu *vcpu);
void lg_root_changed(struct lg_vcpu *vcpu);
/* Which CR3 is it now? After each entry. */
static inline void lg_root_exit(struct lg_vcpu *vcpu)
{
	if (vcpu->cpu->root_place != vcpu->root_place)
		lg_root_changed(vcpu);
}

struct lg_path *lg_shadow_path(struct lg_vcpu *vcpu, struct lg_shadow_page *root, gva_t gva);
void lg_root_set_window(struct lg_vcpu *vcpu, struct lg_window *w);
void lg_load_cr3(struct lg_vcpu *vcpu, u64 cr3);
void lg_release_table(struct lg_vcpu *vcpu, gfn_t gfn);

/* fault.c */
enum lg_slow lg_shadow_fault(struct lg_vcpu *vcpu);
bool lg_shadow_fault_quickly(struct lg_vcpu *vcpu);
u64 lg_shadow_leaf_entry(u64 frame, u64 guest_entry, u8 role);
u64 lg_shadow_table_entry(const struct lg_shadow_page *page, const struct lg_shadow_page *child,
			  u64 guest_entry);
u8 lg_shadow_direct_role(u8 parent_role, u64 guest_entry);

/* sync.c */
bool lg_usable(u64 guest_entry, u8 role);
void lg_shadow_fill(struct lg_vm *vm, struct lg_shadow_page *page, unsigned int index,
		    u64 guest_entry);
void lg_shadow_sync(struct lg_vcpu *vcpu, struct lg_shadow_page *page);
void lg_shadow_adopt(struct lg_vm *vm, struct lg_shadow_page *to, struct lg_shadow_page *from);
void lg_sync_user(struct lg_vcpu *vcpu);
void lg_flush(struct lg_vcpu *vcpu, bool every, u64 kind, gva_t start, gva_t end);
bool lg_flush_quickly(struct lg_vcpu *vcpu, gva_t start, gva_t end);

#endif /* _LG_SHADOW_H */
