// SPDX-License-Identifier: GPL-2.0-only
/*
 * Threads of virtual CPUs and devices, beside the main thread.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "base/compiler.h"
#include "base/message.h"
#include "base/thread.h"

/*
 * Several times what the deepest thread needs. In a stack of the usual 8 MiB the host's
 * transparent huge pages would make 2 MiB present at the first push.
 */
#define STACK_SIZE	(256 * 1024)

static void on_wake_up(int signal)
{
	(void)signal;
}

/**
 * thread_take_wake_ups() - let SIGUSR1 interrupt a system call and do nothing else
 */
void thread_take_wake_ups(void)
{
	struct sigaction action = { .sa_handler = on_wake_up };

	sigaction(SIGUSR1, &action, NULL);
}

/**
 * thread_start() - start a thread
 * @thread: filled in
 * @run: its body
 * @argument: for @run
 *
 * The main thread takes all signals except those that a thread's own fault raises, and
 * SIGUSR1, which thread_join() sends.
 *
 * Return: 0, or a negative errno after telling the person.
 */
int thread_start(struct thread *thread, void *(*run)(void *), void *argument)
{
	static const int open_signals[] = {
		SIGUSR1, SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS,
	};
	pthread_attr_t attributes;
	sigset_t blocked, old;
	unsigned int i;
	int error;

	sigfillset(&blocked);
	for (i = 0; i < ARRAY_SIZE(open_signals); i++)
		sigdelset(&blocked, open_signals[i]);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_SIZE);
	pthread_sigmask(SIG_SETMASK, &blocked, &old);
	error = pthread_create(&thread->id, &attributes, run, argument);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attributes);
	thread->started = !error;
	if (error)
		return refuse(-error, "can't start a thread: %s", strerror(error));
	return 0;
}

/**
 * thread_join() - get a thread out of its system call, and wait for its end
 * @thread: from thread_start(); the caller has told it, in its own way, to end; nothing is done if
 *	    it never started
 *
 * A signal may come just before the thread sleeps: so send one again and again. The handler
 * is set here, too: if the guest can't start, threads end before anything else has set it.
 */
void thread_join(struct thread *thread)
{
	struct timespec until;

	if (!thread->started)
		return;
	thread_take_wake_ups();
	do {
		pthread_kill(thread->id, SIGUSR1);
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += 10 * 1000 * 1000;
		until.tv_sec += until.tv_nsec / 1000000000;
		until.tv_nsec %= 1000000000;
	} while (pthread_timedjoin_np(thread->id, NULL, &until) == ETIMEDOUT);
	thread->started = false;
}
