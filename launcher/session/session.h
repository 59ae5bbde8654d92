/* SPDX-License-Identifier: GPL-2.0-only */
/* The command that "lguest run" runs in a guest: its streams, its signals and its end. */
#ifndef _LAUNCHER_SESSION_H
#define _LAUNCHER_SESSION_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/thread.h"

struct vm;

struct session {
	int fd;			/* our end of the socket behind the port */
	int guest_fd;		/* the port's end */
	int signals;		/* signalfd */
	int timer;		/* timerfd */
	int stop;		/* eventfd */
	bool reads_stdin;
	int panic_status;	/* the exit status after a crash of the guest */
	struct bytes command;	/* the first frame for the guest: see protocol.h */
	struct thread thread;

	/* Only the thread uses these; after thread_join(), the joining thread. */
	bool wants_stdin;	/* the guest has asked for input */
	unsigned int closed;	/* bit n: nobody reads our descriptor n */
	bool sends;		/* in the middle of sending a frame: start no other */
	bool started;		/* the guest's init has answered: pass signals to it */
	int signalled;		/* the last signal that came, or 0 */
	int status;		/* the command's status, or -1 */
	int left;		/* the exit status if we ended the guest, or -1 */

	pthread_mutex_t lock;
	bool attached;		/* session_attach() was called; under the lock */
	struct vm *vm;		/* the running VM, or NULL; under the lock */
};

int session_init(struct session *session, unsigned int timeout);
int session_start(struct session *session);
void session_attach(struct session *session, struct vm *vm);
void session_detach(struct session *session);
void session_stop(struct session *session);
int session_status(const struct session *session, int how_it_ended);
void session_exit(struct session *session);

#endif /* _LAUNCHER_SESSION_H */
