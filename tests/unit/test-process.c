// SPDX-License-Identifier: GPL-2.0-only
/*
 * The launcher's own processes: what they are given, and when they end.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "base/message.h"
#include "sandbox/process.h"
#include "sandbox/sandbox.h"
#include "unit.h"

static void echo(int socket, void *argument)
{
	char text[64];
	unsigned int count = 1;
	int fd;
	ssize_t size = process_receive(socket, text, sizeof(text), &fd, &count);

	(void)argument;
	if (size > 0)
		process_send(socket, text, size, &fd, count);
}

START_TEST(messages_go_to_a_process_and_back_with_descriptors)
{
	struct process process;
	unsigned int count = 4;
	int pipe_ends[2], fds[4];
	char text[64];

	ck_assert_int_eq(process_start(&process, "echo", echo, NULL, NULL, 0), 0);
	ck_assert(!process_has_ended(&process));
	ck_assert_int_eq(pipe(pipe_ends), 0);
	ck_assert_int_eq(process_send(process.socket, "hello", 5, &pipe_ends[1], 1), 0);
	ck_assert_int_eq(process_receive(process.socket, text, sizeof(text), fds, &count), 5);
	ck_assert_uint_eq(count, 1);
	ck_assert_int_eq(write(fds[0], "x", 1), 1);
	ck_assert_int_eq(read(pipe_ends[0], text, 1), 1);
	/* The process ends after that, and we see its end. */
	ck_assert_int_eq(process_receive(process.socket, text, sizeof(text), fds, &count), 0);
	process_stop(&process);
	process_stop(&process);
}
END_TEST

static void show_descriptors(int socket, void *argument)
{
	char text[64] = "";
	int fd;

	(void)argument;
	for (fd = 0; fd < 100; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%d ",
				 fd == socket ? "socket " : "", fd);
	process_send(socket, text, strlen(text), NULL, 0);
}

START_TEST(a_process_has_the_descriptors_that_it_was_given)
{
	char text[64] = "", expected[64];
	struct process process;
	int i, fds[20], keep[2];

	for (i = 0; i < 20; i++)
		fds[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	keep[0] = fds[15];
	keep[1] = fds[3];
	ck_assert_int_eq(process_start(&process, "show", show_descriptors, NULL, keep, 2), 0);
	ck_assert_int_gt(process_receive(process.socket, text, sizeof(text) - 1, NULL, NULL), 0);
	snprintf(expected, sizeof(expected), "0 1 2 %d %d socket ", keep[1], keep[0]);
	ck_assert_int_eq(strncmp(text, expected, strlen(expected)), 0);
	process_stop(&process);
}
END_TEST

static void lose_line(const char *line)
{
	(void)line;
}

static void *talk(void *stop)
{
	while (!atomic_load((atomic_bool *)stop))
		message("one of very many lines");
	return NULL;
}

static void say_something(int socket, void *argument)
{
	(void)argument;
	message("something");
	process_send(socket, "done", 4, NULL, 0);
}

/* A thread holds the lock of messages nearly always, and does not exist in the new process. */
START_TEST(a_process_can_tell_what_threads_tell)
{
	static atomic_bool stop;
	struct process process;
	pthread_t thread[4];
	char text[64];
	unsigned int i;

	message_sink = lose_line;
	for (i = 0; i < ARRAY_SIZE(thread); i++)
		ck_assert_int_eq(pthread_create(&thread[i], NULL, talk, &stop), 0);
	for (i = 0; i < 20; i++) {
		ck_assert_int_eq(process_start(&process, "teller", say_something, NULL, NULL, 0), 0);
		ck_assert_int_eq(process_receive_until(process.socket, now_ms() + 20000, text,
						       sizeof(text), NULL, NULL), 4);
		process_stop(&process);
	}
	stop = true;
	for (i = 0; i < ARRAY_SIZE(thread); i++)
		pthread_join(thread[i], NULL);
}
END_TEST

static int lives[2];

/* A thread that blocks all signals: sandbox_enter() waits for it for a while. */
static void *keep_all(void *argument)
{
	if (write(lives[1], "b", 1) == 1)
		for (;;)
			pause();
	return argument;
}

/* The parent ends during sandbox_enter(), parts of which clear PR_SET_PDEATHSIG. */
static void be_orphan(int socket, void *argument)
{
	static const struct sandbox_call calls[] = { SANDBOX_EVERY_PROCESS, SANDBOX_CALL(write) };
	static const struct sandbox sandbox = { .calls = calls, .count = ARRAY_SIZE(calls) };
	pthread_t thread;

	(void)socket;
	(void)argument;
	if (pthread_create(&thread, NULL, keep_all, NULL))
		return;
	prctl(PR_SET_PDEATHSIG, 0);
	sandbox_enter(&sandbox);
	if (write(lives[1], "x", 1) < 0)
		return;
}

START_TEST(a_process_ends_with_a_parent_that_ends_at_its_start)
{
	struct process process;
	pid_t parent;
	char byte;

	ck_assert_int_eq(pipe(lives), 0);
	parent = fork();
	if (!parent) {
		if (!process_start(&process, "orphan", be_orphan, NULL, &lives[1], 1))
			pause();
		_exit(1);
	}
	close(lives[1]);
	ck_assert_int_eq(read(lives[0], &byte, 1), 1);
	ck_assert_int_eq(byte, 'b');
	usleep(300 * 1000);
	ck_assert_int_eq(kill(parent, SIGKILL), 0);
	ck_assert_int_eq(waitpid(parent, NULL, 0), parent);
	ck_assert_int_eq(read(lives[0], &byte, 1), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("processes");

	UNIT_ADD(suite, messages_go_to_a_process_and_back_with_descriptors);
	UNIT_ADD(suite, a_process_has_the_descriptors_that_it_was_given);
	UNIT_ADD(suite, a_process_can_tell_what_threads_tell);
	UNIT_ADD(suite, a_process_ends_with_a_parent_that_ends_at_its_start);
	return unit_run(suite);
}
