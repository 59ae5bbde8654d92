/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The software TLB, as the other wings see it: the guest's memory, its page tables, and the
 * shadow page tables that the CPU uses. The inside is in shadow.h.
 */
#ifndef _LG_MMU_H
#define _LG_MMU_H

#include <linux/nospec.h>

#include "lg.h"

/* memory.c */
int lg_set_memory(struct lg_vm *vm, const struct lguest_memory *args);

/*
 * Find the slot that has @gfn; NULL: none. The guest chooses @gfn: clamp it, so that the CPU
 * cannot look behind the slot with it, not even when it speculates.
 */
static inline struct lg_memory_slot *lg_slot_of(struct lg_vm *vm, gfn_t *gfn)
{
	struct lg_memory_slot *slot;

	for (slot = vm->slots; slot < vm->slots + vm->nr_slots; slot++) {
		gfn_t frame = *gfn - slot->first;

		if (frame >= slot->frames)
			continue;
		*gfn = slot->first + array_index_nospec(frame, slot->frames);
		return slot;
	}
	return NULL;
}

/* The launcher's address of @gfn; 0: there is no such memory. */
static inline hva_t lg_gfn_to_hva(struct lg_vm *vm, gfn_t gfn)
{
	const struct lg_memory_slot *slot = lg_slot_of(vm, &gfn);

	return slot ? slot->hva + ((gfn - slot->first) << PAGE_SHIFT) : 0;
}

/* Is the mmu_notifier at work there? Without mmu_lock the answer is a guess. */
static inline bool lg_invalidating(const struct lg_vm *vm, hva_t hva, size_t bytes)
{
	return READ_ONCE(vm->mmu.invalidating) && hva < READ_ONCE(vm->mmu.invalid_end) &&
	       hva + bytes > READ_ONCE(vm->mmu.invalid_start);
}

bool lg_in_hole(const struct lg_vm *vm, gpa_t gpa);
int lg_fault_in(struct lg_vcpu *vcpu, hva_t hva, bool write);
int lg_read_gva(struct lg_vcpu *vcpu, gva_t gva, void *to, size_t bytes);
int lg_write_gva(struct lg_vcpu *vcpu, gva_t gva, const void *from, size_t bytes);

/* walk.c */
struct lg_walk {
	gva_t gva;
	int leaf;			/* level that maps it: 1, 2 or 3 */
	u64 entry[LG_PT_LEVELS + 1];	/* by level, as read, with the A and D that we set */
	gpa_t gpa;			/* of the byte at gva */
	bool user, writable, executable;	/* all levels together */
	u64 error;			/* #PF error code when it fails */
	hva_t hva;			/* for LG_WALK_AGAIN: what to make present first */
};
enum lg_walk_result { LG_WALK_OK, LG_WALK_FAULT, LG_WALK_AGAIN, LG_WALK_DEAD };
enum lg_walk_result lg_walk(struct lg_vcpu *vcpu, gva_t gva, u64 access,
			    struct lg_walk *walk);

/* notifier.c */
int lg_notifier_init(void);
void lg_notifier_exit(void);
int lg_notifier_register(struct lg_vm *vm);
void lg_notifier_unregister(struct lg_vm *vm);
void lg_notifier_fix_slots(struct lg_vm *vm);
void lg_notifier_wait(struct lg_vcpu *vcpu);

/* watched.c */
void lg_watch_tables(struct lg_vm *vm);

/* guest_entry.c: may sleep */
int lg_set_fixed_entry(struct lg_vm *vm, u64 entry);
long lg_find_entry(struct lg_vcpu *vcpu, gva_t gva, gpa_t *gpa, u64 *entry);
long lg_write_entry(struct lg_vcpu *vcpu, gpa_t gpa, u64 value, u64 keep);

/* pages.c */
int lg_mmu_init(struct lg_vm *vm);
void lg_mmu_free(struct lg_vm *vm);
int lg_shadow_topup(struct lg_vm *vm);
int lg_shadow_set_limit(struct lg_vm *vm, unsigned long limit);
void lg_mmu_stats(const struct lg_vm *vm, struct lguest_stats *stats);
void lg_shadow_zap_all(struct lg_vm *vm);

/* dirty.c */
void lg_tables_changed(struct lg_vm *vm);

/* rmap.c */
void lg_slot_free(struct lg_memory_slot *slot);

/* roots.c */
int lg_roots_alloc(struct lg_vcpu *vcpu);
void lg_roots_free(struct lg_vcpu *vcpu);
void lg_root_load(struct lg_vcpu *vcpu);
void lg_root_changed(struct lg_vcpu *vcpu);

/* After each entry: has the switcher loaded another CR3? */
static inline void lg_root_exit(struct lg_vcpu *vcpu)
{
	if (vcpu->cpu->root_slot != vcpu->root_slot)
		lg_root_changed(vcpu);
}

void lg_roots_show(struct lg_vcpu *vcpu, u64 entry, bool elsewhere);
void lg_load_cr3(struct lg_vcpu *vcpu, u64 cr3);
void lg_release_table(struct lg_vcpu *vcpu, gfn_t gfn);

/* fault.c */
enum lg_slow lg_shadow_fault(struct lg_vcpu *vcpu);
bool lg_shadow_fault_quickly(struct lg_vcpu *vcpu);

/* sync.c */
void lg_entry_written(struct lg_vcpu *vcpu, gpa_t gpa);
void lg_flush(struct lg_vcpu *vcpu, bool every, enum lg_flush_kind kind, gva_t start, gva_t end);
bool lg_flush_quickly(struct lg_vcpu *vcpu, gva_t start, gva_t end);

/* remote.c */
void lg_flush_multi(struct lg_vcpu *vcpu, enum lg_flush_kind kind, gva_t start, gva_t end, u64 mask);
void lg_flush_requested(struct lg_vcpu *vcpu);

#endif /* _LG_MMU_H */
