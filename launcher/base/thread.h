/* SPDX-License-Identifier: GPL-2.0-only */
/* Threads of virtual CPUs and devices, beside the main thread. */
#ifndef _LAUNCHER_THREAD_H
#define _LAUNCHER_THREAD_H

#include <pthread.h>
#include <stdbool.h>

void thread_take_wake_ups(void);
struct thread {
	pthread_t id;
	bool started;	/* and not joined yet */
};

int thread_start(struct thread *thread, void *(*run)(void *), void *argument);
void thread_join(struct thread *thread);

#endif /* _LAUNCHER_THREAD_H */
