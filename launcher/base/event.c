// SPDX-License-Identifier: GPL-2.0-only
/*
 * Eventfds: how one thread wakes another one that polls.
 */
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/event.h"
#include "base/message.h"

/**
 * event_new() - make an eventfd; it is not set
 *
 * Return: a descriptor that nobody ever waits for in read() or write(), or a negative errno
 * after telling the person.
 */
int event_new(void)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	return fd < 0 ? refuse(-errno, "can't make an eventfd: %s", strerror(errno)) : fd;
}

/**
 * event_set() - whoever polls the eventfd wakes up
 * @fd: from event_new()
 */
void event_set(int fd)
{
	uint64_t one = 1;

	if (write(fd, &one, sizeof(one)) < 0)
		return;	/* the counter is full: the eventfd is set already */
}

/**
 * event_take() - whoever polls the eventfd sleeps until it is set again
 * @fd: from event_new()
 *
 * Return: was it set?
 */
bool event_take(int fd)
{
	uint64_t count;

	return read(fd, &count, sizeof(count)) > 0;
}
