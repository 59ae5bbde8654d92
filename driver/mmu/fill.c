// SPDX-License-Identifier: GPL-2.0-only
/*
 * Entries of level 1 that are made without a fault of their own: beside an entry that faulted,
 * or when the guest flushes.
 */
#include <linux/mm.h>
#include <linux/string.h>

#include "lg.h"
#include "mmu/shadow.h"

/* Entries to look at in a table that is new here: note those that are absent. */
#define NEW_TABLE	256U

/**
 * lg_shadow_fill - make one entry of level 1 agree with the guest's
 * @vm: the VM
 * @page: shadow page of a guest's table
 * @index: 0 to 511
 * @guest_entry: as just read
 *
 * If that needs the host's page tables, the entry maps nothing, and a fault will fill it.
 * mmu_lock written, or read with @page locked.
 */
void lg_shadow_fill(struct lg_vm *vm, struct lg_shadow_page *page, unsigned int index,
		    u64 guest_entry)
{
	u64 now = page->table[index], frame;
	gfn_t gfn = LG_ENTRY_FRAME(guest_entry);

	if (lg_usable(guest_entry, page->role)) {
		if (lg_mapped(now) && page->links[index].gfn == gfn) {
			lg_shadow_relink(vm, page, index,
					 lg_shadow_leaf_entry(LG_FRAME(now), guest_entry,
							      page->role));
			return;
		}
		if (lg_frame(vm, gfn, &frame)) {
			lg_shadow_map(vm, page, index,
				      lg_shadow_leaf_entry(frame, guest_entry, page->role), gfn);
			return;
		}
	}
	lg_shadow_drop(vm, page, index, guest_entry & _PAGE_PRESENT ? lg_unknown : 0);
}

/*
 * An entry that no fault asked for starts with A clear: so we see later whether the CPU has
 * used it.
 */
static void count_prefill(struct lg_vcpu *vcpu, struct lg_shadow_page *page, unsigned int index)
{
	if (!lg_mapped(page->table[index]))
		return;
	WRITE_ONCE(page->table[index],
		   (page->table[index] & ~(u64)_PAGE_ACCESSED) | LG_PREFILLED);
	vcpu->stats.prefills++;
}

/* In a part of a large page: map the frames behind the one that faulted, too. */
void lg_fill_behind(struct lg_vcpu *vcpu, struct lg_shadow_page *page, unsigned int index,
			u64 guest_entry)
{
	u64 writable = page->table[index] & LG_HOST_WRITABLE;
	unsigned int end = min(round_up(index + 1, LG_AROUND), LG_ENTRIES), i;
	gfn_t first = page->gfn + index + 1, last = page->gfn + end - 1;
	const struct lg_memory_slot *slot = lg_slot_of(vcpu->vm, &first);
	hva_t hva = lg_gfn_to_hva(vcpu->vm, first);
	int got;

	if (index + 1 >= end || !slot || lg_mapped(page->table[index + 1]) ||
	    slot != lg_slot_of(vcpu->vm, &last) ||
	    lg_invalidating(vcpu->vm, hva, LG_AROUND * PAGE_SIZE))
		return;
	got = lg_host_pages(hva, vcpu->pages, end - index - 1, writable);
	for (i = 0; i < got; i++) {
		if (lg_mapped(page->table[index + 1 + i]))
			continue;
		lg_shadow_map(vcpu->vm, page, index + 1 + i,
			      lg_shadow_leaf_entry(page_to_phys(vcpu->pages[i]) | writable,
						   guest_entry, page->role),
			      page->gfn + index + 1 + i);
		count_prefill(vcpu, page, index + 1 + i);
	}
}

/* Beside an entry that faulted: fill those that map nothing yet. */
void lg_fill_batch(struct lg_vcpu *vcpu, struct lg_shadow_page *page, unsigned int first,
		       const u64 entries[LG_AROUND], u64 mask)
{
	unsigned int i;

	for (i = 0; i < LG_AROUND; i++) {
		u64 now = page->table[first + i];

		if (lg_mapped(now) || (now && (entries[i] & (_PAGE_PRESENT | _PAGE_ACCESSED)) ==
					      _PAGE_PRESENT))
			continue;
		if (!(entries[i] & _PAGE_PRESENT)) {
			if (now)
				WRITE_ONCE(page->table[first + i], 0);
			continue;
		}
		lg_shadow_fill(vcpu->vm, page, first + i, entries[i] & mask);
		count_prefill(vcpu, page, first + i);
	}
}

int lg_read_around(struct lg_vm *vm, const struct lg_shadow_page *page, unsigned int index,
		       unsigned int count, u64 *entries)
{
	unsigned int first = round_down(index, count);

	return lg_read_entries(vm, (page->gfn << PAGE_SHIFT) + first * 8, entries, count);
}

void lg_fill_around(struct lg_vcpu *vcpu, struct lg_shadow_page *page, unsigned int index,
			u64 mask)
{
	u64 entries[LG_AROUND];

	if (!lg_read_around(vcpu->vm, page, index, LG_AROUND, entries))
		lg_fill_batch(vcpu, page, round_down(index, LG_AROUND), entries, mask);
}

/* lg_fill_around() for many entries, most of which are absent. */
void lg_fill_new(struct lg_vcpu *vcpu, struct lg_shadow_page *page, unsigned int index,
		     u64 mask)
{
	unsigned int i = round_down(index, NEW_TABLE), end = i + NEW_TABLE;
	u64 entries[LG_AROUND];

	for (; i < end && !lg_read_around(vcpu->vm, page, i, LG_AROUND, entries); i += LG_AROUND)
		if (memchr_inv(entries, 0, sizeof(entries)) ||
		    find_next_bit(page->used, i + LG_AROUND, i) < i + LG_AROUND)
			lg_fill_batch(vcpu, page, i, entries, mask);
		else
			memset64(page->table + i, 0, LG_AROUND);
}
