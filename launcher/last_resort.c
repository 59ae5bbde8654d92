// SPDX-License-Identifier: GPL-2.0-only
/*
 * The end of a launcher that can't end in order. A thread may be in a system call that no
 * signal interrupts, for example on a file system that hangs, and whoever joins that thread
 * waits, too. When the time is up, a thread that does nothing else ends the process as it is.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/event.h"
#include "base/exit_status.h"
#include "base/file.h"
#include "last_resort.h"
#include "base/message.h"
#include "terminal/terminal.h"
#include "base/thread.h"

/* Even the reader of our messages may hang: wait no longer for it. */
#define MESSAGE_MS	500

#define NEVER		INT64_MAX

static struct {
	int wake;		/* eventfd: when has changed */
	_Atomic int64_t when;	/* now_ms() when the process is ended */
} last_resort = { .wake = -1, .when = NEVER };

static void *say_why(void *argument)
{
	message("something that the guest uses does not answer: lguest ends without it");
	return argument;
}

static void end(void)
{
	struct thread thread;

	terminal_restore();
	if (!thread_start(&thread, say_why, NULL)) {
		pthread_detach(thread.id);
		usleep(MESSAGE_MS * 1000);
	}
	_exit(EXIT_CRASHED);
}

static void *watch(void *argument)
{
	struct pollfd poll_fd = { .fd = last_resort.wake, .events = POLLIN };

	for (;;) {
		int64_t when = last_resort.when, left = when - now_ms();

		if (left < 0)
			break;
		if (poll(&poll_fd, 1, when == NEVER ? -1 : left) > 0)
			event_take(poll_fd.fd);
	}
	end();
	return argument;
}

/**
 * last_resort_init() - start the thread
 *
 * The thread lives as long as the process.
 *
 * Return: 0, or a negative errno after telling the person.
 */
int last_resort_init(void)
{
	struct thread thread;
	int error;

	if (last_resort.wake >= 0)
		return 0;
	last_resort.wake = event_new();
	if (last_resort.wake < 0)
		return last_resort.wake;
	error = thread_start(&thread, watch, NULL);
	if (!error)
		pthread_detach(thread.id);
	else
		file_close(&last_resort.wake);
	return error;
}

static void set(int64_t when)
{
	last_resort.when = when;
	if (last_resort.wake >= 0)
		event_set(last_resort.wake);
}

/**
 * last_resort_in() - end the process after some time, with EXIT_CRASHED, if it has not ended
 * @ms: how long it may still take; an earlier end that was set before stays
 */
void last_resort_in(unsigned int ms)
{
	int64_t when = now_ms() + ms;

	if (when < last_resort.when)
		set(when);
}

/**
 * last_resort_off() - set no time any more: all is well, or something may take as long as it
 * likes
 */
void last_resort_off(void)
{
	if (last_resort.when != NEVER)
		set(NEVER);
}
