// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page tables of 4 KiB pages that the launcher writes into memory of a guest's: those that
 * its kernel starts on, which Linux takes apart level by level, and those of the M2P. SDM
 * volume 3, table 4-15 and following, say what the bits mean.
 */
#include <string.h>

#include "memory.h"
#include "xen/tables.h"

/* No user bit: the guest's user space has nothing to look for here. */
#define TABLE		(PTE_PRESENT | PTE_WRITE | PTE_ACCESSED | PTE_DIRTY)

/**
 * xen_tables_pages() - how many tables a mapping takes
 * @gva: its first address
 * @pages: how many pages it has, at least one
 *
 * Return: of all levels, the top-level one too.
 */
uint64_t xen_tables_pages(uint64_t gva, uint64_t pages)
{
	uint64_t last = gva + (pages - 1) * PAGE_SIZE, sum = 1;
	unsigned int level;

	for (level = 1; level < LEVELS; level++)
		sum += (last >> (12 + 9 * level)) - (gva >> (12 + 9 * level)) + 1;
	return sum;
}

/**
 * xen_tables_init() - no tables yet but the top-level one, which is empty
 * @tables: filled in
 * @at: room for them in our memory, page aligned
 * @gpa: where that is for the guest
 * @pages: how many tables there is room for
 */
void xen_tables_init(struct xen_tables *tables, void *at, uint64_t gpa, uint64_t pages)
{
	tables->table = at;
	tables->gpa = gpa;
	tables->pages = pages;
	tables->used = 1;
	memset(tables->table[0], 0, PAGE_SIZE);
}

/* The table below an entry, which is made if there is none. Return: its number. */
static uint64_t below(struct xen_tables *tables, uint64_t *entry)
{
	if (!*entry) {
		memset(tables->table[tables->used], 0, PAGE_SIZE);
		*entry = (tables->gpa + tables->used * PAGE_SIZE) | TABLE;
		tables->used++;
	}
	return ((*entry & PTE_ADDRESS) - tables->gpa) / PAGE_SIZE;
}

/**
 * xen_tables_map() - one page
 * @tables: have room, as xen_tables_pages() says
 * @gva: its address
 * @entry: of the lowest level
 */
void xen_tables_map(struct xen_tables *tables, uint64_t gva, uint64_t entry)
{
	unsigned int level;
	uint64_t number = 0;

	for (level = LEVELS; level > 1; level--)
		number = below(tables, &tables->table[number][xen_table_index(gva, level)]);
	tables->table[number][xen_table_index(gva, 1)] = entry;
}
