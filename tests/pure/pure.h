/* SPDX-License-Identifier: GPL-2.0-only */
/* What all tests of rules share. */
#ifndef _PURE_H
#define _PURE_H

#include <check.h>
#include <stdlib.h>
#include <linux/types.h>

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))

/* As ck_assert_msg(), which writes to a pipe each time: too slow for millions of cases. */
#define must(condition, ...)	do { if (!(condition)) ck_abort_msg(__VA_ARGS__); } while (0)

/* The same numbers in each run (xorshift64*), so that a failure comes again. */
static inline u64 pure_random(void)
{
	static u64 state = 0x1905a5a51905a5a5ULL;

	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return state * 0x2545f4914f6cdd1dULL;
}

/* A test case of one test: what CK_RUN_CASE names and a failure prints. */
#define PURE_ADD(suite, test) pure_add(suite, #test, test)
static inline void pure_add(Suite *suite, const char *name, const struct TTest *test)
{
	TCase *tcase = tcase_create(name);

	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, test);
	suite_add_tcase(suite, tcase);
}

static inline int pure_run(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int failed;

	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif /* _PURE_H */
