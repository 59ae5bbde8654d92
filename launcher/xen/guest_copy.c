// SPDX-License-Identifier: GPL-2.0-only
/*
 * Arguments of hypercalls that are in guest memory, by guest virtual address: through the
 * guest's own page tables (SDM volume 3, 4.5), which it may change meanwhile, or have made to
 * lead anywhere. Each entry is read once, and where it leads to goes through guest_range().
 */
#include <string.h>

#include "base/compiler.h"
#include "memory.h"
#include "xen/guest_copy.h"
#include "xen/tables.h"

/* Bits 63 to 47 are all the same. */
static bool is_canonical(uint64_t gva)
{
	return (uint64_t)((int64_t)(gva << 16) >> 16) == gva;
}

/* Return: where the page of @gva is for us, or NULL. guests of Xen's ABI have no large pages. */
static uint8_t *find_page(const struct guest_memory *memory, uint64_t cr3, uint64_t gva,
			  bool write)
{
	uint64_t table = cr3 & PTE_ADDRESS;
	unsigned int level;

	for (level = LEVELS; level > 0; level--) {
		uint64_t *at = guest_range(memory, table + 8 * xen_table_index(gva, level), 8);
		uint64_t entry;

		if (!at)
			return NULL;
		entry = READ_ONCE(*at);
		if (!(entry & PTE_PRESENT) || (write && !(entry & PTE_WRITE)) ||
		    (level > 1 && (entry & PTE_LARGE)))
			return NULL;
		table = entry & PTE_ADDRESS;
	}
	return guest_range(memory, table, PAGE_SIZE);
}

/* Bytes of the page of @gva, from there on. */
static size_t rest_of_page(uint64_t gva, size_t size)
{
	size_t rest = PAGE_SIZE - gva % PAGE_SIZE;

	return size < rest ? size : rest;
}

/**
 * xen_copy_in() - read from the guest
 * @memory: the guest's memory
 * @cr3: its top-level page table
 * @gva: guest virtual address; any number
 * @to: where it goes
 * @size: bytes
 *
 * Return: false if some of it is not there.
 */
bool xen_copy_in(const struct guest_memory *memory, uint64_t cr3, uint64_t gva, void *to,
		 size_t size)
{
	while (size) {
		size_t part = rest_of_page(gva, size);
		uint8_t *page = is_canonical(gva) ? find_page(memory, cr3, gva, false) : NULL;

		if (!page)
			return false;
		memcpy(to, page + gva % PAGE_SIZE, part);
		barrier();
		to = (uint8_t *)to + part;
		gva += part;
		size -= part;
	}
	return true;
}

/**
 * xen_copy_out() - write to the guest
 * @memory: the guest's memory
 * @cr3: its top-level page table
 * @gva: guest virtual address; any number
 * @from: what is written
 * @size: bytes
 *
 * Return: false if some of it is not there, or is not to be written to.
 */
bool xen_copy_out(const struct guest_memory *memory, uint64_t cr3, uint64_t gva, const void *from,
		  size_t size)
{
	while (size) {
		size_t part = rest_of_page(gva, size);
		uint8_t *page = is_canonical(gva) ? find_page(memory, cr3, gva, true) : NULL;

		if (!page)
			return false;
		memcpy(page + gva % PAGE_SIZE, from, part);
		from = (const uint8_t *)from + part;
		gva += part;
		size -= part;
	}
	return true;
}
