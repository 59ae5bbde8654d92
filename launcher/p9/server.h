/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A server of files: the protocol 9P2000.L, over one directory of the host.
 *
 * A fid is the client's name for a file that it has walked to. The server has a
 * descriptor of that very file for it, never a path. From a directory's descriptor
 * the server goes down by one name at a time and follows no symbolic link. So no
 * name, link or rename, whenever it happens, leads out of the directory. The
 * client, which is a guest's kernel, resolves links and ".." itself.
 */
#ifndef _LAUNCHER_P9_H
#define _LAUNCHER_P9_H

#include <limits.h>
#include <linux/capability.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "p9/fields.h"

#define P9_MAX_MESSAGE	(512U * 1024)	/* the greatest size that we agree to, and */
#define P9_MIN_MESSAGE	4096U		/* the least */
#define P9_BUCKETS	4096
#define P9_MAX_FIDS	(1U << 18)
#define P9_MAX_DEVICES	256

/* The count of all servers in this process, which share its limit of descriptors. */
struct p9_fids {
	atomic_uint taken;
	unsigned int most;	/* set before any server serves */
};

struct p9_fid {
	struct p9_fid *next;	/* in its bucket */
	uint32_t number;
	int fd;			/* O_PATH; if open, for reading and writing */
	bool open;
	bool directory;
	bool closed;		/* on /proc or its like: the client can't look into it */
	dev_t device;		/* of its file system */
	uint32_t uid;		/* the user who attached, and who owns new files if we are root */
};

/* One client. All calls come from one thread at a time. */
struct p9_server {
	int root;		/* O_PATH: the directory */
	int self;		/* O_PATH: /proc/self/fd, for p9_open_again() */
	bool read_only;
	bool privileged;	/* we are root: new files can belong to other users */
	struct __user_cap_data_struct capabilities[2];
	pid_t parent;		/* the process ends when this one does; 0: none */
	uint32_t max_message;	/* as agreed with the client */
	struct p9_fid *bucket[P9_BUCKETS];
	unsigned int devices;
	dev_t device[P9_MAX_DEVICES];	/* the first ones that the client came to: p9_inode() */
};

int p9_open_root(const char *directory);
int p9_server_begin(struct p9_server *server, int root, bool read_only);
void p9_server_rights(struct p9_server *server);
int p9_server_init(struct p9_server *server, const char *directory, bool read_only);
void p9_server_exit(struct p9_server *server);
void p9_thread_init(void);
size_t p9_serve(struct p9_server *server, const void *request, size_t size, void *reply,
		size_t room);

/* Only the files of the server use the rest. */

/* Serves one request. Return: 0, or a negative errno for the client. */
typedef int p9_handler(struct p9_server *server, struct p9_in *in, struct p9_out *out);

/* fid.c */
extern struct p9_fids p9_fids;
struct p9_fid *p9_fid_find(struct p9_server *server, uint32_t number);
int p9_fid_new(struct p9_server *server, uint32_t number, const struct p9_fid *file);
void p9_fid_move(struct p9_fid *fid, int fd, const struct stat *status);
void p9_fid_drop(struct p9_server *server, struct p9_fid *fid);
void p9_fid_drop_all(struct p9_server *server);
int p9_describe(struct p9_server *server, int fd, struct stat *status, struct p9_qid *qid);
uint64_t p9_inode(struct p9_server *server, dev_t device, uint64_t inode);
bool p9_is_kernels_own(int fd);
bool p9_is_closed(const struct p9_fid *near, int fd, const struct stat *status);
int p9_open_again(const struct p9_server *server, int fd, int flags);

/* names.c: names in directories */
p9_handler p9_walk, p9_mkdir, p9_mknod, p9_symlink, p9_link, p9_lcreate, p9_renameat, p9_unlinkat;

/* files.c: one file */
p9_handler p9_lopen, p9_read, p9_write, p9_readdir, p9_fsync, p9_readlink, p9_getattr, p9_setattr,
	   p9_statfs, p9_lock, p9_getlock;

#endif /* _LAUNCHER_P9_H */
