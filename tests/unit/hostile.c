// SPDX-License-Identifier: GPL-2.0-only
/*
 * hostile PROGRAM [ARGUMENT]...: as it may be started somewhere: by nohup, by a shell that has
 * no job control, by a daemon. All signals that can be are ignored and blocked, and nothing is
 * standard input. tests/run starts each unit test so: it must not matter to any.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	sigset_t all;
	int number;

	if (argc < 2)
		return 125;
	for (number = 1; number < NSIG; number++)
		signal(number, SIG_IGN);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	umask(077);
	close(STDIN_FILENO);
	execv(argv[1], argv + 1);
	perror(argv[1]);
	return 127;
}
