// SPDX-License-Identifier: GPL-2.0-only
/* A process that holds what others need, and never answers. */
#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "silent_peer.h"

/* Fork a child that ends with this test. Return: its process number; 0 in the child. */
pid_t start_child(void)
{
	pid_t child = fork();

	ck_assert_int_ge(child, 0);
	return child;
}

/* Start a process that calls @take and keeps what it took until it is killed. */
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

/* Start a process that locks a file until it is killed. Return: the process. */
pid_t hold_lock(const char *name)
{
	return start_holder(take_lock, name);
}

void end_child(pid_t child)
{
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}
