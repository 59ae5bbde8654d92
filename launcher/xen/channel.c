// SPDX-License-Identifier: GPL-2.0-only
/*
 * A second console of a guest of Xen's ABI, the back end of Linux's hvc_xen, with a socket
 * behind it: what a port of virtio's console is to other guests. The guest's end is /dev/hvc1,
 * a terminal, which changes bytes until a program sets it otherwise. So the guest gets nothing
 * before it has sent something.
 */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/compiler.h"
#include "base/event.h"
#include "base/file.h"
#include "base/message.h"
#include "xen/abi.h"
#include "xen/channel.h"
#include "xen/grant.h"

/**
 * xen_channel_describe() - let a guest that starts find the channel
 * @channel: as xen_channel_init() left it, with memory, area and store
 */
void xen_channel_describe(struct xen_channel *channel)
{
	xen_device_describe(&channel->device);
}

/* From the guest to the socket, as much as that takes. */
static void carry_output(struct xen_channel *channel)
{
	while (!channel->stopping) {
		ssize_t done;

		if (channel->from == channel->to) {
			channel->from = 0;
			channel->to = xen_console_take(channel->ring, &channel->out_cons,
						       channel->text);
			if (!channel->to)
				return;
			channel->heard = true;
			event_set(channel->port.raise);
		}
		done = channel->ended ? (ssize_t)(channel->to - channel->from) :
		       send(channel->fd, channel->text + channel->from,
			    channel->to - channel->from, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (done < 0 && errno == EAGAIN)
			return;
		if (done < 0 && errno != EINTR)
			channel->ended = true;
		if (done > 0)
			channel->from += done;
	}
}

/* From the socket to the guest, which has room. */
static void carry_input(struct xen_channel *channel)
{
	uint32_t room = xen_console_room(channel->ring, channel->in_prod);
	uint8_t text[XEN_CONSOLE_IN];
	ssize_t got = room ? read(channel->fd, text, room) : -1;

	if (!room || (got < 0 && (errno == EINTR || errno == EAGAIN)))
		return;
	if (got <= 0) {
		channel->ended = true;
		return;
	}
	xen_console_give(channel->ring, &channel->in_prod, text, got);
	event_set(channel->port.raise);
}

/* What the socket is to be polled for. */
static int wanted_events(const struct xen_channel *channel)
{
	int events = 0;

	if (channel->heard && xen_console_room(channel->ring, channel->in_prod))
		events |= POLLIN;
	if (channel->from != channel->to)
		events |= POLLOUT;
	return events;
}

static void *run_channel(void *argument)
{
	struct xen_channel *channel = argument;

	while (!channel->stopping) {
		int events = channel->ended ? 0 : wanted_events(channel);
		struct pollfd poll_fd[] = {
			{ .fd = channel->stop, .events = POLLIN },
			{ .fd = channel->port.kick, .events = POLLIN },
			{ .fd = events ? channel->fd : -1, .events = events },
		};

		if (poll(poll_fd, ARRAY_SIZE(poll_fd), -1) < 0)
			continue;	/* EINTR */
		event_take(channel->port.kick);
		if (poll_fd[2].revents & ~POLLOUT)
			carry_input(channel);
		carry_output(channel);
	}
	return NULL;
}

/* From now on the guest is heard. */
static int start_channel(struct xen_channel *channel)
{
	int error = xen_port_connect(&channel->port, channel->vm, channel->port_number);

	if (error)
		return error;
	channel->out_cons = channel->in_prod = channel->from = channel->to = 0;
	channel->heard = false;
	event_take(channel->stop);
	channel->stopping = false;
	error = thread_start(&channel->thread, run_channel, channel);
	if (error)
		xen_port_disconnect(&channel->port, channel->vm, channel->port_number);
	return error;
}

/* The front end is ready. */
static int connect_channel(struct xen_channel *channel)
{
	uint64_t grant, port;
	int error;

	if (!xen_device_get(&channel->device, "ring-ref", UINT32_MAX, &grant) ||
	    !xen_device_get(&channel->device, "port", XEN_PORTS - 1, &port) ||
	    port < XEN_FIRST_FREE_PORT)
		return -EINVAL;
	channel->ring_grant = grant;
	channel->port_number = port;
	channel->ring = xen_grant_hold(channel->area, channel->memory, grant);
	if (!channel->ring)
		return -EFAULT;
	error = start_channel(channel);
	if (error)
		xen_grant_drop(channel->area, channel->ring_grant);
	return error;
}

static void disconnect_channel(struct xen_device *device)
{
	struct xen_channel *channel = container_of(device, struct xen_channel, device);

	channel->stopping = true;
	event_set(channel->stop);
	thread_join(&channel->thread);
	xen_port_disconnect(&channel->port, channel->vm, channel->port_number);
	xen_grant_drop(channel->area, channel->ring_grant);
}

static int try_connect(struct xen_device *device)
{
	struct xen_channel *channel = container_of(device, struct xen_channel, device);
	int error = connect_channel(channel);

	if (error)
		message("the guest does not get its channel to this launcher: %s",
			xen_device_problem(error));
	return error;
}

static const struct xen_device_ops ops = {
	.kind = "console", .attach = try_connect, .detach = disconnect_channel,
};

/**
 * xen_channel_changed() - the guest has changed something in the store
 * @channel: the channel; this is the store's thread
 * @path: what it has changed
 */
void xen_channel_changed(struct xen_channel *channel, const char *path)
{
	unsigned int state;

	if (xen_device_changed(&channel->device, path, &state))
		xen_device_follow(&channel->device, state);
}

/**
 * xen_channel_init() - make the channel
 * @channel: zero, but for memory, area and the device's store; xen_channel_exit() it, whatever
 *	     is returned
 * @fd: the socket; it stays the caller's
 *
 * Return: 0, or a negative errno after telling the person.
 */
int xen_channel_init(struct xen_channel *channel, int fd)
{
	int error;

	channel->device.ops = &ops;
	channel->device.number = 1;	/* 0 is the one that each guest has */
	channel->fd = fd;
	channel->vm = channel->stop = -1;
	error = xen_port_init(&channel->port);
	if (!error)
		channel->stop = event_new();
	return channel->stop < 0 ? -EMFILE : 0;
}

/**
 * xen_channel_stop() - the guest has ended
 * @channel: as the others left it; the store's thread has ended
 */
void xen_channel_stop(struct xen_channel *channel)
{
	xen_device_disconnect(&channel->device);
	channel->vm = -1;
}

/**
 * xen_channel_exit() - give back what xen_channel_init() took
 * @channel: stopped
 */
void xen_channel_exit(struct xen_channel *channel)
{
	file_close(&channel->stop);
	xen_port_exit(&channel->port);
}
