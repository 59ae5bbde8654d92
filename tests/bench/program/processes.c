// SPDX-License-Identifier: GPL-2.0-only
/*
 * Processes and threads: switching between them, making and ending them.
 */
#include <pthread.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

/* --- Switching to and fro. ------------------------------------------------------------ */

static int to_other[2], to_us[2];

/* The other side, process or thread. */
static void *answer(void *unused)
{
	char byte;

	while (raw_syscall(SYS_read, to_other[0], (long)&byte, 1) == 1)
		raw_syscall(SYS_write, to_us[1], (long)&byte, 1);
	return unused;
}

static void prepare_pipe(void)
{
	MUST(pipe(to_other));
	MUST(pipe(to_us));
	if (MUST(fork()))
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	answer(NULL);
	_exit(0);
}

/* A thread instead: both sides have the same page tables. */
static void prepare_thread(void)
{
	pthread_t thread;

	MUST(pipe(to_other));
	MUST(pipe(to_us));
	MUST(pthread_create(&thread, NULL, answer, NULL) ? -1 : 0);
}

static void run_pipe(unsigned int n)
{
	char byte = 0;

	while (n--) {
		raw_syscall(SYS_write, to_other[1], (long)&byte, 1);
		raw_syscall(SYS_read, to_us[0], (long)&byte, 1);
	}
}

/* --- From fork to wait. --------------------------------------------------------------- */

static void fork_and_wait(char *const *program)
{
	pid_t child = fork();

	if (!child) {
		if (program)
			execv(program[0], program);
		_exit(program ? 127 : 0);
	}
	if (child > 0) {
		int status;

		waitpid(child, &status, 0);
		if (!status)
			return;
	}
	give_up("a child process did not do what it should");
}

static void run_fork(unsigned int n)
{
	while (n--)
		fork_and_wait(NULL);
}

#define FORK_SIZE	(4UL << 20)

static void prepare_fork_4m(void)
{
	char *memory = mmap(NULL, FORK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t i;

	MUST(memory == MAP_FAILED ? -1 : 0);
	madvise(memory, FORK_SIZE, MADV_NOHUGEPAGE);
	for (i = 0; i < FORK_SIZE; i += 4096)
		*(volatile char *)(memory + i) = 1;
}

static void run_exec(unsigned int n)
{
	char *const program[] = { (char *)bench_path, BENCH_NOTHING, NULL };

	while (n--)
		fork_and_wait(program);
}

/* A script like many: a loop, a substitution, a pipe, programs. */
static void run_shell(unsigned int n)
{
	static const char script[] =
		"i=0; while [ $i -lt 20 ]; do i=$((i + 1)); done; "
		"x=$(echo word); [ \"$x\" = word ] || exit 1; "
		"echo a b c | tr a-z A-Z | grep -q 'A B C' || exit 1; "
		"ls / >/dev/null; true";
	char *const program[] = { "/bin/sh", "-c", (char *)script, NULL };

	while (n--)
		fork_and_wait(program);
}

const struct op process_ops[] = {
	{ "pipe", 100, prepare_pipe, NULL, run_pipe, NULL },
	{ "thread", 100, prepare_thread, NULL, run_pipe, NULL },
	{ "fork", 5, NULL, NULL, run_fork, NULL },
	{ "fork_4m", 2, prepare_fork_4m, NULL, run_fork, NULL },
	{ "exec", 2, NULL, NULL, run_exec, NULL },
	{ "shell", 1, NULL, NULL, run_shell, NULL },
	{ NULL, 0, NULL, NULL, NULL, NULL }
};
