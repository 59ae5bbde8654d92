// SPDX-License-Identifier: GPL-2.0-only
/*
 * The page tables that the guest's kernel starts with, as lguest_abi.h promises
 * them. They map all memory below the hole twice: at 0, and at 0xffff888000000000,
 * where Linux has its direct map. They map its first GiB at 0xffffffff80000000,
 * too, where Linux has its code. For the bits see SDM volume 3, table 4-15 and
 * the following ones.
 */
#include <errno.h>
#include <string.h>

#include "lguest_abi.h"
#include "memory.h"
#include "boot/pagetables.h"

#define ENTRIES		512
#define PTE_PRESENT	0x001ULL
#define PTE_WRITE	0x002ULL
#define PTE_ACCESSED	0x020ULL
#define PTE_DIRTY	0x040ULL
#define PTE_PAGE_SIZE	0x080ULL

/* No user bit: the guest's programs must not use these mappings. */
#define TABLE		(PTE_PRESENT | PTE_WRITE | PTE_ACCESSED | PTE_DIRTY)
#define LARGE_PAGE	(TABLE | PTE_PAGE_SIZE)
#define LARGE_SIZE	(2ULL << 20)

/* Index into the table of a level (4: the top) for a virtual address. */
#define INDEX(gva, level)	(((gva) >> (12 + 9 * ((level) - 1))) & (ENTRIES - 1))

#define DIRECT_MAP	0xffff888000000000ULL
#define KERNEL_MAP	0xffffffff80000000ULL

/**
 * page_tables_build() - write the guest's first page tables into its memory
 * @memory: the guest's memory
 * @gpa: page-aligned address of PAGE_TABLES_SIZE bytes; the top-level table comes
 *       first, so this is the guest's first %cr3
 *
 * The three mappings share their lower tables: the guest's kernel only reads
 * these tables until it has its own.
 *
 * Return: 0, or -EFAULT if @gpa is not aligned or not guest memory.
 */
int page_tables_build(const struct guest_memory *memory, uint64_t gpa)
{
	uint64_t (*tables)[ENTRIES] = guest_range(memory, gpa, PAGE_TABLES_SIZE);
	uint64_t *top, *direct, *kernel, *pages;
	uint64_t mapped, i;

	if (!tables || gpa % PAGE_SIZE)
		return -EFAULT;
	memset(tables, 0, PAGE_TABLES_SIZE);
	top = tables[0];
	direct = tables[1];
	kernel = tables[2];
	pages = tables[3];	/* the four second-level tables, as one array */

	top[INDEX(0ULL, 4)] = (gpa + PAGE_SIZE) | TABLE;
	top[INDEX(DIRECT_MAP, 4)] = (gpa + PAGE_SIZE) | TABLE;
	top[INDEX(KERNEL_MAP, 4)] = (gpa + 2 * PAGE_SIZE) | TABLE;

	/* There is no memory between the hole and LGUEST_BOOT_MAPPED. */
	mapped = (memory->low + LARGE_SIZE - 1) / LARGE_SIZE;
	for (i = 0; i < mapped; i++)
		pages[i] = (i * LARGE_SIZE) | LARGE_PAGE;
	for (i = 0; i * ENTRIES < mapped; i++)
		direct[i] = (gpa + (3 + i) * PAGE_SIZE) | TABLE;
	kernel[INDEX(KERNEL_MAP, 3)] = direct[0];
	return 0;
}
