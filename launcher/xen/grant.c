// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages that the guest lets us use, by their number in its grant table. All of its memory is
 * ours to use anyway; what a grant keeps safe is the guest from its own drivers' mistakes.
 */
#include <stddef.h>
#include <string.h>

#include "base/compiler.h"
#include "memory.h"
#include "xen/area.h"
#include "xen/grant.h"

#define GRANTS	(XEN_GRANT_FRAMES * PAGE_SIZE / sizeof(struct xen_grant_entry))

/* In one piece: the guest may be changing it. */
static uint64_t *entry_of(const struct xen_area *area, uint32_t number)
{
	return number < GRANTS ? (uint64_t *)&area->grants[number] : NULL;
}

/* Return: the page that an entry of the table gives us, or NULL. */
static void *page_of(const struct guest_memory *memory, uint64_t whole, bool write)
{
	struct xen_grant_entry entry;

	memcpy(&entry, &whole, sizeof(entry));
	if ((entry.flags & XEN_GRANT_TYPE_MASK) != XEN_GRANT_ACCESS ||
	    entry.domain != XEN_BACKEND || (write && entry.flags & XEN_GRANT_READ_ONLY))
		return NULL;
	return guest_range(memory, (uint64_t)entry.frame * PAGE_SIZE, PAGE_SIZE);
}

/**
 * xen_grant() - the page of a grant
 * @area: with the grant table
 * @memory: the guest's memory
 * @number: the grant's; any number
 * @write: the page is to be written to
 *
 * Return: the page, or NULL if it is not granted to us.
 */
void *xen_grant(const struct xen_area *area, const struct guest_memory *memory, uint32_t number,
		bool write)
{
	const uint64_t *entry = entry_of(area, number);

	return entry ? page_of(memory, READ_ONCE(*entry), write) : NULL;
}

/**
 * xen_grant_hold() - the page of a grant, which the guest sees to be in use
 * @area: with the grant table
 * @memory: the guest's memory
 * @number: the grant's; any number
 *
 * Linux does not take such a page for anything else before xen_grant_drop().
 *
 * Return: the page, for writing too, or NULL if it is not granted to us.
 */
void *xen_grant_hold(const struct xen_area *area, const struct guest_memory *memory,
		     uint32_t number)
{
	uint64_t *entry = entry_of(area, number), whole;
	void *page;

	if (!entry)
		return NULL;
	whole = READ_ONCE(*entry);
	do {
		page = page_of(memory, whole, true);
	} while (page && !__atomic_compare_exchange_n(entry, &whole, whole | XEN_GRANT_IN_USE, false,
						      __ATOMIC_SEQ_CST, __ATOMIC_RELAXED));
	return page;
}

/**
 * xen_grant_drop() - the page is used no more
 * @area: with the grant table
 * @number: the grant's, from xen_grant_hold()
 */
void xen_grant_drop(const struct xen_area *area, uint32_t number)
{
	__atomic_fetch_and(entry_of(area, number), ~(uint64_t)XEN_GRANT_IN_USE, __ATOMIC_SEQ_CST);
}
