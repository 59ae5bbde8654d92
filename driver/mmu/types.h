/* SPDX-License-Identifier: GPL-2.0-only */
/* What a VM and a virtual CPU hold for mmu/: structs alone. lg.h includes this. */
#ifndef _LG_MMU_TYPES_H
#define _LG_MMU_TYPES_H

#include <linux/atomic.h>
#include <linux/bits.h>
#include <linux/list.h>
#include <linux/types.h>
#include <linux/wait.h>

#include "mmu/address.h"
#include "switcher.h"

#define LG_ROOTS	SWITCHER_ROOTS	/* Guest CR3 values that a vCPU keeps roots for */

struct lg_shadow_page;

/* An entry of a shadow page, as its page's number * 512 + index. 0: none. */
typedef u32 lg_spte_t;
#define LG_SPTES_BUSY	BIT(31)		/* in the head of a list: somebody changes it */

struct lg_memory_slot {
	gfn_t first, frames;
	hva_t hva;
	/* Which shadow entries map each frame: see mmu/rmap.c */
	lg_spte_t *sptes, *large_sptes;	/* 4 KiB; 2 MiB */
	u8 *no_large;		/* by 2 MiB: the Host has it in pieces */
};

/* Shadow page tables of a VM: see mmu/pages.c. Written under lg_vm.mmu_lock, atomics aside. */
#define LG_SHADOW_HASH_BITS	10
struct lg_mmu {
	struct hlist_head hash[1 << LG_SHADOW_HASH_BITS];
	u64 hash_secret;		/* odd: the hash is the upper bits of a product with it */
	struct list_head pages;		/* all but roots: the last is the next to be given up */
	unsigned int count, limit;	/* shadow pages */
	bool fixed;			/* the slots: from here on they are, and are compared */
	unsigned int invalidating;	/* mmu_notifier: ranges being invalidated, all of them */
	hva_t invalid_start, invalid_end;	/* in here, in the Launcher */
	u64 invalidated;		/* ranges that were, ever */
	wait_queue_head_t quiet;	/* until one is done */
	atomic64_t generation;		/* counts entries that became narrower */
	u64 resized;			/* generation when one above level 1 last became so */
	u64 tables;			/* counts changes of entries that point to tables */
	u64 sync_clock;			/* counts rounds of mmu/sync.c */
	atomic64_t prefills_used, prefills_wasted;	/* of those dropped or compared */
	hva_t dirty_map;		/* lguest_init.dirty_map in the Launcher; 0: none */
	u64 dirty_map_size;
	struct list_head unlinked;	/* to be freed once no TLB has them */
	struct list_head spare;		/* ready for the next faults */
	unsigned int nr_spare;
	struct lg_shadow_page **by_id;	/* all pages in use, by number */
	unsigned long *ids;		/* bitmap: numbers in use */
	unsigned int nr_ids, id_hint;
};

/* One cached Guest CR3 and the pages that shadow it: mmu/pages.c. */
struct lg_root {
	gfn_t gfn;			/* of the Guest's top-level table; ~0: free */
	struct lg_shadow_page *kernel, *user;
	u64 used;			/* when, in lg_vcpu.root_clock */
};

/* A way from a root down to a table that was gone lately: good while no entry on it changed. */
#define LG_PATHS	8
struct lg_path {
	struct lg_shadow_page *root, *table;
	gva_t gva;			/* in 2 MiB */
	u64 tables;			/* lg_mmu.tables of then */
	bool writable;			/* as far as the levels above say */
	bool compared;			/* guest[] is what the shadow says, too: */
	u64 guest[LG_PT_LEVELS + 1];			/* by level, the Guest's entries at: */
	hva_t hva[LG_PT_LEVELS + 1];			/* in the Launcher; the table's first for level 1 */
};

/* What may be stale, in the terms of SDM volume 3, 4.10.4.1. A later one has more. */
enum lg_flush_kind {
	LG_FLUSH_NONE,
	LG_FLUSH_USER,		/* non-global entries of the current PCID */
	LG_FLUSH_ALL,		/* everything, global entries too */
	LG_FLUSH_RANGE,		/* INVLPG for each page from start to end */
};

/* A flush that another vCPU wants. Written under mmu_lock. */
struct lg_flush {
	enum lg_flush_kind kind;
	gva_t start, end;
};

/* What lg_fault_in() found last: good while lg_mmu.invalidated is the same. */
struct lg_last_frame {
	hva_t hva;
	u64 frame, invalidated;
};

#endif /* _LG_MMU_TYPES_H */
