// SPDX-License-Identifier: GPL-2.0-only
/*
 * The launcher's memory changes under the guest: the host swaps, migrates, merges, splits or
 * unmaps it. The mmu_notifier tells us so before, and between start and end of a change no
 * shadow entry may be made for that memory. None of this sleeps: callers like the OOM reaper
 * may not.
 *
 * And the host is short of memory: the shrinker asks for shadow pages.
 */
#include <linux/list_lru.h>
#include <linux/mmu_notifier.h>
#include <linux/nodemask.h>
#include <linux/slab.h>

#include "lg.h"
#include "trace.h"
#include "host/compat.h"
#include "mmu/shadow.h"
#include "vcpu/vcpu.h"

static struct lg_vm *notifier_vm(struct mmu_notifier *mn)
{
	return container_of(mn, struct lg_vm, notifier);
}

/*
 * Are the slots fixed, and is the range in none of them? So it is with most changes of a
 * process's memory. The answer is the same at the start of a range and at its end: the slots
 * do not become fixed while a range is under way.
 */
static bool is_foreign_range(struct lg_vm *vm, const struct mmu_notifier_range *range)
{
	return smp_load_acquire(&vm->mmu.fixed) &&
	       !lg_shadow_concerned(vm, range->start, range->end);
}

/*
 * lg_notifier_fix_slots - the guest runs, so no slot comes any more; if a range is under way,
 * leave it to the next call. Takes mmu_lock.
 */
void lg_notifier_fix_slots(struct lg_vm *vm)
{
	write_lock(&vm->mmu_lock);
	if (!vm->mmu.invalidating)
		smp_store_release(&vm->mmu.fixed, true);
	write_unlock(&vm->mmu_lock);
}

/* Keep one range that has all ranges which are under way, until the last of them ends. */
static void begin_invalidation(struct lg_mmu *mmu, hva_t start, hva_t end)
{
	lockdep_assert_held_write(&container_of(mmu, struct lg_vm, mmu)->mmu_lock);
	if (!mmu->invalidating) {
		WRITE_ONCE(mmu->invalid_start, start);
		WRITE_ONCE(mmu->invalid_end, end);
	} else {
		WRITE_ONCE(mmu->invalid_start, min(mmu->invalid_start, start));
		WRITE_ONCE(mmu->invalid_end, max(mmu->invalid_end, end));
	}
	WRITE_ONCE(mmu->invalidating, mmu->invalidating + 1);
}

static int notifier_invalidate_start(struct mmu_notifier *mn,
				     const struct mmu_notifier_range *range)
{
	struct lg_vm *vm = notifier_vm(mn);

	if (is_foreign_range(vm, range))
		return 0;
	write_lock(&vm->mmu_lock);
	/* Look again: the slots may have become fixed meanwhile. */
	if (!is_foreign_range(vm, range)) {
		trace_lguest_invalidate(range->start, range->end);
		begin_invalidation(&vm->mmu, range->start, range->end);
		lg_shadow_invalidate(vm, range->start, range->end);
	}
	write_unlock(&vm->mmu_lock);
	return 0;
}

static void notifier_invalidate_end(struct mmu_notifier *mn,
				    const struct mmu_notifier_range *range)
{
	struct lg_vm *vm = notifier_vm(mn);

	if (is_foreign_range(vm, range))
		return;
	write_lock(&vm->mmu_lock);
	WRITE_ONCE(vm->mmu.invalidating, vm->mmu.invalidating - 1);
	vm->mmu.invalidated++;
	write_unlock(&vm->mmu_lock);
	if (wq_has_sleeper(&vm->mmu.quiet))
		wake_up_all(&vm->mmu.quiet);
}

/**
 * lg_notifier_wait - wait until the launcher's memory at vcpu->fault_hva does not change
 * @vcpu: the virtual CPU; its mutex is held
 *
 * Sleeps, for a tick at most, without mmu_lock, which the end of that range takes. The caller
 * tries the fault again in any case.
 */
void lg_notifier_wait(struct lg_vcpu *vcpu)
{
	lockdep_assert_held(&vcpu->mutex);
	wait_event_interruptible_timeout(vcpu->vm->mmu.quiet,
					 !lg_invalidating(vcpu->vm, vcpu->fault_hva, PAGE_SIZE) ||
					 READ_ONCE(vcpu->kicked), 1);
}

/*
 * Has the guest used these pages? The CPU notes that in the shadow alone: without these
 * functions the pages that the guest uses most would look idle to the host, and be swapped out
 * first.
 */
static lg_young_t notifier_test_young(struct mmu_notifier *mn, struct mm_struct *mm,
				      unsigned long address)
{
	return lg_shadow_young(notifier_vm(mn), address, address + 1, false);
}

/* "May omit flushing the secondary TLB" (mmu_notifier.h): so do, TLB entries do not live long. */
static lg_young_t notifier_clear_young(struct mmu_notifier *mn, struct mm_struct *mm,
				       unsigned long start, unsigned long end)
{
	return lg_shadow_young(notifier_vm(mn), start, end, true);
}

/* Each CPU flushes at its next entry: behind its next timer tick, at the latest. */
static lg_young_t notifier_clear_flush_young(struct mmu_notifier *mn, struct mm_struct *mm,
					     unsigned long start, unsigned long end)
{
	bool young = lg_shadow_young(notifier_vm(mn), start, end, true);

	if (young)
		atomic64_inc(&notifier_vm(mn)->mmu.generation);
	return young;
}

/* The mm goes away before the fd is closed: nothing of it may be used again. */
static void notifier_release(struct mmu_notifier *mn, struct mm_struct *mm)
{
	struct lg_vm *vm = notifier_vm(mn);

	lg_kill(vm, "the launcher has ended");
	lg_shadow_zap_all(vm);
	lg_flush_others(vm);
}

static const struct mmu_notifier_ops notifier_ops = {
	.invalidate_range_start	= notifier_invalidate_start,
	.invalidate_range_end	= notifier_invalidate_end,
	.clear_flush_young	= notifier_clear_flush_young,
	.clear_young		= notifier_clear_young,
	.test_young		= notifier_test_young,
	.release		= notifier_release,
};

/*
 * Is the VM in the memory cgroup that is short of memory? The shadow pages are charged to the
 * launcher's cgroup, and so is the token, an object that serves this question alone: a module
 * can ask a list_lru to which cgroup an object is charged. The list also keeps the kernel from
 * asking us for cgroups without a VM.
 */
static bool vm_is_charged_to(struct lg_vm *vm, const struct shrink_control *control)
{
	unsigned long found = 0;
	int node;

	if (!smp_load_acquire(&vm->token))
		return false;
	if (!control->memcg)
		return true;
	for_each_online_node(node)
		found += list_lru_count_one(&vm->lru, node, control->memcg);
	return found;
}

/*
 * Return 0, not SHRINK_EMPTY: after that the kernel would not ask again, since no token is added.
 */
static unsigned long shrinker_count_pages(struct shrinker *shrinker, struct shrink_control *control)
{
	struct lg_vm *vm = lg_shrinker_data(shrinker);

	return vm_is_charged_to(vm, control) ? READ_ONCE(vm->mmu.count) : 0;
}

/* Any allocation may call this, with any locks held: take no lock but a spinlock. */
static unsigned long shrinker_scan_pages(struct shrinker *shrinker, struct shrink_control *control)
{
	struct lg_vm *vm = lg_shrinker_data(shrinker);
	unsigned long freed;

	write_lock(&vm->mmu_lock);
	freed = lg_shadow_reclaim(vm, control->nr_to_scan);
	lg_shadow_trim(vm);
	write_unlock(&vm->mmu_lock);
	return freed;
}

static struct kmem_cache *tokens;

int __init lg_notifier_init(void)
{
	tokens = kmem_cache_create("lguest_token", sizeof(struct list_head), 0, SLAB_ACCOUNT, NULL);
	return tokens ? 0 : -ENOMEM;
}

void lg_notifier_exit(void)
{
	kmem_cache_destroy(tokens);
}

/* Called after the shrinker is registered: the list wants its number. */
static int add_lru_token(struct lg_vm *vm)
{
	struct list_head *token;
	int err = list_lru_init_memcg(&vm->lru, vm->shrinker);

	if (err)
		return err;
	token = kmem_cache_alloc_lru(tokens, &vm->lru, GFP_KERNEL_ACCOUNT);
	if (!token) {
		list_lru_destroy(&vm->lru);
		return -ENOMEM;
	}
	INIT_LIST_HEAD(token);
	list_lru_add_obj(&vm->lru, token);
	smp_store_release(&vm->token, token);
	return 0;
}

static void free_vm_shrinker(struct lg_vm *vm)
{
	struct list_head *token = vm->token;

	if (token)
		list_lru_del_obj(&vm->lru, token);
	shrinker_free(vm->shrinker);
	if (!token)
		return;
	list_lru_destroy(&vm->lru);
	kmem_cache_free(tokens, token);
}

/** lg_notifier_register - register the notifier and the shrinker of @vm; sleeps; -ENOMEM, -EINTR */
int lg_notifier_register(struct lg_vm *vm)
{
	int err;

	vm->shrinker = shrinker_alloc(SHRINKER_MEMCG_AWARE | SHRINKER_NONSLAB, "lguest");
	if (!vm->shrinker)
		return -ENOMEM;
	vm->shrinker->count_objects = shrinker_count_pages;
	vm->shrinker->scan_objects = shrinker_scan_pages;
	vm->shrinker->seeks = DEFAULT_SEEKS;
	lg_shrinker_data(vm->shrinker) = vm;
	err = lg_shrinker_register(vm->shrinker, SHRINKER_MEMCG_AWARE | SHRINKER_NONSLAB);
	if (err)
		return err;
	vm->notifier.ops = &notifier_ops;
	err = add_lru_token(vm);
	if (!err)
		err = mmu_notifier_register(&vm->notifier, vm->mm);
	if (err)
		free_vm_shrinker(vm);
	return err;
}

void lg_notifier_unregister(struct lg_vm *vm)
{
	mmu_notifier_unregister(&vm->notifier, vm->mm);
	free_vm_shrinker(vm);
}
