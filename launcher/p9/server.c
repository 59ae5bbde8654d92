// SPDX-License-Identifier: GPL-2.0-only
/*
 * The server's frame: starts and ends a session, and makes a reply from each request.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/file.h"
#include "base/message.h"
#include "p9/server.h"

/* Descriptors left for all but fids: the user network, for example, has one for each flow. */
#define MIN_KEPT	256U
#define MAX_KEPT	4096U

/* Each fid takes a descriptor: raise the limit as far as we may. Return: the most fids. */
static unsigned int allowed_fids(void)
{
	struct rlimit limit;
	rlim_t kept;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return 64;
	if (limit.rlim_cur < P9_MAX_FIDS + MAX_KEPT) {
		struct rlimit more = { P9_MAX_FIDS + MAX_KEPT, limit.rlim_max };

		if (more.rlim_max < more.rlim_cur)
			more.rlim_max = more.rlim_cur;	/* root may */
		if (setrlimit(RLIMIT_NOFILE, &more) < 0) {
			more.rlim_cur = more.rlim_max = limit.rlim_max;
			setrlimit(RLIMIT_NOFILE, &more);
		}
		getrlimit(RLIMIT_NOFILE, &limit);
	}
	if (limit.rlim_cur < 2 * MIN_KEPT)
		return limit.rlim_cur / 2;
	kept = limit.rlim_cur / 4;
	if (kept < MIN_KEPT)
		kept = MIN_KEPT;
	if (kept > MAX_KEPT)
		kept = MAX_KEPT;
	return limit.rlim_cur - kept < P9_MAX_FIDS ? limit.rlim_cur - kept : P9_MAX_FIDS;
}

/**
 * p9_open_root() - open a directory that will be shared
 * @directory: its name
 *
 * Return: a descriptor, or a negative errno after telling the person.
 */
int p9_open_root(const char *directory)
{
	int root = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC), error;

	if (root < 0)
		return refuse(-errno, "can't share '%s': %s", directory, strerror(errno));
	/* open(O_PATH) needs no right to read the directory: check that now. */
	if (faccessat(root, ".", R_OK | X_OK, AT_EACCESS) < 0) {
		error = refuse(-errno, "can't share '%s': %s", directory, strerror(errno));
		close(root);
		return error;
	}
	return root;
}

/**
 * p9_server_rights() - find out which rights the calling thread has
 * @server: the server that the thread runs
 */
void p9_server_rights(struct p9_server *server)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };

	server->privileged = !geteuid() && !syscall(SYS_capget, &header, server->capabilities);
}

/**
 * p9_server_begin() - make a server for one client, except for p9_server_rights()
 * @server: filled in
 * @root: the shared directory, from p9_open_root(); p9_server_exit() closes it
 * @read_only: the client can change nothing
 *
 * Return: 0, or a negative errno.
 */
int p9_server_begin(struct p9_server *server, int root, bool read_only)
{
	memset(server, 0, sizeof(*server));
	server->root = root;
	server->read_only = read_only;
	server->max_message = P9_MIN_MESSAGE;
	p9_fids.most = allowed_fids();
	server->self = open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return server->self < 0 ? -errno : 0;
}

/**
 * p9_server_init() - make a server for one client
 * @server: filled in; p9_server_exit() it, whatever this returns
 * @directory: the name of the shared directory
 * @read_only: the client can change nothing
 *
 * Return: 0, or a negative errno after telling the person.
 */
int p9_server_init(struct p9_server *server, const char *directory, bool read_only)
{
	int root = p9_open_root(directory), error;

	error = p9_server_begin(server, root, read_only);
	if (root < 0)
		return root;
	if (error)
		return refuse(error, "can't share '%s' without /proc: %s", directory,
			      strerror(-error));
	p9_server_rights(server);
	return 0;
}

/**
 * p9_server_exit() - end a server: the client is gone
 * @server: from p9_server_init()
 */
void p9_server_exit(struct p9_server *server)
{
	p9_fid_drop_all(server);
	file_close(&server->root);
	file_close(&server->self);
}

/**
 * p9_thread_init() - prepare the calling thread for p9_serve()
 *
 * The client has applied its own umask to modes already: set ours to 0, but keep
 * it for the other threads.
 */
void p9_thread_init(void)
{
	if (!unshare(CLONE_FS))
		umask(0);
}

static int do_version(struct p9_server *server, struct p9_in *in, struct p9_out *out)
{
	uint32_t size = p9_get(in, 4);
	char version[32];
	bool known;

	p9_get_text(in, version, sizeof(version));
	if (in->bad)
		return -EINVAL;
	if (size < P9_MIN_MESSAGE)
		return -EMSGSIZE;
	p9_fid_drop_all(server);
	known = !strcmp(version, "9P2000.L");
	server->max_message = size < P9_MAX_MESSAGE ? size : P9_MAX_MESSAGE;
	p9_put(out, 4, server->max_message);
	p9_put_text(out, known ? "9P2000.L" : "unknown");
	return 0;
}

static int do_attach(struct p9_server *server, struct p9_in *in, struct p9_out *out)
{
	uint32_t number = p9_get(in, 4);
	char name[NAME_MAX + 1], tree[PATH_MAX];
	struct p9_fid root = { 0 };
	struct p9_qid qid;
	struct stat status;
	int error;

	p9_get(in, 4);	/* the fid of an authentication, which we do not ask for */
	p9_get_text(in, name, sizeof(name));
	p9_get_text(in, tree, sizeof(tree));	/* there is only one tree */
	root.uid = p9_get(in, 4);
	if (in->bad)
		return -EINVAL;
	error = p9_describe(server, server->root, &status, &qid);
	if (error)
		return error;
	root.fd = fcntl(server->root, F_DUPFD_CLOEXEC, 0);
	if (root.fd < 0)
		return -errno;
	root.directory = true;
	root.closed = p9_is_kernels_own(root.fd);
	root.device = status.st_dev;
	error = p9_fid_new(server, number, &root);
	if (error)
		return error;
	p9_put_qid(out, &qid);
	return 0;
}

/* Requests are served one by one: the one to be flushed has been answered already. */
static int do_flush(struct p9_server *server, struct p9_in *in, struct p9_out *out)
{
	(void)server;
	(void)in;
	(void)out;
	return 0;
}

static int do_clunk(struct p9_server *server, struct p9_in *in, struct p9_out *out)
{
	struct p9_fid *fid = p9_fid_find(server, p9_get(in, 4));

	(void)out;
	if (!fid)
		return -EBADF;
	p9_fid_drop(server, fid);
	return 0;
}

static const struct {
	p9_handler *handler;
	bool changes;	/* changes files: refused by a read-only server */
} requests[P9_TYPES] = {
	[P9_TVERSION] = { do_version, false },
	[P9_TATTACH] = { do_attach, false },
	[P9_TFLUSH] = { do_flush, false },
	[P9_TCLUNK] = { do_clunk, false },
	[P9_TWALK] = { p9_walk, false },
	[P9_TLOPEN] = { p9_lopen, false },	/* checks read_only itself */
	[P9_TREAD] = { p9_read, false },
	[P9_TREADDIR] = { p9_readdir, false },
	[P9_TREADLINK] = { p9_readlink, false },
	[P9_TGETATTR] = { p9_getattr, false },
	[P9_TSTATFS] = { p9_statfs, false },
	[P9_TFSYNC] = { p9_fsync, false },
	[P9_TLOCK] = { p9_lock, false },
	[P9_TGETLOCK] = { p9_getlock, false },
	[P9_TWRITE] = { p9_write, true },
	[P9_TSETATTR] = { p9_setattr, true },
	[P9_TLCREATE] = { p9_lcreate, true },
	[P9_TMKDIR] = { p9_mkdir, true },
	[P9_TMKNOD] = { p9_mknod, true },
	[P9_TSYMLINK] = { p9_symlink, true },
	[P9_TLINK] = { p9_link, true },
	[P9_TRENAMEAT] = { p9_renameat, true },
	[P9_TUNLINKAT] = { p9_unlinkat, true },
};

/* Linux copes without the requests that are missing, such as extended attributes. */
static int do_request(struct p9_server *server, unsigned int type, struct p9_in *in,
		      struct p9_out *out)
{
	int error;

	if (type >= P9_TYPES || !requests[type].handler)
		return -EOPNOTSUPP;
	if (requests[type].changes && server->read_only)
		return -EROFS;
	error = requests[type].handler(server, in, out);
	return !error && out->full ? -EMSGSIZE : error;
}

/**
 * p9_serve() - serve one request
 * @server: the server
 * @request: the request, in memory that nobody else writes to
 * @size: its bytes
 * @reply: receives the reply
 * @room: bytes of room there
 *
 * Return: the reply's size; 0 if @request is no message, or a reply has no room.
 */
size_t p9_serve(struct p9_server *server, const void *request, size_t size, void *reply,
		size_t room)
{
	struct p9_out out = { .start = reply, .room = room, .size = P9_HEADER };
	struct p9_in in = { .at = request, .left = size };
	uint32_t length = p9_get(&in, 4);
	uint8_t type = p9_get(&in, 1);
	uint16_t tag = p9_get(&in, 2);
	int error;

	if (in.bad || length < P9_HEADER || length > size || room < P9_HEADER + sizeof(uint32_t))
		return 0;
	in.left = length - P9_HEADER;
	if (type != P9_TVERSION && out.room > server->max_message)
		out.room = server->max_message;
	error = do_request(server, type, &in, &out);
	if (error) {
		type = P9_RLERROR - 1;
		out.size = P9_HEADER;
		p9_put(&out, 4, -error);
	}
	p9_put_at(&out, 0, 4, out.size);
	p9_put_at(&out, 4, 1, type + 1);
	p9_put_at(&out, 5, 2, tag);
	return out.size;
}
