// SPDX-License-Identifier: GPL-2.0-only
/*
 * Descriptors and selectors: what is let through is what ring 3 could load itself from the
 * GDT that is live while the guest runs (SDM volume 3, 3.4.5; volume 2, MOV and IRET).
 */
#include <string.h>

#include "host/selectors.h"
#include "pure.h"

#define GDT_ENTRIES	16	/* its limit: the selectors beyond fault */

/* A descriptor by SDM volume 3, figure 3-8: bits 40 to 55 of it are what matters here. */
#define CODE(raw)	((raw) >> 43 & 1)
#define CONFORMING(raw)	((raw) >> 42 & 1)	/* of code; of data: it expands down */
#define ALLOWS(raw)	((raw) >> 41 & 1)	/* code: reads; data: writes */
#define S(raw)		((raw) >> 44 & 1)
#define DPL(raw)	((raw) >> 45 & 3)
#define P(raw)		((raw) >> 47 & 1)
#define L(raw)		((raw) >> 53 & 1)
#define DB(raw)		((raw) >> 54 & 1)

#define DESCRIPTOR(type, s, dpl, p, l, db) \
	((u64)(type) << 40 | (u64)(s) << 44 | (u64)(dpl) << 45 | (u64)(p) << 47 | \
	 (u64)(l) << 53 | (u64)(db) << 54 | 0x008f00000000ffffULL)

/* Linux's, as driver/host/window.c copies them: see the kernel's asm/segment.h. */
static u64 gdt[GDT_ENTRIES] = {
	[1] = DESCRIPTOR(11, 1, 0, 1, 0, 1),	/* kernel's code, 32 bits */
	[2] = DESCRIPTOR(11, 1, 0, 1, 1, 0),	/* kernel's code */
	[3] = DESCRIPTOR(3, 1, 0, 1, 0, 1),	/* kernel's data */
	[4] = DESCRIPTOR(11, 1, 3, 1, 0, 1),	/* user's code, 32 bits */
	[5] = DESCRIPTOR(3, 1, 3, 1, 0, 1),	/* user's data */
	[6] = DESCRIPTOR(11, 1, 3, 1, 1, 0),	/* user's code */
	[8] = DESCRIPTOR(11, 0, 0, 1, 0, 0),	/* TSS, busy; its upper half is 9 */
	[15] = DESCRIPTOR(5, 1, 3, 1, 0, 1),	/* number of the CPU */
};

static u64 descriptor(unsigned int selector)
{
	/* TI: there is no LDT. */
	return selector & 4 || selector >> 3 >= GDT_ENTRIES ? 0 : gdt[selector >> 3];
}

/* MOV to DS, ES, FS or GS at CPL 3, SDM volume 2: does it load a segment, and not fault? */
static bool data_loads(unsigned int selector)
{
	u64 raw = descriptor(selector);
	unsigned int rpl = selector & 3;

	if (selector < 4 || !raw || !S(raw) || (CODE(raw) && !ALLOWS(raw)) || !P(raw))
		return false;
	if (CODE(raw) && CONFORMING(raw))
		return true;
	return rpl <= DPL(raw) && 3 <= DPL(raw);
}

/* IRET from 64-bit mode to ring 3, SDM volume 2: CS, then SS. */
static bool iret_succeeds(unsigned int cs, unsigned int ss)
{
	u64 code = descriptor(cs), stack = descriptor(ss);

	if ((cs & 3) != 3 || !S(code) || !CODE(code) || !P(code) || (L(code) && DB(code)))
		return false;
	if (CONFORMING(code) ? DPL(code) > 3 : DPL(code) != 3)
		return false;
	/* A null SS is for 64-bit code that is not in ring 3. */
	return (ss & 3) == 3 && S(stack) && !CODE(stack) && ALLOWS(stack) && DPL(stack) == 3 &&
	       P(stack);
}

static bool accepted(u64 raw)
{
	struct desc_struct desc;

	memcpy(&desc, &raw, sizeof(desc));
	return lg_tls_ok(&desc, raw);
}

/* All there are of the byte with type, S, DPL and P, and of AVL, L and D/B. */
static u64 nth_descriptor(unsigned int n)
{
	return (u64)(n & 0xff) << 40 | (u64)(n >> 8 & 7) << 52 | 0x1200003412345678ULL;
}

#define DESCRIPTORS	2048

START_TEST(tls_takes_data_of_ring_3_alone)
{
	unsigned int n;

	for (n = 0; n < DESCRIPTORS; n++) {
		u64 raw = nth_descriptor(n);

		must(accepted(raw) == (S(raw) && !CODE(raw) && DPL(raw) == 3 && P(raw) && !L(raw)),
		     "descriptor 0x%llx", raw);
	}
	ck_assert(accepted(0));
}
END_TEST

/* The TLS entries are @raw, if a guest can have it there, and nothing. Return: can it? */
static bool set_tls(struct desc_struct tls[LG_TLS_ENTRIES], u64 raw)
{
	if (!accepted(raw))
		return false;
	memset(tls, 0, LG_TLS_ENTRIES * sizeof(*tls));
	memcpy(&tls[1], &raw, sizeof(raw));
	memcpy(&gdt[GDT_ENTRY_TLS_MIN], tls, LG_TLS_ENTRIES * sizeof(*tls));
	return true;
}

static void compare_data(const struct desc_struct *tls)
{
	unsigned int selector;

	for (selector = 0; selector <= U16_MAX; selector++) {
		u16 got = lg_loadable_selector(tls, selector);
		/* Ring 3's own RPL; with a smaller one the CPU would load it, we give null. */
		bool want = data_loads(selector) && (selector & 3) == 3;

		must(got == (want ? selector : 0), "selector 0x%x gives 0x%x, TLS 0x%llx", selector,
		     got, gdt[13]);
	}
}

START_TEST(a_selector_is_loaded_where_ring_3_could)
{
	struct desc_struct tls[LG_TLS_ENTRIES];
	unsigned int n;

	ck_assert(set_tls(tls, 0));
	compare_data(tls);
	for (n = 0; n < DESCRIPTORS; n++)
		if (set_tls(tls, nth_descriptor(n)))
			compare_data(tls);
}
END_TEST

static void compare_returns(const struct desc_struct *tls, unsigned int cs, unsigned int ss)
{
	must(lg_returns_with(tls, cs, ss) == iret_succeeds(cs, ss), "CS 0x%x, SS 0x%x, TLS 0x%llx",
	     cs, ss, gdt[13]);
}

START_TEST(iret_gets_what_it_does_not_refuse)
{
	static const u16 of_user[] = { __USER_CS, __USER32_CS, __USER_DS, 0 };
	struct desc_struct tls[LG_TLS_ENTRIES];
	unsigned int n, i, selector;

	for (n = 0; n < DESCRIPTORS; n++) {
		if (!set_tls(tls, nth_descriptor(n)))
			continue;
		for (selector = 0; selector <= U16_MAX; selector++)
			for (i = 0; i < ARRAY_SIZE(of_user); i++) {
				compare_returns(tls, selector, of_user[i]);
				compare_returns(tls, of_user[i], selector);
			}
		/* All pairs of those in the GDT. */
		for (selector = 0; selector < GDT_ENTRIES * 8 * GDT_ENTRIES * 8; selector++)
			compare_returns(tls, selector / (GDT_ENTRIES * 8), selector % (GDT_ENTRIES * 8));
	}
}
END_TEST

/* The frame has 64 bits for each: no more than 16 are to be looked at by the CPU. */
START_TEST(a_selector_has_no_upper_bits)
{
	struct desc_struct tls[LG_TLS_ENTRIES];
	int bit;

	ck_assert(set_tls(tls, DESCRIPTOR(3, 1, 3, 1, 0, 1)));
	ck_assert(lg_returns_with(tls, __USER_CS, __USER_DS));
	ck_assert(lg_returns_with(tls, __USER_CS, 13 * 8 + 3));
	for (bit = 16; bit < 64; bit++) {
		must(!lg_returns_with(tls, __USER_CS | 1ULL << bit, __USER_DS), "CS, bit %d", bit);
		must(!lg_returns_with(tls, __USER_CS, __USER_DS | 1ULL << bit), "SS, bit %d", bit);
		must(!lg_returns_with(tls, __USER_CS, (13 * 8 + 3) | 1ULL << bit), "TLS, bit %d", bit);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("selectors");

	PURE_ADD(suite, tls_takes_data_of_ring_3_alone);
	PURE_ADD(suite, a_selector_is_loaded_where_ring_3_could);
	PURE_ADD(suite, iret_gets_what_it_does_not_refuse);
	PURE_ADD(suite, a_selector_has_no_upper_bits);
	return pure_run(suite);
}
