// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names in directories: walks to them, makes, moves and removes them.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "p9/server.h"

#define MAX_NAMES	16	/* in one walk: the protocol's limit */

/* Get the directory that a request names, if the client may use names in it. */
static int get_directory(struct p9_server *server, struct p9_in *in, struct p9_fid **directory)
{
	struct p9_fid *fid = p9_fid_find(server, p9_get(in, 4));

	if (!fid)
		return -EBADF;
	if (!fid->directory)
		return -ENOTDIR;
	if (fid->closed)
		return -EACCES;
	*directory = fid;
	return 0;
}

/* Go one name down. O_NOFOLLOW: a link is a file like any other here. */
static int step(struct p9_server *server, struct p9_fid *at, const char *name,
		struct p9_qid *qid)
{
	struct stat status;
	int next, error;

	if (at->closed)
		return -EACCES;
	next = openat(at->fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (next < 0)
		return -errno;
	error = p9_describe(server, next, &status, qid);
	if (error)
		close(next);
	else
		p9_fid_move(at, next, &status);
	return error;
}

/* Return: an O_PATH descriptor of the fid's file, or a negative errno. */
static int path_of(const struct p9_server *server, const struct p9_fid *fid)
{
	int fd;

	if (fid->open)
		return p9_open_again(server, fid->fd, O_PATH);
	fd = fcntl(fid->fd, F_DUPFD_CLOEXEC, 0);
	return fd < 0 ? -errno : fd;
}

/* Twalk fid[4] newfid[4] nwname[2] nwname*(wname[s]): Rwalk nwqid[2] nwqid*(qid[13]) */
int p9_walk(struct p9_server *server, struct p9_in *in, struct p9_out *out)
{
	struct p9_fid *from = p9_fid_find(server, p9_get(in, 4)), at;
	uint32_t number = p9_get(in, 4), count = p9_get(in, 2), i;
	size_t counter = out->size;
	char name[NAME_MAX + 1];
	struct p9_qid qid;
	int error = 0;

	if (in->bad || count > MAX_NAMES)
		return -EINVAL;
	if (!from || (from->number != number && p9_fid_find(server, number)))
		return -EBADF;
	at = *from;
	at.open = false;
	at.fd = path_of(server, from);
	if (at.fd < 0)
		return at.fd;
	p9_put(out, 2, 0);
	for (i = 0; i < count; i++) {
		error = p9_get_name(in, name);
		if (!error)
			error = step(server, &at, name, &qid);
		if (error)
			break;
		p9_put_qid(out, &qid);
	}
	p9_put_at(out, counter, 2, i);
	/* Answer with the steps that succeeded; make the new fid only if all did. */
	if (error) {
		close(at.fd);
		return i ? 0 : error;
	}
	if (from->number == number)
		p9_fid_drop(server, from);
	return p9_fid_new(server, number, &at);
}

static void become_ourselves(const struct p9_server *server)
{
	if (!server->privileged)
		return;
	setfsuid(0);
	setfsgid(getegid());
	/* A change of user clears PR_SET_PDEATHSIG: set it again. */
	if (server->parent) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != server->parent)
			_exit(EXIT_FAILURE);
	}
}

/* @wanted is ~0 for a client that attached as nobody: then new files are our own. */
static bool is_so(int id, uint32_t wanted)
{
	return wanted == ~0U || (uint32_t)id == wanted;
}

/*
 * Become the client's user to make a file: the user owns the new file at once, without a
 * second look-up of its name. Keep our capabilities, since the client has checked what the
 * user may do. All this concerns only this thread.
 *
 * Return: 0; or -EPERM, as ourselves again, if we can't be that user: this user namespace may
 * lack a number for the user.
 */
static int become(const struct p9_server *server, uint32_t uid, uint32_t gid)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };

	if (!server->privileged)
		return 0;
	setfsgid(gid);
	setfsuid(uid);
	syscall(SYS_capset, &header, server->capabilities);
	/* setfsuid() and setfsgid() do not report failure: ask who we are now. */
	if (is_so(setfsuid(-1), uid) && is_so(setfsgid(-1), gid))
		return 0;
	become_ourselves(server);
	return -EPERM;
}

/* Reply to a request that made a file: with its qid. */
static int put_new(struct p9_server *server, const struct p9_fid *directory, const char *name,
		   struct p9_out *out)
{
	int fd = openat(directory->fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC), error;
	struct p9_qid qid;
	struct stat status;

	if (fd < 0)
		return -errno;
	error = p9_describe(server, fd, &status, &qid);
	close(fd);
	if (error)
		return error;
	p9_put_qid(out, &qid);
	return 0;
}

/* Tmkdir dfid[4] name[s] mode[4] gid[4]: Rmkdir qid[13] */
int p9_mkdir(struct p9_server *server, struct p9_in *in, struct p9_out *out)
{
	char name[NAME_MAX + 1];
	struct p9_fid *directory;
	int error = get_directory(server, in, &directory);
	uint32_t mode, gid;

	if (!error)
		error = p9_get_name(in, name);
	mode = p9_get(in, 4);
	gid = p9_get(in, 4);
	if (error || in->bad)
		return error ? error : -EINVAL;
	error = become(server, directory->uid, gid);
	if (error)
		return error;
	error = mkdirat(directory->fd, name, mode & 07777) < 0 ? -errno : 0;
	become_ourselves(server);
	return error ? error : put_new(server, directory, name, out);
}

/*
 * Tmknod dfid[4] name[s] mode[4] major[4] minor[4] gid[4]: Rmknod qid[13]
 * Make no devices: other users of the host could open one that the guest has made.
 */
int p9_mknod(struct p9_server *server, struct p9_in *in, struct p9_out *out)
{
	char name[NAME_MAX + 1];
	struct p9_fid *directory;
	int error = get_directory(server, in, &directory);
	uint32_t mode, gid;

	if (!error)
		error = p9_get_name(in, name);
	mode = p9_get(in, 4);
	p9_get(in, 8);
	gid = p9_get(in, 4);
	if (error || in->bad)
		return error ? error : -EINVAL;
	if (!S_ISREG(mode) && !S_ISFIFO(mode) && !S_ISSOCK(mode))
		return -EPERM;
	error = become(server, directory->uid, gid);
	if (error)
		return error;
	error = mknodat(directory->fd, name, mode & (S_IFMT | 07777), 0) < 0 ? -errno : 0;
	become_ourselves(server);
	return error ? error : put_new(server, directory, name, out);
}

/* Tsymlink fid[4] name[s] symtgt[s] gid[4]: Rsymlink qid[13] */
int p9_symlink(struct p9_server *server, struct p9_in *in, struct p9_out *out)
{
	char name[NAME_MAX + 1], target[PATH_MAX];
	struct p9_fid *directory;
	int error = get_directory(server, in, &directory);
	uint32_t gid;

	if (!error)
		error = p9_get_name(in, name);
	p9_get_text(in, target, sizeof(target));
	gid = p9_get(in, 4);
	if (error || in->bad)
		return error ? error : -EINVAL;
	error = become(server, directory->uid, gid);
	if (error)
		return error;
	error = symlinkat(target, directory->fd, name) < 0 ? -errno : 0;
	become_ourselves(server);
	return error ? error : put_new(server, directory, name, out);
}

/* Tlink dfid[4] fid[4] name[s]: Rlink */
int p9_link(struct p9_server *server, struct p9_in *in, struct p9_out *out)
{
	char name[NAME_MAX + 1], number[16];
	struct p9_fid *directory, *fid;
	int error = get_directory(server, in, &directory);

	(void)out;
	fid = p9_fid_find(server, p9_get(in, 4));
	if (!error)
		error = p9_get_name(in, name);
	if (error || !fid)
		return error ? error : -EBADF;
	/* AT_EMPTY_PATH would need a capability. */
	snprintf(number, sizeof(number), "%d", fid->fd);
	return linkat(server->self, number, directory->fd, name, AT_SYMLINK_FOLLOW) < 0 ? -errno : 0;
}

/* Open a file that exists already, but only a regular one. */
static int open_existing(const struct p9_server *server, const struct p9_fid *directory,
			 const char *name, int flags)
{
	int fd = openat(directory->fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC), again;
	struct stat status;

	if (fd < 0)
		return -errno;
	if (fstatat(fd, "", &status, AT_EMPTY_PATH) < 0)
		again = -errno;
	else if (!S_ISREG(status.st_mode))
		again = S_ISDIR(status.st_mode) ? -EISDIR : -ELOOP;
	else if (p9_is_closed(directory, fd, &status))
		again = -EACCES;
	else
		again = p9_open_again(server, fd, flags);
	close(fd);
	return again;
}

/* Tlcreate fid[4] name[s] flags[4] mode[4] gid[4]: Rlcreate qid[13] iounit[4] */
int p9_lcreate(struct p9_server *server, struct p9_in *in, struct p9_out *out)
{
	char name[NAME_MAX + 1];
	struct p9_fid *fid;
	int error = get_directory(server, in, &fid), flags, fd;
	uint32_t asked, mode, gid;
	struct p9_qid qid;
	struct stat status;

	if (!error)
		error = p9_get_name(in, name);
	asked = p9_get(in, 4);
	mode = p9_get(in, 4);
	gid = p9_get(in, 4);
	if (error || in->bad)
		return error ? error : -EINVAL;
	flags = asked & (O_ACCMODE | O_TRUNC | O_SYNC);
	error = become(server, fid->uid, gid);
	if (error)
		return error;
	fd = openat(fid->fd, name, flags | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode & 07777);
	error = fd < 0 ? -errno : 0;
	become_ourselves(server);
	if (error == -EEXIST && !(asked & O_EXCL))
		fd = error = open_existing(server, fid, name, flags);
	if (error < 0)
		return error;
	error = p9_describe(server, fd, &status, &qid);
	if (error) {
		close(fd);
		return error;
	}
	p9_fid_move(fid, fd, &status);
	fid->open = true;
	p9_put_qid(out, &qid);
	p9_put(out, 4, 0);
	return 0;
}

/* Trenameat olddirfid[4] oldname[s] newdirfid[4] newname[s]: Rrenameat */
int p9_renameat(struct p9_server *server, struct p9_in *in, struct p9_out *out)
{
	char from_name[NAME_MAX + 1], to_name[NAME_MAX + 1];
	struct p9_fid *from, *to;
	int error = get_directory(server, in, &from);

	(void)out;
	if (!error)
		error = p9_get_name(in, from_name);
	if (!error)
		error = get_directory(server, in, &to);
	if (!error)
		error = p9_get_name(in, to_name);
	if (error)
		return error;
	return renameat(from->fd, from_name, to->fd, to_name) < 0 ? -errno : 0;
}

/* Tunlinkat dirfd[4] name[s] flags[4]: Runlinkat */
int p9_unlinkat(struct p9_server *server, struct p9_in *in, struct p9_out *out)
{
	char name[NAME_MAX + 1];
	struct p9_fid *directory;
	int error = get_directory(server, in, &directory);
	uint32_t flags;

	(void)out;
	if (!error)
		error = p9_get_name(in, name);
	flags = p9_get(in, 4);
	if (error || in->bad)
		return error ? error : -EINVAL;
	return unlinkat(directory->fd, name, flags & AT_REMOVEDIR) < 0 ? -errno : 0;
}
