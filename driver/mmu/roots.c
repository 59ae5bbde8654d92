// SPDX-License-Identifier: GPL-2.0-only
/*
 * Roots: the top-level pages that go into CR3. A vCPU has a pair of them for each guest CR3 that it
 * has lately used, one for each mode.
 *
 * Some of them are published to the switcher (switcher_vcpu.roots). The switcher loads these by
 * itself when the guest loads their CR3 and asks for no flush. It has more slots for them than
 * Linux has ASIDs. The guest's PCID chooses the slot, and each slot has two PCIDs of the CPU.
 */
#include <linux/mm.h>
#include <asm/cpufeature.h>

#include "abi.h"
#include "mmu/shadow.h"

/*
 * The first of our PCIDs. Linux uses 1 to 6 for itself, with 0x800 added for KPTI's user half
 * (arch/x86/mm/tlb.c), and may hand out the ones above them.
 */
#define PCID_WITH_PTI		0x7c0
#define PCID_WITHOUT_PTI	0xfc0

#define NOFLUSH			BIT_ULL(63)
#define ENTRY_TOP	(_PAGE_PRESENT | _PAGE_RW | _PAGE_USER | _PAGE_ACCESSED)

/*
 * With 5-level paging, canonical 48-bit addresses are in the first and the last slot of the top
 * level. The upper half of a user root is empty: a fault there is always the guest's.
 */
static struct lg_shadow_page *alloc_root(struct lg_vm *vm, u8 role)
{
	struct lg_shadow_page *page = lg_shadow_alloc();

	if (!page)
		return NULL;
	page->level = LG_PT_LEVELS;
	page->role = role | LG_ROLE_ROOT;
	memset64(page->table, lg_unknown, role & LG_ROLE_KERNEL ? LG_ENTRIES : LG_ENTRIES / 2);
	page->table[LG_WINDOW_INDEX] = 0;
	if (lg_la57) {
		page->top = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
		if (!page->top) {
			lg_shadow_free(page);
			return NULL;
		}
		memset64(page->top, lg_unknown, LG_ENTRIES);
		page->top[0] = page->top[511] = __pa(page->table) | ENTRY_TOP;
	}
	write_lock(&vm->mmu_lock);
	lg_shadow_number(vm, page);
	write_unlock(&vm->mmu_lock);
	return page;
}

static void free_root(struct lg_vm *vm, struct lg_shadow_page *page)
{
	if (!page)
		return;
	write_lock(&vm->mmu_lock);
	__clear_bit(page->id, vm->mmu.ids);
	write_unlock(&vm->mmu_lock);
	lg_shadow_free(page);
}

static u64 root_cr3(const struct lg_shadow_page *page, u64 pcid)
{
	return __pa(page->top ?: page->table) | (lg_pcid ? pcid : 0);
}

/* Tell the switcher of the current roots. Their first load flushes. */
static void publish_root(struct lg_vcpu *vcpu)
{
	/* By the guest's PCID, or without such by which root it is. */
	unsigned int slot = vcpu->abi->has_pcids ? vcpu->cr3 % LG_ROOTS : vcpu->root - vcpu->roots;
	u64 pcid = (boot_cpu_has(X86_FEATURE_PTI) ? PCID_WITH_PTI : PCID_WITHOUT_PTI) + 2 * slot;
	u64 kernel = root_cr3(vcpu->root->kernel, pcid + 1);
	u64 user = root_cr3(vcpu->root->user, pcid);
	struct switcher_vcpu *cpu = vcpu->cpu;
	struct switcher_root *root = &cpu->roots[slot], *last;

	/* The CR3 values of the current root are not in its slot: put them back there. */
	last = &cpu->roots[cpu->root_slot / sizeof(*root)];
	last->kernel = cpu->kernel_root;
	last->user = cpu->user_root;
	if (vcpu->published[slot] != vcpu->root) {
		root->kernel = kernel;
		root->user = user;
	}
	root->cr3 = vcpu->cr3;
	vcpu->published[slot] = vcpu->root;
	cpu->root_slot = vcpu->root_slot = slot * sizeof(*root);
	cpu->kernel_root = root->kernel;
	cpu->user_root = root->user;
}

/** lg_roots_alloc - allocate the roots of a vCPU that is not in lg_vm.vcpus yet; sleeps; -ENOMEM */
int lg_roots_alloc(struct lg_vcpu *vcpu)
{
	unsigned int i;

	for (i = 0; i < LG_ROOTS; i++) {
		struct lg_root *root = &vcpu->roots[i];

		root->gfn = ~0ULL;
		vcpu->cpu->roots[i].cr3 = ~0ULL;
		root->kernel = alloc_root(vcpu->vm, LG_ROLE_KERNEL);
		root->user = alloc_root(vcpu->vm, 0);
		if (!root->kernel || !root->user)
			return -ENOMEM;
	}
	vcpu->cpu->noflush = lg_pcid ? NOFLUSH : 0;
	vcpu->root = &vcpu->roots[0];
	vcpu->root->gfn = vcpu->root->kernel->gfn = vcpu->root->user->gfn = 0;
	publish_root(vcpu);
	return 0;
}

void lg_roots_free(struct lg_vcpu *vcpu)
{
	unsigned int i;

	for (i = 0; i < LG_ROOTS; i++) {
		free_root(vcpu->vm, vcpu->roots[i].kernel);
		free_root(vcpu->vm, vcpu->roots[i].user);
	}
}

/* Make the switcher forget these roots, if it knows them. */
static void unpublish_root(struct lg_vcpu *vcpu, const struct lg_root *root)
{
	unsigned int i;

	for (i = 0; i < LG_ROOTS; i++)
		if (vcpu->published[i] == root) {
			vcpu->published[i] = NULL;
			vcpu->cpu->roots[i].cr3 = ~0ULL;
		}
}

static bool is_root_published(const struct lg_vcpu *vcpu, const struct lg_root *root)
{
	unsigned int i;

	for (i = 0; i < LG_ROOTS; i++)
		if (vcpu->published[i] == root)
			return true;
	return false;
}

static void empty_root(struct lg_vcpu *vcpu, struct lg_root *root)
{
	lockdep_assert_held_write(&vcpu->vm->mmu_lock);
	lg_shadow_empty(vcpu->vm, root->kernel);
	lg_shadow_empty(vcpu->vm, root->user);
	root->gfn = root->kernel->gfn = root->user->gfn = ~0ULL;
	root->used = 0;
	unpublish_root(vcpu, root);
}

/* The root to give up. Prefer one that is not published: we do not see the switcher's own use. */
static struct lg_root *oldest_root(struct lg_vcpu *vcpu)
{
	struct lg_root *oldest = NULL;
	bool oldest_known = true;
	unsigned int i;

	for (i = 0; i < LG_ROOTS; i++) {
		struct lg_root *root = &vcpu->roots[i];
		bool known = is_root_published(vcpu, root);

		if (root == vcpu->root)
			continue;
		if (!oldest || (oldest_known && !known) ||
		    (oldest_known == known && root->used < oldest->used)) {
			oldest = root;
			oldest_known = known;
		}
	}
	return oldest;
}

/*
 * Make the roots for the guest's top-level table @gfn current. True: they were there, with all that
 * they map; false: they are new, with the kernel's half of the last root.
 */
static bool select_root(struct lg_vcpu *vcpu, gfn_t gfn)
{
	struct lg_root *root = NULL;
	unsigned int i;

	lockdep_assert_held_write(&vcpu->vm->mmu_lock);
	for (i = 0; i < LG_ROOTS && !root; i++)
		if (vcpu->roots[i].gfn == gfn)
			root = &vcpu->roots[i];
	if (root) {
		root->used = ++vcpu->root_clock;
		vcpu->root = root;
		return true;
	}
	root = oldest_root(vcpu);
	empty_root(vcpu, root);
	root->gfn = root->kernel->gfn = root->user->gfn = gfn;
	root->used = ++vcpu->root_clock;
	lg_shadow_adopt(vcpu->vm, root->kernel, vcpu->root->kernel);
	vcpu->root = root;
	return false;
}

/** lg_root_changed - note that the switcher has loaded another CR3: see lg_root_exit() */
void lg_root_changed(struct lg_vcpu *vcpu)
{
	unsigned int slot = vcpu->cpu->root_slot / sizeof(struct switcher_root);

	vcpu->root = vcpu->published[slot];
	vcpu->root->used = ++vcpu->root_clock;
	vcpu->root_slot = vcpu->cpu->root_slot;
	vcpu->cr3 = vcpu->cpu->roots[slot].cr3;
}

static void flush_roots_at_next_load(struct switcher_vcpu *cpu)
{
	unsigned int i;

	for (i = 0; i < LG_ROOTS; i++) {
		cpu->roots[i].kernel &= ~NOFLUSH;
		cpu->roots[i].user &= ~NOFLUSH;
	}
	cpu->kernel_root &= ~NOFLUSH;
	cpu->user_root &= ~NOFLUSH;
}

/**
 * lg_root_load - tell the switcher what to load into CR3
 * @vcpu: the virtual CPU, loaded
 *
 * Called at each entry, after the barrier that follows running_cpu. A load of CR3 without bit 63
 * flushes the PCID that it names (SDM volume 3, 4.10.4.1). All our PCIDs need that when an entry
 * became narrower since this vCPU last looked, and when another vCPU has run on this CPU, or this
 * one elsewhere. The first load of each root flushes, and then sets bit 63 for the next load. A
 * CPU without PCID flushes at every load.
 */
void lg_root_load(struct lg_vcpu *vcpu)
{
	u64 generation = atomic64_read(&vcpu->vm->mmu.generation);
	struct switcher_vcpu *cpu = vcpu->cpu;
	u64 *root = cpu->mode == LG_KERNEL ? &cpu->kernel_root : &cpu->user_root;

	lockdep_assert_held(&vcpu->mutex);
	if (vcpu->generation != generation) {
		flush_roots_at_next_load(cpu);
		/* From here on others count on the flush, which comes before the guest runs. */
		WRITE_ONCE(vcpu->generation, generation);
	}
	cpu->cr3 = *root;
	*root |= cpu->noflush;
}

/**
 * lg_roots_show - let all roots of @vcpu show the window that it is loaded in
 * @vcpu: the virtual CPU, loaded
 * @entry: the window's entry for slot 256
 * @elsewhere: another vCPU has run on this CPU, or this one elsewhere: flush at the next loads
 *
 * Atomic.
 */
void lg_roots_show(struct lg_vcpu *vcpu, u64 entry, bool elsewhere)
{
	unsigned int i;

	lg_assert_atomic(vcpu);
	if (elsewhere)
		flush_roots_at_next_load(vcpu->cpu);
	if (vcpu->window_entry == entry)
		return;
	vcpu->window_entry = entry;
	for (i = 0; i < LG_ROOTS; i++) {
		struct lg_shadow_page *kernel = vcpu->roots[i].kernel, *user = vcpu->roots[i].user;

		(kernel->top ?: kernel->table)[LG_WINDOW_INDEX] = entry;
		(user->top ?: user->table)[LG_WINDOW_INDEX] = entry;
	}
}

/**
 * lg_load_cr3 - do the guest's MOV to CR3, as a CPU with PCID does it
 * @vcpu: the virtual CPU; its mutex is held
 * @cr3: as MOV to CR3 would take it
 *
 * Takes mmu_lock. Without NOFLUSH (bit 63) the old entries of the address space are stale.
 */
void lg_load_cr3(struct lg_vcpu *vcpu, u64 cr3)
{
	struct lg_vm *vm = vcpu->vm;

	lockdep_assert_held(&vcpu->mutex);
	write_lock(&vm->mmu_lock);
	vcpu->cr3 = cr3 & ~NOFLUSH;
	if (select_root(vcpu, LG_ENTRY_FRAME(cr3)) && !(cr3 & NOFLUSH))
		lg_sync_user(vcpu);
	lg_check_watched(vm);
	publish_root(vcpu);
	lg_shadow_free_unlinked(vm);
	write_unlock(&vm->mmu_lock);
}

/**
 * lg_release_table - empty the root of a top-level table that the guest has freed
 * @vcpu: the virtual CPU; its mutex is held
 * @gfn: frame of the table, from the guest, not checked: a lie costs the guest faults
 *
 * Takes mmu_lock. Tables below the top level go with the entries that point to them. No entry
 * points to a root: it would stay until another CR3 needs it.
 */
void lg_release_table(struct lg_vcpu *vcpu, gfn_t gfn)
{
	unsigned int i;

	lockdep_assert_held(&vcpu->mutex);
	for (i = 0; i < LG_ROOTS; i++) {
		struct lg_root *root = &vcpu->roots[i];

		if (root->gfn != gfn || root == vcpu->root)
			continue;
		write_lock(&vcpu->vm->mmu_lock);
		empty_root(vcpu, root);
		lg_shadow_free_unlinked(vcpu->vm);
		write_unlock(&vcpu->vm->mmu_lock);
	}
}
