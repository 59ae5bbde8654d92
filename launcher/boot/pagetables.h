/* SPDX-License-Identifier: GPL-2.0-only */
/* The page tables that the guest's kernel starts with. */
#ifndef _LAUNCHER_PAGETABLES_H
#define _LAUNCHER_PAGETABLES_H

#include <stdint.h>

struct guest_memory;

/* One top-level table, two of the third level, four of the second: 4 GiB. */
#define PAGE_TABLES_SIZE	(7 * 4096ULL)

int page_tables_build(const struct guest_memory *memory, uint64_t gpa);

#endif /* _LAUNCHER_PAGETABLES_H */
