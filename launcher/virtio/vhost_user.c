// SPDX-License-Identifier: GPL-2.0-only
/*
 * A device whose queues another program serves, by the vhost-user protocol (QEMU's
 * docs/interop/vhost-user.rst; we are its front end). The program gets the Guest's memory
 * and the eventfds of the device over a socket; then kicks and interrupts go between it
 * and lg.ko, and we are asked only for registers.
 */
#include <errno.h>
#include <linux/virtio_config.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "../file.h"
#include "../memory.h"
#include "../message.h"
#include "../thread.h"
#include "lguest_abi.h"
#include "vhost_user.h"
#include "virtio.h"

enum {
	GET_FEATURES = 1,
	SET_FEATURES = 2,
	SET_OWNER = 3,
	SET_MEM_TABLE = 5,
	SET_VRING_NUM = 8,
	SET_VRING_ADDR = 9,
	SET_VRING_BASE = 10,
	GET_VRING_BASE = 11,
	SET_VRING_KICK = 12,
	SET_VRING_CALL = 13,
	GET_PROTOCOL_FEATURES = 15,
	SET_PROTOCOL_FEATURES = 16,
	SET_VRING_ENABLE = 18,
	GET_CONFIG = 24,
	SET_CONFIG = 25,
};

#define F_PROTOCOL_FEATURES	(1ULL << 30)	/* among the virtio features */
#define PROTOCOL_REPLY_ACK	(1ULL << 3)
#define PROTOCOL_CONFIG		(1ULL << 9)

#define FLAG_VERSION		1U
#define FLAG_REPLY		4U
#define FLAG_NEED_REPLY		8U

#define SECONDS_TO_ANSWER	30

struct header {
	uint32_t request;
	uint32_t flags;
	uint32_t size;		/* of what follows */
};

struct ring_state {
	uint32_t index;
	uint32_t number;
};

struct ring_address {
	uint32_t index;
	uint32_t flags;
	/* In our address space, as is memory_region.ours. */
	uint64_t desc;
	uint64_t used;
	uint64_t avail;
	uint64_t log;
};

struct memory_region {
	uint64_t gpa;
	uint64_t size;
	uint64_t ours;
	uint64_t file_offset;
};

#define MOST_REGIONS	2

struct memory_table {
	uint32_t regions;
	uint32_t padding;
	struct memory_region region[MOST_REGIONS];
};

struct config_space {
	uint32_t offset;
	uint32_t size;
	uint32_t flags;
	uint8_t value[VIRTIO_CONFIG_SIZE];
};

static int refuse_program(const struct vhost_user *user, int error)
{
	return refuse(-error, "the program at '%s' does not do as a vhost-user device should: %s",
		      user->path, strerror(error));
}

/* Send a message, with descriptors. */
static int put(struct vhost_user *user, uint32_t request, uint32_t flags, const void *payload,
	       uint32_t size, const int *fds, unsigned int count)
{
	struct header header = { request, FLAG_VERSION | flags, size };
	struct iovec iov[] = {
		{ &header, sizeof(header) },
		{ (void *)payload, size },
	};
	union {
		struct cmsghdr first;
		char bytes[CMSG_SPACE(MOST_REGIONS * sizeof(int))];
	} control = { 0 };
	struct msghdr message = { .msg_iov = iov, .msg_iovlen = 2 };
	struct cmsghdr *rights;
	ssize_t sent;

	if (count) {
		message.msg_control = &control;
		message.msg_controllen = CMSG_SPACE(count * sizeof(int));
		rights = CMSG_FIRSTHDR(&message);
		rights->cmsg_level = SOL_SOCKET;
		rights->cmsg_type = SCM_RIGHTS;
		rights->cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(rights), fds, count * sizeof(int));
	}
	do
		sent = sendmsg(user->fd, &message, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	if (sent == (ssize_t)(sizeof(header) + size))
		return 0;
	return refuse_program(user, sent < 0 ? errno : EIO);
}

static int get_bytes(struct vhost_user *user, void *to, size_t size)
{
	ssize_t got;

	for (; size; size -= got, to = (char *)to + got) {
		do
			got = recv(user->fd, to, size, MSG_WAITALL);
		while (got < 0 && errno == EINTR);
		if (got <= 0)
			return refuse_program(user, got < 0 && errno == EAGAIN ? ETIMEDOUT :
						    got < 0 ? errno : ECONNRESET);
	}
	return 0;
}

/* Receive the answer to a message, which must have just that size. */
static int get(struct vhost_user *user, uint32_t request, void *payload, uint32_t size)
{
	struct header header;
	int error = get_bytes(user, &header, sizeof(header));

	if (!error && (header.request != request || !(header.flags & FLAG_REPLY) ||
		       header.size != size))
		error = refuse_program(user, EPROTO);
	return error ? error : get_bytes(user, payload, size);
}

/* Send a message that has no answer of its own; learn whether it did any good, if we can. */
static int set(struct vhost_user *user, uint32_t request, const void *payload, uint32_t size,
	       const int *fds, unsigned int count)
{
	uint64_t failed = 0;
	int error;

	error = put(user, request, user->acknowledges ? FLAG_NEED_REPLY : 0, payload, size, fds,
		    count);
	if (!error && user->acknowledges)
		error = get(user, request, &failed, sizeof(failed));
	if (!error && failed)
		error = refuse_program(user, EINVAL);
	return error;
}

static int set_number(struct vhost_user *user, uint32_t request, uint64_t number, const int *fd)
{
	return set(user, request, &number, sizeof(number), fd, fd != NULL);
}

static int get_number(struct vhost_user *user, uint32_t request, uint64_t *number)
{
	int error = put(user, request, 0, NULL, 0, NULL, 0);

	return error ? error : get(user, request, number, sizeof(*number));
}

static int negotiate(struct vhost_user *user)
{
	uint64_t protocol;
	int error = get_number(user, GET_FEATURES, &user->features);

	if (!error && (!(user->features & F_PROTOCOL_FEATURES) ||
		       !(user->features & 1ULL << VIRTIO_F_VERSION_1)))
		error = refuse_program(user, EPROTONOSUPPORT);
	if (!error)
		error = get_number(user, GET_PROTOCOL_FEATURES, &protocol);
	if (!error && !(protocol & PROTOCOL_CONFIG))
		error = refuse_program(user, EPROTONOSUPPORT);
	if (error)
		return error;
	protocol &= PROTOCOL_CONFIG | PROTOCOL_REPLY_ACK;
	error = set_number(user, SET_PROTOCOL_FEATURES, protocol, NULL);
	user->acknowledges = protocol & PROTOCOL_REPLY_ACK;
	return error ? error : set(user, SET_OWNER, NULL, 0, NULL, 0);
}

/**
 * vhost_user_connect() - find the program, and agree on what we can do
 * @user: all zero, but fd -1; vhost_user_exit() it, whatever is returned
 * @path: of the socket where the program listens
 *
 * Return: 0, or a negative errno after telling the person.
 */
int vhost_user_connect(struct vhost_user *user, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct timeval patience = { .tv_sec = SECONDS_TO_ANSWER };

	if (strlen(path) >= sizeof(address.sun_path))
		return refuse(-ENAMETOOLONG, "'%s' is too long for a socket's name", path);
	strcpy(address.sun_path, path);
	user->path = strdup(path);
	user->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (!user->path || user->fd < 0)
		return refuse(-ENOMEM, "no memory");
	if (connect(user->fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return refuse(-errno, "no program serves a disk at '%s': %s", path,
			      strerror(errno));
	setsockopt(user->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return negotiate(user);
}

/**
 * vhost_user_get_config() - what does the program say of the device?
 * @user: connected
 * @config: goes there
 * @size: bytes of it
 *
 * Return: 0, or a negative errno after telling the person.
 */
int vhost_user_get_config(struct vhost_user *user, void *config, uint32_t size)
{
	struct config_space space = { .size = size };
	uint32_t length = offsetof(struct config_space, value) + size;
	int error;

	error = put(user, GET_CONFIG, 0, &space, length, NULL, 0);
	if (!error)
		error = get(user, GET_CONFIG, &space, length);
	if (!error)
		memcpy(config, space.value, size);
	return error;
}

/**
 * vhost_user_set_config() - the driver writes to the device's configuration
 * @user: connected
 * @offset: where
 * @value: what
 * @size: bytes of it
 *
 * Return: 0, or a negative errno after telling the person.
 */
int vhost_user_set_config(struct vhost_user *user, uint32_t offset, const void *value,
			  uint32_t size)
{
	struct config_space space = { .offset = offset, .size = size };

	memcpy(space.value, value, size);
	return set(user, SET_CONFIG, &space, offsetof(struct config_space, value) + size, NULL, 0);
}

static int share_memory(struct vhost_user *user, const struct guest_memory *memory)
{
	struct memory_table table = {
		.regions = memory->size > memory->low ? 2 : 1,
		.region = {
			{ 0, memory->low, (uintptr_t)memory->base, 0 },
			{ LGUEST_HOLE_END, memory->size - memory->low,
			  (uintptr_t)memory->base + memory->low, memory->low },
		},
	};
	int fds[] = { memory->fd, memory->fd };

	return set(user, SET_MEM_TABLE, &table,
		   offsetof(struct memory_table, region[table.regions]), fds, table.regions);
}

static int start_queue(struct vhost_user *user, const struct virtio_queue *queue)
{
	struct ring_state size = { queue->index, queue->size }, base = { queue->index, 0 };
	struct ring_state enable = { queue->index, 1 };
	struct ring_address address = {
		.index = queue->index,
		.desc = (uintptr_t)queue->desc,
		.used = (uintptr_t)queue->used,
		.avail = (uintptr_t)queue->avail,
	};
	int error;

	error = set(user, SET_VRING_NUM, &size, sizeof(size), NULL, 0);
	if (!error)
		error = set(user, SET_VRING_BASE, &base, sizeof(base), NULL, 0);
	if (!error)
		error = set(user, SET_VRING_ADDR, &address, sizeof(address), NULL, 0);
	if (!error)
		error = set_number(user, SET_VRING_CALL, queue->index, &queue->device->interrupt);
	if (!error)
		error = set_number(user, SET_VRING_KICK, queue->index, &queue->kick);
	if (!error)
		error = set(user, SET_VRING_ENABLE, &enable, sizeof(enable), NULL, 0);
	return error;
}

/**
 * vhost_user_start() - let the program serve the device's queues
 * @user: connected
 * @device: its lock is held, and its driver has set DRIVER_OK
 *
 * Return: 0, or a negative errno after telling the person.
 */
int vhost_user_start(struct vhost_user *user, struct virtio_device *device)
{
	unsigned int i;
	int error;

	error = set_number(user, SET_FEATURES, device->driver_features | F_PROTOCOL_FEATURES, NULL);
	if (!error)
		error = share_memory(user, device->memory);
	user->started = !error;
	for (i = 0; !error && i < device->queues; i++)
		if (device->queue[i].ready)
			error = start_queue(user, &device->queue[i]);
	return error;
}

/**
 * vhost_user_stop() - the program lets go of the Guest's memory
 * @user: connected
 * @device: its lock is held
 */
void vhost_user_stop(struct vhost_user *user, struct virtio_device *device)
{
	struct ring_state state;
	unsigned int i;
	int error = 0;

	for (i = 0; user->started && !error && i < device->queues; i++) {
		if (!device->queue[i].ready)
			continue;
		state = (struct ring_state) { i, 0 };
		error = put(user, GET_VRING_BASE, 0, &state, sizeof(state), NULL, 0);
		if (!error)
			error = get(user, GET_VRING_BASE, &state, sizeof(state));
	}
	user->started = false;
}

struct watch {
	struct vhost_user *user;
	struct virtio_device *device;
};

static void *watch(void *argument)
{
	struct watch *watch = argument;
	struct pollfd poll_fd[] = {
		{ .fd = watch->device->stop, .events = POLLIN },
		{ .fd = watch->user->fd, .events = POLLRDHUP },
	};

	while (!watch->device->stopping && poll(poll_fd, 2, -1) < 0)
		;	/* EINTR */
	if (!watch->device->stopping && poll_fd[1].revents)
		message("the program at '%s' has gone: the guest's %s answers no more",
			watch->user->path, watch->device->ops->name);
	free(watch);
	return NULL;
}

/**
 * vhost_user_watch() - tell the person if the program goes away
 * @user: connected
 * @device: whose queues it serves
 *
 * Return: 0, or a negative errno after telling the person.
 */
int vhost_user_watch(struct vhost_user *user, struct virtio_device *device)
{
	struct watch *argument = malloc(sizeof(*argument));
	int error;

	if (!argument)
		return refuse(-ENOMEM, "no memory");
	*argument = (struct watch) { user, device };
	error = thread_start(&user->watcher, watch, argument);
	user->has_watcher = !error;
	if (error)
		free(argument);
	return error;
}

/**
 * vhost_user_exit() - end the connection
 * @user: as vhost_user_connect() left it; its device is told to stop
 */
void vhost_user_exit(struct vhost_user *user)
{
	if (user->has_watcher)
		thread_join(user->watcher);
	user->has_watcher = false;
	file_close(&user->fd);
	free(user->path);
	user->path = NULL;
}
