// SPDX-License-Identifier: GPL-2.0-only
/*
 * --console=FILE: writes to a file what a guest without a terminal prints. The guest can
 * print any amount, so the file has a limit: when it is reached, the older half is dropped.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "terminal/console_log.h"
#include "base/file.h"
#include "base/message.h"

static struct {
	int fd;			/* -1: there is none */
	off_t size;
	bool failed;		/* the last write failed, and a message said so */
	char *path;		/* from malloc(): its absolute name, for "lguest log" */
} log_file = { .fd = -1 };

static int check(const char *path)
{
	struct stat status;

	if (fstat(log_file.fd, &status) < 0 || !S_ISREG(status.st_mode))
		return refuse(-EINVAL, "the console's file '%s' is not a regular file", path);
	if (flock(log_file.fd, LOCK_EX | LOCK_NB) < 0)
		return refuse(-errno, "the console's file '%s' is used by another guest", path);
	log_file.size = status.st_size;
	log_file.path = realpath(path, NULL);
	return log_file.path ? 0 : refuse(-errno, "can't find '%s': %s", path, strerror(errno));
}

/**
 * console_log_open() - open or create the file
 * @path: its name; what is in it stays
 *
 * Return: 0, or a negative errno after telling the person.
 */
int console_log_open(const char *path)
{
	int error;

	log_file.fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);
	if (log_file.fd < 0)
		return refuse(-errno, "can't open '%s' for the console: %s", path, strerror(errno));
	error = check(path);
	if (error)
		console_log_close();
	return error;
}

/* Keep only the newer half: move it to the beginning. */
static int cut(void)
{
	char part[16384];
	off_t from, to = 0;
	ssize_t got;

	for (from = log_file.size - CONSOLE_LOG_CUT; from < log_file.size; from += got, to += got) {
		got = pread(log_file.fd, part, sizeof(part), from);
		if (got <= 0 || pwrite(log_file.fd, part, got, to) != got)
			return -EIO;
	}
	if (ftruncate(log_file.fd, to) < 0)
		return -errno;
	log_file.size = to;
	return 0;
}

/**
 * console_log_add() - write console output to the file
 * @text: the output
 * @size: its bytes
 *
 * Only one thread calls this. Output that the host's disk has no room for is lost.
 */
void console_log_add(const char *text, size_t size)
{
	bool failed;

	if (log_file.fd < 0)
		return;
	failed = (log_file.size >= (off_t)CONSOLE_LOG_MAX && cut()) ||
		 pwrite(log_file.fd, text, size, log_file.size) != (ssize_t)size;
	if (!failed)
		log_file.size += size;
	else if (!log_file.failed)
		message("can't write the console's file '%s': %s", log_file.path, strerror(errno));
	log_file.failed = failed;
}

/**
 * console_log_path() - which file must "lguest log" read?
 *
 * Return: the file's absolute name, or NULL if there is no file.
 */
const char *console_log_path(void)
{
	return log_file.path;
}

/**
 * console_log_close() - close the file: nobody prints any more
 */
void console_log_close(void)
{
	file_close(&log_file.fd);
	free(log_file.path);
	log_file.path = NULL;
}
