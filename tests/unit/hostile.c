// SPDX-License-Identifier: GPL-2.0-only
/*
 * hostile PROGRAM [ARGUMENT]...: start PROGRAM as nohup, a daemon, or a shell without job
 * control might start it: all signals that allow it are ignored and blocked, and standard
 * input is closed. tests/run starts each unit test in this way, and none may fail by it.
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
