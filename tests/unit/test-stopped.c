// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest's launcher that is stopped (SIGSTOP), and processes that hold what commands need:
 * "lguest kill" kills it, and nobody else has to wait.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "command/commands.h"
#include "control/runtime.h"
#include "silent_peer.h"
#include "unit.h"
#include "wrap.h"

static bool take_name(const char *name)
{
	struct runtime runtime;

	if (runtime_open(&runtime, true) || runtime_listen(&runtime, name) < 0)
		return false;
	runtime_close(&runtime);
	return true;
}

/* Start the launcher of a guest "one", and stop it. Return: the process. */
static pid_t start_stopped(void)
{
	pid_t child;

	setenv("XDG_RUNTIME_DIR", unit_directory(), 1);
	child = start_holder(take_name, "one");
	ck_assert_int_eq(kill(child, SIGSTOP), 0);
	return child;
}

/* Check that its socket is gone. */
static void is_gone(void)
{
	char name[128];

	snprintf(name, sizeof(name), "%s/lguest", getenv("XDG_RUNTIME_DIR"));
	ck_assert_int_eq(rmdir(name), 0);
}

static int kill_one(void)
{
	char *words[] = { "kill", "one", NULL };

	return command_kill(2, words);
}

START_TEST(launcher_that_is_stopped_is_killed)
{
	int64_t begin = now_ms();
	pid_t child = start_stopped();
	int status;

	ck_assert_int_eq(kill_one(), 0);
	ck_assert_int_lt(now_ms() - begin, 15000);
	unit_refused(-1, "does not answer: its process");
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	is_gone();
}
END_TEST

/* So many have asked it that its socket takes no more connections. */
START_TEST(launcher_that_is_stopped_with_a_full_queue_is_killed)
{
	struct runtime runtime;
	pid_t child = start_stopped(), pid;
	int fd, i;

	ck_assert_int_eq(runtime_open(&runtime, false), 0);
	for (i = 0; i < 5000; i++) {
		fd = runtime_connect(&runtime, "one", &pid);
		if (fd < 0)
			break;
		ck_assert_int_eq(pid, child);
		close(fd);
	}
	ck_assert_int_eq(fd, -EAGAIN);
	ck_assert_int_eq(pid, child);
	unit_refused(runtime_listen(&runtime, "one"), "already, of process");
	runtime_close(&runtime);
	ck_assert_int_eq(kill_one(), 0);
	unit_refused(-1, "does not answer: its process");
	end_child(child);
	is_gone();
}
END_TEST

/* "lguest list" waits for it, but nobody waits for "lguest list". */
START_TEST(launcher_that_is_stopped_holds_up_no_others)
{
	char *words[] = { "list", NULL };
	pid_t child = start_stopped(), list;
	struct runtime runtime;
	int status, i;
	int64_t begin;

	list = start_child();
	if (!list)
		exit(command_list(1, words));
	usleep(300 * 1000);
	for (i = 0; i < 5; i++) {
		begin = now_ms();
		ck_assert_int_eq(runtime_open(&runtime, false), 0);
		runtime_close(&runtime);
		ck_assert_int_lt(now_ms() - begin, 1000);
	}
	ck_assert_int_eq(waitpid(list, &status, WNOHANG), 0);
	ck_assert_int_eq(waitpid(list, &status, 0), list);
	ck_assert_int_eq(status, 0);
	end_child(child);
}
END_TEST

/* A launcher that starts removes the names of those that were killed, and no others. */
START_TEST(names_of_the_dead_are_removed)
{
	pid_t dead = start_stopped(), child = start_holder(take_name, "two"), third;
	struct runtime runtime;
	char **names;

	end_child(dead);
	third = start_holder(take_name, "three");
	ck_assert_int_eq(runtime_open(&runtime, false), 0);
	ck_assert_int_eq(runtime_names(&runtime, &names), 2);
	ck_assert_str_eq(names[0], "three");
	ck_assert_str_eq(names[1], "two");
	runtime_free_names(names, 2);
	runtime_close(&runtime);
	end_child(child);
	end_child(third);
}
END_TEST

/* How many files this process may remove before it is killed. */
static unsigned int may_remove = -1;

int __wrap_unlinkat(int directory, const char *name, int flags)
{
	if (!may_remove--)
		raise(SIGKILL);
	return __real_unlinkat(directory, name, flags);
}

static bool is_there(const char *file)
{
	char name[128];

	snprintf(name, sizeof(name), "%s/lguest/%s", getenv("XDG_RUNTIME_DIR"), file);
	return !access(name, F_OK);
}

/* A launcher that is killed while it removes a name leaves what the next one finds. */
START_TEST(name_that_is_half_removed_is_removed)
{
	pid_t dead = start_stopped(), child;
	int status;

	end_child(dead);
	child = start_child();
	if (!child) {
		may_remove = 1;
		exit(take_name("two"));
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	ck_assert(is_there("one.sock") || is_there("one.pid"));
	child = start_holder(take_name, "three");
	ck_assert(!is_there("one.sock") && !is_there("one.pid"));
	end_child(child);
}
END_TEST

START_TEST(holder_of_the_runtime_directory)
{
	struct runtime runtime;
	int64_t begin;
	char name[128];
	pid_t child;

	setenv("XDG_RUNTIME_DIR", unit_directory(), 1);
	ck_assert_int_eq(runtime_open(&runtime, true), 0);
	runtime_close(&runtime);
	snprintf(name, sizeof(name), "%s/lguest", getenv("XDG_RUNTIME_DIR"));
	child = hold_lock(name);
	begin = now_ms();
	unit_refused(runtime_open(&runtime, false), "another process keeps");
	ck_assert_int_lt(now_ms() - begin, 10000);
	end_child(child);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("stopped launchers");

	UNIT_ADD(suite, launcher_that_is_stopped_is_killed);
	UNIT_ADD(suite, launcher_that_is_stopped_with_a_full_queue_is_killed);
	UNIT_ADD(suite, launcher_that_is_stopped_holds_up_no_others);
	UNIT_ADD(suite, names_of_the_dead_are_removed);
	UNIT_ADD(suite, name_that_is_half_removed_is_removed);
	UNIT_ADD(suite, holder_of_the_runtime_directory);
	return unit_run(suite);
}
