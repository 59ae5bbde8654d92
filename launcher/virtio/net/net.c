// SPDX-License-Identifier: GPL-2.0-only
/*
 * A network card (virtio 1.2, section 5.1): two queues, and one thread that moves packets
 * between them and a back end. The thread of the other queue does nothing. While a packet waits
 * for room in the guest (net->first), back ends take in no more.
 */
#include <errno.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/message.h"
#include "virtio/net/net.h"

/*
 * How many bytes may wait of packets that came in answer to the guest's own while it had no
 * room.
 */
#define NET_MAX_WAITING	(1 << 20)

/* The places of the thread's own descriptors in what it polls. */
enum { POLL_STOP, POLL_RECEIVE, POLL_TRANSMIT };

/**
 * net_poll_add() - poll one more descriptor
 * @poll: the argument of prepare()
 * @fd: the descriptor
 * @events: POLLIN, POLLOUT...
 *
 * Return: an index for net_poll_events(), or -1 if there is no memory.
 */
int net_poll_add(struct net_poll *poll, int fd, short events)
{
	if (poll->count == poll->room) {
		unsigned int room = 2 * poll->room + 8;
		struct pollfd *more = realloc(poll->fd, room * sizeof(*more));

		if (!more)
			return -1;
		poll->fd = more;
		poll->room = room;
	}
	poll->fd[poll->count] = (struct pollfd){ .fd = fd, .events = events };
	return poll->count++;
}

/**
 * net_poll_events() - what happened to a descriptor
 * @poll: the argument of receive()
 * @index: from net_poll_add()
 */
short net_poll_events(const struct net_poll *poll, int index)
{
	return index < 0 || (unsigned int)index >= poll->count ? 0 : poll->fd[index].revents;
}

/**
 * net_set_link() - plug the cable in, or out
 * @net: the network card
 * @up: is anybody at the other end?
 */
void net_set_link(struct net *net, bool up)
{
	net->config.status = htole16(up ? VIRTIO_NET_S_LINK_UP : 0);
	virtio_config_set(net->device, &net->config, sizeof(net->config));
}

/* The guest has lost the buffers of the packet that is being placed: begin it anew. */
static void forget_placed(struct net *net)
{
	net->placed = 0;
	net->buffers = 0;
}

/* Find a byte of the buffers. */
static uint8_t *byte_at(const struct iovec *iov, unsigned int count, size_t offset)
{
	for (; count; iov++, count--) {
		if (offset < iov->iov_len)
			return (uint8_t *)iov->iov_base + offset;
		offset -= iov->iov_len;
	}
	return NULL;
}

enum placing { PLACED_PART, PLACED_ALL, PLACED_NOT, ROOM_IS_GONE };

/* Put a piece into the buffers in net->room, which are used up by that. */
static enum placing place_piece(struct net *net, const uint8_t *packet, size_t size)
{
	struct iovec *iov = net->room.iov + net->room.out;
	unsigned int count = net->room.in;
	size_t part;

	if (!net->buffers) {
		net->num_buffers[0] = byte_at(iov, count, NET_HEADER_SIZE - 2);
		net->num_buffers[1] = byte_at(iov, count, NET_HEADER_SIZE - 1);
	}
	part = iov_write(&iov, &count, packet + net->placed, size - net->placed);
	if (!part || !net->num_buffers[1] || net->buffers == VIRTIO_QUEUE_SIZE) {
		virtio_misuse(net->device, "receive buffers that are too small");
		return PLACED_NOT;
	}
	net->used[net->buffers++] = (struct virtio_used){ net->room.head, part };
	net->has_room = false;
	net->placed += part;
	if (net->placed < size)
		return PLACED_PART;
	*net->num_buffers[0] = net->buffers;
	*net->num_buffers[1] = net->buffers >> 8;
	return PLACED_ALL;
}

/*
 * Use the buffers in net->room. This is under the device's lock, so that a reset waits for us,
 * and we do not write to memory that the driver has back.
 */
static enum placing use_room(struct net *net, uint8_t *packet, size_t size)
{
	struct virtio_device *device = net->device;
	uint64_t features = device->driver_features;

	if (net->room.epoch != device->queue[NET_RECEIVE_QUEUE].epoch) {
		net->has_room = false;
		return ROOM_IS_GONE;
	}
	if (net->room.epoch != net->placed_epoch)
		forget_placed(net);
	net->placed_epoch = net->room.epoch;
	if (!net->placed && !net_header_suit(packet, size, features))
		return PLACED_NOT;
	/* Without this feature, each packet is in one chain of buffers (5.1.6.3.1). */
	if (!(features & NET_FEATURE(MRG_RXBUF)) &&
	    iov_size(net->room.iov + net->room.out, net->room.in) < size)
		return PLACED_NOT;
	return place_piece(net, packet, size);
}

/* Give a packet to the guest. Return: false if it must wait for room. */
static bool place(struct net *net, uint8_t *packet, size_t size)
{
	struct virtio_queue *queue = &net->device->queue[NET_RECEIVE_QUEUE];
	enum placing how;

	do {
		if (!net->has_room && !virtio_pop(queue, &net->room))
			return false;
		net->has_room = true;
		pthread_mutex_lock(&net->device->lock);
		how = use_room(net, packet, size);
		pthread_mutex_unlock(&net->device->lock);
	} while (how == PLACED_PART || how == ROOM_IS_GONE);
	if (how == PLACED_ALL)
		virtio_push_all(queue, net->room.epoch, net->used, net->buffers);
	forget_placed(net);
	return true;
}

static void place_waiting(struct net *net)
{
	struct net_packet *packet;

	while ((packet = net->first) && place(net, packet->bytes, packet->size)) {
		net->first = packet->next;
		if (!net->first)
			net->last = &net->first;
		net->waiting -= packet->size;
		free(packet);
	}
}

/**
 * net_receive() - give a packet to the guest, or lose it if nobody has room
 * @net: the network card
 * @packet: header and frame; changed if the driver needs it
 * @size: bytes of both
 */
void net_receive(struct net *net, void *packet, size_t size)
{
	struct net_packet *copy;

	if (!net_header_check(packet, size) || (!net->first && place(net, packet, size)))
		return;
	if (size > NET_MAX_WAITING - net->waiting)
		return;
	copy = malloc(sizeof(*copy) + size);
	if (!copy) {
		if (!net->first)
			forget_placed(net);
		return;
	}
	memcpy(copy->bytes, packet, size);
	copy->size = size;
	copy->next = NULL;
	*net->last = copy;
	net->last = &copy->next;
	net->waiting += size;
}

/* Send what the back end could not take before. Return: false if it still can't. */
static bool send_unsent(struct net *net)
{
	struct iovec iov = { net->unsent, net->unsent_size };

	if (net->unsent_size && !net->ops->send(net, &iov, 1))
		return false;
	net->unsent_size = 0;
	return true;
}

/* Send a packet of the guest, or lose it if that can't be done. */
static void transmit_one(struct net *net, struct virtio_chain *chain)
{
	struct virtio_device *device = net->device;
	size_t size = iov_size(chain->iov, chain->out);
	struct iovec *iov = chain->iov;

	if (size < NET_HEADER_SIZE) {
		pthread_mutex_lock(&device->lock);
		virtio_misuse(device, "a packet without a header");
		pthread_mutex_unlock(&device->lock);
	} else if (size >= NET_HEADER_SIZE + NET_ETHERNET_SIZE && size <= NET_MAX_PACKET) {
		if (!net->ops->send(net, chain->iov, chain->out))
			net->unsent_size = iov_read(&iov, &chain->out, net->unsent, size);
	}
	virtio_push(&device->queue[NET_TRANSMIT_QUEUE], chain, 0);
}

/*
 * Send packets of the guest. Return: true if there may be more, but it is time for the other
 * queue.
 */
static bool transmit(struct net *net)
{
	struct virtio_queue *queue = &net->device->queue[NET_TRANSMIT_QUEUE];
	struct virtio_chain chain;
	unsigned int i;

	for (i = 0; i < VIRTIO_QUEUE_SIZE; i++) {
		if (!send_unsent(net) || !virtio_pop(queue, &chain))
			return false;
		transmit_one(net, &chain);
	}
	return true;
}

/* The driver begins. Under the device's lock, in the thread of a virtual CPU. */
static int net_start(struct virtio_device *device)
{
	struct net *net = device->private;

	return net->ops->set_features ? net->ops->set_features(net, device->driver_features) : 0;
}

static void net_reset(struct virtio_device *device)
{
	struct net *net = device->private;

	if (net->ops->reset)
		net->ops->reset(net);
}

static void take_kick(const struct net_poll *poll_on, int index, struct virtio_queue *queue)
{
	if (net_poll_events(poll_on, index))
		virtio_take_kick(queue);
}

/* Stop using the buffers in net->room; use_room() checks whether they are still ours. */
static void rest(struct virtio_queue *queue)
{
	if (queue->in_use)
		virtio_queue_rest(queue);
}

/* Sleep until there is something to do. Return: false if the thread must end. */
static bool sleep_on(struct net *net, struct net_poll *poll_on, bool more)
{
	struct virtio_device *device = net->device;

	rest(&device->queue[NET_RECEIVE_QUEUE]);
	rest(&device->queue[NET_TRANSMIT_QUEUE]);
	poll_on->count = 0;
	poll_on->timeout = -1;
	if (net_poll_add(poll_on, device->stop, POLLIN) < 0)
		return false;
	net_poll_add(poll_on, device->queue[NET_RECEIVE_QUEUE].kick, POLLIN);
	net_poll_add(poll_on, device->queue[NET_TRANSMIT_QUEUE].kick, POLLIN);
	net->ops->prepare(net, poll_on);
	if (more)
		poll_on->timeout = 0;
	if (poll(poll_on->fd, poll_on->count, poll_on->timeout) < 0)
		poll_on->count = 0;	/* EINTR: nothing has happened */
	return !device->stopping;
}

static void net_run(struct virtio_queue *queue)
{
	struct virtio_device *device = queue->device;
	struct net *net = device->private;
	struct net_poll poll_on = { 0 };
	bool more = false;

	if (queue->index != NET_RECEIVE_QUEUE)
		return;
	while (sleep_on(net, &poll_on, more)) {
		take_kick(&poll_on, POLL_RECEIVE, &device->queue[NET_RECEIVE_QUEUE]);
		take_kick(&poll_on, POLL_TRANSMIT, &device->queue[NET_TRANSMIT_QUEUE]);
		place_waiting(net);
		net->ops->receive(net, &poll_on);
		more = transmit(net);
	}
	free(poll_on.fd);
}

static void net_exit(struct virtio_device *device)
{
	struct net *net = device->private;
	struct net_packet *packet;

	if (!net)
		return;
	if (net->ops->exit)
		net->ops->exit(net);
	while ((packet = net->first)) {
		net->first = packet->next;
		free(packet);
	}
	free(net);
}

static const struct virtio_ops net_device_ops = {
	.name = "network card",
	.id = VIRTIO_ID_NET,
	.queues = NET_QUEUES,
	.run = net_run,
	.start = net_start,
	.reset = net_reset,
	.exit = net_exit,
};

static void net_stop_queue(struct virtio_queue *queue)
{
	struct net *net = queue->device->private;

	net->ops->stop_queue(net, queue->index);
}

/* For the driver this is the same, but no thread of ours serves the queues. */
static const struct virtio_ops net_remote_ops = {
	.name = "network card",
	.id = VIRTIO_ID_NET,
	.queues = NET_QUEUES,
	.remote = true,
	.start = net_start,
	.reset = net_reset,
	.stop_queue = net_stop_queue,
	.exit = net_exit,
};

/**
 * net_init() - make a network card
 * @device: filled in; virtio_device_exit() it, whatever is returned
 * @memory: the guest's memory
 * @request: what the person wants
 *
 * Return: 0, or a negative errno after telling the person.
 */
int net_init(struct virtio_device *device, const struct guest_memory *memory,
	     const struct net_request *request)
{
	struct net *net;
	int error;

	error = virtio_device_init(device, &net_device_ops, memory);
	if (error)
		return error;
	net = calloc(1, sizeof(*net));
	if (!net)
		return no_memory();
	device->private = net;	/* from here on net_exit() frees it */
	net->device = device;
	net->ops = request->ops;
	net->last = &net->first;
	memcpy(net->config.mac, request->mac, sizeof(net->config.mac));
	net->config.status = htole16(VIRTIO_NET_S_LINK_UP);
	device->features |= NET_FEATURE(MAC) | NET_FEATURE(STATUS) | NET_FEATURE(MRG_RXBUF) |
			    net->ops->features;
	error = net->ops->init(net, request);
	if (error)
		return error;
	if (net->remote)
		device->ops = &net_remote_ops;
	_Static_assert(sizeof(net->config) <= VIRTIO_CONFIG_SIZE, "the configuration fits");
	virtio_config_set(device, &net->config, sizeof(net->config));
	return 0;
}
