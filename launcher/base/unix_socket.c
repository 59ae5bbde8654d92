// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sockets in the file system.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/unix_socket.h"

/**
 * unix_address() - a socket's name as the kernel wants it
 * @address: filled in
 * @path: the name
 *
 * Return: 0, or -ENAMETOOLONG; nobody is told.
 */
int unix_address(struct sockaddr_un *address, const char *path)
{
	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof(address->sun_path))
		return -ENAMETOOLONG;
	strcpy(address->sun_path, path);
	return 0;
}

/**
 * unix_connect() - connect to a socket's listener
 * @path: the socket's name
 * @type: SOCK_*
 *
 * A listener whose queue is full, since it takes nobody out of it, is waited for no longer
 * than UNIX_PATIENCE_S, and neither is one that takes nothing of what is sent later.
 *
 * Return: a descriptor, or a negative errno; nobody is told.
 */
int unix_connect(const char *path, int type)
{
	struct timeval patience = { .tv_sec = UNIX_PATIENCE_S };
	struct sockaddr_un address;
	int fd, error;

	error = unix_address(&address, path);
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
