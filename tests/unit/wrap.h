/* SPDX-License-Identifier: GPL-2.0-only */
/* The linker's --wrap: calls of open() come to __wrap_open(), and so on. */
#ifndef _WRAP_H
#define _WRAP_H

#include <pthread.h>

int __real_open(const char *path, int flags, ...);
int __real_ioctl(int fd, unsigned long request, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_ioctl(int fd, unsigned long request, ...);

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
			  void *(*body)(void *), void *argument);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
			  void *(*body)(void *), void *argument);

int __real_unlinkat(int directory, const char *name, int flags);
int __wrap_unlinkat(int directory, const char *name, int flags);

#endif /* _WRAP_H */
