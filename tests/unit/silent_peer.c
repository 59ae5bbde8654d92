// SPDX-License-Identifier: GPL-2.0-only
/* A process that has what others need, and says nothing. */
#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "silent_peer.h"

/* A child of this test goes with it. Return: its number, 0 in the child. */
pid_t start_child(void)
{
	pid_t child = fork();

	ck_assert_int_ge(child, 0);
	return child;
}

/* A process that takes something, and keeps it until it is killed. Return: the process. */
pid_t start_holder(bool (*take)(const char *name), const char *name)
{
	int ready[2];
	pid_t child;
	char byte;

	ck_assert_int_eq(pipe(ready), 0);
	child = start_child();
	if (!child) {
		byte = take(name) ? 'y' : 'n';
		if (write(ready[1], &byte, 1) < 0)
			_exit(1);
		for (;;)
			pause();
	}
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	ck_assert_int_eq(byte, 'y');
	close(ready[0]);
	close(ready[1]);
	return child;
}

static bool take_lock(const char *name)
{
	return !flock(open(name, O_RDONLY), LOCK_EX);
}

/* Some process has a file locked, and keeps it so. Return: the process. */
pid_t hold_lock(const char *name)
{
	return start_holder(take_lock, name);
}

void end_child(pid_t child)
{
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}
