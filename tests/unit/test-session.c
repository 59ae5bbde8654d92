// SPDX-License-Identifier: GPL-2.0-only
/* The host's side of "lguest run", with a guest that does not do its part. */
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/exit_status.h"
#include "session/session.h"
#include "unit.h"

#define LONG	(1U << 20)	/* more than a socket holds */

static struct session session;

static void start_with_a_long_command(unsigned int timeout)
{
	ck_assert_int_eq(session_init(&session, timeout), 0);
	session.command.at = calloc(1, LONG);
	session.command.size = LONG;
	session.attached = true;	/* a guest runs */
	ck_assert_int_eq(session_start(&session), 0);
}

/* The guest reads nothing, so sending a frame waits. */
START_TEST(time_is_up_while_a_frame_waits)
{
	int tries;

	start_with_a_long_command(1);
	for (tries = 0; tries < 1000 && !unit_messages; tries++)
		usleep(10000);
	ck_assert_str_eq(unit_last_message, "the time is up");
	session_stop(&session);
	ck_assert_int_eq(session_status(&session, EXIT_SUCCESS), EXIT_TIMED_OUT);
	session_exit(&session);
}
END_TEST

START_TEST(a_signal_is_ours_while_a_frame_waits)
{
	sigset_t pending;
	int tries = 0;

	start_with_a_long_command(0);
	ck_assert_int_eq(kill(getpid(), SIGTERM), 0);
	do {
		usleep(10000);
		ck_assert_int_eq(sigpending(&pending), 0);
	} while (++tries < 1000 && sigismember(&pending, SIGTERM));
	ck_assert_int_lt(tries, 1000);
	session_stop(&session);
	ck_assert_int_eq(session_status(&session, EXIT_SUCCESS), 128 + SIGTERM);
	session_exit(&session);
}
END_TEST

/* While a kernel is read from a slow disk, for example, Ctrl-C must work at once. */
START_TEST(a_signal_ends_all_while_no_guest_runs)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	unsigned int i;
	int status;
	pid_t child;

	for (i = 0; i < 3; i++) {
		child = fork();
		if (!child) {
			if (session_init(&session, 0) || session_start(&session))
				_exit(1);
			sleep(60);
			_exit(2);
		}
		usleep(200 * 1000);
		ck_assert_int_eq(kill(child, signals[i]), 0);
		ck_assert_int_eq(waitpid(child, &status, 0), child);
		ck_assert(WIFEXITED(status) || WTERMSIG(status) == signals[i]);
		if (WIFEXITED(status))
			ck_assert_int_eq(WEXITSTATUS(status), 128 + signals[i]);
	}
}
END_TEST

START_TEST(a_crash_has_the_status_that_is_wanted)
{
	start_with_a_long_command(0);
	session_stop(&session);
	ck_assert_int_eq(session_status(&session, EXIT_CRASHED), EXIT_CRASHED);
	session.panic_status = 3;
	ck_assert_int_eq(session_status(&session, EXIT_CRASHED), 3);
	ck_assert_int_eq(session_status(&session, EXIT_SUCCESS), 3);	/* the guest's early end */
	ck_assert_int_eq(session_status(&session, EXIT_NOT_STARTED), EXIT_NOT_STARTED);
	session_exit(&session);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("session");

	UNIT_ADD(suite, time_is_up_while_a_frame_waits);
	UNIT_ADD(suite, a_signal_is_ours_while_a_frame_waits);
	UNIT_ADD(suite, a_signal_ends_all_while_no_guest_runs);
	UNIT_ADD(suite, a_crash_has_the_status_that_is_wanted);
	return unit_run(suite);
}
