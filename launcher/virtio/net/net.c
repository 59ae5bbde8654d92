// SPDX-License-Identifier: GPL-2.0-only
/*
 * A network card (virtio 1.2, section 5.1): two queues, and one thread that moves packets
 * between them and a network (net/net.h). The thread of the other queue does nothing.
 */
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/compiler.h"
#include "base/message.h"
#include "virtio/net/net.h"

/* The places of the thread's own descriptors in what it polls. */
enum { POLL_STOP, POLL_RECEIVE, POLL_TRANSMIT };

static struct virtio_net *card_of(struct net *net)
{
	return container_of(net, struct virtio_net, net);
}

static void link_changed(struct net *net)
{
	struct virtio_net *card = card_of(net);

	card->config.status = htole16(net->link ? VIRTIO_NET_S_LINK_UP : 0);
	virtio_config_set(card->device, &card->config, sizeof(card->config));
}

/* The guest has lost the buffers of the packet that is being placed: begin it anew. */
static void forget_placed(struct net *net)
{
	struct virtio_net *card = card_of(net);

	card->placed = 0;
	card->buffers = 0;
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

/* Put a piece into the buffers in card->room, which are used up by that. */
static enum placing place_piece(struct virtio_net *card, const uint8_t *packet, size_t size)
{
	struct iovec *iov = card->room.iov + card->room.out;
	unsigned int count = card->room.in;
	size_t part;

	if (!card->buffers) {
		card->num_buffers[0] = byte_at(iov, count, NET_HEADER_SIZE - 2);
		card->num_buffers[1] = byte_at(iov, count, NET_HEADER_SIZE - 1);
	}
	part = iov_write(&iov, &count, packet + card->placed, size - card->placed);
	if (!part || !card->num_buffers[1] || card->buffers == VIRTIO_QUEUE_SIZE) {
		virtio_misuse(card->device, "receive buffers that are too small");
		return PLACED_NOT;
	}
	card->used[card->buffers++] = (struct virtio_used){ card->room.head, part };
	card->has_room = false;
	card->placed += part;
	if (card->placed < size)
		return PLACED_PART;
	*card->num_buffers[0] = card->buffers;
	*card->num_buffers[1] = card->buffers >> 8;
	return PLACED_ALL;
}

/*
 * Use the buffers in card->room. This is under the device's lock, so that a reset waits for us,
 * and we do not write to memory that the driver has back.
 */
static enum placing use_room(struct virtio_net *card, uint8_t *packet, size_t size)
{
	struct virtio_device *device = card->device;
	uint64_t features = device->driver_features;

	if (card->room.epoch != device->queue[NET_RECEIVE_QUEUE].epoch) {
		card->has_room = false;
		return ROOM_IS_GONE;
	}
	if (card->room.epoch != card->placed_epoch)
		forget_placed(&card->net);
	card->placed_epoch = card->room.epoch;
	if (!card->placed && !net_header_suit(packet, size, features))
		return PLACED_NOT;
	/* Without this feature, each packet is in one chain of buffers (5.1.6.3.1). */
	if (!(features & NET_FEATURE(MRG_RXBUF)) &&
	    iov_size(card->room.iov + card->room.out, card->room.in) < size)
		return PLACED_NOT;
	return place_piece(card, packet, size);
}

static bool place(struct net *net, void *packet, size_t size)
{
	struct virtio_net *card = card_of(net);
	struct virtio_queue *queue = &card->device->queue[NET_RECEIVE_QUEUE];
	enum placing how;

	do {
		if (!card->has_room && !virtio_pop(queue, &card->room))
			return false;
		card->has_room = true;
		pthread_mutex_lock(&card->device->lock);
		how = use_room(card, packet, size);
		pthread_mutex_unlock(&card->device->lock);
	} while (how == PLACED_PART || how == ROOM_IS_GONE);
	if (how == PLACED_ALL)
		virtio_push_all(queue, card->room.epoch, card->used, card->buffers);
	forget_placed(&card->net);
	return true;
}

/* Send a packet of the guest, or lose it if that can't be done. */
static void transmit_one(struct virtio_net *card, struct virtio_chain *chain)
{
	struct virtio_device *device = card->device;
	size_t size = iov_size(chain->iov, chain->out);
	struct iovec *iov = chain->iov;

	if (size < NET_HEADER_SIZE) {
		pthread_mutex_lock(&device->lock);
		virtio_misuse(device, "a packet without a header");
		pthread_mutex_unlock(&device->lock);
	} else if (size >= NET_HEADER_SIZE + NET_ETHERNET_SIZE && size <= NET_MAX_PACKET) {
		if (!card->net.ops->send(&card->net, chain->iov, chain->out))
			card->net.unsent_size = iov_read(&iov, &chain->out, card->net.unsent, size);
	}
	virtio_push(&device->queue[NET_TRANSMIT_QUEUE], chain, 0);
}

/*
 * Send packets of the guest. Return: true if there may be more, but it is time for the other
 * queue.
 */
static bool transmit(struct virtio_net *card)
{
	struct virtio_queue *queue = &card->device->queue[NET_TRANSMIT_QUEUE];
	struct virtio_chain chain;
	unsigned int i;

	for (i = 0; i < VIRTIO_QUEUE_SIZE; i++) {
		if (!net_unsent_goes(&card->net) || !virtio_pop(queue, &chain))
			return false;
		transmit_one(card, &chain);
	}
	return true;
}

/* The driver begins. Under the device's lock, in the thread of a virtual CPU. */
static int net_start(struct virtio_device *device)
{
	struct virtio_net *card = device->private;
	const struct net_ops *ops = card->net.ops;
	int error = ops->set_features ? ops->set_features(&card->net, device->driver_features) : 0;

	return error || !card->vhost ? error : net_vhost_start(card->vhost, device->driver_features);
}

/* Under the device's lock. */
static void net_reset(struct virtio_device *device)
{
	struct virtio_net *card = device->private;

	if (card->net.ops->reset)
		card->net.ops->reset(&card->net);
}

static void take_kick(const struct net_poll *poll_on, int index, struct virtio_queue *queue)
{
	if (net_poll_events(poll_on, index))
		virtio_take_kick(queue);
}

/* Stop using the buffers in card->room; use_room() checks whether they are still ours. */
static void rest(struct virtio_queue *queue)
{
	if (queue->in_use)
		virtio_queue_rest(queue);
}

/* Sleep until there is something to do. Return: false if the thread must end. */
static bool sleep_on(struct virtio_net *card, struct net_poll *poll_on, bool more)
{
	struct virtio_device *device = card->device;

	rest(&device->queue[NET_RECEIVE_QUEUE]);
	rest(&device->queue[NET_TRANSMIT_QUEUE]);
	poll_on->count = 0;
	poll_on->timeout = -1;
	if (net_poll_add(poll_on, device->stop, POLLIN) < 0)
		return false;
	net_poll_add(poll_on, device->queue[NET_RECEIVE_QUEUE].kick, POLLIN);
	net_poll_add(poll_on, device->queue[NET_TRANSMIT_QUEUE].kick, POLLIN);
	card->net.ops->prepare(&card->net, poll_on);
	if (more)
		poll_on->timeout = 0;
	if (poll(poll_on->fd, poll_on->count, poll_on->timeout) < 0)
		poll_on->count = 0;	/* EINTR: nothing has happened */
	return !device->stopping;
}

static void net_run(struct virtio_queue *queue)
{
	struct virtio_device *device = queue->device;
	struct virtio_net *card = device->private;
	struct net_poll poll_on = { 0 };
	bool more = false;

	if (queue->index != NET_RECEIVE_QUEUE)
		return;
	while (sleep_on(card, &poll_on, more)) {
		take_kick(&poll_on, POLL_RECEIVE, &device->queue[NET_RECEIVE_QUEUE]);
		take_kick(&poll_on, POLL_TRANSMIT, &device->queue[NET_TRANSMIT_QUEUE]);
		net_place_waiting(&card->net);
		card->net.ops->receive(&card->net, &poll_on);
		more = transmit(card);
	}
	free(poll_on.fd);
}

static void net_exit(struct virtio_device *device)
{
	struct virtio_net *card = device->private;

	if (!card)
		return;
	net_vhost_close(card->vhost);
	net_close(&card->net);
	free(card);
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
	struct virtio_net *card = queue->device->private;

	net_vhost_stop_queue(card->vhost, queue->index);
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

static const struct net_card virtio_card = {
	.tells_mtu = true,
	.place = place,
	.forget = forget_placed,
	.link_changed = link_changed,
};

static void describe(struct virtio_net *card)
{
	struct virtio_device *device = card->device;

	device->features |= NET_FEATURE(MAC) | NET_FEATURE(STATUS) | NET_FEATURE(MRG_RXBUF) |
			    card->net.ops->features;
	memcpy(card->config.mac, card->net.mac, sizeof(card->config.mac));
	card->config.mtu = htole16(card->net.mtu);
	_Static_assert(sizeof(card->config) <= VIRTIO_CONFIG_SIZE, "the configuration fits");
	link_changed(&card->net);
}

/**
 * virtio_net_init() - make a network card
 * @device: filled in; virtio_device_exit() it, whatever is returned
 * @memory: the guest's memory
 * @request: what the person wants
 *
 * Return: 0, or a negative errno after telling the person.
 */
int virtio_net_init(struct virtio_device *device, const struct guest_memory *memory,
		    const struct net_request *request)
{
	struct virtio_net *card;
	int error;

	error = virtio_device_init(device, &net_device_ops, memory);
	if (error)
		return error;
	card = calloc(1, sizeof(*card));
	if (!card)
		return no_memory();
	device->private = card;	/* from here on net_exit() frees it */
	card->device = device;
	card->net.card = &virtio_card;
	card->net.stop = device->stop;
	error = net_open(&card->net, request);
	if (error)
		return error;
	describe(card);
	if (card->net.tap >= 0)
		card->vhost = net_vhost_open(card, card->net.tap);
	if (card->vhost)
		device->ops = &net_remote_ops;
	return 0;
}
