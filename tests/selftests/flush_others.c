// SPDX-License-Identifier: GPL-2.0-only
/*
 * flush_others: one vCPU changes entries of a page table and flushes the three others, which
 * use the pages all the time. When the flush is done nobody sees what was there before.
 *
 * Of every second page it flushes itself, too, and looks. Of the others it does not: the
 * vCPUs share their shadow, and so what one flushes of its own the host takes from all.
 *
 * A page is in turn replaced, taken away, given back and made read-only. Fails if a vCPU reads
 * the page that was there, reads one that is gone, writes to one that is read-only, or faults
 * at one that is there: then an entry of its shadow or its TLB has outlived the flush.
 */
#include <stdatomic.h>

#include "guest.h"
#include "tap.h"

#define VCPUS		4U
#define PAGES		32U
#define ROUNDS		1000U
#define AT		0x7000000000UL	/* guest virtual: the pages */
#define FRAMES		VM_USER_PHYS	/* guest physical: two for each */
#define PAGE(i)		(AT + (i) * 4096UL)
#define FRAME(i, odd)	(FRAMES + ((i) * 2UL + (odd)) * 4096UL)
/* Where the guest's kernel sees a frame, whatever the pages are. */
#define SEEN_AT		0x7100000000UL

enum kind { CHANGING, WRITABLE, READ_ONLY, GONE, KINDS };

/* By page: how often it has changed, times KINDS, and what it is. Only vCPU 0 writes them. */
static _Atomic uint64_t states[PAGES];
/* By page: the first word of its frame. */
static _Atomic uint64_t contents[PAGES];
static atomic_uint looks[KINDS];
static atomic_bool over;
/* By vCPU: what read_page() has read. */
static uint64_t found[VCPUS];

/* --- In the guest ------------------------------------------------------------------------- */

static uint64_t random_of(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005 + 1442695040888963407;
	return *seed >> 33;
}

static void read_page(uint64_t gva)
{
	found[guest_number()] = guest_read(gva);
}

static void write_page(uint64_t gva)
{
	guest_write(gva + 8, gva);
}

/* Does @use of the page end well? If not, by the fault that it should. */
static bool can(guest_code_t use, unsigned int page)
{
	const struct guest_exception *fault = guest_try(use, PAGE(page));

	if (!fault)
		return true;
	GUEST_ASSERT_EQ(fault->vector, GUEST_PF);
	GUEST_ASSERT_EQ(fault->cr2 & ~4095UL, PAGE(page));
	return false;
}

static void look(unsigned int page)
{
	uint64_t before = atomic_load(&states[page]), wanted = atomic_load(&contents[page]);
	bool readable = can(read_page, page), writable = can(write_page, page);
	enum kind kind = before % KINDS;

	if (atomic_load(&states[page]) != before || kind == CHANGING)
		return;
	atomic_fetch_add(&looks[kind], 1);
	GUEST_ASSERT_EQ(readable, kind != GONE);
	GUEST_ASSERT_EQ(writable, kind == WRITABLE);
	if (readable)
		GUEST_ASSERT_EQ(found[guest_number()], wanted);
}

/* In turn: another frame, nothing, the same frame, the same read-only. */
static void change(unsigned int page)
{
	static const enum kind kinds[] = { WRITABLE, GONE, WRITABLE, READ_ONLY };
	uint64_t *entry = guest_entry(PAGE(page)), frame = *entry & PTE_FRAME;
	uint64_t number = atomic_load(&states[page]) / KINDS + 1;
	enum kind kind = kinds[number % 4];

	atomic_store(&states[page], number * KINDS + CHANGING);
	if (number % 4 == 0) {
		frame = FRAME(page, number / 4 % 2);
		guest_write(SEEN_AT + frame - FRAMES, number);
		atomic_store(&contents[page], number);
	}
	guest_write((uintptr_t)entry, frame | (kind == GONE ? 0 : PTE_PRESENT) |
				      (kind == WRITABLE ? PTE_WRITE : 0));
	if (page % 2)
		guest_flush(PAGE(page), PAGE(page + 1));
	guest_flush_others(PAGE(page), PAGE(page + 1));
	atomic_store(&states[page], number * KINDS + kind);
}

static void guest_changes(uint64_t seed)
{
	unsigned int i, page;

	for (i = 0; i < ROUNDS; i++) {
		page = random_of(&seed) % PAGES;
		change(page);
		if (page % 2)
			look(page);
	}
	atomic_store(&over, true);
}

static void guest_looks(uint64_t seed)
{
	while (!atomic_load(&over))
		look(random_of(&seed) % PAGES);
}

/* --- The test ------------------------------------------------------------------------------- */

static bool make_pages(struct guest *guest)
{
	unsigned int i;

	if (!guest_map(guest, SEEN_AT, FRAMES, PTE_KERNEL | PTE_LARGE))
		return false;
	for (i = 0; i < PAGES; i++) {
		if (!guest_map(guest, PAGE(i), FRAME(i, 0), PTE_KERNEL))
			return false;
		states[i] = WRITABLE;
	}
	return true;
}

int main(void)
{
	static struct guest guest;
	bool ready;
	unsigned int i;

	if (module_refcnt() < 0)
		return tap_missing("lg.ko is not loaded");
	ready = guest_make(&guest, VCPUS) && make_pages(&guest);
	for (i = 0; ready && i < VCPUS; i++)
		ready = guest_start(&guest.vcpu[i], i ? guest_looks : guest_changes, i);
	if (tap_result(ready, "four_vcpus_share_pages"))
		tap_result(guest_all_finish(&guest), "nobody_sees_what_was_there_before_a_flush");
	tap_note("looks: %u writable, %u read only, %u gone", looks[WRITABLE], looks[READ_ONLY],
		 looks[GONE]);
	tap_result(looks[WRITABLE] > ROUNDS && looks[READ_ONLY] > ROUNDS / 2 &&
		   looks[GONE] > ROUNDS / 2, "they_looked_often");
	guest_end(&guest);
	tap_result(module_unused(), "the_module_is_unused");
	return tap_end();
}
