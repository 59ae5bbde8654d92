// SPDX-License-Identifier: GPL-2.0-only
/*
 * "lguest stop" of a guest that takes its time: a person at a terminal is told that it still
 * waits, a program is not.
 */
#include <fcntl.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "command/commands.h"
#include "control/runtime.h"
#include "unit.h"

/* Longer than until the first line of progress, shorter than until the second. */
#define GUEST_TAKES_S	7

/* The launcher of a guest "one", which agrees to stop and does so after a while. */
static _Noreturn void run_guest(int ready)
{
	static const char agreed[] = "{\"version\":1,\"ok\":true}\n";
	struct runtime runtime;
	int listener, client;
	char line[16];

	if (runtime_open(&runtime, true))
		_exit(1);
	listener = runtime_listen(&runtime, "one");
	runtime_close(&runtime);
	if (listener < 0 || fcntl(listener, F_SETFL, 0) || write(ready, "y", 1) < 0)
		_exit(1);
	client = accept(listener, NULL, NULL);
	if (recv(client, line, sizeof(line), 0) != 5 || memcmp(line, "stop\n", 5) ||
	    send(client, agreed, strlen(agreed), MSG_NOSIGNAL) < 0)
		_exit(1);
	sleep(GUEST_TAKES_S);
	_exit(0);
}

/* Run "lguest stop". Return: all that it printed. */
static const char *stop_guest(void)
{
	char *words[] = { "stop", "one", NULL };
	int ready[2], status;
	pid_t guest;
	char byte;

	setenv("XDG_RUNTIME_DIR", unit_directory(), 1);
	ck_assert_int_eq(pipe(ready), 0);
	guest = fork();
	ck_assert_int_ge(guest, 0);
	if (!guest)
		run_guest(ready[1]);
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	unit_remember();
	ck_assert_msg(command_stop(2, words) == EXIT_SUCCESS, "%s", unit_said);
	ck_assert_int_eq(waitpid(guest, &status, 0), guest);
	ck_assert_int_eq(status, 0);
	return unit_said;
}

START_TEST(person_who_looks_on_hears_that_it_goes_on)
{
	int ours, its;

	ck_assert_int_eq(openpty(&ours, &its, NULL, NULL, NULL), 0);
	dup2(its, STDERR_FILENO);
	ck_assert_str_eq(stop_guest(), "'one' still runs, 5 of 60 s\n");
}
END_TEST

START_TEST(program_hears_no_progress)
{
	dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
	ck_assert_str_eq(stop_guest(), "");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("stop");

	UNIT_ADD(suite, person_who_looks_on_hears_that_it_goes_on);
	UNIT_ADD(suite, program_hears_no_progress);
	return unit_run(suite);
}
