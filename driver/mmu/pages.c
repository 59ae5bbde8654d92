// SPDX-License-Identifier: GPL-2.0-only
/*
 * Shadow pages: how they are made, linked and freed.
 *
 * The page tables that the CPU uses while the guest runs are a software TLB over the guest's
 * own. The host alone makes them, entry by entry, each from a guest entry that it has just
 * checked (fault.c), and brings them up to date when the guest flushes its TLB (sync.c).
 *
 * A vCPU has two roots for each guest CR3 that it has lately used, one for each mode (roots.c).
 * The pages below are shared by all vCPUs, and found by guest frame, level and role. A page
 * without a parent is unlinked at once; its memory is used again only after every CPU that may
 * walk it has left the guest.
 *
 * An entry that maps nothing says why: 0 if the guest's entry was not present when we last
 * looked; lg_unknown if we have not looked, or if it was present and no entry could be made of
 * it at once. The error code of the page fault tells the two apart: so the switcher knows whose
 * fault it is.
 */
#include <linux/bitmap.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/random.h>
#include <linux/smp.h>

#include "lg.h"
#include "trace.h"
#include "mmu/shadow.h"
#include "vcpu/vcpu.h"

/* How many spare pages lg_shadow_topup() provides, and how many are kept at most. */
#define SPARE_WANTED		16
#define SPARE_KEPT		64
/* When all pages go, pages to drop before other threads get a chance: some milliseconds. */
#define ZAP_STEP		32
/* More would not fit in lg_spte_t. */
#define LIMIT_MAX		(1U << 21)

static unsigned int shadow_limit = 16384;
module_param_named(shadow_pages, shadow_limit, uint, 0644);
MODULE_PARM_DESC(shadow_pages, "the most shadow pages (4 KiB each) that one VM may have");

static bool itlb_multihit;
module_param(itlb_multihit, bool, 0644);
MODULE_PARM_DESC(itlb_multihit, "treat the CPU as if it had the iTLB multihit bug");

/** lg_mmu_init - set up the shadow of a new VM; sleeps; -ENOMEM */
int lg_mmu_init(struct lg_vm *vm)
{
	struct lg_mmu *mmu = &vm->mmu;

	rwlock_init(&vm->mmu_lock);
	mmu->hash_secret = get_random_u64() | 1;
	INIT_LIST_HEAD(&mmu->pages);
	INIT_LIST_HEAD(&mmu->unlinked);
	INIT_LIST_HEAD(&mmu->spare);
	INIT_LIST_HEAD(&mmu->pending);
	init_waitqueue_head(&mmu->quiet);
	mmu->limit = clamp(READ_ONCE(shadow_limit), (unsigned int)LGUEST_MIN_SHADOW, LIMIT_MAX);
	mmu->nr_ids = mmu->limit + 2 * LG_ROOTS * LGUEST_MAX_VCPUS + 1;
	mmu->by_id = kvcalloc(mmu->nr_ids, sizeof(*mmu->by_id), GFP_KERNEL_ACCOUNT);
	mmu->ids = kvcalloc(BITS_TO_LONGS(mmu->nr_ids), sizeof(long), GFP_KERNEL_ACCOUNT);
	if (!mmu->by_id || !mmu->ids) {
		lg_mmu_free(vm);
		return -ENOMEM;
	}
	__set_bit(0, mmu->ids);
	return 0;
}

void lg_shadow_free(struct lg_shadow_page *page)
{
	if (!page)
		return;
	if (page->table)
		set_page_private(virt_to_page(page->table), 0);
	free_page((unsigned long)page->table);
	free_page((unsigned long)page->top);
	kfree(page->links);
	kfree(page);
}

/** lg_mmu_free - free what lg_mmu_init() has made; all shadow pages are unlinked */
void lg_mmu_free(struct lg_vm *vm)
{
	struct lg_shadow_page *page, *next;

	list_for_each_entry_safe(page, next, &vm->mmu.spare, list)
		lg_shadow_free(page);
	kvfree(vm->mmu.by_id);
	kvfree(vm->mmu.ids);
}

/** lg_shadow_alloc - allocate a page that is not linked; sleeps; NULL: no memory */
struct lg_shadow_page *lg_shadow_alloc(void)
{
	struct lg_shadow_page *page = kzalloc(sizeof(*page), GFP_KERNEL_ACCOUNT);

	if (!page)
		return NULL;
	page->table = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	page->links = kcalloc(LG_ENTRIES, sizeof(*page->links), GFP_KERNEL_ACCOUNT);
	if (!page->table || !page->links) {
		lg_shadow_free(page);
		return NULL;
	}
	set_page_private(virt_to_page(page->table), (unsigned long)page);
	INIT_LIST_HEAD(&page->list);
	INIT_LIST_HEAD(&page->pending);
	return page;
}

/**
 * lg_shadow_topup - provide enough spare pages for a few faults
 * @vm: the VM
 *
 * Sleeps; takes mmu_lock. A fault takes at most one page for each level below the root. -ENOMEM:
 * not even enough for one fault.
 */
int lg_shadow_topup(struct lg_vm *vm)
{
	struct lg_mmu *mmu = &vm->mmu;

	while (READ_ONCE(mmu->nr_spare) < SPARE_WANTED) {
		struct lg_shadow_page *page = lg_shadow_alloc();

		if (!page)
			return READ_ONCE(mmu->nr_spare) >= LG_PT_LEVELS ? 0 : -ENOMEM;
		write_lock(&vm->mmu_lock);
		list_add(&page->list, &mmu->spare);
		mmu->nr_spare++;
		write_unlock(&vm->mmu_lock);
	}
	return 0;
}

/* Give the page a number; there is one for each page that the limit allows. */
void lg_shadow_number(struct lg_vm *vm, struct lg_shadow_page *page)
{
	struct lg_mmu *mmu = &vm->mmu;

	lockdep_assert_held_write(&vm->mmu_lock);
	page->id = find_next_zero_bit(mmu->ids, mmu->nr_ids, mmu->id_hint);
	if (page->id >= mmu->nr_ids)
		page->id = find_first_zero_bit(mmu->ids, mmu->nr_ids);
	mmu->id_hint = page->id + 1;
	__set_bit(page->id, mmu->ids);
	mmu->by_id[page->id] = page;
}

struct lg_shadow_page *lg_shadow_find(struct lg_vm *vm, gfn_t gfn, int level, u8 role)
{
	struct lg_shadow_page *page;

	lockdep_assert_held_write(&vm->mmu_lock);
	hlist_for_each_entry(page, lg_shadow_bucket(vm, gfn), hash)
		if (page->gfn == gfn && page->level == level && page->role == role)
			return page;
	return NULL;
}

/* Take an empty page from the spare ones; NULL: call lg_shadow_topup() first. */
struct lg_shadow_page *lg_shadow_new(struct lg_vm *vm, gfn_t gfn, int level, u8 role)
{
	struct lg_mmu *mmu = &vm->mmu;
	struct lg_shadow_page *page;

	lockdep_assert_held_write(&vm->mmu_lock);
	page = list_first_entry_or_null(&mmu->spare, struct lg_shadow_page, list);
	if (!page)
		return NULL;
	mmu->nr_spare--;
	page->gfn = gfn;
	page->level = level;
	page->role = role;
	memset64(page->table, lg_unknown, LG_ENTRIES);
	lg_shadow_number(vm, page);
	page->changed = page->settled = false;
	hlist_add_head(&page->hash, lg_shadow_bucket(vm, gfn));
	if (unlikely(mmu->watches))
		lg_watch_new(vm, page);
	list_move(&page->list, &mmu->pages);
	mmu->count++;
	return page;
}

/* Was @vcpu's last flush before lg_mmu.generation reached @generation? See lg_root_load(). */
static bool has_older_tlb(const struct lg_vcpu *vcpu, u64 generation)
{
	return READ_ONCE(vcpu->generation) < generation;
}

/* Make vCPUs leave the guest whose last flush was before @generation. */
static void flush_older_tlbs(struct lg_vm *vm, u64 generation)
{
	struct lg_vcpu *vcpu;
	unsigned int i;

	smp_mb();
	lg_for_each_vcpu(i, vcpu, vm)
		if (has_older_tlb(vcpu, generation))
			lg_vcpu_leave_guest(vcpu);
}

/** lg_flush_others - make vCPUs leave the guest whose TLB is older than the last narrower entry */
void lg_flush_others(struct lg_vm *vm)
{
	flush_older_tlbs(vm, atomic64_read(&vm->mmu.generation));
}

/*
 * Every change of a shadow entry goes through here. If the entry became narrower, a TLB may still
 * have the old one until the CPU flushes: see lg_root_load().
 */
static void set_shadow_entry(struct lg_vm *vm, struct lg_shadow_page *page, unsigned int index,
			     u64 entry)
{
	u64 old = page->table[index], narrower;
	struct lg_mmu *mmu = &vm->mmu;

	lockdep_assert_held(&vm->mmu_lock);
	/* With mmu_lock written, or read and this page locked. */
	lockdep_assert(lockdep_is_held_type(&vm->mmu_lock, 0) ||
		       (page->level == 1 && test_bit(0, &page->busy)));
	narrower = (old & ~entry & (_PAGE_PRESENT | _PAGE_RW)) | (entry & ~old & _PAGE_NX) |
		   ((old ^ entry) & (GENMASK_ULL(51, PAGE_SHIFT) | _PAGE_PSE));
	__assign_bit(index, page->used, lg_mapped(entry));
	WRITE_ONCE(page->table[index], entry);
	/*
	 * Count after the write: a CPU that flushes for this number cannot have the old entry then.
	 */
	if (lg_mapped(old) && narrower) {
		u64 generation = atomic64_inc_return(&mmu->generation);

		if (page->level > 1)
			mmu->resized = generation;
	}
	if (lg_mapped(old) && page->level > 1)
		mmu->tables++;
	if (old & LG_PREFILLED & ~entry)
		atomic64_inc(old & _PAGE_ACCESSED ? &mmu->prefills_used : &mmu->prefills_wasted);
}

/* Change the rights of an entry that goes on pointing to the same page. Keep A and LG_PREFILLED. */
void lg_shadow_relink(struct lg_vm *vm, struct lg_shadow_page *page, unsigned int index, u64 entry)
{
	u64 old = page->table[index];

	if (page->level == 1)
		entry = lg_watched_entry(vm, page->links[index].gfn, entry);
	entry = (entry & ~(u64)_PAGE_ACCESSED) | (old & _PAGE_ACCESSED);
	/* Prefilled, and not used by the CPU yet: it stays so. */
	if (!(old & _PAGE_ACCESSED))
		entry |= old & LG_PREFILLED;
	if (old != entry)
		set_shadow_entry(vm, page, index, entry);
}

/*
 * How many vCPUs are in the guest whose last flush was before @generation? A vCPU that is about
 * to enter sets running_cpu before it flushes: wait for that, which takes a moment, or some
 * milliseconds if a hypervisor does not run its CPU meanwhile. Called only while somebody
 * traces.
 */
static unsigned int count_stale_vcpus(struct lg_vm *vm, u64 generation)
{
	struct lg_vcpu *vcpu;
	unsigned int i, n = 0, tries;

	lg_for_each_vcpu(i, vcpu, vm) {
		for (tries = 1000000; tries; tries--) {
			if (!has_older_tlb(vcpu, generation) || READ_ONCE(vcpu->running_cpu) < 0)
				break;
			cpu_relax();
		}
		n += !tries;
	}
	return n;
}

/*
 * A table or a large page is about to come where the other kind may have been. A CPU with the
 * iTLB multihit bug stops for good when it fetches from an address that its TLB has in both
 * sizes (Linux: hw-vuln/multihit.rst). So make vCPUs leave the guest whose TLB may have an
 * entry above level 1 from before it became narrower: it may be of the other size.
 */
static void before_resize(struct lg_vm *vm, const struct lg_shadow_page *page, bool large)
{
	lockdep_assert_held_write(&vm->mmu_lock);
	if (!itlb_multihit && !boot_cpu_has_bug(X86_BUG_ITLB_MULTIHIT))
		return;
	flush_older_tlbs(vm, vm->mmu.resized);
	if (trace_lguest_resize_enabled())
		trace_lguest_resize(page->level, large, count_stale_vcpus(vm, vm->mmu.resized));
}

/** lg_shadow_link - point an entry that maps nothing to a table; mmu_lock written */
void lg_shadow_link(struct lg_vm *vm, struct lg_shadow_page *page, unsigned int index,
		    struct lg_shadow_page *child, u64 entry)
{
	lockdep_assert_held_write(&vm->mmu_lock);
	before_resize(vm, page, false);
	set_shadow_entry(vm, page, index, entry);
	lg_spte_add(vm, &child->parents, page, index);
}

/**
 * lg_shadow_map - make or change a leaf
 * @vm: the VM
 * @page: shadow page, of level 1, or 2 for 2 MiB
 * @index: 0 to 511
 * @entry: what the CPU is to see
 * @gfn: the (first) guest frame behind it
 *
 * mmu_lock written, or for level 1 read with @page locked.
 */
void lg_shadow_map(struct lg_vm *vm, struct lg_shadow_page *page, unsigned int index, u64 entry,
		   gfn_t gfn)
{
	if (lg_mapped(page->table[index])) {
		if (!lg_shadow_child(page, index) && page->links[index].gfn == gfn) {
			lg_shadow_relink(vm, page, index, entry);
			return;
		}
		lg_shadow_drop(vm, page, index, lg_unknown);
	}
	if (page->level > 1)
		before_resize(vm, page, true);
	page->links[index].gfn = gfn;
	set_shadow_entry(vm, page, index, lg_watched_entry(vm, gfn, entry));
	lg_spte_add(vm, lg_frame_sptes(vm, gfn, page->level), page, index);
}

/* The page has no parent any more: unlink it from its children, and let it wait to be freed. */
static void unlink_shadow_page(struct lg_vm *vm, struct lg_shadow_page *page)
{
	lockdep_assert_held_write(&vm->mmu_lock);
	lg_shadow_empty(vm, page);
	if (unlikely(vm->mmu.watches))
		lg_unwatch(vm, page);
	hlist_del(&page->hash);
	list_move(&page->list, &vm->mmu.unlinked);
	__clear_bit(page->id, vm->mmu.ids);
	vm->mmu.by_id[page->id] = NULL;
	vm->mmu.count--;
}

/**
 * lg_shadow_drop - make an entry map nothing
 * @vm: the VM
 * @page: shadow page
 * @index: 0 to 511
 * @instead: 0 or lg_unknown
 *
 * Pages below that have no other parent are unlinked, too; the recursion ends at level 1.
 * mmu_lock written, or for level 1 read with @page locked. The caller has TLBs flushed:
 * lg_flush_others(), or lg_shadow_free_unlinked().
 */
void lg_shadow_drop(struct lg_vm *vm, struct lg_shadow_page *page, unsigned int index, u64 instead)
{
	struct lg_shadow_page *child = lg_shadow_child(page, index);

	if (lg_is_window(page, index))
		return;
	if (child)
		lg_spte_del(vm, &child->parents, page, index);
	else if (lg_mapped(page->table[index]))
		lg_spte_del(vm, lg_frame_sptes(vm, page->links[index].gfn, page->level), page,
			    index);
	set_shadow_entry(vm, page, index, instead);
	if (child && !child->parents)
		unlink_shadow_page(vm, child);
}

/* Make all entries of the page map nothing. */
void lg_shadow_empty(struct lg_vm *vm, struct lg_shadow_page *page)
{
	unsigned int i;

	for_each_set_bit(i, page->used, LG_ENTRIES)
		lg_shadow_drop(vm, page, i, lg_unknown);
}

/* Free the unlinked pages, or keep them as spare ones, after no CPU can walk them any more. */
void lg_shadow_free_unlinked(struct lg_vm *vm)
{
	struct lg_mmu *mmu = &vm->mmu;
	struct lg_shadow_page *page, *next;

	lockdep_assert_held_write(&vm->mmu_lock);
	if (list_empty(&mmu->unlinked))
		return;
	lg_flush_others(vm);
	list_for_each_entry_safe(page, next, &mmu->unlinked, list) {
		if (mmu->nr_spare < SPARE_KEPT) {
			list_move(&page->list, &mmu->spare);
			mmu->nr_spare++;
		} else {
			list_del(&page->list);
			lg_shadow_free(page);
		}
	}
}

/** lg_mmu_stats - fill the fields of @stats that are the whole VM's; any context */
void lg_mmu_stats(const struct lg_vm *vm, struct lguest_stats *stats)
{
	stats->shadow_pages = READ_ONCE(vm->mmu.count);
	stats->prefills_used = atomic64_read(&vm->mmu.prefills_used);
	stats->prefills_wasted = atomic64_read(&vm->mmu.prefills_wasted);
}

/** lg_shadow_trim - free the spare pages that are more than SPARE_WANTED; mmu_lock written */
void lg_shadow_trim(struct lg_vm *vm)
{
	struct lg_shadow_page *page, *next;

	lockdep_assert_held_write(&vm->mmu_lock);
	list_for_each_entry_safe(page, next, &vm->mmu.spare, list) {
		if (vm->mmu.nr_spare <= SPARE_WANTED)
			break;
		list_del(&page->list);
		vm->mmu.nr_spare--;
		lg_shadow_free(page);
	}
}

/* Drop all entries that point to @page; with the last one, the page leaves lg_mmu.pages. */
static void drop_shadow_page(struct lg_vm *vm, struct lg_shadow_page *page)
{
	struct lg_shadow_page *parent;
	unsigned int index;

	lockdep_assert_held_write(&vm->mmu_lock);
	do {
		parent = lg_spte_page(vm, page->parents, &index);
		lg_shadow_drop(vm, parent, index, lg_unknown);
	} while (vm->mmu.by_id[page->id] == page && page->parents);
}

/* Drop all pages of this level, some at a time. The levels below are empty already. */
static void zap_shadow_level(struct lg_vm *vm, int level)
{
	struct lg_mmu *mmu = &vm->mmu;
	struct lg_shadow_page *page;
	unsigned int n;

	write_lock(&vm->mmu_lock);
	for (n = mmu->count; n && !list_empty(&mmu->pages); n--) {
		page = list_last_entry(&mmu->pages, struct lg_shadow_page, list);
		if (page->level == level)
			drop_shadow_page(vm, page);
		else
			list_move(&page->list, &mmu->pages);
		if (n % ZAP_STEP)
			continue;
		lg_shadow_free_unlinked(vm);
		write_unlock(&vm->mmu_lock);
		cond_resched();
		write_lock(&vm->mmu_lock);
	}
	lg_shadow_free_unlinked(vm);
	write_unlock(&vm->mmu_lock);
}

/**
 * lg_shadow_zap_all - drop all shadow pages: the launcher's memory goes away
 * @vm: the VM, whose vCPUs do not run any more
 *
 * Sleeps, and releases mmu_lock now and then, so as not to hold it for a look at all entries.
 * Nobody makes new entries; the shrinker may take some away meanwhile.
 */
void lg_shadow_zap_all(struct lg_vm *vm)
{
	int level;

	for (level = 1; level < LG_PT_LEVELS; level++)
		zap_shadow_level(vm, level);
}

/**
 * lg_shadow_reclaim - give up shadow pages; those used lately get a second chance
 * @vm: the VM
 * @wanted: how many
 *
 * mmu_lock written. Return: how many pages went. Faults make their entries again.
 */
unsigned int lg_shadow_reclaim(struct lg_vm *vm, unsigned int wanted)
{
	struct lg_mmu *mmu = &vm->mmu;
	unsigned int before = mmu->count, chances = 8 * wanted;

	lockdep_assert_held_write(&vm->mmu_lock);
	while (before - mmu->count < wanted && !list_empty(&mmu->pages)) {
		struct lg_shadow_page *page = list_last_entry(&mmu->pages, struct lg_shadow_page, list);

		if (page->recent && chances) {
			chances--;
			page->recent = false;
			list_move(&page->list, &mmu->pages);
			continue;
		}
		drop_shadow_page(vm, page);
	}
	lg_shadow_free_unlinked(vm);
	return before - mmu->count;
}

/**
 * lg_shadow_set_limit - LGUEST_SET_SHADOW_LIMIT: the most shadow pages of @vm
 * @vm: the VM
 * @limit: from the launcher, not yet checked; more than now changes nothing
 *
 * Takes mmu_lock. 0, or -EINVAL: too few to run.
 */
int lg_shadow_set_limit(struct lg_vm *vm, unsigned long limit)
{
	struct lg_mmu *mmu = &vm->mmu;

	if (limit < LGUEST_MIN_SHADOW)
		return -EINVAL;
	write_lock(&vm->mmu_lock);
	mmu->limit = min_t(unsigned long, mmu->limit, limit);
	if (mmu->count > mmu->limit)
		lg_shadow_reclaim(vm, mmu->count - mmu->limit);
	write_unlock(&vm->mmu_lock);
	return 0;
}
