/* SPDX-License-Identifier: GPL-2.0-only */
/* Threads of virtual CPUs and devices, beside the main thread. */
#ifndef _LAUNCHER_THREAD_H
#define _LAUNCHER_THREAD_H

#include <pthread.h>

void thread_take_wake_ups(void);
int thread_start(pthread_t *thread, void *(*run)(void *), void *argument);
void thread_join(pthread_t thread);

#endif /* _LAUNCHER_THREAD_H */
