// SPDX-License-Identifier: GPL-2.0-only
/*
 * One file: its attributes and its contents. The protocol's flags and types have
 * Linux's own numbers.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "p9/server.h"

#define DIRECTORY_BYTES	(32 * 1024)	/* of directory entries read at once */

static struct p9_fid *get_fid(struct p9_server *server, struct p9_in *in)
{
	return p9_fid_find(server, p9_get(in, 4));
}

static struct p9_fid *get_open_fid(struct p9_server *server, struct p9_in *in)
{
	struct p9_fid *fid = get_fid(server, in);

	return fid && fid->open ? fid : NULL;
}

/*
 * Tlopen fid[4] flags[4]: Rlopen qid[13] iounit[4]
 * Open no device and no pipe: open() would have effects and might wait, and a Linux client
 * opens its own. Drop O_APPEND, since the client says where to write, and O_DIRECT, since
 * our memory is not aligned.
 */
int p9_lopen(struct p9_server *server, struct p9_in *in, struct p9_out *out)
{
	struct p9_fid *fid = get_fid(server, in);
	uint32_t flags = p9_get(in, 4);
	struct p9_qid qid;
	struct stat status;
	int fd, error;

	if (!fid || fid->open || in->bad)
		return -EBADF;
	if (fid->closed)
		return -EACCES;
	error = p9_describe(server, fid->fd, &status, &qid);
	if (error)
		return error;
	if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode))
		return -ELOOP;
	flags &= O_ACCMODE | O_TRUNC | O_SYNC | O_DIRECTORY;
	if (server->read_only && ((flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC)))
		return -EROFS;
	fd = p9_open_again(server, fid->fd, flags);
	if (fd < 0)
		return fd;
	close(fid->fd);
	fid->fd = fd;
	fid->open = true;
	p9_put_qid(out, &qid);
	p9_put(out, 4, 0);
	return 0;
}

/* Tread fid[4] offset[8] count[4]: Rread count[4] data[count] */
int p9_read(struct p9_server *server, struct p9_in *in, struct p9_out *out)
{
	struct p9_fid *fid = get_open_fid(server, in);
	uint64_t offset = p9_get(in, 8);
	size_t count = p9_get(in, 4), room, counter = out->size;
	ssize_t got;
	void *to;

	if (in->bad || offset > INT64_MAX)
		return -EINVAL;
	if (!fid)
		return -EBADF;
	p9_put(out, 4, 0);
	to = p9_put_room(out, &room);
	got = pread(fid->fd, to, count < room ? count : room, offset);
	if (got < 0)
		return -errno;
	p9_put_at(out, counter, 4, got);
	out->size += got;
	return 0;
}

/* Twrite fid[4] offset[8] count[4] data[count]: Rwrite count[4] */
int p9_write(struct p9_server *server, struct p9_in *in, struct p9_out *out)
{
	struct p9_fid *fid = get_open_fid(server, in);
	uint64_t offset = p9_get(in, 8);
	size_t count = p9_get(in, 4);
	const void *from = p9_get_rest(in, count);
	ssize_t done;

	if (in->bad || offset > INT64_MAX)
		return -EINVAL;
	if (!fid)
		return -EBADF;
	done = pwrite(fid->fd, from, count, offset);
	if (done < 0)
		return -errno;
	p9_put(out, 4, done);
	return 0;
}

/* Add one entry to a reply. Return: false if it would go past @limit. */
static bool put_entry(struct p9_server *server, struct p9_out *out, const struct p9_fid *fid,
		      const struct dirent64 *entry, size_t limit)
{
	struct p9_qid qid = {
		.type = entry->d_type == DT_DIR ? P9_QTDIR :
			entry->d_type == DT_LNK ? P9_QTSYMLINK : P9_QTFILE,
		.path = p9_inode(server, fid->device, entry->d_ino),
	};

	if (P9_QID_SIZE + 8 + 1 + 2 + strlen(entry->d_name) > limit - out->size)
		return false;
	p9_put_qid(out, &qid);
	p9_put(out, 8, entry->d_off);
	p9_put(out, 1, entry->d_type);
	p9_put_text(out, entry->d_name);
	return true;
}

/* Treaddir fid[4] offset[8] count[4]: Rreaddir count[4] entries */
int p9_readdir(struct p9_server *server, struct p9_in *in, struct p9_out *out)
{
	struct p9_fid *fid = get_open_fid(server, in);
	uint64_t offset = p9_get(in, 8);
	size_t count = p9_get(in, 4), room, counter = out->size, limit;
	_Alignas(struct dirent64) char entries[DIRECTORY_BYTES];
	const struct dirent64 *entry;
	ssize_t got, at;

	if (in->bad)
		return -EINVAL;
	if (!fid || !fid->directory)
		return -EBADF;
	p9_put(out, 4, 0);
	p9_put_room(out, &room);
	limit = out->size + (count < room ? count : room);
	if (lseek(fid->fd, offset, SEEK_SET) < 0)
		return -errno;
	got = getdents64(fid->fd, entries, sizeof(entries));
	if (got < 0)
		return -errno;
	for (at = 0; at < got; at += entry->d_reclen) {
		entry = (const struct dirent64 *)(entries + at);
		if (!put_entry(server, out, fid, entry, limit))
			break;
	}
	if (got && !at)
		return -EINVAL;	/* no room for one entry: must not look like the end */
	p9_put_at(out, counter, 4, out->size - counter - 4);
	return 0;
}

/* Tfsync fid[4] datasync[4]: Rfsync */
int p9_fsync(struct p9_server *server, struct p9_in *in, struct p9_out *out)
{
	struct p9_fid *fid = get_open_fid(server, in);
	uint32_t data_only = p9_get(in, 4);

	(void)out;
	if (!fid)
		return -EBADF;
	return (data_only ? fdatasync(fid->fd) : fsync(fid->fd)) < 0 ? -errno : 0;
}

/* Treadlink fid[4]: Rreadlink target[s] */
int p9_readlink(struct p9_server *server, struct p9_in *in, struct p9_out *out)
{
	struct p9_fid *fid = get_fid(server, in);
	char target[PATH_MAX];
	ssize_t length;

	if (!fid)
		return -EBADF;
	length = readlinkat(fid->fd, "", target, sizeof(target) - 1);
	if (length < 0)
		return -errno;
	target[length] = '\0';
	p9_put_text(out, target);
	return 0;
}

/* Tgetattr and Tsetattr: which fields are valid. */
#define ATTR_BASIC	0x7ffULL	/* Rgetattr: all fields up to blocks */
#define ATTR_MODE	0x001
#define ATTR_UID	0x002
#define ATTR_GID	0x004
#define ATTR_SIZE	0x008
#define ATTR_ATIME	0x010
#define ATTR_MTIME	0x020
#define ATTR_ATIME_SET	0x080
#define ATTR_MTIME_SET	0x100

static void put_time(struct p9_out *out, const struct timespec *time)
{
	p9_put(out, 8, time->tv_sec);
	p9_put(out, 8, time->tv_nsec);
}

/*
 * Tgetattr fid[4] request_mask[8]: Rgetattr valid[8] qid[13] mode[4] uid[4] gid[4]
 * nlink[8] rdev[8] size[8] blksize[8] blocks[8] atime mtime ctime btime [8+8 each]
 * gen[8] data_version[8]
 */
int p9_getattr(struct p9_server *server, struct p9_in *in, struct p9_out *out)
{
	struct p9_fid *fid = get_fid(server, in);
	struct timespec unknown = { 0 };
	struct p9_qid qid;
	struct stat status;
	int error;

	if (!fid)
		return -EBADF;
	error = p9_describe(server, fid->fd, &status, &qid);
	if (error)
		return error;
	p9_put(out, 8, ATTR_BASIC);
	p9_put_qid(out, &qid);
	p9_put(out, 4, status.st_mode);
	p9_put(out, 4, status.st_uid);
	p9_put(out, 4, status.st_gid);
	p9_put(out, 8, status.st_nlink);
	p9_put(out, 8, status.st_rdev);
	p9_put(out, 8, status.st_size);
	p9_put(out, 8, status.st_blksize);
	p9_put(out, 8, status.st_blocks);
	put_time(out, &status.st_atim);
	put_time(out, &status.st_mtim);
	put_time(out, &status.st_ctim);
	put_time(out, &unknown);
	p9_put(out, 8, 0);
	p9_put(out, 8, 0);
	return 0;
}

/* /proc/self/fd leads to the file; for a symbolic link, which has no mode, fchmodat() fails. */
static int set_mode(const struct p9_server *server, const struct p9_fid *fid, uint32_t mode)
{
	char name[16];

	snprintf(name, sizeof(name), "%d", fid->fd);
	return fchmodat(server->self, name, mode & 07777, 0) < 0 ? -errno : 0;
}

static int set_size(const struct p9_server *server, const struct p9_fid *fid, uint64_t size)
{
	struct stat status;
	int fd, error;

	if (fid->open && !ftruncate(fid->fd, size))
		return 0;
	if (fstatat(fid->fd, "", &status, AT_EMPTY_PATH) < 0)
		return -errno;
	if (!S_ISREG(status.st_mode))
		return -EINVAL;
	fd = p9_open_again(server, fid->fd, O_WRONLY);
	if (fd < 0)
		return fd;
	error = ftruncate(fd, size) < 0 ? -errno : 0;
	close(fd);
	return error;
}

static struct timespec get_time(struct p9_in *in, bool change, bool set)
{
	struct timespec time;

	time.tv_sec = p9_get(in, 8);
	time.tv_nsec = p9_get(in, 8);
	if (!change)
		time.tv_nsec = UTIME_OMIT;
	else if (!set)
		time.tv_nsec = UTIME_NOW;
	return time;
}

/*
 * Tsetattr fid[4] valid[4] mode[4] uid[4] gid[4] size[8] atime[8+8] mtime[8+8]:
 * Rsetattr
 */
int p9_setattr(struct p9_server *server, struct p9_in *in, struct p9_out *out)
{
	struct p9_fid *fid = get_fid(server, in);
	uint32_t valid = p9_get(in, 4), mode = p9_get(in, 4), uid = p9_get(in, 4);
	uint32_t gid = p9_get(in, 4);
	uint64_t size = p9_get(in, 8);
	struct timespec times[2];
	int error = 0;

	(void)out;
	times[0] = get_time(in, valid & ATTR_ATIME, valid & ATTR_ATIME_SET);
	times[1] = get_time(in, valid & ATTR_MTIME, valid & ATTR_MTIME_SET);
	if (in->bad)
		return -EINVAL;
	if (!fid)
		return -EBADF;
	if (fid->closed)
		return -EACCES;
	/* fchownat() clears set-user-ID bits: set the owner before the mode. */
	if ((valid & (ATTR_UID | ATTR_GID)) &&
	    fchownat(fid->fd, "", valid & ATTR_UID ? uid : (uid_t)-1,
		     valid & ATTR_GID ? gid : (gid_t)-1, AT_EMPTY_PATH) < 0)
		return -errno;
	if (valid & ATTR_MODE)
		error = set_mode(server, fid, mode);
	if (!error && (valid & ATTR_SIZE))
		error = size > INT64_MAX ? -EFBIG : set_size(server, fid, size);
	if (!error && (valid & (ATTR_ATIME | ATTR_MTIME)) &&
	    utimensat(fid->fd, "", times, AT_EMPTY_PATH) < 0)
		error = -errno;
	return error;
}

/*
 * Tstatfs fid[4]: Rstatfs type[4] bsize[4] blocks[8] bfree[8] bavail[8] files[8]
 * ffree[8] fsid[8] namelen[4]
 */
int p9_statfs(struct p9_server *server, struct p9_in *in, struct p9_out *out)
{
	struct p9_fid *fid = get_fid(server, in);
	struct statfs status;
	uint64_t id;

	if (!fid)
		return -EBADF;
	if (fstatfs(fid->fd, &status) < 0)
		return -errno;
	_Static_assert(sizeof(status.f_fsid) == sizeof(id), "an identity is 8 bytes");
	memcpy(&id, &status.f_fsid, sizeof(id));
	p9_put(out, 4, status.f_type);
	p9_put(out, 4, status.f_bsize);
	p9_put(out, 8, status.f_blocks);
	p9_put(out, 8, status.f_bfree);
	p9_put(out, 8, status.f_bavail);
	p9_put(out, 8, status.f_files);
	p9_put(out, 8, status.f_ffree);
	p9_put(out, 8, id);
	p9_put(out, 4, status.f_namelen);
	return 0;
}

/*
 * Tlock fid[4] type[1] flags[4] start[8] length[8] proc_id[4] client_id[s]: Rlock status[1]
 * The client has resolved the locks of its own processes, and there is no other client.
 */
int p9_lock(struct p9_server *server, struct p9_in *in, struct p9_out *out)
{
	if (!get_open_fid(server, in))
		return -EBADF;
	p9_put(out, 1, 0);	/* granted */
	return 0;
}

/*
 * Tgetlock fid[4] type[1] start[8] length[8] proc_id[4] client_id[s]: Rgetlock, the same
 * without fid
 */
int p9_getlock(struct p9_server *server, struct p9_in *in, struct p9_out *out)
{
	char client[NAME_MAX + 1];
	uint64_t start, length;
	uint32_t process;

	if (!get_open_fid(server, in))
		return -EBADF;
	p9_get(in, 1);
	start = p9_get(in, 8);
	length = p9_get(in, 8);
	process = p9_get(in, 4);
	p9_get_text(in, client, sizeof(client));
	if (in->bad)
		return -EINVAL;
	p9_put(out, 1, F_UNLCK);	/* nobody has it */
	p9_put(out, 8, start);
	p9_put(out, 8, length);
	p9_put(out, 4, process);
	p9_put_text(out, client);
	return 0;
}
