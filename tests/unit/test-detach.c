// SPDX-License-Identifier: GPL-2.0-only
/*
 * --detach: the process that the person started waits for the one in the background, ends
 * with it, and the one in the background keeps nothing open that it does not need.
 */
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "terminal/detach.h"
#include "unit.h"

/* What the process in the background found out, and its process number. */
static struct {
	atomic_int pid;
	atomic_int is_open;	/* the descriptor that it inherited, still? */
	char directory[64];
	atomic_bool done;
} *found;

/* Is @fd still this file? The number may be another file's by now. */
static bool is_open(int fd, const struct stat *file)
{
	struct stat now;

	return !fstat(fd, &now) && now.st_dev == file->st_dev && now.st_ino == file->st_ino;
}

/* Do in the background what lguest does until the guest runs, if @starts. */
static void run(bool starts, int inherited)
{
	struct stat file;

	found->pid = getpid();
	if (starts) {
		if (fstat(inherited, &file))
			_exit(1);
		detach_prepare();
		detach_done("one");
		found->is_open = is_open(inherited, &file);
		if (!getcwd(found->directory, sizeof(found->directory)))
			_exit(1);
		found->done = true;
	}
	sleep(60);
	_exit(0);
}

/* Return: the process that waits for the one in the background. */
static pid_t start(bool starts)
{
	int inherited = memfd_create("inherited", 0), status;
	pid_t child;

	found = mmap(NULL, sizeof(*found), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(found, MAP_FAILED);
	child = fork();
	if (!child) {
		ck_assert_int_eq(chdir(unit_directory()), 0);
		status = detach_begin();
		if (status < 0)
			run(starts, inherited);
		fflush(NULL);
		_exit(status);
	}
	while (!found->pid)
		usleep(1000);
	return child;
}

/* Does the process stay? Wait up to 10 s for its end. */
static bool stays(pid_t process)
{
	int tries;

	for (tries = 0; tries < 10000; tries++) {
		char name[64], text[256] = "";
		FILE *file;

		snprintf(name, sizeof(name), "/proc/%d/stat", process);
		file = fopen(name, "r");
		if (!file)
			return false;
		if (!fgets(text, sizeof(text), file))
			text[0] = '\0';
		fclose(file);
		if (strstr(text, ") Z "))
			return false;	/* a zombie: nobody has waited for it yet */
		usleep(1000);
	}
	return true;
}

START_TEST(what_ends_the_one_ends_the_other)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	unsigned int i;
	int status;
	pid_t child;

	for (i = 0; i < 4; i++) {
		signal(signals[i], SIG_DFL);
		child = start(false);
		usleep(100 * 1000);
		ck_assert_int_eq(kill(child, signals[i]), 0);
		ck_assert_int_eq(waitpid(child, &status, 0), child);
		ck_assert(WIFSIGNALED(status));
		ck_assert_int_eq(WTERMSIG(status), signals[i]);
		ck_assert(!stays(found->pid));
	}
}
END_TEST

START_TEST(the_one_that_stays_holds_on_to_nothing)
{
	pid_t child = start(true);
	int status;

	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	while (!found->done)
		usleep(1000);
	ck_assert_int_eq(found->is_open, 0);
	ck_assert_str_eq(found->directory, "/");
	kill(found->pid, SIGKILL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("detach");

	UNIT_ADD(suite, what_ends_the_one_ends_the_other);
	UNIT_ADD(suite, the_one_that_stays_holds_on_to_nothing);
	return unit_run(suite);
}
