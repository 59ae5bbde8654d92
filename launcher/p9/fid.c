// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fids: the client's names for files, and the descriptors behind them.
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

#define LEASE_MS	1000	/* who holds a lease gets so long to give it up */
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
	/* Clients count from 0. */
	return &server->bucket[number % P9_BUCKETS];
}

/**
 * p9_fid_find() - what the client means by a number
 * @server: the server
 * @number: the client's
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
 * p9_is_kernels_own() - is this where the Host's kernel shows itself?
 * @fd: a file
 *
 * File systems that are a view into the Host's kernel are not what anybody means to
 * share, and to read there has effects (and /proc/PID/mem is us).
 *
 * Return: true if the client may see that it is there, and no more.
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
 * p9_is_closed() - is a file that was found by another one closed to the client?
 * @near: the other one
 * @fd: the file
 * @status: its
 *
 * The Host gives a device's number again once its file system is gone: only @near's can
 * be relied on, which stays as long as @near is open.
 *
 * Return: as p9_is_kernels_own().
 */
bool p9_is_closed(const struct p9_fid *near, int fd, const struct stat *status)
{
	return status->st_dev == near->device ? near->closed : p9_is_kernels_own(fd);
}

/**
 * p9_inode() - a file's number that no file on another file system has
 * @server: the server
 * @device: of its file system
 * @inode: its number there, in practice less than 2^56
 *
 * Where a file system has a device for each of its parts there may be any number of them.
 * Those that find no room in the table are told apart by a hash (Knuth's, by the golden
 * ratio), which is only most probably no other's.
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
 * p9_describe() - look at a file
 * @server: the server
 * @fd: the file
 * @status: goes there
 * @qid: what identifies it to the client goes there
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
 * p9_fid_new() - give a file a number
 * @server: the server
 * @number: the client's choice, which must be free
 * @file: all else of the fid; its descriptor is the fid's from here on, whatever is
 *	  returned
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
 * p9_fid_move() - a fid is another file from here on
 * @fid: the fid
 * @fd: the other file, which was found by it; the fid's now
 * @status: its
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
 * p9_fid_drop() - the client has no use for a fid any more
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
 * p9_fid_drop_all() - the client begins anew
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
 * Whoever owns a regular file may hold a lease on it (fcntl(2), F_SETLEASE), and gets 45
 * seconds to give it up, or as much as lease-break-time says, at each open() that has to
 * wait for it. We ask without waiting: the holder is told all the same, and a good one, such
 * as a file server, gives it up at once.
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
 * p9_open_again() - another descriptor of the same file
 * @server: the server
 * @fd: the file
 * @flags: open()'s
 *
 * Through /proc/self/fd, whose links lead to the file itself, by no name. It is no pipe and
 * no device, or @flags have O_PATH: their open() waits, and has effects.
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
	/* For reading and writing it means nothing with files, but a file system may differ. */
	if (!(flags & O_PATH))
		fcntl(again, F_SETFL, 0);
	return again;
}
