// SPDX-License-Identifier: GPL-2.0-only
/*
 * The person's terminal is restored whatever ends us. And the last lines of the guest's
 * console are kept for the report on its end.
 */
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/compiler.h"
#include "terminal/recent.h"
#include "terminal/terminal.h"
#include "unit.h"

static int ours, its;

static bool is_cooked(void)
{
	struct termios settings;

	ck_assert_int_eq(tcgetattr(its, &settings), 0);
	return (settings.c_lflag & ICANON) && (settings.c_lflag & ECHO) &&
	       (settings.c_lflag & ISIG) && (settings.c_oflag & OPOST);
}

/* A child on a raw terminal, which tells us when it is ready. */
static pid_t start_child(int status)
{
	int ready[2];
	char byte;
	pid_t child;

	ck_assert_int_eq(openpty(&ours, &its, NULL, NULL, NULL), 0);
	ck_assert_int_eq(pipe(ready), 0);
	ck_assert(is_cooked());
	child = fork();
	if (!child) {
		setpgid(0, 0);	/* not orphaned, since we could continue it: so SIGTSTP works */
		dup2(its, STDIN_FILENO);
		if (terminal_init())
			_exit(99);
		terminal_raw();
		if (write(ready[1], "x", 1) != 1)
			_exit(99);
		if (status >= 0)
			exit(status);
		for (;;)
			pause();
	}
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	return child;
}

static void dies_of(int signal)
{
	pid_t child = start_child(-1);
	int status;

	ck_assert(!is_cooked());
	ck_assert_int_eq(kill(child, signal), 0);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == signal, "signal %d gives %x",
		      signal, status);
	ck_assert_msg(is_cooked(), "the terminal stays raw after signal %d", signal);
	close(ours);
	close(its);
}

START_TEST(terminal_is_restored_after_each_signal)
{
	static const int signals[] = {
		SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGABRT, SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP,
		SIGSYS, SIGALRM, SIGVTALRM, SIGPROF, SIGXCPU, SIGXFSZ, SIGUSR1, SIGUSR2, SIGIO,
		SIGPWR, SIGSTKFLT,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(signals); i++)
		dies_of(signals[i]);
	dies_of(SIGRTMIN);
	dies_of(SIGRTMAX);
}
END_TEST

START_TEST(terminal_is_restored_at_exit)
{
	pid_t child = start_child(3);
	int status;

	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 3);
	ck_assert(is_cooked());
}
END_TEST

static void wait_until_raw(void)
{
	int tries;

	for (tries = 0; is_cooked() && tries < 5000; tries++)
		usleep(1000);
	ck_assert(!is_cooked());
}

/* While we are stopped, the shell changes the terminal's settings. */
START_TEST(terminal_is_raw_again_after_a_stop)
{
	pid_t child = start_child(-1);
	struct termios settings, cooked;
	int status;

	ck_assert_int_eq(tcgetattr(its, &settings), 0);
	cooked = settings;
	cooked.c_lflag |= ICANON | ECHO | ISIG;
	cooked.c_oflag |= OPOST;
	kill(child, SIGSTOP);
	ck_assert_int_eq(waitpid(child, &status, WUNTRACED), child);
	ck_assert_int_eq(tcsetattr(its, TCSANOW, &cooked), 0);
	ck_assert(is_cooked());
	kill(child, SIGCONT);
	wait_until_raw();
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
}
END_TEST

START_TEST(terminal_is_given_back_while_stopped)
{
	pid_t child = start_child(-1);
	int status, times;

	for (times = 0; times < 3; times++) {
		ck_assert(!is_cooked());
		kill(child, SIGTSTP);
		ck_assert_int_eq(waitpid(child, &status, WUNTRACED), child);
		ck_assert(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTSTP);
		ck_assert(is_cooked());
		kill(child, SIGCONT);
		wait_until_raw();
	}
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
}
END_TEST

START_TEST(pipe_is_left_alone)
{
	int in[2];

	ck_assert_int_eq(pipe(in), 0);
	dup2(in[0], STDIN_FILENO);
	terminal_raw();
	ck_assert(!terminal_is_raw());
	terminal_restore();
}
END_TEST

static void filter(struct terminal_keys *keys, const char *typed, const char *expected)
{
	uint8_t text[64];
	size_t size = strlen(typed);

	memcpy(text, typed, size);
	size = terminal_filter(keys, text, size);
	ck_assert_uint_eq(size, strlen(expected));
	ck_assert_mem_eq(text, expected, size);
}

START_TEST(own_keys_are_taken_out)
{
	struct terminal_keys keys = { 0 };

	filter(&keys, "plain text", "plain text");
	filter(&keys, "a\1\1b", "a\1b");
	filter(&keys, "a\1cb", "ab");
	/* Ctrl-A and the key after it come in separate calls. */
	filter(&keys, "a\1", "a");
	filter(&keys, "\1", "\1");
	ck_assert(!keys.leave);
	filter(&keys, "\1", "");
	filter(&keys, "xyz", "yz");
	ck_assert(keys.leave);
}
END_TEST

static void recent_is(unsigned int lines, const char *expected)
{
	char text[16384] = "";

	text[recent_get(text, sizeof(text) - 1, lines)] = '\0';
	ck_assert_str_eq(text, expected);
}

START_TEST(last_lines_are_kept)
{
	int i;

	recent_clear();
	recent_is(5, "");
	recent_add("one\r\ntwo\r\nthree\r\n", 17);
	recent_is(5, "one\ntwo\nthree");
	recent_is(2, "two\nthree");
	recent_add("four", 4);
	recent_is(2, "three\nfour");
	for (i = 0; i < 10000; i++)
		recent_add("many more lines\n", 16);
	recent_add("last\n\n\n", 7);
	recent_is(3, "many more lines\nmany more lines\nlast");
	recent_clear();
	recent_is(3, "");
	for (i = 0; i < 10000; i++)
		recent_add("\n", 1);
	recent_is(3, "");
}
END_TEST

/* Hidden output is not lost: the person sees it at the end. */
START_TEST(early_output_can_be_hidden)
{
	int out = dup(STDOUT_FILENO);
	char text[64];

	recent_clear();
	ck_assert_int_eq(openpty(&ours, &its, NULL, NULL, NULL), 0);
	dup2(its, STDOUT_FILENO);
	terminal_hide_early();
	terminal_write_early("early\n", 6);
	ck_assert(!terminal_was_seen());
	recent_is(5, "early");
	terminal_write("late", 4);
	ck_assert(terminal_was_seen());
	ck_assert_int_eq(read(ours, text, sizeof(text)), 4);
	ck_assert_mem_eq(text, "late", 4);
	dup2(out, STDOUT_FILENO);
}
END_TEST

START_TEST(a_line_longer_than_all_room_is_cut)
{
	char text[100];
	int i;

	recent_clear();
	for (i = 0; i < 20000; i++)
		recent_add("x", 1);
	ck_assert_uint_eq(recent_get(text, sizeof(text), 3), sizeof(text));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("terminal");

	UNIT_ADD(suite, terminal_is_restored_after_each_signal);
	UNIT_ADD(suite, terminal_is_restored_at_exit);
	UNIT_ADD(suite, terminal_is_raw_again_after_a_stop);
	UNIT_ADD(suite, terminal_is_given_back_while_stopped);
	UNIT_ADD(suite, pipe_is_left_alone);
	UNIT_ADD(suite, own_keys_are_taken_out);
	UNIT_ADD(suite, last_lines_are_kept);
	UNIT_ADD(suite, early_output_can_be_hidden);
	UNIT_ADD(suite, a_line_longer_than_all_room_is_cut);
	return unit_run(suite);
}
