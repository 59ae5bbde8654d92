// SPDX-License-Identifier: GPL-2.0-only
/*
 * A device whose queues another program serves, by the vhost-user protocol (QEMU's
 * docs/interop/vhost-user.rst; we are its front end). The program gets the guest's memory and
 * the device's eventfds over a socket. After that, kicks and interrupts go between the program
 * and lg.ko, and this launcher serves only the registers.
 *
 * The program may answer slowly, or never. So a thread of ours talks to it: virtual CPUs only
 * say which queues are wanted, and go on. A virtual CPU that takes a queue back waits until the
 * program has let go of it. A program that breaks the protocol is told nothing any more, and
 * the device stops.
 */
#include <errno.h>
#include <linux/virtio_config.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/event.h"
#include "base/file.h"
#include "memory.h"
#include "base/message.h"
#include "base/thread.h"
#include "base/unix_socket.h"
#include "lguest_abi.h"
#include "virtio/vhost_user.h"
#include "virtio/virtio.h"

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

/* How long the program may take for all that it is asked at one time. */
int vhost_user_patience_ms = 10000;

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
	/* Addresses in our address space, as memory_region.ours is. */
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
		sent = sendmsg(user->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (sent < 0 && errno == EINTR);
	if (sent == (ssize_t)(sizeof(header) + size))
		return 0;
	return refuse_program(user, sent < 0 ? errno : EIO);
}

/* Wait until there is something to read. Return: 0, or a negative errno. */
static int wait_for_program(struct vhost_user *user)
{
	struct pollfd poll_fd[] = {
		{ .fd = user->fd, .events = POLLIN },
		{ .fd = user->device->stop, .events = POLLIN },
	};
	int64_t left;

	do {
		left = user->deadline - now_ms();
		if (left <= 0)
			return refuse_program(user, ETIMEDOUT);
	} while (poll(poll_fd, 2, left) <= 0);
	return poll_fd[1].revents ? -ECANCELED : 0;
}

static int get_bytes(struct vhost_user *user, void *to, size_t size)
{
	ssize_t got;
	int error;

	for (; size; size -= got, to = (char *)to + got) {
		error = wait_for_program(user);
		if (error)
			return error;
		got = recv(user->fd, to, size, MSG_DONTWAIT);
		if (got < 0 && (errno == EINTR || errno == EAGAIN))
			got = 0;
		else if (got <= 0)
			return refuse_program(user, got < 0 ? errno : ECONNRESET);
	}
	return 0;
}

/* Receive the answer to a message, which must have exactly that size. */
static int get(struct vhost_user *user, uint32_t request, void *payload, uint32_t size)
{
	struct header header;
	int error = get_bytes(user, &header, sizeof(header));

	if (!error && (header.request != request || !(header.flags & FLAG_REPLY) ||
		       header.size != size))
		error = refuse_program(user, EPROTO);
	return error ? error : get_bytes(user, payload, size);
}

/*
 * Send a message that has no answer of its own. Ask for an acknowledgement if the program can
 * send one.
 */
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

/* The program's time begins, for all that it is asked next. */
static void begin_talk(struct vhost_user *user)
{
	user->deadline = now_ms() + vhost_user_patience_ms;
}

/**
 * vhost_user_connect() - connect to the program, and agree on features
 * @user: all zero, except its descriptors, which are -1; vhost_user_exit() it, whatever is
 *	    returned
 * @device: whose queues it is to serve
 * @path: of the socket where the program listens
 *
 * Return: 0, or a negative errno after telling the person.
 */
int vhost_user_connect(struct vhost_user *user, struct virtio_device *device, const char *path)
{
	user->device = device;
	user->path = strdup(path);
	if (!user->path)
		return no_memory();
	user->wake = event_new();
	if (user->wake < 0)
		return user->wake;
	user->fd = unix_connect(path, SOCK_STREAM);
	if (user->fd == -ENAMETOOLONG)
		return refuse(user->fd, "'%s' is too long for a socket's name", path);
	if (user->fd < 0)
		return refuse(user->fd, "no program serves a disk at '%s': %s", path,
			      strerror(-user->fd));
	begin_talk(user);
	return negotiate(user);
}

/**
 * vhost_user_get_config() - ask the program for the device's configuration
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

static int stop_queue(struct vhost_user *user, unsigned int index)
{
	struct ring_state state = { index, 0 };
	int error = put(user, GET_VRING_BASE, 0, &state, sizeof(state), NULL, 0);

	return error ? error : get(user, GET_VRING_BASE, &state, sizeof(state));
}

static int send_config(struct vhost_user *user, const struct config_space *space)
{
	return set(user, SET_CONFIG, space, offsetof(struct config_space, value) + space->size,
		   NULL, 0);
}

/* The next thing to say to the program, under the device's lock. */
struct task {
	enum { NOTHING, STOP_QUEUE, START_QUEUE, SEND_CONFIG } what;
	uint64_t features;
	struct virtio_queue queue;	/* a copy */
	struct config_space space;
};

static void next_task(struct vhost_user *user, struct task *task)
{
	struct virtio_device *device = user->device;
	uint64_t stop = user->served & ~user->wanted, start = user->wanted & ~user->served;

	task->what = NOTHING;
	if (user->broken)
		return;
	if (stop | start)
		task->queue = device->queue[__builtin_ctzll(stop ? stop : start)];
	if (stop) {
		task->what = STOP_QUEUE;
	} else if (start) {
		task->what = START_QUEUE;
		task->features = device->driver_features | F_PROTOCOL_FEATURES;
		/*
		 * Set as soon as the program may use it: whoever takes the queue back must
		 * wait.
		 */
		user->served |= 1ULL << task->queue.index;
	} else if (user->has_config) {
		task->what = SEND_CONFIG;
		task->space = (struct config_space){ .offset = user->config_offset, .size = 1 };
		task->space.value[0] = user->config_value;
		user->has_config = false;
	}
}

static int do_task(struct vhost_user *user, const struct task *task)
{
	int error;

	begin_talk(user);
	if (task->what == STOP_QUEUE)
		return stop_queue(user, task->queue.index);
	if (task->what == SEND_CONFIG)
		return send_config(user, &task->space);
	error = set_number(user, SET_FEATURES, task->features, NULL);
	if (!error)
		error = share_memory(user, user->device->memory);
	return error ? error : start_queue(user, &task->queue);
}

/*
 * The program has answered wrongly, or not at all. It may still use the guest's memory, and we
 * can't help that. Called under the device's lock.
 */
static void give_up(struct vhost_user *user)
{
	user->broken = true;
	user->served = 0;
	shutdown(user->fd, SHUT_RDWR);
	virtio_fails(user->device);
}

/* Tell the program what it has to know now. */
static void talk(struct vhost_user *user)
{
	struct virtio_device *device = user->device;
	struct task task;
	int error;

	pthread_mutex_lock(&device->lock);
	for (next_task(user, &task); task.what != NOTHING; next_task(user, &task)) {
		pthread_mutex_unlock(&device->lock);
		error = do_task(user, &task);
		pthread_mutex_lock(&device->lock);
		if (error)
			give_up(user);
		else if (task.what == STOP_QUEUE)
			user->served &= ~(1ULL << task.queue.index);
		pthread_cond_broadcast(&device->idle);
	}
	pthread_mutex_unlock(&device->lock);
}

static void *run_talk(void *argument)
{
	struct vhost_user *user = argument;
	struct virtio_device *device = user->device;
	struct pollfd poll_fd[] = {
		{ .fd = device->stop, .events = POLLIN },
		{ .fd = user->wake, .events = POLLIN },
		{ .fd = user->fd, .events = POLLRDHUP },
	};

	while (!device->stopping) {
		if (poll(poll_fd, 3, -1) < 0)
			continue;	/* EINTR */
		if (poll_fd[1].revents && event_take(user->wake))
			talk(user);
		if (!poll_fd[2].revents)
			continue;
		if (!user->broken && !device->stopping)
			message("the program at '%s' has gone: the guest's %s answers no more",
				user->path, device->ops->name);
		poll_fd[2].fd = -1;
	}
	return NULL;
}

/**
 * vhost_user_start() - let the program serve the device's queues
 * @user: connected, with a thread
 *
 * Under the device's lock; its driver has set DRIVER_OK. If the program refuses, the device
 * stops later.
 */
void vhost_user_start(struct vhost_user *user)
{
	unsigned int i;

	for (i = 0; i < user->device->queues; i++)
		if (user->device->queue[i].ready)
			user->wanted |= 1ULL << i;
	if (user->broken)
		virtio_fails(user->device);
	event_set(user->wake);
}

/**
 * vhost_user_stop_queue() - make the program let go of a queue
 * @user: connected, with a thread
 * @index: which queue
 *
 * Under the device's lock, which is given up until the program has answered, its time is
 * over, or the guest ends.
 */
void vhost_user_stop_queue(struct vhost_user *user, unsigned int index)
{
	user->wanted &= ~(1ULL << index);
	event_set(user->wake);
	while ((user->served & 1ULL << index) && virtio_idle_wait(user->device, INT64_MAX))
		;
}

/**
 * vhost_user_set_config() - pass on a byte that the driver writes to the configuration
 * @user: connected, with a thread
 * @offset: where
 * @value: the byte; the program is told later
 *
 * Under the device's lock.
 */
void vhost_user_set_config(struct vhost_user *user, uint32_t offset, uint8_t value)
{
	user->config_offset = offset;
	user->config_value = value;
	user->has_config = true;
	event_set(user->wake);
}

/**
 * vhost_user_run() - start the thread that talks to the program
 * @user: connected
 *
 * The thread also tells the person when the program goes away.
 *
 * Return: 0, or a negative errno after telling the person.
 */
int vhost_user_run(struct vhost_user *user)
{
	return thread_start(&user->thread, run_talk, user);
}

/**
 * vhost_user_exit() - end the connection
 * @user: as vhost_user_connect() left it; its device has been told to stop
 */
void vhost_user_exit(struct vhost_user *user)
{
	thread_join(&user->thread);
	file_close(&user->fd);
	file_close(&user->wake);
	free(user->path);
	user->path = NULL;
}
