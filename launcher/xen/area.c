// SPDX-License-Identifier: GPL-2.0-only
/*
 * The Xen area: shared_info, the frames of the grant table, and the M2P with its page tables.
 *
 *	RAM | shared_info | grants (64) | tables of the M2P | M2P: u64[frames of RAM]
 *
 * The M2P says which of the guest's pages a frame is: for us each frame is itself. Linux reads
 * it at each look at a page-table entry, so it is mapped, at the same place in all the
 * guest's page tables: lg.ko puts m2p_entry there.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>

#include "base/message.h"
#include "xen/area.h"
#include "xen/tables.h"

#define NO_PAGE		(~0ULL)
#define ENTRIES_A_PAGE	(PAGE_SIZE / sizeof(uint64_t))
/* What the tables below one entry of the second level from above map. */
#define MOST_M2P	(1ULL << 30)

static uint64_t m2p_pages(const struct xen_area *area)
{
	return (area->frames + ENTRIES_A_PAGE - 1) / ENTRIES_A_PAGE;
}

/**
 * xen_area_init() - make the area of a guest
 * @area: filled in; xen_area_exit() it
 * @memory: bytes of the guest's memory, which lies below
 *
 * Return: 0, or a negative errno after telling the person.
 */
int xen_area_init(struct xen_area *area, uint64_t memory)
{
	uint64_t pages;
	void *base;

	memset(area, 0, sizeof(*area));
	area->gpa = memory;
	area->frames = memory / PAGE_SIZE;
	if (m2p_pages(area) * PAGE_SIZE > MOST_M2P)
		return refuse(-E2BIG, "a guest of Xen's ABI can't have more than 512 GiB");
	area->tables_gpa = memory + (1 + XEN_GRANT_FRAMES) * PAGE_SIZE;
	area->tables_pages = xen_tables_pages(XEN_M2P, m2p_pages(area));
	area->m2p_gpa = area->tables_gpa + area->tables_pages * PAGE_SIZE;
	pages = 1 + XEN_GRANT_FRAMES + area->tables_pages + m2p_pages(area);
	area->size = pages * PAGE_SIZE;
	base = mmap(NULL, area->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (base == MAP_FAILED)
		return refuse(-errno, "the host has no memory for the guest's frame table: %s",
			      strerror(errno));
	madvise(base, area->size, MADV_DONTDUMP);
	madvise(base, area->size, MADV_DONTFORK);
	area->base = base;
	area->shared_info = base;
	area->grants = (void *)(area->base + PAGE_SIZE);
	return 0;
}

static void fill_m2p(struct xen_area *area)
{
	uint8_t *at = area->base + (area->m2p_gpa - area->gpa);
	uint64_t *m2p = (uint64_t *)at, i;
	struct xen_tables tables;

	for (i = 0; i < m2p_pages(area) * ENTRIES_A_PAGE; i++)
		m2p[i] = i < area->frames ? i : NO_PAGE;
	xen_tables_init(&tables, area->base + (area->tables_gpa - area->gpa), area->tables_gpa,
			area->tables_pages);
	for (i = 0; i < m2p_pages(area); i++)
		xen_tables_map(&tables, XEN_M2P + i * PAGE_SIZE, (area->m2p_gpa + i * PAGE_SIZE) |
			       PTE_PRESENT | PTE_ACCESSED | PTE_DIRTY | PTE_NO_EXECUTE);
	area->m2p_entry = tables.table[0][xen_table_index(XEN_M2P, LEVELS)];
}

/**
 * xen_area_fill() - as a guest finds it when it starts
 * @area: as xen_area_init() left it, or a guest that has ended; all of it is made anew
 */
void xen_area_fill(struct xen_area *area)
{
	struct xen_shared_info *shared = area->shared_info;
	struct timespec now;
	unsigned int i;

	memset(area->base, 0, (1 + XEN_GRANT_FRAMES) * PAGE_SIZE);
	for (i = 0; i < XEN_LEGACY_VCPUS; i++)
		shared->vcpu[i].mask = 1;
	memset(shared->mask, 0xff, sizeof(shared->mask));
	/* What the time was when that of the guest began. */
	clock_gettime(CLOCK_REALTIME, &now);
	shared->clock_version = 2;
	shared->clock_seconds = now.tv_sec;
	shared->clock_seconds_high = (uint64_t)now.tv_sec >> 32;
	shared->clock_nanoseconds = now.tv_nsec;
	fill_m2p(area);
}

/**
 * xen_area_grant_frame() - one of the grant table's pages
 * @area: as xen_area_init() left it
 * @number: 0 to XEN_GRANT_FRAMES - 1
 *
 * Return: its frame's number for the guest.
 */
uint64_t xen_area_grant_frame(const struct xen_area *area, unsigned int number)
{
	return area->gpa / PAGE_SIZE + 1 + number;
}

/**
 * xen_area_tell() - make the area known to lg.ko
 * @area: as xen_area_fill() left it
 * @vm: lg.ko's descriptor of a VM that speaks Xen's ABI, and has the guest's memory
 *
 * Return: 0, or a negative errno after telling the person.
 */
int xen_area_tell(const struct xen_area *area, int vm)
{
	struct lguest_memory memory = {
		.guest_phys = area->gpa,
		.size = area->size,
		.host_virt = (uintptr_t)area->base,
	};
	struct lguest_xen_setup setup = {
		.shared_info = area->gpa,
		.m2p_entry = area->m2p_entry,
	};

	if (ioctl(vm, LGUEST_SET_MEMORY, &memory) < 0)
		return host_refuses("the guest's frame table");
	if (ioctl(vm, LGUEST_XEN_SETUP, &setup) < 0)
		return host_refuses("what Xen shares with a guest");
	return 0;
}

/**
 * xen_area_exit() - give it back
 * @area: as xen_area_init() left it
 */
void xen_area_exit(struct xen_area *area)
{
	if (area->base)
		munmap(area->base, area->size);
	area->base = NULL;
}
