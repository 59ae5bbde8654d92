// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sockets in the file system.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/unix_socket.h"

/**
 * unix_address() - make a socket's address from its name
 * @address: filled in
 * @format: the name, as for printf
 *
 * Return: 0, or -ENAMETOOLONG; prints no message.
 */
int unix_address(struct sockaddr_un *address, const char *format, ...)
{
	va_list arguments;
	int length;

	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	va_start(arguments, format);
	length = vsnprintf(address->sun_path, sizeof(address->sun_path), format, arguments);
	va_end(arguments);
	return length < 0 || length >= (int)sizeof(address->sun_path) ? -ENAMETOOLONG : 0;
}

/**
 * unix_connect() - connect to a socket by its name
 * @path: the socket's name
 * @type: SOCK_*
 *
 * Wait no longer than UNIX_PATIENCE_S for a listener that accepts nobody and so has a full
 * queue. The same limit holds for each later send() on the descriptor.
 *
 * Return: a descriptor, or a negative errno; prints no message.
 */
int unix_connect(const char *path, int type)
{
	struct timeval patience = { .tv_sec = UNIX_PATIENCE_S };
	struct sockaddr_un address;
	int fd, error;

	error = unix_address(&address, "%s", path);
	if (error)
		return error;
	fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (!setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) &&
	    !connect(fd, (struct sockaddr *)&address, sizeof(address)))
		return fd;
	error = errno == EAGAIN ? -ETIMEDOUT : -errno;
	close(fd);
	return error;
}
