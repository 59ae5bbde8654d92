/* SPDX-License-Identifier: GPL-2.0-only */
/* The parts of a VM and of a virtual CPU that belong to mmu/: structs alone. lg.h includes this. */
#ifndef _LG_MMU_TYPES_H
#define _LG_MMU_TYPES_H

#include <linux/atomic.h>
#include <linux/bits.h>
#include <linux/list.h>
#include <linux/types.h>
#include <linux/wait.h>

#include "mmu/address.h"
#include "switcher.h"

#define LG_ROOTS	SWITCHER_ROOTS	/* guest CR3 values that a vCPU keeps roots for */

struct lg_shadow_page;

/* Names an entry of a shadow page: the page's number * 512 + the index. 0: none. */
typedef u32 lg_spte_t;
#define LG_SPTES_BUSY	BIT(31)		/* in the head of a list: it is locked */

struct lg_memory_slot {
	gfn_t first, frames;
	hva_t hva;
	/* Which shadow entries map each frame: see mmu/rmap.c */
	lg_spte_t *sptes, *large_sptes;	/* 4 KiB; 2 MiB */
	u8 *no_large;		/* for each 2 MiB: the host has them in pieces */
	unsigned long *watched;	/* bit for each frame, or NULL: see mmu/watch.c */
};

/* Shadow page tables of a VM: see mmu/pages.c. Written under lg_vm.mmu_lock, atomics aside. */
#define LG_SHADOW_HASH_BITS	10
struct lg_mmu {
	struct hlist_head hash[1 << LG_SHADOW_HASH_BITS];
	u64 hash_secret;		/* odd: the hash is the upper bits of a product with it */
	struct list_head pages;		/* all but roots; reclaim takes the last */
	unsigned int count, limit;	/* shadow pages */
	bool fixed;			/* no memory slot comes any more */
	unsigned int invalidating;	/* mmu_notifier: ranges that are under way, all of them */
	hva_t invalid_start, invalid_end;	/* within these addresses of the launcher */
	u64 invalidated;		/* counts ranges that are over */
	wait_queue_head_t quiet;	/* woken when a range is over */
	atomic64_t generation;		/* counts entries that became narrower */
	u64 resized;			/* generation when an entry above level 1 last became so */
	u64 tables;			/* counts changes of entries that point to tables */
	u64 sync_clock;			/* counts rounds of mmu/sync.c */
	atomic64_t prefills_used, prefills_wasted;	/* as seen when dropped or compared */
	hva_t dirty_map;		/* lguest_init.dirty_map in the launcher; 0: none */
	u64 dirty_map_size;
	bool watches;			/* there is no map: mmu/watch.c */
	struct list_head pending;	/* pages that may have changed, in a VM that watches */
	u64 fixed_entry;		/* of slot LG_FIXED_INDEX of all top-level tables; 0: theirs */
	struct list_head unlinked;	/* pages to be freed once no CPU can walk them */
	struct list_head spare;		/* pages ready for the next faults */
	unsigned int nr_spare;
	struct lg_shadow_page **by_id;	/* all pages in use, by number */
	unsigned long *ids;		/* bitmap: numbers in use */
	unsigned int nr_ids, id_hint;
	atomic_t entries_in_writing;	/* by lg_write_entry() */
};

/* One cached guest CR3 and the pages that shadow it: mmu/pages.c. */
struct lg_root {
	gfn_t gfn;			/* of the guest's top-level table; ~0: free */
	struct lg_shadow_page *kernel, *user;
	u64 used;			/* last use, in lg_vcpu.root_clock */
};

/*
 * A path from a root down to a table, lately used: good while no entry that points to a table
 * changes.
 */
#define LG_PATHS	8
struct lg_path {
	struct lg_shadow_page *root, *table;
	gva_t gva;			/* in units of 2 MiB */
	u64 tables;			/* lg_mmu.tables when it was found */
	bool writable;			/* all levels above 1 allow writes */
	bool compared;			/* the shadow's entries are made from guest[]: */
	u64 guest[LG_PT_LEVELS + 1];			/* by level, the guest's entries, at: */
	hva_t hva[LG_PT_LEVELS + 1];			/* level 1: of the table */
};

/* Which entries may be stale, in the terms of SDM volume 3, 4.10.4.1? ALL includes USER. */
enum lg_flush_kind {
	LG_FLUSH_NONE,
	LG_FLUSH_USER,		/* non-global entries of the current PCID */
	LG_FLUSH_ALL,		/* everything, global entries too */
	LG_FLUSH_RANGE,		/* INVLPG for each page from start to end */
};

/* A flush that another vCPU asks for. Written under mmu_lock. */
struct lg_flush {
	enum lg_flush_kind kind;
	gva_t start, end;
};

/* The frame that lg_fault_in() found last: good while lg_mmu.invalidated is the same. */
struct lg_last_frame {
	hva_t hva;
	u64 frame, invalidated;
};

#endif /* _LG_MMU_TYPES_H */
