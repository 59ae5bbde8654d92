// SPDX-License-Identifier: GPL-2.0-only
/*
 * Shadow pages: where they come from, how they hang together, how they go.
 *
 * The page tables that the CPU uses while the Guest runs are a software TLB
 * over the Guest's own: made by the Host alone, entry by entry, each from a
 * Guest entry that it has just checked (shadow_fault.c), and brought up to date
 * when the Guest flushes its TLB (shadow_sync.c).
 *
 * A vCPU has two roots for each Guest CR3 that it has lately used, one for each
 * mode. Below them, pages are shared by all vCPUs, found by Guest frame, level
 * and role. A page without a parent goes at once; its memory only after every
 * CPU that may walk it has left the Guest.
 */
#include <linux/hash.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/smp.h>
#include <asm/cpufeature.h>

#include "host.h"
#include "lg.h"

/*
 * PCIDs of the two views. Linux has 1 to 6 for itself, with 0x800 added for
 * KPTI's user half (arch/x86/mm/tlb.c), and may hand out others up to 0x7ff.
 */
#define PCID_WITH_PTI		0x7e0
#define PCID_WITHOUT_PTI	0xfe0

unsigned int lg_shadow_limit = 16384;
module_param_named(shadow_pages, lg_shadow_limit, uint, 0644);
MODULE_PARM_DESC(shadow_pages, "most shadow pages (4 KiB) of one VM");

void lg_mmu_init(struct lg_vm *vm)
{
	spin_lock_init(&vm->mmu_lock);
	INIT_LIST_HEAD(&vm->mmu.pages);
	INIT_LIST_HEAD(&vm->mmu.freed);
	vm->mmu.limit = max(READ_ONCE(lg_shadow_limit), 64U);
}

static void free_page_struct(struct lg_shadow_page *page)
{
	if (!page)
		return;
	if (page->table)
		set_page_private(virt_to_page(page->table), 0);
	free_page((unsigned long)page->table);
	free_page((unsigned long)page->top);
	kfree(page->gfns);
	kfree(page);
}

static struct lg_shadow_page *alloc_page_struct(void)
{
	struct lg_shadow_page *page = kzalloc(sizeof(*page), GFP_KERNEL_ACCOUNT);

	if (!page)
		return NULL;
	page->table = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	page->gfns = kcalloc(512, sizeof(*page->gfns), GFP_KERNEL_ACCOUNT);
	if (!page->table || !page->gfns) {
		free_page_struct(page);
		return NULL;
	}
	set_page_private(virt_to_page(page->table), (unsigned long)page);
	INIT_LIST_HEAD(&page->list);
	return page;
}

/**
 * lg_shadow_topup - have enough unused pages for one fault
 * @vcpu: the virtual CPU; its mutex is held
 *
 * Sleeps. A fault takes at most one page for each level below the root.
 */
int lg_shadow_topup(struct lg_vcpu *vcpu)
{
	while (vcpu->cached < ARRAY_SIZE(vcpu->cache)) {
		struct lg_shadow_page *page = alloc_page_struct();

		if (!page)
			return vcpu->cached >= LG_PT_LEVELS ? 0 : -ENOMEM;
		vcpu->cache[vcpu->cached++] = page;
	}
	return 0;
}

void lg_shadow_cache_free(struct lg_vcpu *vcpu)
{
	while (vcpu->cached)
		free_page_struct(vcpu->cache[--vcpu->cached]);
}

static struct hlist_head *bucket(struct lg_vm *vm, gfn_t gfn)
{
	return &vm->mmu.hash[hash_64(gfn, LG_SHADOW_HASH_BITS)];
}

struct lg_shadow_page *lg_shadow_find(struct lg_vm *vm, gfn_t gfn, int level, u8 role)
{
	struct lg_shadow_page *page;

	hlist_for_each_entry(page, bucket(vm, gfn), hash)
		if (page->gfn == gfn && page->level == level && page->role == role)
			return page;
	return NULL;
}

/* An empty page from the vCPU's cache; NULL: lg_shadow_topup() first. */
struct lg_shadow_page *lg_shadow_new(struct lg_vcpu *vcpu, gfn_t gfn, int level, u8 role)
{
	struct lg_vm *vm = vcpu->vm;
	struct lg_shadow_page *page;

	if (!vcpu->cached)
		return NULL;
	page = vcpu->cache[--vcpu->cached];
	page->gfn = gfn;
	page->level = level;
	page->role = role;
	hlist_add_head(&page->hash, bucket(vm, gfn));
	list_add(&page->list, &vm->mmu.pages);
	vm->mmu.count++;
	return page;
}

static bool is_window(const struct lg_shadow_page *page, unsigned int index)
{
	return (page->role & LG_ROLE_ROOT) && index == LG_WINDOW_INDEX;
}

/* What a present entry of level 2 or higher points to; NULL: nothing of ours. */
struct lg_shadow_page *lg_shadow_child(const struct lg_shadow_page *page, unsigned int index)
{
	u64 entry = page->table[index];

	if (!(entry & _PAGE_PRESENT) || is_window(page, index))
		return NULL;
	return (void *)page_private(pfn_to_page((entry & GENMASK_ULL(51, PAGE_SHIFT)) >>
						PAGE_SHIFT));
}

void lg_shadow_link(struct lg_shadow_page *page, unsigned int index,
		    struct lg_shadow_page *child, u64 entry)
{
	page->used++;
	child->parents++;
	WRITE_ONCE(page->table[index], entry);
}

/* A leaf, new or changed. */
void lg_shadow_map(struct lg_shadow_page *page, unsigned int index, u64 entry, gfn_t gfn)
{
	if (!page->table[index])
		page->used++;
	page->gfns[index] = gfn;
	WRITE_ONCE(page->table[index], entry);
}

/* No parent: the page's own children lose one, and it waits to be freed. */
static void unlink_page(struct lg_vm *vm, struct lg_shadow_page *page)
{
	unsigned int i;

	for (i = 0; i < 512 && page->used; i++)
		lg_shadow_drop(vm, page, i);
	hlist_del(&page->hash);
	list_move(&page->list, &vm->mmu.freed);
	vm->mmu.count--;
}

/**
 * lg_shadow_drop - take an entry out
 * @vm: the VM
 * @page: shadow page
 * @index: 0 to 511
 *
 * Pages below that have no other parent go with it; recursion ends at level 1.
 * The caller sees to TLBs: lg_flush_others(), or lg_shadow_flush_freed().
 */
void lg_shadow_drop(struct lg_vm *vm, struct lg_shadow_page *page, unsigned int index)
{
	struct lg_shadow_page *child;

	if (!page->table[index] || is_window(page, index))
		return;
	child = page->level > 1 ? lg_shadow_child(page, index) : NULL;
	WRITE_ONCE(page->table[index], 0);
	page->used--;
	if (child && !--child->parents)
		unlink_page(vm, child);
}

static void nothing(void *unused)
{
}

/**
 * lg_flush_others - no other CPU runs this VM with what its TLB had before
 * @vm: the VM
 *
 * A vCPU that runs is made to leave the Guest, by an IPI that we wait for; one
 * that does not run flushes when it enters. Pairs with the barrier in run.c
 * between setting running_cpu and entering.
 */
void lg_flush_others(struct lg_vm *vm)
{
	unsigned int i;

	smp_mb();
	for (i = 0; i < LGUEST_MAX_VCPUS; i++) {
		struct lg_vcpu *vcpu = READ_ONCE(vm->vcpus[i]);
		int cpu = vcpu ? READ_ONCE(vcpu->running_cpu) : -1;

		if (cpu >= 0 && cpu != smp_processor_id())
			smp_call_function_single(cpu, nothing, NULL, 1);
	}
}

/* Free what was unlinked, once nobody can walk it. */
void lg_shadow_flush_freed(struct lg_vm *vm)
{
	struct lg_shadow_page *page, *next;

	if (list_empty(&vm->mmu.freed))
		return;
	lg_flush_others(vm);
	list_for_each_entry_safe(page, next, &vm->mmu.freed, list) {
		list_del(&page->list);
		free_page_struct(page);
	}
}

static void empty_root(struct lg_vm *vm, struct lg_shadow_page *page)
{
	unsigned int i;

	for (i = 0; i < 512 && page->used; i++)
		lg_shadow_drop(vm, page, i);
}

/* Forget everything: too many pages, or the Launcher's memory is going. */
void lg_shadow_zap_all(struct lg_vm *vm)
{
	unsigned int i, j;

	for (i = 0; i < LGUEST_MAX_VCPUS; i++) {
		struct lg_vcpu *vcpu = READ_ONCE(vm->vcpus[i]);

		for (j = 0; vcpu && j < LG_ROOTS; j++) {
			empty_root(vm, vcpu->roots[j].kernel);
			empty_root(vm, vcpu->roots[j].user);
		}
	}
	lg_shadow_flush_freed(vm);
}

/* Drop what maps Guest frames [first, end). */
static bool drop_frames(struct lg_vm *vm, gfn_t first, gfn_t end)
{
	struct lg_shadow_page *page;
	bool dropped = false;
	unsigned int i, left;

	list_for_each_entry(page, &vm->mmu.pages, list) {
		if (page->level != 1)
			continue;
		for (i = 0, left = page->used; left; i++) {
			if (!page->table[i])
				continue;
			left--;
			if (page->gfns[i] >= first && page->gfns[i] < end) {
				lg_shadow_drop(vm, page, i);
				dropped = true;
			}
		}
	}
	return dropped;
}

/**
 * lg_shadow_invalidate - the Launcher's memory [start, end) is changing
 * @vm: the VM
 * @start: first byte, in the Launcher
 * @end: byte after the last
 *
 * When it returns, no CPU can reach the old pages through this VM.
 */
void lg_shadow_invalidate(struct lg_vm *vm, hva_t start, hva_t end)
{
	bool dropped = false;
	unsigned int i;

	for (i = 0; i < vm->nr_slots; i++) {
		const struct lg_memory_slot *slot = &vm->slots[i];
		hva_t from = max(start, slot->hva);
		hva_t to = min(end, slot->hva + (slot->frames << PAGE_SHIFT));

		if (from < to)
			dropped |= drop_frames(vm, slot->first + ((from - slot->hva) >> PAGE_SHIFT),
					       slot->first + ((to - slot->hva + PAGE_SIZE - 1) >>
							      PAGE_SHIFT));
	}
	if (dropped)
		lg_flush_others(vm);
}

/* Roots */

#define ENTRY_TOP	(_PAGE_PRESENT | _PAGE_RW | _PAGE_USER | _PAGE_ACCESSED)

/* 5-level paging: canonical 48-bit addresses are in the first and last slot. */
static struct lg_shadow_page *alloc_root(u8 role)
{
	struct lg_shadow_page *page = alloc_page_struct();

	if (!page)
		return NULL;
	page->level = LG_PT_LEVELS;
	page->role = role | LG_ROLE_ROOT;
	if (lg_la57) {
		page->top = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
		if (!page->top) {
			free_page_struct(page);
			return NULL;
		}
		page->top[0] = page->top[511] = __pa(page->table) | ENTRY_TOP;
	}
	return page;
}

/** lg_roots_alloc - for a new vCPU, before it is in lg_vm.vcpus; sleeps */
int lg_roots_alloc(struct lg_vcpu *vcpu)
{
	unsigned int i;

	for (i = 0; i < LG_ROOTS; i++) {
		struct lg_root *root = &vcpu->roots[i];

		root->gfn = ~0ULL;
		root->kernel = alloc_root(LG_ROLE_KERNEL);
		root->user = alloc_root(0);
		if (!root->kernel || !root->user)
			return -ENOMEM;
	}
	vcpu->root = &vcpu->roots[0];
	return 0;
}

void lg_roots_free(struct lg_vcpu *vcpu)
{
	unsigned int i;

	for (i = 0; i < LG_ROOTS; i++) {
		free_page_struct(vcpu->roots[i].kernel);
		free_page_struct(vcpu->roots[i].user);
	}
}

/**
 * lg_root_select - make the roots for the Guest's top-level table @gfn current
 * @vcpu: the virtual CPU; its mutex is held
 * @gfn: Guest frame of the top-level table
 *
 * True if they were there, with all that they map; else they are empty, and
 * took the place of those that were used longest ago.
 */
bool lg_root_select(struct lg_vcpu *vcpu, gfn_t gfn)
{
	struct lg_root *root, *oldest = &vcpu->roots[0];
	bool found = false;
	unsigned int i;

	for (i = 0; i < LG_ROOTS && !found; i++) {
		root = &vcpu->roots[i];
		found = root->gfn == gfn;
		if (found || root->used < oldest->used)
			oldest = root;
	}
	if (!found) {
		empty_root(vcpu->vm, oldest->kernel);
		empty_root(vcpu->vm, oldest->user);
		oldest->gfn = oldest->kernel->gfn = oldest->user->gfn = gfn;
		lg_shadow_flush_freed(vcpu->vm);
	}
	oldest->used = ++vcpu->root_clock;
	vcpu->root = oldest;
	return found;
}


static u64 root_cr3(const struct lg_shadow_page *page, u64 pcid)
{
	return __pa(page->top ?: page->table) | (lg_pcid ? pcid : 0);
}

static u64 pcid_base(void)
{
	return boot_cpu_has(X86_FEATURE_PTI) ? PCID_WITH_PTI : PCID_WITHOUT_PTI;
}

/**
 * lg_root_load - tell the Switcher what to load into CR3
 * @vcpu: the virtual CPU, loaded
 *
 * At each entry. A load without bit 63 flushes the PCID that it names (SDM
 * volume 3, 4.10.4.1), so that whatever changed since the last entry is gone,
 * and what another vCPU left behind. While the Guest changes modes by itself
 * nothing changes, so those loads need not flush: not if INVPCID has emptied
 * the other mode's PCID here. A CPU without PCID flushes at every load.
 */
void lg_root_load(struct lg_vcpu *vcpu)
{
	struct switcher_vcpu *cpu = vcpu->cpu;
	u64 pcid = pcid_base() + 1, kernel = root_cr3(vcpu->root->kernel, pcid);
	u64 user = root_cr3(vcpu->root->user, pcid_base());
	u64 noflush = 0;

	if (lg_pcid && boot_cpu_has(X86_FEATURE_INVPCID)) {
		lg_invpcid(cpu->mode == LG_KERNEL ? pcid_base() : pcid);
		noflush = BIT_ULL(63);
	}
	cpu->cr3 = cpu->mode == LG_KERNEL ? kernel : user;
	cpu->kernel_root = kernel | noflush;
	cpu->user_root = user | noflush;
}

/* Show this CPU's window in the current roots. */
void lg_root_set_window(struct lg_vcpu *vcpu, u64 entry)
{
	struct lg_shadow_page *pages[] = { vcpu->root->kernel, vcpu->root->user };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(pages); i++)
		(pages[i]->top ?: pages[i]->table)[LG_WINDOW_INDEX] = entry;
}
