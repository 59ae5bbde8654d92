// SPDX-License-Identifier: GPL-2.0-only
/*
 * RFLAGS, bit by bit: which a guest keeps when it asks for them, which it has in any case,
 * which an event clears, and which take C on the way from the guest's kernel to its user
 * mode (SDM volume 1, 3.4.3; volume 3, 2.3 and 6.12.1.3).
 */
#include "vcpu/flags.h"
#include "pure.h"

/* Numbers from the manual's figure, not from a header. */
enum {
	CF = 0, FIXED = 1, PF = 2, AF = 4, ZF = 6, SF = 7, TF = 8, IF = 9, DF = 10, OF = 11,
	IOPL = 12, NT = 14, RF = 16, VM = 17, AC = 18, VIF = 19, VIP = 20, ID = 21,
};

/* What becomes of the bit that the guest asks for: */
enum fate {
	NEVER,		/* clear: it is the system's, or reserved */
	ALWAYS,		/* set */
	KEPT,
};

static const struct {
	const char *name;
	enum fate fate;
	bool event_clears;	/* before the guest's handler runs */
	bool direct;		/* an IRET of the guest's with it does not take C */
} bits[64] = {
	[CF] = { "CF", KEPT, false, true },
	[FIXED] = { "bit 1", ALWAYS, false, true },
	[PF] = { "PF", KEPT, false, true },
	[AF] = { "AF", KEPT, false, true },
	[ZF] = { "ZF", KEPT, false, true },
	[SF] = { "SF", KEPT, false, true },
	[TF] = { "TF", KEPT, true, false },
	[IF] = { "IF", ALWAYS, false, true },
	[DF] = { "DF", KEPT, false, true },
	[OF] = { "OF", KEPT, false, true },
	/* With IOPL 3 the guest could turn the host's interrupts off; IRET faults with NT. */
	[IOPL] = { "IOPL", NEVER, false, false },
	[IOPL + 1] = { "IOPL", NEVER, false, false },
	[NT] = { "NT", NEVER, true, false },
	[RF] = { "RF", KEPT, true, true },
	[VM] = { "VM", NEVER, false, false },
	[AC] = { "AC", KEPT, true, true },
	[VIF] = { "VIF", NEVER, false, false },
	[VIP] = { "VIP", NEVER, false, false },
	[ID] = { "ID", KEPT, false, true },
	/* All others are reserved: NEVER. */
};

static u64 bits_of(enum fate fate)
{
	u64 mask = 0;
	int i;

	for (i = 0; i < 64; i++)
		if (bits[i].fate == fate)
			mask |= 1ULL << i;
	return mask;
}

START_TEST(each_flag_has_its_fate)
{
	u64 always = bits_of(ALWAYS);
	int i;

	ck_assert_uint_eq(lg_runnable_flags(0), always);
	ck_assert_uint_eq(lg_runnable_flags(~0ULL), always | bits_of(KEPT));
	for (i = 0; i < 64; i++) {
		u64 got = lg_runnable_flags(1ULL << i);

		must(got == (always | (bits[i].fate == KEPT ? 1ULL << i : 0)),
		     "%s (bit %d) gives 0x%llx", bits[i].name, i, got);
	}
}
END_TEST

START_TEST(an_event_clears_what_the_cpu_clears)
{
	int i;

	for (i = 0; i < 64; i++) {
		u64 want = bits_of(ALWAYS), got = lg_event_flags(1ULL << i);

		if (bits[i].fate == KEPT && !bits[i].event_clears)
			want |= 1ULL << i;
		must(got == want, "%s (bit %d) gives 0x%llx", bits[i].name, i, got);
		must(!!((u64)FLAGS_CLEARED >> i & 1) == bits[i].event_clears,
		     "FLAGS_CLEARED and %s (bit %d)", bits[i].name, i);
	}
}
END_TEST

START_TEST(the_switcher_lets_no_flag_through_that_c_would_not)
{
	int i;

	for (i = 0; i < 64; i++)
		must(!!((u64)FLAGS_DIRECT >> i & 1) == bits[i].direct, "FLAGS_DIRECT and %s (bit %d)",
		     bits[i].name, i);
	ck_assert_uint_eq(FLAGS_DIRECT & ~lg_runnable_flags(~0ULL), 0);
	ck_assert_uint_eq(FLAGS_ALWAYS, bits_of(ALWAYS));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("flags");

	PURE_ADD(suite, each_flag_has_its_fate);
	PURE_ADD(suite, an_event_clears_what_the_cpu_clears);
	PURE_ADD(suite, the_switcher_lets_no_flag_through_that_c_would_not);
	return pure_run(suite);
}
