// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fids: the client's numbers for files, and the descriptors behind them.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "p9/server.h"

#define LEASE_MS	1000	/* so long we wait for a process to give up its lease */
#define LEASE_LOOK_MS	10

struct p9_fids p9_fids;

static bool take_fid(void)
{
	if (atomic_fetch_add(&p9_fids.taken, 1) < p9_fids.most)
		return true;
	atomic_fetch_sub(&p9_fids.taken, 1);
	return false;
}

static struct p9_fid **bucket_of(struct p9_server *server, uint32_t number)
{
	/* Clients number their fids from 0. */
	return &server->bucket[number % P9_BUCKETS];
}

/**
 * p9_fid_find() - find a fid by its number
 * @server: the server
 * @number: the number that the client gave it
 *
 * Return: the fid, or NULL if there is none.
 */
struct p9_fid *p9_fid_find(struct p9_server *server, uint32_t number)
{
	struct p9_fid *fid = *bucket_of(server, number);

	while (fid && fid->number != number)
		fid = fid->next;
	return fid;
}

/**
 * p9_is_kernels_own() - is this on a file system that is a view into the host's kernel?
 * @fd: a file
 *
 * Nobody means to share /proc and its like. Reading there can have effects, and
 * /proc/PID/mem is our own memory.
 *
 * Return: true if the client may see that the file exists, and no more.
 */
bool p9_is_kernels_own(int fd)
{
	static const uint32_t types[] = {
		PROC_SUPER_MAGIC, SYSFS_MAGIC, DEBUGFS_MAGIC, TRACEFS_MAGIC, SECURITYFS_MAGIC,
		CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC, BPF_FS_MAGIC, EFIVARFS_MAGIC,
		PSTOREFS_MAGIC,
	};
	struct statfs status;
	unsigned int i;

	if (fstatfs(fd, &status) < 0)
		return true;
	for (i = 0; i < ARRAY_SIZE(types); i++)
		if ((uint32_t)status.f_type == types[i])
			return true;
	return false;
}

/**
 * p9_is_closed() - is a file closed to the client, given the one that led to it?
 * @near: the fid that led to it, a directory most often
 * @fd: the file
 * @status: the file's
 *
 * Compare with @near's device number alone: that one stays valid while @near is open. The
 * host reuses the number of a file system that is gone.
 *
 * Return: the same as p9_is_kernels_own() for @fd.
 */
bool p9_is_closed(const struct p9_fid *near, int fd, const struct stat *status)
{
	return status->st_dev == near->device ? near->closed : p9_is_kernels_own(fd);
}

/**
 * p9_inode() - make a file number that is unique over all file systems
 * @server: the server
 * @device: of its file system
 * @inode: its number there, in practice less than 2^56
 *
 * Some file systems have a device number for each of their parts, so there may be any number
 * of devices. For those beyond the table, mix in a hash of the device (Knuth's, by the golden
 * ratio): their numbers are unique only most probably.
 *
 * Return: the number.
 */
uint64_t p9_inode(struct p9_server *server, dev_t device, uint64_t inode)
{
	uint64_t i;

	for (i = 0; i < server->devices; i++)
		if (server->device[i] == device)
			return inode ^ i << 56;
	if (i == P9_MAX_DEVICES)
		return inode ^ device * 0x9e3779b97f4a7c15ULL;
	server->device[server->devices++] = device;
	return inode ^ i << 56;
}

/**
 * p9_describe() - get a file's status and qid
 * @server: the server
 * @fd: the file
 * @status: receives its status
 * @qid: receives its qid, which identifies it to the client
 *
 * Return: 0, or a negative errno.
 */
int p9_describe(struct p9_server *server, int fd, struct stat *status, struct p9_qid *qid)
{
	if (fstatat(fd, "", status, AT_EMPTY_PATH) < 0)
		return -errno;
	qid->type = S_ISDIR(status->st_mode) ? P9_QTDIR :
		    S_ISLNK(status->st_mode) ? P9_QTSYMLINK : P9_QTFILE;
	qid->version = 0;
	qid->path = p9_inode(server, status->st_dev, status->st_ino);
	return 0;
}

/**
 * p9_fid_new() - make a fid
 * @server: the server
 * @number: the client's choice, which must be free
 * @file: the rest of the fid; its descriptor is closed if this fails
 *
 * Return: 0, or a negative errno.
 */
int p9_fid_new(struct p9_server *server, uint32_t number, const struct p9_fid *file)
{
	struct p9_fid *new;
	int error = -EBADF;

	if (number == P9_NOFID || p9_fid_find(server, number))
		goto close;
	error = -ENFILE;
	if (!take_fid())
		goto close;
	error = -ENOMEM;
	new = malloc(sizeof(*new));
	if (!new)
		goto give_back;
	*new = *file;
	new->number = number;
	new->next = *bucket_of(server, number);
	*bucket_of(server, number) = new;
	return 0;

give_back:
	atomic_fetch_sub(&p9_fids.taken, 1);
close:
	close(file->fd);
	return error;
}

/**
 * p9_fid_move() - make a fid stand for another file
 * @fid: the fid
 * @fd: the other file, which @fid led to; belongs to @fid from now on
 * @status: the other file's
 */
void p9_fid_move(struct p9_fid *fid, int fd, const struct stat *status)
{
	fid->closed = p9_is_closed(fid, fd, status);
	fid->device = status->st_dev;
	fid->directory = S_ISDIR(status->st_mode);
	close(fid->fd);
	fid->fd = fd;
}

/**
 * p9_fid_drop() - free a fid that the client does not need any more
 * @server: the server
 * @fid: the fid
 */
void p9_fid_drop(struct p9_server *server, struct p9_fid *fid)
{
	struct p9_fid **at = bucket_of(server, fid->number);

	while (*at != fid)
		at = &(*at)->next;
	*at = fid->next;
	close(fid->fd);
	free(fid);
	atomic_fetch_sub(&p9_fids.taken, 1);
}

/**
 * p9_fid_drop_all() - free all fids
 * @server: the server
 */
void p9_fid_drop_all(struct p9_server *server)
{
	unsigned int i;

	for (i = 0; i < P9_BUCKETS; i++)
		while (server->bucket[i])
			p9_fid_drop(server, server->bucket[i]);
}

/*
 * The owner of a regular file may hold a lease on it (fcntl(2), F_SETLEASE). An open() waits
 * until the holder gives up the lease, up to lease-break-time, by default 45 seconds. Open
 * with O_NONBLOCK instead: the holder is told all the same, and a good one, such as a file
 * server, gives up the lease at once.
 */
static int open_without_lease(const struct p9_server *server, const char *name, int flags)
{
	int64_t until = now_ms() + LEASE_MS;
	int fd;

	for (;;) {
		fd = openat(server->self, name, flags | O_NONBLOCK | O_CLOEXEC);
		if (fd >= 0 || errno != EWOULDBLOCK || now_ms() >= until)
			return fd;
		usleep(LEASE_LOOK_MS * 1000);
	}
}

/**
 * p9_open_again() - open a second descriptor of the same file
 * @server: the server
 * @fd: the file; no pipe and no device, whose open() waits and has effects, unless @flags
 *	have O_PATH
 * @flags: flags for open()
 *
 * Opens a link in /proc/self/fd, which leads to the file itself and not to its name.
 *
 * Return: the descriptor, or a negative errno; -EAGAIN if somebody holds a lease on the file.
 */
int p9_open_again(const struct p9_server *server, int fd, int flags)
{
	char name[16];
	int again;

	snprintf(name, sizeof(name), "%d", fd);
	if (flags & O_PATH)
		again = openat(server->self, name, flags | O_PATH | O_CLOEXEC);
	else
		again = open_without_lease(server, name, flags);
	if (again < 0)
		return -errno;
	/* Clear O_NONBLOCK: it should not matter for files, but for some file systems it might. */
	if (!(flags & O_PATH))
		fcntl(again, F_SETFL, 0);
	return again;
}
