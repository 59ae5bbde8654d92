// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading files: all of it or a message; and descriptors, which are -1 where there is none.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bytes.h"
#include "file.h"
#include "message.h"

/**
 * file_close() - close a descriptor, if there is one
 * @fd: is -1 then
 */
void file_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/**
 * file_open() - open a regular file to read it
 * @path: its name
 * @what: what it is for the person: "kernel"
 * @size: its size goes there
 *
 * Return: the descriptor, or a negative errno after telling the person.
 */
int file_open(const char *path, const char *what, uint64_t *size)
{
	struct stat status;
	int fd, error;

	/* O_NONBLOCK: a pipe without a writer is refused, not waited for. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return refuse(-errno, "can't open the %s '%s': %s", what, path, strerror(errno));
	if (fstat(fd, &status) < 0) {
		error = refuse(-errno, "can't read the %s '%s': %s", what, path, strerror(errno));
		goto close;
	}
	if (!S_ISREG(status.st_mode)) {
		error = refuse(-EINVAL, "the %s '%s' is not a file", what, path);
		goto close;
	}
	*size = status.st_size;
	return fd;

close:
	close(fd);
	return error;
}

/**
 * file_read() - read the next bytes of a file
 * @fd: the file
 * @path: its name for the person
 * @buffer: where they go
 * @size: how many
 *
 * Return: 0, or a negative errno after telling the person.
 */
int file_read(int fd, const char *path, void *buffer, size_t size)
{
	uint8_t *at = buffer;

	while (size) {
		ssize_t got = read(fd, at, size);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return refuse(-errno, "can't read '%s': %s", path, strerror(errno));
		if (got == 0)
			return refuse(-EIO, "'%s' became shorter while it was read", path);
		at += got;
		size -= got;
	}
	return 0;
}

/**
 * file_load() - read a whole file
 * @path: its name
 * @what: what it is for the person
 * @limit: the most bytes that make sense
 * @contents: on success, memory that the caller frees
 *
 * Return: 0, or a negative errno after telling the person.
 */
int file_load(const char *path, const char *what, uint64_t limit, struct bytes *contents)
{
	uint64_t size;
	uint8_t *buffer;
	int fd, error;

	fd = file_open(path, what, &size);
	if (fd < 0)
		return fd;
	if (size > limit) {
		error = refuse(-EFBIG, "the %s '%s' is too big: %llu MiB", what, path,
			       (unsigned long long)size >> 20);
		goto close;
	}
	buffer = malloc(size + 1);
	if (!buffer) {
		error = refuse(-ENOMEM, "no memory to read '%s'", path);
		goto close;
	}
	error = file_read(fd, path, buffer, size);
	if (error) {
		free(buffer);
		goto close;
	}
	contents->at = buffer;
	contents->size = size;

close:
	close(fd);
	return error;
}
