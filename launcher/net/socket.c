// SPDX-License-Identifier: GPL-2.0-only
/*
 * A cable between two guests: a unix socket, where each message is a packet with its header. So
 * checksums and segments can stay as the sender leaves them. The first launcher makes the
 * socket and waits there, and the second one connects. When one of them goes, the link of the
 * other one goes down, and both roles are free again.
 *
 * Whoever takes a role locks SOCKET.lock. That is a file of our own, since anybody who may read
 * the directory may hold a lock on the directory. The file is never removed, so that two
 * launchers never lock different files. Nobody waits while holding the lock.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/message.h"
#include "base/value.h"
#include "sandbox/vm_sandbox.h"
#include "base/unix_socket.h"
#include "net/net.h"

/* What the first launcher sends to one that connects. */
#define WELCOME		"lguest network 1"
#define FULL		"lguest network full"
#define GREETING_SIZE	32

#define GREETING_TIME	30000	/* ms; the first launcher may be loading its guest */
#define LOCK_TIME	5000	/* ms that others may hold the lock when we start */
#define LOOK_TIME	20	/* ms between looks at the lock */
#define RETRY_TIME	500	/* ms between looks for the other launcher */
#define BLOCKED_TIME	1000	/* ms until packets are lost if the peer takes none */
#define MOST_AT_ONCE	64	/* packets, before the other queue has its turn */

struct cable {
	char *path;		/* the socket, as the person names it */
	int folder;		/* its directory, or -1; kept open, so always the same one */
	char name[sizeof(((struct sockaddr_un *)0)->sun_path)];	/* the socket in folder */
	struct sockaddr_un address;	/* name in folder, by /proc/self/fd */
	int lobby;		/* the socket where we wait for a peer, or -1 */
	int peer;		/* the connection to the other launcher, or -1 */
	int64_t blocked;	/* ms: since when the peer takes nothing; 0: it takes */
	int64_t retry;		/* ms: when to look for a peer */
	int stranger;		/* a connection on which nobody has greeted us yet, or -1 */
	int64_t patience;	/* ms: how long it may take */
	int lobby_index, peer_index, stranger_index;	/* in what is polled */
	uint8_t packet[NET_MAX_PACKET];
};

/*
 * Take the greeting of the launcher that we have connected to, which is our peer then. Return:
 * 0, or a negative errno; -EAGAIN: there is none yet.
 */
static int take_greeting(struct cable *cable)
{
	char text[GREETING_SIZE] = "";
	ssize_t got = recv(cable->stranger, text, sizeof(text) - 1, MSG_DONTWAIT);
	int error = 0;

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return now_ms() < cable->patience ? -EAGAIN : -ETIMEDOUT;
	if (got <= 0)
		return -ECONNREFUSED;	/* the other launcher has just gone */
	if (!strcmp(text, FULL))
		error = -EBUSY;
	else if (strcmp(text, WELCOME))
		error = -EPROTO;
	if (!error) {
		cable->peer = cable->stranger;
		cable->stranger = -1;
	}
	return error;
}

static int new_socket(void)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	return fd < 0 ? -errno : fd;
}

/*
 * Connect to the socket that has the name now, but not through a link, as connect() would.
 * Whoever may write to the directory, perhaps a guest that shares it, must not choose where we
 * connect.
 */
static int connect_there(const struct cable *cable, int fd)
{
	struct sockaddr_un address;
	int there = openat(cable->folder, cable->name, O_PATH | O_NOFOLLOW | O_CLOEXEC), error = 0;

	if (there < 0)
		return -errno;
	error = unix_address(&address, "/proc/self/fd/%d", there);
	if (!error && connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		error = errno == EAGAIN ? -ETIMEDOUT : -errno;	/* its queue is full */
	close(there);
	return error;
}

/* Be the second launcher, once the first one greets us. */
static int connect_to(struct cable *cable)
{
	int fd = new_socket(), error;

	if (fd < 0)
		return fd;
	error = connect_there(cable, fd);
	if (error) {
		close(fd);
		return error;
	}
	cable->stranger = fd;
	cable->patience = now_ms() + GREETING_TIME;
	return 0;
}

/* Be the first launcher. A socket that a killed launcher has left there is removed. */
static int wait_there(struct cable *cable)
{
	struct stat status;
	int fd, error = 0;

	if (!fstatat(cable->folder, cable->name, &status, AT_SYMLINK_NOFOLLOW)) {
		if (!S_ISSOCK(status.st_mode))
			return -ENOTSOCK;
		unlinkat(cable->folder, cable->name, 0);
	}
	fd = new_socket();
	if (fd < 0)
		return fd;
	if (bind(fd, (struct sockaddr *)&cable->address, sizeof(cable->address)) < 0 ||
	    listen(fd, 4) < 0)
		error = -errno;
	if (error)
		close(fd);
	else
		cable->lobby = fd;
	return error;
}

/*
 * Lock SOCKET.lock. Return: a descriptor; -EWOULDBLOCK: another launcher has the lock; or
 * another negative errno.
 */
static int lock(const struct cable *cable)
{
	char name[sizeof(cable->name) + sizeof(".lock")];
	struct stat status;
	int fd, error = 0;

	snprintf(name, sizeof(name), "%s.lock", cable->name);
	/*
	 * Try without O_CREAT first: in /tmp, root may not "create" a file that another user
	 * has made.
	 */
	fd = openat(cable->folder, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		fd = openat(cable->folder, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return errno == EEXIST ? -EWOULDBLOCK : -errno;
	if (fstat(fd, &status) < 0)
		error = -errno;
	else if (!S_ISREG(status.st_mode))
		error = -EPERM;
	else if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		error = -errno;
	if (!error)
		return fd;
	close(fd);
	return error;
}

/*
 * Connect to the other launcher, or wait for it. The lock keeps two from being first at once.
 * This function does not sleep. Return: 0, or a negative errno.
 */
static int meet(struct cable *cable)
{
	int fd = lock(cable), error;

	if (fd < 0)
		return fd;
	error = connect_to(cable);
	if (error == -ECONNREFUSED || error == -ENOENT)
		error = wait_there(cable);
	close(fd);
	return error;
}

/* At the start there is time to wait for the lock. Return: 0, or a negative errno. */
static int wait_to_meet(struct net *net, struct cable *cable)
{
	struct pollfd stop = { .fd = net->stop, .events = POLLIN };
	int64_t until = now_ms() + LOCK_TIME;
	int error;

	do {
		error = meet(cable);
		if (error == -EWOULDBLOCK && now_ms() >= until)
			return -EDEADLK;
	} while (error == -EWOULDBLOCK && !poll(&stop, 1, LOOK_TIME));
	if (error || cable->stranger < 0)
		return error;
	while ((error = take_greeting(cable)) == -EAGAIN) {
		struct pollfd word = { .fd = cable->stranger, .events = POLLIN };

		poll(&word, 1, RETRY_TIME);
	}
	return error;
}

static int refuse_socket(const char *path, int error)
{
	switch (error) {
	case -EBUSY:
		return refuse(error, "the network '%s' has two guests already: choose another name", path);
	case -ETIMEDOUT:
		return refuse(error, "who waits at '%s' does not answer: end it, or choose another name", path);
	case -EPROTO:
	case -EPROTOTYPE:
		return refuse(error, "who waits at '%s' is no lguest: choose another name", path);
	case -EDEADLK:
		return refuse(error, "another process keeps '%s.lock' locked: end it, or choose another name",
			      path);
	case -ENOTSOCK:
		return refuse(error, "'%s' is a file, not a guest's network: choose another name", path);
	default:
		return refuse(error, "can't use the network '%s': %s", path, strerror(-error));
	}
}

/* Open the directory, once. Return: 0, or a negative errno after telling the person. */
static int open_folder(struct cable *cable, const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	char *folder;

	if (!*name)
		return refuse(-EINVAL, "'%s' is a directory: say --net=socket:PATH", path);
	folder = slash ? strndup(path, slash - path + 1) : strdup(".");
	cable->path = strdup(path);
	if (!folder || !cable->path) {
		free(folder);
		return no_memory();
	}
	cable->folder = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	free(folder);
	if (cable->folder < 0)
		return refuse(-errno, "can't use the network '%s': %s", path, strerror(errno));
	vm_sandbox_meets_in(cable->folder);
	if (unix_address(&cable->address, "/proc/self/fd/%d/%s", cable->folder, name))
		return refuse(-ENAMETOOLONG, "'%s' is too long for a socket's name", name);
	strcpy(cable->name, name);
	return 0;
}

static int socket_init(struct net *net, const struct net_request *request)
{
	const char *path = request->argument;
	struct cable *cable;
	int error;

	error = value_refuse_others(request->value, "net=socket", "mac=", NULL);
	if (error)
		return error;
	cable = calloc(1, sizeof(*cable));
	if (!cable)
		return no_memory();
	cable->folder = -1;
	cable->lobby = -1;
	cable->peer = -1;
	cable->stranger = -1;
	net->private = cable;
	error = open_folder(cable, path);
	if (error)
		return error;
	error = wait_to_meet(net, cable);
	if (error)
		return refuse_socket(path, error);
	if (cable->peer < 0) {
		detail("waiting for the other guest at %s", path);
		net->link = false;
	}
	return 0;
}

static void socket_prepare(struct net *net, struct net_poll *poll)
{
	struct cable *cable = net->private;

	cable->lobby_index = cable->lobby < 0 ? -1 : net_poll_add(poll, cable->lobby, POLLIN);
	cable->peer_index = -1;
	if (cable->peer >= 0)
		cable->peer_index = net_poll_add(poll, cable->peer, (net->first ? 0 : POLLIN) |
						 (cable->blocked ? POLLOUT : 0));
	cable->stranger_index = -1;
	if (cable->stranger >= 0)
		cable->stranger_index = net_poll_add(poll, cable->stranger, POLLIN);
	if (cable->blocked || (cable->peer < 0 && cable->lobby < 0))
		poll->timeout = RETRY_TIME / 2;
}

static void lose_peer(struct net *net, struct cable *cable)
{
	file_close(&cable->peer);
	cable->blocked = 0;
	cable->retry = now_ms() + RETRY_TIME;
	detail("the other guest has left %s", cable->path);
	net_set_link(net, false);
}

/* The peer may have gone, with packets of its own still to be read. */
static bool peer_is_gone(const struct cable *cable)
{
	struct pollfd fd = { .fd = cable->peer };

	return cable->peer >= 0 && poll(&fd, 1, 0) > 0 && (fd.revents & (POLLHUP | POLLERR));
}

/* Accept a peer. A third launcher is turned away. */
static void accept_peer(struct net *net, struct cable *cable)
{
	int fd = accept4(cable->lobby, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	const char *greeting;

	if (fd < 0)
		return;
	if (peer_is_gone(cable))
		lose_peer(net, cable);
	greeting = cable->peer < 0 ? WELCOME : FULL;
	if (send(fd, greeting, strlen(greeting), MSG_NOSIGNAL) < 0 || cable->peer >= 0) {
		close(fd);
		return;
	}
	cable->peer = fd;
	cable->blocked = 0;
	detail("the other guest has come to %s", cable->path);
	net_set_link(net, true);
}

static void receive_from_peer(struct net *net, struct cable *cable)
{
	ssize_t size;
	int i;

	for (i = 0; i < MOST_AT_ONCE && !net->first; i++) {
		size = recv(cable->peer, cable->packet, sizeof(cable->packet), MSG_DONTWAIT);
		if (size < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (size <= 0) {
			lose_peer(net, cable);
			return;
		}
		net_receive(net, cable->packet, size);
	}
}

/* The peer has gone, and both roles are free: look for another peer. */
static void look_for_peer(struct net *net, struct cable *cable)
{
	int error;

	if (cable->stranger >= 0) {
		error = take_greeting(cable);
		if (!error)
			net_set_link(net, true);
		else if (error != -EAGAIN)
			file_close(&cable->stranger);
	} else if (now_ms() >= cable->retry) {
		cable->retry = now_ms() + RETRY_TIME;
		meet(cable);
	}
}

static void socket_receive(struct net *net, const struct net_poll *poll)
{
	struct cable *cable = net->private;
	short events = net_poll_events(poll, cable->peer_index);

	/*
	 * While the guest has no room, packets are not read, and so the end of the peer is only
	 * in the events.
	 */
	if (net->first && (events & (POLLHUP | POLLERR)))
		lose_peer(net, cable);
	else if (events & ~POLLOUT)
		receive_from_peer(net, cable);
	if (net_poll_events(poll, cable->lobby_index))
		accept_peer(net, cable);
	if (cable->peer < 0 && cable->lobby < 0)
		look_for_peer(net, cable);
}

static bool socket_send(struct net *net, struct iovec *iov, unsigned int count)
{
	struct cable *cable = net->private;
	struct msghdr packet = { .msg_iov = iov, .msg_iovlen = count };

	if (cable->peer < 0)
		return true;
	if (sendmsg(cable->peer, &packet, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0 || errno != EAGAIN) {
		cable->blocked = 0;
		return true;
	}
	if (!cable->blocked)
		cable->blocked = now_ms();
	return now_ms() - cable->blocked >= BLOCKED_TIME;
}

static void socket_exit(struct net *net)
{
	struct cable *cable = net->private;

	if (!cable)
		return;
	if (cable->lobby >= 0)
		unlinkat(cable->folder, cable->name, 0);
	vm_sandbox_leaves(cable->folder);
	file_close(&cable->folder);
	file_close(&cable->lobby);
	file_close(&cable->peer);
	file_close(&cable->stranger);
	free(cable->path);
	free(cable);
}

const struct net_ops net_socket_ops = {
	.features = NET_OFFLOADS,
	.init = socket_init,
	.prepare = socket_prepare,
	.receive = socket_receive,
	.send = socket_send,
	.exit = socket_exit,
};
