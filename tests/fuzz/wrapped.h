/* SPDX-License-Identifier: GPL-2.0-only */
/* The linker's --wrap: calls of poll() come to __wrap_poll(), and so on; see the Makefile. */
#ifndef _FUZZ_WRAPPED_H
#define _FUZZ_WRAPPED_H

#include <poll.h>
#include <pthread.h>
#include <sys/types.h>
#include <time.h>

#include "base/thread.h"

int __wrap_thread_start(struct thread *thread, void *(*run)(void *), void *argument);
void __wrap_thread_join(struct thread *thread);
int __real_pthread_mutex_unlock(pthread_mutex_t *lock);
int __wrap_pthread_mutex_lock(pthread_mutex_t *lock);
int __wrap_pthread_mutex_unlock(pthread_mutex_t *lock);
int __wrap_pthread_cond_signal(pthread_cond_t *condition);
int __wrap_pthread_cond_broadcast(pthread_cond_t *condition);
int __wrap_pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *lock);
int __wrap_pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *lock,
				  const struct timespec *until);
int __wrap_pthread_cond_clockwait(pthread_cond_t *condition, pthread_mutex_t *lock,
				  clockid_t clock, const struct timespec *until);
int __wrap_clock_gettime(clockid_t clock, struct timespec *time);
int __wrap_usleep(useconds_t time);
int __real_poll(struct pollfd *fd, nfds_t fds, int timeout);
int __wrap_poll(struct pollfd *fd, nfds_t fds, int timeout);
ssize_t __real_recv(int fd, void *to, size_t size, int flags);
ssize_t __wrap_recv(int fd, void *to, size_t size, int flags);

/* In fuzzers with a fake vhost: */
int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __real_ioctl(int fd, unsigned long request, ...);
int __wrap_ioctl(int fd, unsigned long request, ...);

#endif /* _FUZZ_WRAPPED_H */
