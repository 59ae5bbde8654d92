// SPDX-License-Identifier: GPL-2.0-only
/*
 * Locks against two writers of one disk. Two kinds of locks exist for that, and they do not see
 * each other: flock(2) of the whole disk, which programs of the host take (udev, and programs
 * that partition: systemd.io/BLOCK_DEVICE_LOCKING), and QEMU's locks on single bytes, of which
 * each stands for something that a program does with a disk, or that it forbids others to do.
 * Take both kinds.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "base/message.h"
#include "disk/disk_lock.h"

/* QEMU's numbers for what a program does: it reads, writes, changes the size. */
enum { READS = 0, WRITES = 1, RESIZES = 3 };

/* The bytes that QEMU locks. A lock on one never keeps others from locking it, too. */
#define DOES(what)	(100 + (what))
#define FORBIDS(what)	(200 + (what))

static const int writer[] = { DOES(READS), DOES(WRITES), FORBIDS(WRITES), FORBIDS(RESIZES) };
static const int reader[] = { DOES(READS), FORBIDS(WRITES), FORBIDS(RESIZES) };

#define RETRY_MS	50

/* Lock or look at one byte. Return: 0, or a negative errno. */
static int call(int fd, int command, short type, int byte, short *found)
{
	struct flock lock = { .l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1 };

	if (fcntl(fd, command, &lock) < 0)
		return -errno;
	if (found)
		*found = lock.l_type;
	return 0;
}

/* Does another program do what we forbid, or forbid what we do? */
static bool is_contradicted(int fd, const int *byte, unsigned int count)
{
	unsigned int i;
	short found;

	for (i = 0; i < count; i++) {
		int opposite = byte[i] < FORBIDS(0) ? byte[i] + FORBIDS(0) - DOES(0) :
						      byte[i] - FORBIDS(0) + DOES(0);

		if (!call(fd, F_OFD_GETLK, F_WRLCK, opposite, &found) && found != F_UNLCK)
			return true;
	}
	return false;
}

/* Lock first, then look: if two programs do so at once, at least one sees the other. */
static int lock_bytes(int fd, const int *byte, unsigned int count)
{
	unsigned int i;
	int error = 0;

	for (i = 0; !error && i < count; i++)
		error = call(fd, F_OFD_SETLK, F_RDLCK, byte[i], NULL);
	if (error && error != -EAGAIN && error != -EACCES) {
		detail("the disk's file system has no locks for QEMU to see");
		return 0;
	}
	if (!error && !is_contradicted(fd, byte, count))
		return 0;
	for (i = 0; i < count; i++)
		call(fd, F_OFD_SETLK, F_UNLCK, byte[i], NULL);
	return -EBUSY;
}

static int lock_once(int fd, bool read_only)
{
	int error;

	if (flock(fd, (read_only ? LOCK_SH : LOCK_EX) | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? -EBUSY : -errno;
	error = read_only ? lock_bytes(fd, reader, ARRAY_SIZE(reader)) :
			    lock_bytes(fd, writer, ARRAY_SIZE(writer));
	if (error)
		flock(fd, LOCK_UN);
	return error;
}

/**
 * disk_lock() - lock a disk for as long as it is open
 * @fd: the disk
 * @read_only: others may have it, too, if they do not write to it
 * @milliseconds: how long to wait for the holder of the lock
 *
 * Return: 0; -EBUSY: somebody else has it; or another negative errno.
 */
int disk_lock(int fd, bool read_only, unsigned int milliseconds)
{
	int64_t until = now_ms() + milliseconds;
	int error;

	while ((error = lock_once(fd, read_only)) == -EBUSY && now_ms() < until)
		usleep(RETRY_MS * 1000);
	return error;
}
