/* SPDX-License-Identifier: GPL-2.0-only */
/* Page tables of 4 KiB pages that the launcher writes into memory of a guest's. */
#ifndef _LAUNCHER_XEN_TABLES_H
#define _LAUNCHER_XEN_TABLES_H

#include <stdint.h>

#define PTE_PRESENT	0x001ULL
#define PTE_WRITE	0x002ULL
#define PTE_ACCESSED	0x020ULL
#define PTE_DIRTY	0x040ULL
#define PTE_LARGE	0x080ULL
#define PTE_NO_EXECUTE	(1ULL << 63)
#define PTE_ADDRESS	0x000ffffffffff000ULL

#define ENTRIES		512U
#define LEVELS		4

/* Tables one behind the other, as they are needed; the top-level one is the first. */
struct xen_tables {
	uint64_t (*table)[ENTRIES];	/* where they are for us, */
	uint64_t gpa;			/* and for the guest */
	uint64_t pages;			/* room */
	uint64_t used;
};

static inline unsigned int xen_table_index(uint64_t gva, unsigned int level)
{
	return gva >> (12 + 9 * (level - 1)) & (ENTRIES - 1);
}

uint64_t xen_tables_pages(uint64_t gva, uint64_t pages);
void xen_tables_init(struct xen_tables *tables, void *at, uint64_t gpa, uint64_t pages);
void xen_tables_map(struct xen_tables *tables, uint64_t gva, uint64_t entry);

#endif /* _LAUNCHER_XEN_TABLES_H */
