// SPDX-License-Identifier: GPL-2.0-only
/*
 * What all unit tests share. They catch the launcher's messages, to check that it
 * always prints one clear line.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/message.h"
#include "unit.h"

atomic_int unit_messages;
char unit_last_message[1024];
char unit_said[65536];
static char directories[] = "/tmp/lguest-unit.XXXXXX";

static void catch(const char *line)
{
	snprintf(unit_last_message, sizeof(unit_last_message), "%s", line);
	unit_messages++;	/* last: a waiting test then reads the text */
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

/* From now on keep all messages in unit_said, a line each. */
void unit_remember(void)
{
	unit_said[0] = '\0';
	message_sink = remember;
}

/* Check that the last call failed, and printed one line with these words. */
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

/* Make a directory, which is removed after all tests. Return: its name, in static memory. */
char *unit_directory(void)
{
	static char name[64];

	snprintf(name, sizeof(name), "%s/XXXXXX", directories);
	ck_assert_ptr_nonnull(mkdtemp(name));
	return name;
}

/* The same numbers in each run (xorshift64*), so that a failure can be repeated. */
uint64_t unit_random(void)
{
	static uint64_t state = 0x1905a5a51905a5a5ULL;

	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return state * 0x2545f4914f6cdd1dULL;
}

/* Add a test as a case with the same name, with a generous time limit for slow machines. */
void unit_add(Suite *suite, const char *name, const struct TTest *test)
{
	TCase *tcase = tcase_create(name);

	tcase_set_timeout(tcase, 120);
	tcase_add_checked_fixture(tcase, unit_forget, NULL);
	tcase_add_test(tcase, test);
	suite_add_tcase(suite, tcase);
}

/*
 * Undo what our parent may have done: ignored signals (nohup), blocked them, or closed
 * descriptors 0 to 2. And become the parent of all processes that tests leave behind.
 */
static void stand_anywhere(void)
{
	struct sigaction action;
	sigset_t none;
	int number, fd;

	for (number = 1; number < NSIG; number++)
		if (!sigaction(number, NULL, &action) && action.sa_handler == SIG_IGN)
			signal(number, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	umask(022);
	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	dup2(fd, STDIN_FILENO);
	close(fd);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
}

/* A test that fails does not clean up: end the processes that it left behind. */
static void end_children(void)
{
	char path[64];
	FILE *children;
	int pid;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
	do {
		children = fopen(path, "r");
		while (children && fscanf(children, "%d", &pid) == 1)
			kill(pid, SIGKILL);
		if (children)
			fclose(children);
	} while (waitpid(-1, NULL, 0) > 0 || errno == EINTR);
}

/* Run a suite. Return: what main() returns. */
int unit_run(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	char remove[64];
	int failed;

	stand_anywhere();
	if (!mkdtemp(directories))
		return EXIT_FAILURE;
	message_sink = catch;
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	end_children();
	snprintf(remove, sizeof(remove), "rm -rf %s", directories);
	if (system(remove))
		return EXIT_FAILURE;
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
