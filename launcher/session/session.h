/* SPDX-License-Identifier: GPL-2.0-only */
/* The command that "lguest run" runs in a Guest: its streams, signals and end. */
#ifndef _LAUNCHER_SESSION_H
#define _LAUNCHER_SESSION_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

struct vm;

struct session {
	int fd;			/* our end of the socket behind the port */
	int guest_fd;		/* the port's end */
	int signals;		/* signalfd */
	int timer;		/* timerfd */
	int stop;		/* eventfd */
	bool reads_stdin;
	int panic_status;	/* what a crash ends with */
	struct bytes command;	/* frame for the Guest: see protocol.h */
	pthread_t thread;
	bool has_thread;

	/* Of the thread, then of whoever has joined it: */
	bool wants_stdin;	/* the Guest has asked */
	unsigned int closed;	/* bit n: nobody reads our descriptor n */
	bool sends;		/* a frame, which no other may come into */
	bool started;		/* the Guest's init has spoken: signals go there */
	int signalled;		/* the first signal that came */
	int status;		/* the command's, or -1 */
	int left;		/* why we had it left: a status, or -1 */

	pthread_mutex_t lock;
	bool attached;		/* there was a Guest that could be left; under the lock */
	struct vm *vm;		/* that runs now, or NULL; under lock */
};

int session_init(struct session *session, unsigned int timeout);
int session_start(struct session *session);
void session_attach(struct session *session, struct vm *vm);
void session_detach(struct session *session);
void session_stop(struct session *session);
int session_status(const struct session *session, int how_it_ended);
void session_exit(struct session *session);

#endif /* _LAUNCHER_SESSION_H */
