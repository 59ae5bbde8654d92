// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page-table entries: what the CPU allows by the shadow is never more than what it would
 * allow by the guest's own tables (SDM volume 3, 4.6). One oracle, written from the manual,
 * looks at both: at the guest's with the mode that the guest is in, at the shadow with
 * ring 3, where all of the guest runs.
 */
#include <string.h>

#include "mmu/entry.h"
#include "pure.h"

#define P	(1ULL << 0)
#define RW	(1ULL << 1)
#define US	(1ULL << 2)
#define A	(1ULL << 5)
#define D	(1ULL << 6)
#define PS	(1ULL << 7)
#define NX	(1ULL << 63)

#define MAXPHYADDR	46	/* what the guest is told */

enum { READ = 1, WRITE = 2, FETCH = 4 };
enum mode { USER, KERNEL };

/* Volume 3, 4.5: bits that are reserved in an entry that has P. Lines of its figures. */
static const struct {
	int level;
	bool ps;
	int high, low;
} reserved[] = {
	{ 4, false, 51, MAXPHYADDR }, { 3, false, 51, MAXPHYADDR },
	{ 2, false, 51, MAXPHYADDR }, { 1, false, 51, MAXPHYADDR }, { 1, true, 51, MAXPHYADDR },
	{ 4, true, 63, 0 },		/* PS itself */
	{ 3, true, 51, MAXPHYADDR }, { 3, true, 29, 13 },
	{ 2, true, 51, MAXPHYADDR }, { 2, true, 20, 13 },
};

static bool is_reserved(u64 entry, int level)
{
	unsigned int i;
	int bit;

	for (i = 0; i < ARRAY_SIZE(reserved); i++)
		if (reserved[i].level == level && reserved[i].ps == !!(entry & PS))
			for (bit = reserved[i].low; bit <= reserved[i].high; bit++)
				if (entry >> bit & 1)
					return true;
	return false;
}

/*
 * Volume 3, 4.6.1, with CR0.WP, CR4.SMEP and EFER.NXE, without SMAP and protection keys:
 * which accesses the entries from level 4 down to @leaf allow.
 */
static int manual(const u64 entry[5], int leaf, enum mode mode)
{
	bool user = true, write = true, fetch = true;
	int level;

	for (level = 4; level >= leaf; level--) {
		if (!(entry[level] & P) || is_reserved(entry[level], level))
			return 0;
		user = user && (entry[level] & US);
		write = write && (entry[level] & RW);
		fetch = fetch && !(entry[level] & NX);
	}
	if (mode == USER && !user)
		return 0;
	/* SMEP: the kernel fetches nothing from user-mode addresses. */
	if (mode == KERNEL && user)
		fetch = false;
	return READ | (write ? WRITE : 0) | (fetch ? FETCH : 0);
}

/* The ways that the shadow's pages hang together: see driver/mmu/fault.c. */
static const struct way {
	enum mode mode;		/* of the guest, when its CR3 is this root */
	u8 root, below;		/* LG_ROLE_* */
} ways[] = {
	{ USER, LG_ROLE_ROOT, 0 },
	{ KERNEL, LG_ROLE_ROOT | LG_ROLE_KERNEL, 0 },
	{ KERNEL, LG_ROLE_ROOT | LG_ROLE_KERNEL, LG_ROLE_KERNEL },
};

/* Host physical addresses: of a shadow page, of a frame. */
#define TABLE(level)	(0x123400000ULL + ((u64)(level) << PAGE_SHIFT))
#define FRAME		0x345600000ULL

/* The entry of the guest's at @level, in memory of its own. */
static u64 guest_address(int level)
{
	return 0x40000000ULL * level;
}

/*
 * What driver/mmu/ makes of the guest's entries, from the root down: @shadow by level.
 * Return: the level of its leaf; 0: no mapping may stand there.
 */
static int shadow_of(const struct way *way, const u64 guest[5], int leaf, bool large, u64 host,
		     u64 shadow[5])
{
	u64 entry = guest[leaf];
	u8 role = way->root, below = way->below;
	int level;

	memset(shadow, 0, 5 * sizeof(*shadow));
	for (level = 4; level > (large ? leaf : 1); level--) {
		const u64 *from = &guest[level > leaf ? level : leaf];

		if (level <= leaf)
			below = lg_shadow_split_role(role, *from);
		if (level >= leaf &&
		    !lg_leads_to(*from, level, role, guest_address(level) >> PAGE_SHIFT, below))
			return 0;
		shadow[level] = lg_shadow_branch_entry(*from, role, TABLE(level - 1), below);
		role = below;
	}
	if (role & LG_ROLE_SPLIT)
		entry = lg_split_entry(role, guest_address(leaf) >> PAGE_SHIFT);
	if (!lg_usable(entry, role))
		return 0;
	shadow[level] = lg_shadow_leaf_entry(FRAME | host, entry, role) | (large ? PS : 0);
	return level;
}

/*
 * The two exceptions, in which less is allowed: user pages have tables of role 0, so
 * supervisor pages are not there; and the kernel runs no page whose last entry has US,
 * even if one above has not.
 */
static int expected(const struct way *way, const u64 guest[5], int leaf, u64 host)
{
	int rights = manual(guest, leaf, way->mode);

	if (!(guest[leaf] & A) || (!way->below && !manual(guest, leaf, USER)))
		return 0;
	if (!(guest[leaf] & D) || !host)
		rights &= ~WRITE;
	if (way->below && (guest[leaf] & US))
		rights &= ~FETCH;
	return rights;
}

static u64 shadow_rights(const struct way *way, const u64 guest[5], int leaf, bool large, u64 host)
{
	u64 shadow[5];
	int at = shadow_of(way, guest, leaf, large, host, shadow);

	return at ? manual(shadow, at, USER) : 0;
}

static void compare(const struct way *way, const u64 guest[5], int leaf, bool large, u64 host)
{
	int got = shadow_rights(way, guest, leaf, large, host);
	int most = manual(guest, leaf, way->mode), want = expected(way, guest, leaf, host);

#define SAY "way %d, leaf %d, large %d, host %llx, guest %llx %llx %llx %llx: "
#define WHAT (int)(way - ways), leaf, large, host, guest[4], guest[3], guest[2], guest[1]
	must(!(got & ~most), SAY "more (%x) than the guest's (%x)", WHAT, got, most);
	must(!(got & WRITE) || (guest[leaf] & D), SAY "a write would not set D", WHAT);
	must(!got || (guest[leaf] & A), SAY "an access would not set A", WHAT);
	must(!(got & WRITE) || host, SAY "the host's frame can be written", WHAT);
	must(got == want, SAY "%x, not %x", WHAT, got, want);
}

/* P, RW, US and NX by a number below 16; A, D and PS of leaves by the next three bits. */
static u64 entry_of(unsigned int number, int level)
{
	return guest_address(level) | (number & 1 ? P : 0) | (number & 2 ? RW : 0) |
	       (number & 4 ? US : 0) | (number & 8 ? NX : 0) | (number & 16 ? A : 0) |
	       (number & 32 ? D : 0) | (number & 64 ? PS : 0);
}

/* All combinations with the leaf at @leaf. Large pages as one and in parts. */
static void compare_all(int leaf)
{
	unsigned int uppers = 1 << 4 * (4 - leaf), upper, number, way, how;
	u64 guest[5] = { 0 };
	int level;

	for (upper = 0; upper < uppers; upper++) {
		for (level = 4; level > leaf; level--)
			guest[level] = entry_of(upper >> 4 * (level - leaf - 1) & 15, level) | A;
		for (number = 0; number < 128; number++) {
			guest[leaf] = entry_of(number, leaf);
			if (leaf > 1 && !(number & 64))
				continue;
			for (way = 0; way < ARRAY_SIZE(ways); way++)
				for (how = 0; how < 4; how++)
					if (leaf == 2 || how < 2)
						compare(&ways[way], guest, leaf, how >> 1,
							how & 1 ? LG_HOST_WRITABLE : 0);
		}
	}
}

START_TEST(small_pages_allow_what_the_guests_do) { compare_all(1); } END_TEST
START_TEST(pages_of_2_mib_allow_what_the_guests_do) { compare_all(2); } END_TEST
START_TEST(pages_of_1_gib_allow_what_the_guests_do) { compare_all(3); } END_TEST

/* Told of each other: in parts or not, the same. */
START_TEST(parts_have_the_rights_of_the_large_page)
{
	unsigned int number, way, host;
	u64 guest[5] = { 0 };

	guest[4] = entry_of(7 | 16, 4);
	guest[3] = entry_of(7 | 16, 3);
	for (number = 64; number < 128; number++)
		for (way = 0; way < ARRAY_SIZE(ways); way++)
			for (host = 0; host < 2; host++) {
				u64 writable = host ? LG_HOST_WRITABLE : 0, parts, whole;

				guest[2] = entry_of(number, 2);
				parts = shadow_rights(&ways[way], guest, 2, false, writable);
				whole = shadow_rights(&ways[way], guest, 2, true, writable);
				must(parts == whole, "guest %llx, way %u: %llx in parts, %llx as one",
				     guest[2], way, parts, whole);
			}
}
END_TEST

/* Where the parts lie: each 4 KiB of a large page is the frame at its place. */
START_TEST(parts_lie_where_the_large_page_did)
{
	gfn_t gfn;

	for (gfn = 0; gfn < 1024; gfn++) {
		ck_assert_uint_eq(LG_ENTRY_FRAME(lg_split_entry(0, gfn)), gfn);
		ck_assert_uint_eq(LG_ENTRY_FRAME(lg_split_entry(0xff, gfn)), gfn);
	}
}
END_TEST

/* Nothing else of the guest's entry reaches the CPU: not G, no memory type, no key. */
START_TEST(no_other_bit_gets_through)
{
	u64 leaf = FRAME | LG_HOST_WRITABLE | P | RW | US | A | D | NX;
	u64 branch = TABLE(1) | P | RW | US | A | NX;
	unsigned int i, role, child;

	for (i = 0; i < 20000; i++) {
		u64 guest = pure_random();

		for (role = 0; role < 64; role++) {
			u64 entry = lg_shadow_leaf_entry(FRAME | LG_HOST_WRITABLE, guest, role);

			must(!(entry & ~leaf) && (entry & FRAME) == FRAME, "leaf %llx of %llx",
			     entry, guest);
			child = pure_random() >> 58;
			entry = lg_shadow_branch_entry(guest, role, TABLE(1), child);
			must(!(entry & ~branch) && (entry & TABLE(1)) == TABLE(1),
			     "branch %llx of %llx", entry, guest);
			must(lg_mapped(entry), "branch %llx", entry);
		}
	}
}
END_TEST

START_TEST(reserved_bits_are_those_of_the_manual)
{
	int level, ps, bit;

	for (level = 1; level <= 4; level++)
		for (ps = 0; ps < 2; ps++)
			for (bit = 0; bit < 64; bit++) {
				u64 entry = P | (ps ? PS : 0) | 1ULL << bit;

				must(lg_reserved_bits(entry, level) == is_reserved(entry, level),
				     "level %d, 0x%llx", level, entry);
			}
}
END_TEST

/* The CPU would fault with RSVD: no way leads on that was there before. */
START_TEST(reserved_bits_lead_nowhere)
{
	int level, ps, bit;
	unsigned int child;

	for (level = 2; level <= 4; level++)
		for (ps = 0; ps < 2; ps++)
			for (bit = 0; bit < 64; bit++) {
				u64 clean = guest_address(level) | P | RW | US | A | (ps ? PS : 0);
				u64 entry = clean | 1ULL << bit;

				if (!is_reserved(entry, level))
					continue;
				for (child = 0; child < 32; child++)
					must(!lg_leads_to(entry, level, 0, clean >> PAGE_SHIFT, child),
					     "level %d, 0x%llx", level, entry);
			}
	for (bit = MAXPHYADDR; bit < 52; bit++)
		must(!lg_usable(P | A | US | 1ULL << bit, 0), "bit %d of a page-table entry", bit);
}
END_TEST

/*
 * The guest changes the rights of a large page that the shadow has in parts: parts with
 * other rights are not what its entry leads to, and those it leads to give no more.
 */
START_TEST(parts_with_other_rights_are_not_the_same)
{
	unsigned int before, after, way;
	u64 guest[5] = { 0 };

	guest[4] = entry_of(7 | 16, 4);
	guest[3] = entry_of(7 | 16, 3);
	for (way = 0; way < ARRAY_SIZE(ways); way++)
		for (before = 64; before < 128; before++)
			for (after = 64; after < 128; after++) {
				u8 parts = lg_shadow_split_role(ways[way].below, entry_of(before, 2));
				int old, now;

				guest[2] = entry_of(before, 2);
				old = expected(&ways[way], guest, 2, LG_HOST_WRITABLE);
				guest[2] = entry_of(after, 2);
				now = expected(&ways[way], guest, 2, LG_HOST_WRITABLE);
				must(!lg_leads_to(guest[2], 2, ways[way].below,
						  guest_address(2) >> PAGE_SHIFT, parts) ||
				     !(old & ~now),
				     "way %u: parts for %x stand for %x", way, before, after);
			}
}
END_TEST

/* Of entries that point elsewhere than the shadow page shadows, none leads there. */
START_TEST(another_table_is_not_the_same)
{
	u64 entry = guest_address(3) | P | RW | US | A;
	int level, bit;

	for (level = 2; level <= 4; level++) {
		ck_assert(lg_leads_to(entry, level, 0, entry >> PAGE_SHIFT, 0));
		ck_assert(!lg_leads_to(entry, level, 0, entry >> PAGE_SHIFT, LG_ROLE_SPLIT));
		for (bit = 12; bit < MAXPHYADDR; bit++)
			must(!lg_leads_to(entry ^ 1ULL << bit, level, 0, entry >> PAGE_SHIFT, 0),
			     "level %d, bit %d", level, bit);
	}
}
END_TEST

START_TEST(entries_that_map_nothing_are_known)
{
	ck_assert(!lg_mapped(0));
	ck_assert(!lg_mapped(~P));
	ck_assert(lg_mapped(P));
	/* lg_unknown: bit 52, which the CPU ignores, and P */
	ck_assert(!lg_mapped(P | 1ULL << 52));
}
END_TEST

/* Volume 3, figure 4-8: nine bits a level, from bit 12 up. */
START_TEST(an_address_has_an_index_at_each_level)
{
	gva_t gva = 0x123ULL << 39 | 0x0abULL << 30 | 0x1c5ULL << 21 | 0x03fULL << 12 | 0x678;

	ck_assert_uint_eq(lg_table_index(gva, 4), 0x123);
	ck_assert_uint_eq(lg_table_index(gva, 3), 0x0ab);
	ck_assert_uint_eq(lg_table_index(gva, 2), 0x1c5);
	ck_assert_uint_eq(lg_table_index(gva, 1), 0x03f);
	ck_assert_uint_eq(lg_table_index(~0ULL, 4), 511);
	ck_assert_uint_eq(lg_level_mask(1), 0xfff);
	ck_assert_uint_eq(lg_level_mask(2), 0x1fffff);
	ck_assert_uint_eq(lg_level_mask(3), 0x3fffffff);
}
END_TEST

START_TEST(canonical_addresses_are_known)
{
	int bit;

	ck_assert(lg_canonical(0));
	ck_assert(lg_canonical(0x00007fffffffffffULL));
	ck_assert(lg_canonical(0xffff800000000000ULL));
	ck_assert(lg_canonical(~0ULL));
	ck_assert(!lg_canonical(0x0000800000000000ULL));
	ck_assert(!lg_canonical(0xffff7fffffffffffULL));
	for (bit = 48; bit < 64; bit++) {
		ck_assert(!lg_canonical(1ULL << bit));
		ck_assert(!lg_canonical(~(1ULL << bit)));
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("entry");

	PURE_ADD(suite, small_pages_allow_what_the_guests_do);
	PURE_ADD(suite, pages_of_2_mib_allow_what_the_guests_do);
	PURE_ADD(suite, pages_of_1_gib_allow_what_the_guests_do);
	PURE_ADD(suite, parts_have_the_rights_of_the_large_page);
	PURE_ADD(suite, parts_lie_where_the_large_page_did);
	PURE_ADD(suite, no_other_bit_gets_through);
	PURE_ADD(suite, reserved_bits_are_those_of_the_manual);
	PURE_ADD(suite, reserved_bits_lead_nowhere);
	PURE_ADD(suite, parts_with_other_rights_are_not_the_same);
	PURE_ADD(suite, another_table_is_not_the_same);
	PURE_ADD(suite, entries_that_map_nothing_are_known);
	PURE_ADD(suite, an_address_has_an_index_at_each_level);
	PURE_ADD(suite, canonical_addresses_are_known);
	return pure_run(suite);
}
