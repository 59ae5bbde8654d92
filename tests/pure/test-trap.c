// SPDX-License-Identifier: GPL-2.0-only
/* Why a guest was left: the stubs PUSH an imm8, which extends its sign (SDM volume 2, PUSH). */
#include "vcpu/trap.h"
#include "pure.h"

START_TEST(each_vector_comes_back_from_its_stub)
{
	struct guest_regs regs = { 0 };
	unsigned int vector;

	for (vector = 0; vector < 256; vector++) {
		regs.trap = (u64)(s64)(s8)vector;
		must(lg_trap(&regs) == vector, "vector %u gives %u", vector, lg_trap(&regs));
	}
}
END_TEST

START_TEST(other_reasons_are_not_vectors)
{
	static const u32 reasons[] = {
		TRAP_SYSCALL, TRAP_ABORTED, TRAP_RING0, TRAP_SYSCALL32,
	};
	struct guest_regs regs = { 0 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(reasons); i++) {
		regs.trap = reasons[i];
		ck_assert_uint_eq(lg_trap(&regs), reasons[i]);
		ck_assert_uint_gt(lg_trap(&regs), 255);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("trap");

	PURE_ADD(suite, each_vector_comes_back_from_its_stub);
	PURE_ADD(suite, other_reasons_are_not_vectors);
	return pure_run(suite);
}
