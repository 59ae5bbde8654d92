// SPDX-License-Identifier: GPL-2.0-only
/*
 * --detach: the Guest goes on without the terminal that it was started from.
 *
 * The process that the person started waits until the Guest runs, or could not be
 * started: so messages until then reach the person, and the exit status is right. Later
 * messages go to the system's log.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#include "detach.h"
#include "exit_status.h"
#include "message.h"
#include "relay.h"

static int report = -1;		/* a pipe to the waiting process; -1: nobody waits */

/* It says the Guest's name when the Guest runs. Return: the exit status. */
static int wait_for_start(int from, pid_t child)
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
	return WIFEXITED(status) && WEXITSTATUS(status) ? WEXITSTATUS(status) : EXIT_NOT_STARTED;
}

/**
 * detach_begin() - go on in a process of its own, with a console of its own
 *
 * No thread may run yet.
 *
 * Return: -1 in the new process; in the old one the exit status, once the Guest runs or
 * could not be started.
 */
int detach_begin(void)
{
	int ends[2], status;
	pid_t child;

	if (pipe2(ends, O_CLOEXEC) < 0) {
		refuse(-errno, "can't make a pipe: %s", strerror(errno));
		return EXIT_NOT_STARTED;
	}
	child = fork();
	if (child < 0)
		refuse(-errno, "can't start a process: %s", strerror(errno));
	if (child) {
		close(ends[1]);
		status = child > 0 ? wait_for_start(ends[0], child) : EXIT_NOT_STARTED;
		return status;
	}
	close(ends[0]);
	report = ends[1];
	setsid();
	return relay_init() ? EXIT_NOT_STARTED : -1;
}

static void write_log(const char *line)
{
	syslog(LOG_NOTICE, "%s", line);
}

/**
 * detach_done() - the Guest runs: nobody waits for it from now on
 * @name: what it is called
 */
void detach_done(const char *name)
{
	int null;

	if (report < 0)
		return;
	openlog("lguest", LOG_PID, LOG_DAEMON);
	message_sink = write_log;
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null >= 0) {
		dup2(null, STDERR_FILENO);
		close(null);
	}
	if (write(report, name, strlen(name)) < 0)
		message("'%s' runs, but nobody waits for that: %s", name, strerror(errno));
	close(report);
	report = -1;
}
