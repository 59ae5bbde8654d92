// SPDX-License-Identifier: GPL-2.0-only
/*
 * --detach: the guest runs on without the terminal that it was started from.
 *
 * A child process runs the guest. The process that the person started waits until the guest
 * runs, or could not be started: so messages until then reach the person, and the exit status
 * is right. A signal that ends the waiting process, from Ctrl-C for example, is passed on to
 * the child, and the guest does not start. Later messages go to the system's log.
 *
 * The child may run for days and must keep no directory or file busy that it does not need.
 * Once everything is open, its current directory is "/", and it closes inherited descriptors.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/compiler.h"
#include "terminal/detach.h"
#include "base/exit_status.h"
#include "base/file.h"
#include "base/message.h"
#include "terminal/relay.h"
#include "base/system_log.h"

static int null = -1;
static int report = -1;		/* a pipe to the waiting process; -1: nobody waits */

/* Descriptors inherited from our parent; --port=NAME,fd=N has copies of those it uses. */
static int inherited[256];
static unsigned int inheritances;

static const int passed_signals[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM };
static pid_t child;
static volatile sig_atomic_t passed;

static void pass_on(int number)
{
	passed = number;
	kill(child, number);
}

/* A signal that our parent had ignored (nohup) stays ignored. */
static void pass_signals(void)
{
	struct sigaction action = { .sa_handler = pass_on }, old;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(passed_signals); i++) {
		sigaction(passed_signals[i], NULL, &old);
		if (old.sa_handler != SIG_IGN)
			sigaction(passed_signals[i], &action, NULL);
	}
}

static void block_signals(sigset_t *old)
{
	sigset_t signals;
	unsigned int i;

	sigemptyset(&signals);
	for (i = 0; i < ARRAY_SIZE(passed_signals); i++)
		sigaddset(&signals, passed_signals[i]);
	sigprocmask(SIG_BLOCK, &signals, old);
}

/* End with the child's signal or exit status. */
static int end_as(int status)
{
	if (WIFSIGNALED(status) && passed) {
		signal(passed, SIG_DFL);
		raise(passed);
	}
	return WIFEXITED(status) && WEXITSTATUS(status) ? WEXITSTATUS(status) : EXIT_NOT_STARTED;
}

/* The child writes the guest's name when the guest runs. Return: the exit status. */
static int wait_for_start(int from)
{
	char text[128];
	ssize_t got;
	int status;

	do
		got = read(from, text, sizeof(text));
	while (got < 0 && errno == EINTR);
	close(from);
	if (got > 0) {
		printf("%.*s\n", (int)got, text);
		return EXIT_SUCCESS;
	}
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return EXIT_NOT_STARTED;
	return end_as(status);
}

/* Call this before we open anything ourselves. */
static void find_inherited(void)
{
	DIR *directory = opendir("/proc/self/fd");
	struct dirent *entry;

	while (directory && (entry = readdir(directory))) {
		int fd = atoi(entry->d_name);

		if (fd > STDERR_FILENO && fd != dirfd(directory) &&
		    inheritances < ARRAY_SIZE(inherited))
			inherited[inheritances++] = fd;
	}
	if (directory)
		closedir(directory);
}

/**
 * detach_begin() - go on in a child process with its own console
 *
 * No thread may run yet.
 *
 * Return: -1 in the child; in the parent the exit status, once the guest runs or could not
 * be started.
 */
int detach_begin(void)
{
	sigset_t old;
	int ends[2];

	find_inherited();
	if (pipe2(ends, O_CLOEXEC) < 0) {
		refuse(-errno, "can't make a pipe: %s", strerror(errno));
		return EXIT_NOT_STARTED;
	}
	block_signals(&old);
	child = fork();
	if (child > 0)
		pass_signals();
	sigprocmask(SIG_SETMASK, &old, NULL);
	if (child < 0) {
		refuse(-errno, "can't start a process: %s", strerror(errno));
		return EXIT_NOT_STARTED;
	}
	close(ends[child ? 1 : 0]);
	if (child)
		return wait_for_start(ends[0]);
	report = ends[1];
	setsid();
	return relay_init() ? EXIT_NOT_STARTED : -1;
}

/* Everything that this process needs is open by its own descriptors: close the inherited ones. */
static void let_go(void)
{
	while (inheritances)
		close(inherited[--inheritances]);
	if (chdir("/") < 0)
		message("can't leave the current directory: %s", strerror(errno));
}

/**
 * detach_prepare() - leave the directory that we were started in, and open what detach_done()
 * needs: the sandbox may take all names of files away before that
 */
void detach_prepare(void)
{
	if (report < 0)
		return;
	let_go();
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	tzset();
	system_log_open(SYSTEM_LOG);
}

/**
 * detach_done() - the guest runs: let the waiting process end
 * @name: the guest's name
 */
void detach_done(const char *name)
{
	if (report < 0)
		return;
	message_sink = system_log;
	if (null >= 0)
		dup2(null, STDERR_FILENO);
	file_close(&null);
	if (write(report, name, strlen(name)) < 0)
		message("'%s' runs, but can't tell the command that started it: %s", name, strerror(errno));
	close(report);
	report = -1;
}
