// SPDX-License-Identifier: GPL-2.0-only
/*
 * The Launcher's memory changes under the Guest: swapped, migrated, merged,
 * split, unmapped. The mmu_notifier tells us before it does, and between start
 * and end no shadow entry may be made. None of this sleeps: the OOM reaper and
 * others that may not call it too.
 */
#include <linux/mmu_notifier.h>

#include "lg.h"

static struct lg_vm *vm_of(struct mmu_notifier *mn)
{
	return container_of(mn, struct lg_vm, notifier);
}

static int invalidate_range_start(struct mmu_notifier *mn, const struct mmu_notifier_range *range)
{
	struct lg_vm *vm = vm_of(mn);

	spin_lock(&vm->mmu_lock);
	vm->mmu.invalidating++;
	lg_shadow_invalidate(vm, range->start, range->end);
	spin_unlock(&vm->mmu_lock);
	return 0;
}

static void invalidate_range_end(struct mmu_notifier *mn, const struct mmu_notifier_range *range)
{
	struct lg_vm *vm = vm_of(mn);

	spin_lock(&vm->mmu_lock);
	vm->mmu.invalidating--;
	vm->mmu.invalidated++;
	spin_unlock(&vm->mmu_lock);
}

/* The mm is going before the fd is closed: nothing of it may be used again. */
static void release(struct mmu_notifier *mn, struct mm_struct *mm)
{
	struct lg_vm *vm = vm_of(mn);

	lg_kill(vm, "the Launcher has ended");
	spin_lock(&vm->mmu_lock);
	lg_shadow_zap_all(vm);
	lg_flush_others(vm);
	spin_unlock(&vm->mmu_lock);
}

static const struct mmu_notifier_ops notifier_ops = {
	.invalidate_range_start	= invalidate_range_start,
	.invalidate_range_end	= invalidate_range_end,
	.release		= release,
};

int lg_notifier_register(struct lg_vm *vm)
{
	vm->notifier.ops = &notifier_ops;
	return mmu_notifier_register(&vm->notifier, vm->mm);
}
