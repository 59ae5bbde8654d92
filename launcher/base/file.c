// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading files: completely, or with a message that says why not. A descriptor of -1 stands
 * for none.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/message.h"

/**
 * file_close() - close a descriptor, if there is one
 * @fd: the descriptor or -1; is -1 afterwards
 */
void file_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/**
 * file_use() - use what open() returned, if that is a regular file
 * @fd: what open() returned: a descriptor, or -1 and errno; closed if it is no regular file
 * @path: its name for the person
 * @what: what it is for the person: "kernel"
 *
 * Return: the descriptor, or a negative errno after telling the person.
 */
int file_use(int fd, const char *path, const char *what)
{
	struct stat status;
	int error;

	if (fd < 0)
		return refuse(-errno, "can't open the %s '%s': %s", what, path, strerror(errno));
	if (fstat(fd, &status) < 0)
		error = refuse(-errno, "can't read the %s '%s': %s", what, path, strerror(errno));
	else if (!S_ISREG(status.st_mode))
		error = refuse(-EINVAL, "the %s '%s' is not a file", what, path);
	else
		return fd;
	close(fd);
	return error;
}

/**
 * file_open() - open a regular file for reading
 * @path: its name
 * @what: what it is for the person: "kernel"
 *
 * Return: the descriptor, or a negative errno after telling the person.
 */
int file_open(const char *path, const char *what)
{
	/* O_NONBLOCK: do not wait for the writer of a pipe; file_use() refuses it. */
	return file_use(open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), path, what);
}

/**
 * file_size() - how long is it now?
 * @fd: a regular file
 * @path: its name for the person
 * @size: receives the number of bytes
 *
 * Return: 0, or a negative errno after telling the person.
 */
int file_size(int fd, const char *path, uint64_t *size)
{
	off_t end = lseek(fd, 0, SEEK_END);

	if (end < 0)
		return refuse(-errno, "can't read '%s': %s", path, strerror(errno));
	*size = end;
	return 0;
}

/**
 * file_read() - read the first bytes of a file, wherever its offset stands
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
	off_t from = 0;

	while (size) {
		ssize_t got = pread(fd, at, size, from);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return refuse(-errno, "can't read '%s': %s", path, strerror(errno));
		if (got == 0)
			return refuse(-EIO, "'%s' became shorter while it was read", path);
		at += got;
		from += got;
		size -= got;
	}
	return 0;
}

/**
 * file_write() - write to a file, wherever its offset stands
 * @fd: the file
 * @contents: what goes there
 * @at: where
 *
 * Return: 0 or a negative errno.
 */
int file_write(int fd, struct bytes contents, uint64_t at)
{
	while (contents.size) {
		ssize_t done = pwrite(fd, contents.at, contents.size, at);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return done ? -errno : -EIO;
		bytes_take(&contents, done);
		at += done;
	}
	return 0;
}

/**
 * file_load() - read a whole file
 * @fd: the file
 * @path: its name for the person
 * @what: what it is for the person
 * @limit: the most bytes that make sense
 * @contents: on success, memory that the caller frees
 *
 * Return: 0, or a negative errno after telling the person.
 */
int file_load(int fd, const char *path, const char *what, uint64_t limit, struct bytes *contents)
{
	uint64_t size;
	uint8_t *buffer;
	int error;

	error = file_size(fd, path, &size);
	if (error)
		return error;
	if (size > limit)
		return refuse(-EFBIG, "the %s '%s' is too big: %llu MiB", what, path,
			      (unsigned long long)size >> 20);
	buffer = malloc(size + 1);
	if (!buffer)
		return refuse(-ENOMEM, "no memory to read '%s'", path);
	error = file_read(fd, path, buffer, size);
	if (error) {
		free(buffer);
		return error;
	}
	contents->at = buffer;
	contents->size = size;
	return 0;
}
