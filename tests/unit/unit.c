// SPDX-License-Identifier: GPL-2.0-only
/*
 * What all unit tests share: the launcher's messages are caught, so that tests
 * can hold it to its promise of one clear line.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "message.h"
#include "unit.h"

int unit_messages;
char unit_last_message[1024];
char unit_said[65536];
static char directories[] = "/tmp/lguest-unit.XXXXXX";

static void catch(const char *line)
{
	unit_messages++;
	snprintf(unit_last_message, sizeof(unit_last_message), "%s", line);
}

/* Forget the messages so far. */
void unit_forget(void)
{
	unit_messages = 0;
	unit_last_message[0] = '\0';
}

static void remember(const char *line)
{
	size_t used = strlen(unit_said);

	snprintf(unit_said + used, sizeof(unit_said) - used, "%s\n", line);
}

/* From now on all messages are in unit_said, a line each. */
void unit_remember(void)
{
	unit_said[0] = '\0';
	message_sink = remember;
}

/* The last call failed, and told why in one line with these words in it. */
void unit_refused(int error, const char *words)
{
	ck_assert_msg(error < 0, "it was not refused; expected: %s", words);
	ck_assert_msg(unit_messages == 1, "%d messages, the last: %s", unit_messages,
		      unit_last_message);
	ck_assert_msg(strstr(unit_last_message, words) != NULL, "'%s' is not in: %s", words,
		      unit_last_message);
	ck_assert_msg(!strchr(unit_last_message, '\n'), "more than a line: %s", unit_last_message);
	unit_forget();
}

/* A new directory, which goes when all tests are done. Return: its name, in static memory. */
char *unit_directory(void)
{
	static char name[64];

	snprintf(name, sizeof(name), "%s/XXXXXX", directories);
	ck_assert_ptr_nonnull(mkdtemp(name));
	return name;
}

/* The same numbers in each run (xorshift64*), so that a failure comes again. */
uint64_t unit_random(void)
{
	static uint64_t state = 0x1905a5a51905a5a5ULL;

	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return state * 0x2545f4914f6cdd1dULL;
}

/* One test, in a case of its own name; generous time for slow machines. */
void unit_add(Suite *suite, const char *name, const struct TTest *test)
{
	TCase *tcase = tcase_create(name);

	tcase_set_timeout(tcase, 120);
	tcase_add_checked_fixture(tcase, unit_forget, NULL);
	tcase_add_test(tcase, test);
	suite_add_tcase(suite, tcase);
}

/* Run a suite. Return: main()'s. */
int unit_run(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	char remove[64];
	int failed;

	if (!mkdtemp(directories))
		return EXIT_FAILURE;
	message_sink = catch;
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	snprintf(remove, sizeof(remove), "rm -rf %s", directories);
	if (system(remove))
		return EXIT_FAILURE;
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
