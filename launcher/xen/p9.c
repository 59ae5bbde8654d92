// SPDX-License-Identifier: GPL-2.0-only
/*
 * A directory shared with a guest of Xen's ABI: the back end of Linux's 9pnet_xen. While the
 * two are connected, a thread carries messages between the guest's rings and the process that
 * serves the directory, the same one that virtio's shares have.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "base/event.h"
#include "base/file.h"
#include "base/message.h"
#include "xen/abi.h"
#include "xen/p9.h"

/**
 * xen_p9_describe() - let a guest that starts find the share
 * @share: as xen_p9_init() left it, with memory, area and store
 */
void xen_p9_describe(struct xen_p9 *share)
{
	const struct xen_device *device = &share->device;

	xen_device_set(device, XEN_BACK, "versions", "1");
	xen_device_set(device, XEN_BACK, "max-rings", "%d", XEN_P9_RINGS);
	xen_device_set(device, XEN_BACK, "max-ring-page-order", "%d", P9IF_MAX_ORDER);
	xen_device_set(device, XEN_FRONT, "tag", "%s", share->tag);
	xen_device_describe(device);
}

/* Sleep until the guest, the server or this launcher has something for us. */
static void sleep_on_all(struct xen_p9 *share)
{
	struct p9_process *server = &share->server;
	struct pollfd poll_fd[3 + XEN_P9_RINGS] = {
		{ .fd = share->stop, .events = POLLIN },
		{ .fd = share->lost ? -1 : server->replies, .events = POLLIN },
		{ .fd = share->lost ? -1 : server->process.pidfd, .events = POLLIN },
	};
	unsigned int i;

	for (i = 0; i < XEN_P9_RINGS; i++)
		poll_fd[3 + i] = (struct pollfd){ .fd = share->ring[i].port.kick, .events = POLLIN };
	if (poll(poll_fd, ARRAY_SIZE(poll_fd), -1) <= 0)
		return;		/* EINTR */
	for (i = 0; i < XEN_P9_RINGS; i++)
		event_take(share->ring[i].port.kick);
	if (poll_fd[1].revents)
		event_take(server->replies);
	if (poll_fd[2].revents) {
		xen_p9_work(share);
		xen_p9_lose_server(share);
	}
}

static void *run_share(void *argument)
{
	struct xen_p9 *share = argument;

	while (!share->stopping) {
		xen_p9_work(share);
		sleep_on_all(share);
	}
	return NULL;
}

/* What the front end says of one ring. */
static int find_ring(struct xen_p9 *share, unsigned int number)
{
	struct xen_p9_ring *ring = &share->ring[number];
	uint64_t grant, port;
	char name[32];

	snprintf(name, sizeof(name), "ring-ref%u", number);
	if (!xen_device_get(&share->device, name, UINT32_MAX, &grant))
		return -EINVAL;
	snprintf(name, sizeof(name), "event-channel-%u", number);
	if (!xen_device_get(&share->device, name, XEN_PORTS - 1, &port) ||
	    port < XEN_FIRST_FREE_PORT)
		return -EINVAL;
	ring->grant = grant;
	ring->port_number = port;
	return xen_p9_ring_connect(share, ring);
}

static void forget_rings(struct xen_p9 *share)
{
	unsigned int i;

	for (i = 0; i < XEN_P9_RINGS; i++)
		xen_p9_ring_disconnect(share, &share->ring[i]);
	/* Answers that are still to come are for nobody. */
	for (i = 0; i < P9_SLOTS; i++)
		share->request[i].ring = NULL;
	share->rings = 0;
}

/* The front end is ready. */
static int connect_share(struct xen_p9 *share)
{
	uint64_t version, rings;
	int error = 0;

	if (!xen_device_get(&share->device, "version", 1, &version) || version != 1 ||
	    !xen_device_get(&share->device, "num-rings", XEN_P9_RINGS, &rings) || !rings)
		return -EINVAL;
	for (; !error && share->rings < rings; share->rings++)
		error = find_ring(share, share->rings);
	share->forget = true;
	event_take(share->stop);
	share->stopping = false;
	if (!error)
		error = thread_start(&share->thread, run_share, share);
	if (error)
		forget_rings(share);
	return error;
}

/* Does not wait for the server, which may take long: it has nothing of the guest's. */
static void disconnect_share(struct xen_device *device)
{
	struct xen_p9 *share = container_of(device, struct xen_p9, device);

	share->stopping = true;
	event_set(share->stop);
	thread_join(&share->thread);
	forget_rings(share);
}

static int try_connect(struct xen_device *device)
{
	struct xen_p9 *share = container_of(device, struct xen_p9, device);
	int error = connect_share(share);

	if (error)
		message("the guest does not get its share '%s': %s", share->path,
			xen_device_problem(error));
	else
		detail("the guest uses its share '%s', %u rings", share->path, share->rings);
	return error;
}

static const struct xen_device_ops ops = {
	.kind = "9pfs", .attach = try_connect, .detach = disconnect_share,
};

/**
 * xen_p9_changed() - the guest has changed something in the store
 * @share: the share; this is the store's thread
 * @path: what it has changed
 */
void xen_p9_changed(struct xen_p9 *share, const char *path)
{
	unsigned int state;

	if (xen_device_changed(&share->device, path, &state))
		xen_device_follow(&share->device, state);
}

static int init_rings(struct xen_p9 *share)
{
	unsigned int i;
	int error = 0;

	for (i = 0; i < XEN_P9_RINGS; i++)
		share->ring[i].port.kick = share->ring[i].port.raise = -1;
	for (i = 0; !error && i < XEN_P9_RINGS; i++)
		error = xen_port_init(&share->ring[i].port);
	return error;
}

/**
 * xen_p9_init() - share a directory
 * @share: zero, but for memory, area and the device's store; xen_p9_exit() it, whatever is
 *	   returned
 * @number: of this share
 * @directory: the directory
 * @tag: what the guest mounts it by; NULL: share0, the next one share1
 * @read_only: the guest may not change anything
 *
 * Return: 0, or a negative errno after telling the person.
 */
int xen_p9_init(struct xen_p9 *share, unsigned int number, const char *directory, const char *tag,
		bool read_only)
{
	int error;

	share->device.ops = &ops;
	share->device.number = number;
	share->vm = share->stop = share->server.replies = -1;
	error = init_rings(share);
	if (error)
		return error;
	share->stop = event_new();
	if (share->stop < 0)
		return -EMFILE;
	share->path = strdup(directory);
	if (tag)
		share->tag = strdup(tag);
	else if (asprintf(&share->tag, "share%u", number) < 0)
		share->tag = NULL;
	if (!share->path || !share->tag)
		return no_memory();
	error = p9_process_start(&share->server, directory, read_only);
	if (!error)
		p9_process_poll(&share->server, true);
	return error;
}

/**
 * xen_p9_stop() - the guest has ended
 * @share: as the others left it; the store's thread has ended
 */
void xen_p9_stop(struct xen_p9 *share)
{
	xen_device_disconnect(&share->device);
	share->vm = -1;
}

/**
 * xen_p9_exit() - end the share
 * @share: stopped
 */
void xen_p9_exit(struct xen_p9 *share)
{
	unsigned int i;

	p9_process_stop(&share->server);
	for (i = 0; i < XEN_P9_RINGS; i++)
		xen_port_exit(&share->ring[i].port);
	file_close(&share->stop);
	free(share->path);
	free(share->tag);
}
