// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hypercalls of Xen's ABI that the launcher does, their arguments in a hostile guest's memory,
 * and what CPUID says there.
 */
#include <errno.h>
#include <string.h>

#include "base/compiler.h"
#include "lguest_uapi.h"
#include "memory.h"
#include "terminal/recent.h"
#include "terminal/terminal.h"
#include "unit.h"
#include "xen/abi.h"
#include "xen/area.h"
#include "xen/cpuid.h"
#include "xen/guest_copy.h"
#include "xen/hypercalls.h"
#include "xen/tables.h"

#define MIB		(1ULL << 20)
#define SIZE		(16 * MIB)
#define CR3		0x1000ULL
#define ALL		(PTE_PRESENT | PTE_WRITE | PTE_ACCESSED | PTE_DIRTY)
/* Two pages, which lie the other way round in memory; and where nothing is to be written. */
#define GVA		0xffffffff80000000ULL
#define FIRST		0x200000ULL
#define SECOND		0x100000ULL
#define READ_ONLY	(GVA + 0x200000)

static struct guest_memory memory;
static struct xen_area area;
static struct xen_calls calls;
static struct lguest_run run;

/* From the top-level one down to that of GVA's pages. */
static uint64_t *table(unsigned int number)
{
	return guest_range(&memory, CR3 + number * PAGE_SIZE, PAGE_SIZE);
}

static void set_up(void)
{
	struct xen_tables tables;

	ck_assert_int_eq(guest_memory_init(&memory, SIZE), 0);
	guest_memory_close_hole(&memory);
	ck_assert_int_eq(xen_area_init(&area, SIZE), 0);
	xen_area_fill(&area);
	xen_tables_init(&tables, table(0), CR3, 8);
	xen_tables_map(&tables, GVA, FIRST | ALL);
	xen_tables_map(&tables, GVA + PAGE_SIZE, SECOND | ALL);
	xen_tables_map(&tables, READ_ONLY, FIRST | (ALL & ~PTE_WRITE));
	memset(&calls, 0, sizeof(calls));
	calls.memory = &memory;
	calls.area = &area;
}

static void tear_down(void)
{
	xen_area_exit(&area);
	guest_memory_exit(&memory);
}

/* --- Walking. --- */

START_TEST(arguments_may_cross_pages)
{
	char text[8] = "abcdefg", back[8];

	set_up();
	ck_assert(xen_copy_out(&memory, CR3, GVA + PAGE_SIZE - 3, text, 8));
	ck_assert_mem_eq(memory.base + FIRST + PAGE_SIZE - 3, "abc", 3);
	ck_assert_mem_eq(memory.base + SECOND, "defg", 5);
	ck_assert(xen_copy_in(&memory, CR3, GVA + PAGE_SIZE - 3, back, 8));
	ck_assert_str_eq(back, text);
	/* The third page is not there. */
	ck_assert(!xen_copy_in(&memory, CR3, GVA + 2 * PAGE_SIZE - 3, back, 8));
	ck_assert(!xen_copy_out(&memory, CR3, GVA + 2 * PAGE_SIZE - 3, text, 8));
	/* Nor what is not for writing. */
	ck_assert(xen_copy_in(&memory, CR3, READ_ONLY, back, 8));
	ck_assert(!xen_copy_out(&memory, CR3, READ_ONLY, text, 8));
	tear_down();
}
END_TEST

START_TEST(hostile_addresses_lead_nowhere)
{
	static const uint64_t hostile[] = {
		0, 0x7fffffffffff, 0x800000000000, 0x7fff80000000, 0xffff7fffffffffff,
		0xffff800000000000, XEN_M2P, 0xffff888000000000, ~0ULL, ~0ULL - 6,
		GVA ^ 1ULL << 63, GVA ^ 1ULL << 48,
	};
	char text[8];
	size_t i;

	set_up();
	for (i = 0; i < ARRAY_SIZE(hostile); i++) {
		ck_assert(!xen_copy_in(&memory, CR3, hostile[i], text, sizeof(text)));
		ck_assert(!xen_copy_out(&memory, CR3, hostile[i], text, sizeof(text)));
	}
	tear_down();
}
END_TEST

START_TEST(hostile_tables_lead_nowhere)
{
	static const uint64_t hostile[] = {
		0, ALL & ~PTE_PRESENT, SIZE | ALL, PTE_ADDRESS | ALL, (SIZE + 0xd0000000) | ALL,
		~0ULL,
	};
	static const uint64_t roots[] = { SIZE, SIZE - 1, PTE_ADDRESS, ~0ULL, 1ULL << 62 };
	unsigned int level;
	char text[8];
	size_t i;

	set_up();
	for (level = 0; level < 4; level++) {
		uint64_t *at = &table(level)[xen_table_index(GVA, 4 - level)], good = *at;

		ck_assert_uint_ne(good, 0);
		for (i = 0; i < ARRAY_SIZE(hostile); i++) {
			*at = hostile[i];
			ck_assert(!xen_copy_in(&memory, CR3, GVA, text, sizeof(text)));
			ck_assert(!xen_copy_out(&memory, CR3, GVA, text, sizeof(text)));
		}
		/* There are no large pages; at the lowest level the bit says something else. */
		*at = good | PTE_LARGE;
		ck_assert_int_eq(xen_copy_in(&memory, CR3, GVA, text, sizeof(text)), level == 3);
		*at = good & ~PTE_WRITE;
		ck_assert(!xen_copy_out(&memory, CR3, GVA, text, sizeof(text)));
		*at = good;
	}
	for (i = 0; i < ARRAY_SIZE(roots); i++)
		ck_assert(!xen_copy_in(&memory, roots[i], GVA, text, sizeof(text)));
	/* A table that is its own: the walk ends. */
	table(0)[511] = CR3 | ALL;
	ck_assert(xen_copy_in(&memory, CR3, ~0ULL - 7, text, sizeof(text)));
	tear_down();
}
END_TEST

/* --- Hypercalls. --- */

static int64_t call(uint64_t nr, uint64_t arg0, uint64_t arg1, uint64_t arg2)
{
	memset(&run, 0, sizeof(run));
	run.hypercall.nr = nr;
	run.hypercall.arg[0] = arg0;
	run.hypercall.arg[1] = arg1;
	run.hypercall.arg[2] = arg2;
	run.hypercall.cr3 = CR3;
	xen_hypercall(&calls, &run);
	return run.hypercall.result;
}

static void *first(void)
{
	return memory.base + FIRST;
}

START_TEST(version_and_features)
{
	uint32_t *words;

	set_up();
	words = first();
	words[0] = 0;
	ck_assert_int_eq(call(17, 6, GVA, 0), 0);
	ck_assert_uint_eq(words[1], 1 << 5 | 1 << 7);
	words[0] = 1;
	ck_assert_int_eq(call(17, 6, GVA, 0), -EINVAL);
	ck_assert_int_eq(call(17, 1, GVA, 0), 0);
	ck_assert_str_eq(first(), "-lguest");
	ck_assert_int_eq(call(17, 3, GVA, 0), 0);
	ck_assert_str_eq(first(), "xen-3.0-x86_64");
	ck_assert_int_eq(call(17, 3, READ_ONLY, 0), -EFAULT);
	ck_assert_int_eq(call(17, 7, 0, 0), 4096);
	tear_down();
}
END_TEST

START_TEST(memory_map_is_one_piece)
{
	uint64_t *words;

	set_up();
	words = first();
	words[0] = 128;
	words[1] = GVA + PAGE_SIZE;
	ck_assert_int_eq(call(12, 9, GVA, 0), 0);
	ck_assert_uint_eq(*(uint32_t *)words, 1);
	ck_assert_uint_eq(*(uint64_t *)(memory.base + SECOND), 0);
	ck_assert_uint_eq(*(uint64_t *)(memory.base + SECOND + 8), SIZE);
	ck_assert_uint_eq(*(uint32_t *)(memory.base + SECOND + 16), 1);
	words[1] = 0x1234;
	ck_assert_int_eq(call(12, 9, GVA, 0), -EFAULT);
	ck_assert_int_eq(call(12, 12, GVA, 0), 0);
	ck_assert_uint_eq(words[0], XEN_M2P);
	ck_assert_uint_eq(words[1], XEN_M2P + SIZE / PAGE_SIZE * 8);
	ck_assert_uint_eq(words[2], SIZE / PAGE_SIZE - 1);
	ck_assert_int_eq(call(12, 4, GVA, 0), SIZE / PAGE_SIZE);
	tear_down();
}
END_TEST

START_TEST(pages_are_given_back_and_taken_again)
{
	struct xen_memory_reservation *reservation;
	uint64_t *list;

	set_up();
	reservation = first();
	list = (uint64_t *)(memory.base + SECOND);
	*reservation = (struct xen_memory_reservation){ .list = GVA + PAGE_SIZE, .extents = 2,
							.domain = 0x7ff0 };
	list[0] = 0x800;
	list[1] = SIZE / PAGE_SIZE - 1;
	memory.base[0x800000] = memory.base[0x801000] = memory.base[SIZE - 1] = 1;
	ck_assert_int_eq(call(12, 1, GVA, 0), 2);
	ck_assert_uint_eq(memory.base[0x800000], 0);
	ck_assert_uint_eq(memory.base[0x801000], 1);
	ck_assert_uint_eq(memory.base[SIZE - 1], 0);
	memory.base[0x800000] = 1;
	ck_assert_int_eq(call(12, 6, GVA, 0), 2);
	ck_assert_uint_eq(list[0], 0x800);
	ck_assert_uint_eq(memory.base[0x800000], 1);
	/* What is no memory ends it, and what is no list. */
	list[1] = SIZE / PAGE_SIZE;
	ck_assert_int_eq(call(12, 1, GVA, 0), 1);
	list[0] = ~0ULL;
	ck_assert_int_eq(call(12, 1, GVA, 0), 0);
	list[0] = 1ULL << 52 | 0x800;
	ck_assert_int_eq(call(12, 6, GVA, 0), 0);
	memset(list, 0xff, PAGE_SIZE);
	list[511] = 0x800;
	reservation->list = GVA + 2 * PAGE_SIZE - 8;
	reservation->extents = ~0ULL;
	ck_assert_int_eq(call(12, 1, GVA, 0), 1);
	reservation->list = 0;
	ck_assert_int_eq(call(12, 1, GVA, 0), 0);
	reservation->list = GVA + 2 * PAGE_SIZE - 8;
	reservation->order = 9;
	ck_assert_int_eq(call(12, 1, GVA, 0), 0);
	ck_assert_int_eq(call(12, 1, 0, 0), -EFAULT);
	tear_down();
}
END_TEST

START_TEST(early_console_is_read_through_the_tables)
{
	char text[64] = "";

	set_up();
	terminal_hide_early();
	memcpy(memory.base + FIRST + PAGE_SIZE - 6, "hello ", 6);
	memcpy(memory.base + SECOND, "world\n", 6);
	ck_assert_int_eq(call(18, 0, 12, GVA + PAGE_SIZE - 6), 0);
	recent_get(text, sizeof(text) - 1, 5);
	ck_assert_ptr_nonnull(strstr(text, "hello world"));
	ck_assert_int_eq(call(18, 0, 12, 0), -EFAULT);
	ck_assert_int_eq(call(18, 0, ~0ULL, GVA), -EINVAL);
	ck_assert_int_eq(call(18, 0, 0x80000000, GVA), -EINVAL);
	ck_assert_int_eq(call(18, 1, 10, GVA), 0);
	tear_down();
}
END_TEST

START_TEST(grants_lie_behind_memory)
{
	struct xen_grant_setup_table *setup;
	struct xen_grant_query_size *query;
	uint64_t *list;
	int i;

	set_up();
	setup = first();
	query = first();
	list = (uint64_t *)(memory.base + SECOND);
	*setup = (struct xen_grant_setup_table){ .domain = 0x7ff0, .frames = 3,
						 .list = GVA + PAGE_SIZE };
	ck_assert_int_eq(call(20, 2, GVA, 1), 0);
	ck_assert_int_eq(setup->status, 0);
	for (i = 0; i < 3; i++)
		ck_assert_uint_eq(list[i], SIZE / PAGE_SIZE + 1 + i);
	ck_assert_uint_eq(list[3], 0);
	ck_assert_int_eq(call(20, 6, GVA, 1), 0);
	ck_assert_uint_eq(query->frames, 3);
	ck_assert_uint_eq(query->max_frames, XEN_GRANT_FRAMES);
	setup->frames = XEN_GRANT_FRAMES + 1;
	setup->status = 0;
	ck_assert_int_eq(call(20, 2, GVA, 1), 0);
	ck_assert_int_eq(setup->status, -1);
	setup->frames = 0xffffffff;
	ck_assert_int_eq(call(20, 2, GVA, 1), 0);
	ck_assert_int_eq(setup->status, -1);
	setup->frames = XEN_GRANT_FRAMES;
	setup->list = GVA + 2 * PAGE_SIZE - 8;
	ck_assert_int_eq(call(20, 2, GVA, 1), -EFAULT);
	ck_assert_int_eq(call(20, 2, GVA, 2), -EINVAL);
	*(uint32_t *)first() = 2;
	ck_assert_int_eq(call(20, 8, GVA, 1), -EINVAL);
	*(uint32_t *)first() = 1;
	ck_assert_int_eq(call(20, 8, GVA, 1), 0);
	tear_down();
}
END_TEST

START_TEST(what_is_not_here_is_told_once)
{
	set_up();
	ck_assert_int_eq(call(7, 0, 0, 0), -EPERM);
	ck_assert_int_eq(call(40, 0, 0, 0), -ENOSYS);
	ck_assert_int_eq(call(21, 0, 2, 0), 0);
	ck_assert_int_eq(call(21, 0, 5, 0), -EINVAL);
	ck_assert_int_eq(call(33, 6, 0, 0), 0);
	ck_assert_int_eq(call(33, 28, 0, 0), -ENOSYS);
	ck_assert_int_eq(unit_messages, 0);
	ck_assert_int_eq(call(35, 3, 0, 0), -ENOSYS);
	ck_assert_int_eq(unit_messages, 1);
	ck_assert_ptr_nonnull(strstr(unit_last_message, "hypercall 35, sub-operation 3,"));
	ck_assert_int_eq(call(35, 3, 0, 0), -ENOSYS);
	ck_assert_int_eq(unit_messages, 1);
	ck_assert_int_eq(call(12, 17, 0, 0), -ENOSYS);
	ck_assert_int_eq(call(~0ULL, ~0ULL, 0, 0), -ENOSYS);
	ck_assert_int_eq(call(1ULL << 40, 1ULL << 40, 0, 0), -ENOSYS);
	ck_assert_int_eq(unit_messages, 3);
	unit_forget();
	tear_down();
}
END_TEST

/* --- CPUID. --- */

/* A CPU that can do all there is, of states those: */
static uint32_t cpu_states = 0x60207;	/* x87, SSE, AVX, PKRU, AMX */

static struct xen_cpuid all_ones(uint32_t leaf, uint32_t subleaf)
{
	if (leaf == 0 || leaf == 0x80000000)
		return (struct xen_cpuid){ leaf ? 0x80000040 : 0x23, 1, 2, 3 };
	if (leaf == 0xd && subleaf == 0)
		return (struct xen_cpuid){ cpu_states, 9999, 11008, 0 };
	if (leaf == 0xd && subleaf == 2)
		return (struct xen_cpuid){ 256, 576, 0, 0 };
	if (leaf == 0xd && subleaf >= 5 && subleaf <= 7)
		return (struct xen_cpuid){ 512, 1152 + 512 * (subleaf - 6), 0, 0 };
	return (struct xen_cpuid){ ~0U, ~0U, ~0U, ~0U };
}

static struct xen_cpuid ask(uint32_t leaf, uint32_t subleaf)
{
	return xen_cpuid_answer(all_ones, leaf, subleaf, 3);
}

static void is_empty(uint32_t leaf, uint32_t subleaf)
{
	struct xen_cpuid cpuid = ask(leaf, subleaf);

	ck_assert_msg(!(cpuid.eax | cpuid.ebx | cpuid.ecx | cpuid.edx), "leaf %x", leaf);
}

START_TEST(cpuid_says_that_this_is_xen)
{
	char name[13] = "";

	memcpy(name, (uint32_t []){ ask(0x40000000, 0).ebx, ask(0x40000000, 0).ecx,
				    ask(0x40000000, 0).edx }, 12);
	ck_assert_str_eq(name, "XenVMMXenVMM");
	ck_assert_uint_ge(ask(0x40000000, 0).eax, 0x40000002);
	ck_assert_uint_eq(ask(0x40000001, 0).eax >> 16, 4);
	is_empty(0x40000002, 0);
	is_empty(0x400000ff, 0);
}
END_TEST

START_TEST(cpuid_hides_what_needs_ring_0)
{
	const uint32_t shown = 1 << 11 | 1 << 20 | 1 << 29;	/* SYSCALL, NX, long mode */

	ck_assert_uint_eq(ask(1, 0).ecx & (1 << 3 | 1 << 17 | 1 << 21), 0);
	ck_assert_uint_eq(ask(1, 0).ecx >> 31, 1);
	ck_assert_uint_eq(ask(1, 0).edx & (1 << 3 | 1 << 7 | 7 << 12 | 1 << 22), 0);
	ck_assert_uint_eq(ask(1, 0).ebx >> 24, 3);
	ck_assert_uint_eq(ask(7, 0).eax, 1);
	ck_assert_uint_eq(ask(7, 0).ebx & (1 << 0 | 1 << 7 | 1 << 10 | 1 << 20), 0);
	ck_assert_uint_eq(ask(7, 0).ecx & (1 << 2 | 1 << 3 | 1 << 7 | 1 << 16), 0);
	ck_assert_uint_eq(ask(7, 0).edx & (1 << 20 | 7 << 22), 0);
	ck_assert_uint_eq(ask(7, 1).eax & (1 << 17 | 1 << 26), 0);
	is_empty(7, 2);
	ck_assert_uint_eq(ask(0x80000001, 0).ecx & (3 << 2 | 1 << 4 | 1 << 17 | 1 << 22 | 1 << 30),
			  0);
	ck_assert_uint_eq(ask(0x80000001, 0).edx & 7 << 25, 0);
	ck_assert_uint_eq(ask(0x80000001, 0).edx & shown, shown);
	ck_assert_uint_eq(ask(0x80000008, 0).eax >> 8, 48);
	ck_assert_uint_eq(ask(0x80000021, 0).eax, 1 << 2 | 1 << 6);
	is_empty(5, 0);
	is_empty(0xa, 0);
	is_empty(0xb, 0);
	is_empty(0x1d, 1);
	is_empty(0x24, 0);
	is_empty(0x8000000a, 0);
	is_empty(0x8000001e, 0);
	is_empty(0xffffffff, 0);
}
END_TEST

START_TEST(cpuid_has_the_states_that_a_guest_may_use)
{
	ck_assert_uint_eq(ask(0xd, 0).eax, 7);
	ck_assert_uint_eq(ask(0xd, 0).ebx, 832);
	ck_assert_uint_eq(ask(0xd, 0).ecx, 832);
	ck_assert_uint_eq(ask(0xd, 1).eax, 1);
	ck_assert_uint_eq(ask(0xd, 1).ebx, 0);
	ck_assert_uint_eq(ask(0xd, 2).eax, 256);
	is_empty(0xd, 9);
	is_empty(0xd, 17);
	is_empty(0xd, 62);
	is_empty(0xd, 0xffffffff);
}
END_TEST

/* FMA, AVX, F16C */
#define AVX		(1 << 12 | 1 << 28 | 1 << 29)
#define AVX512		(3 << 16 | 1 << 21 | 7 << 26 | 3U << 30)

START_TEST(cpuid_hides_what_needs_a_state_that_the_host_lacks)
{
	cpu_states = 0xe7;
	ck_assert_uint_eq(ask(0xd, 0).eax, 0xe7);
	ck_assert_uint_eq(ask(0xd, 0).ebx, 1664 + 512);
	ck_assert_uint_eq(ask(7, 0).ebx & AVX512, AVX512);
	ck_assert_uint_eq(ask(7, 0).edx & 1 << 23, 1 << 23);
	ck_assert_uint_eq(ask(7, 1).eax & 1 << 5, 1 << 5);
	/* AVX-512's are of use together alone. */
	cpu_states = 0x67;
	ck_assert_uint_eq(ask(0xd, 0).eax, 7);
	is_empty(0xd, 6);
	ck_assert_uint_eq(ask(7, 0).ebx & (AVX512 | 1 << 5), 1 << 5);
	ck_assert_uint_eq(ask(7, 0).ecx & (1 << 1 | 1 << 6 | 3 << 9 | 3 << 11 | 1 << 14), 3 << 9);
	ck_assert_uint_eq(ask(7, 0).edx & (3 << 2 | 1 << 8 | 1 << 23), 0);
	ck_assert_uint_eq(ask(7, 1).eax & (3 << 4 | 1 << 23), 1 << 4 | 1 << 23);
	ck_assert_uint_eq(ask(7, 1).edx, 3 << 4 | 1 << 10);
	ck_assert_uint_eq(ask(1, 0).ecx & AVX, AVX);
	ck_assert_uint_eq(ask(0x80000001, 0).ecx & (1 << 11 | 1 << 16), 1 << 11 | 1 << 16);
	cpu_states = 0xe3;
	ck_assert_uint_eq(ask(0xd, 0).eax, 3);
	ck_assert_uint_eq(ask(1, 0).ecx & (AVX | 3 << 26), 3 << 26);
	ck_assert_uint_eq(ask(7, 0).ebx & (AVX512 | 1 << 5), 0);
	ck_assert_uint_eq(ask(7, 0).ecx & 3 << 9, 0);
	ck_assert_uint_eq(ask(7, 1).eax & (3 << 4 | 1 << 23), 0);
	ck_assert_uint_eq(ask(7, 1).edx, 0);
	ck_assert_uint_eq(ask(0x80000001, 0).ecx & (1 << 11 | 1 << 16), 0);
	cpu_states = 0;
	is_empty(0xd, 0);
	is_empty(0xd, 1);
	ck_assert_uint_eq(ask(1, 0).ecx & (AVX | 3 << 26), 0);
}
END_TEST

/* Whatever this host is, its answers go together. */
START_TEST(cpuid_of_this_host_is_asked_for)
{
	memset(&run, 0, sizeof(run));
	run.cpuid.leaf = 0xd;
	xen_cpuid(&run, 0);
	ck_assert_uint_eq(run.cpuid.eax & ~0xe7, 0);
	run.cpuid.leaf = 0x1;
	xen_cpuid(&run, 0);
	ck_assert_uint_eq(run.cpuid.ecx >> 31, 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("Xen's calls");

	UNIT_ADD(suite, arguments_may_cross_pages);
	UNIT_ADD(suite, hostile_addresses_lead_nowhere);
	UNIT_ADD(suite, hostile_tables_lead_nowhere);
	UNIT_ADD(suite, version_and_features);
	UNIT_ADD(suite, memory_map_is_one_piece);
	UNIT_ADD(suite, pages_are_given_back_and_taken_again);
	UNIT_ADD(suite, early_console_is_read_through_the_tables);
	UNIT_ADD(suite, grants_lie_behind_memory);
	UNIT_ADD(suite, what_is_not_here_is_told_once);
	UNIT_ADD(suite, cpuid_says_that_this_is_xen);
	UNIT_ADD(suite, cpuid_hides_what_needs_ring_0);
	UNIT_ADD(suite, cpuid_has_the_states_that_a_guest_may_use);
	UNIT_ADD(suite, cpuid_hides_what_needs_a_state_that_the_host_lacks);
	UNIT_ADD(suite, cpuid_of_this_host_is_asked_for);
	return unit_run(suite);
}
