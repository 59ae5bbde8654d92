// SPDX-License-Identifier: GPL-2.0-only
/*
 * vhost-net: a thread of the host's kernel moves packets between the rings and a tap device. It
 * does what net.c does, without system calls. On a host without vhost-net, net.c does the work.
 */
#include <errno.h>
#include <linux/vhost.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/message.h"
#include "virtio/net/net.h"
#include "virtio/vhost.h"

struct net_vhost {
	struct virtio_net *card;
	int fd;
	int tap;
	uint64_t features;	/* features of the rings and of the header that it knows */
};

#define NEEDED	(1ULL << VIRTIO_F_VERSION_1 | NET_FEATURE(MRG_RXBUF))

/**
 * net_vhost_open() - have the host's kernel serve a network card
 * @card: the network card
 * @tap: descriptor of its tap device
 *
 * Return: an argument for the other functions, or NULL: net.c must do it. The person is told
 * why only with --verbose.
 */
struct net_vhost *net_vhost_open(struct virtio_net *card, int tap)
{
	struct net_vhost *vhost = NULL;
	uint64_t features;
	int fd;

	fd = vhost_open("/dev/vhost-net", card->device->memory, &features);
	if (fd < 0) {
		detail("no vhost-net on this host (%s): packets go through lguest", strerror(-fd));
		return NULL;
	}
	if ((features & NEEDED) == NEEDED)
		vhost = calloc(1, sizeof(*vhost));
	if (!vhost) {
		detail("this host's vhost-net is too old: packets go through lguest");
		goto close;
	}
	vhost->card = card;
	vhost->fd = fd;
	vhost->tap = tap;
	vhost->features = features;
	/* vhost can't be told that one queue alone is reset. */
	card->device->features &= ~(1ULL << VIRTIO_F_RING_RESET);
	detail("packets go through vhost-net");
	return vhost;

close:
	close(fd);
	return NULL;
}

static int start_queue(struct net_vhost *vhost, struct virtio_queue *queue)
{
	struct vhost_vring_file tap = { queue->index, vhost->tap };
	int error = vhost_start_queue(vhost->fd, queue);

	if (!error && ioctl(vhost->fd, VHOST_NET_SET_BACKEND, &tap) < 0)
		error = -errno;
	return error;
}

/**
 * net_vhost_start() - start serving the queues
 * @vhost: from net_vhost_open()
 * @features: the features that the driver has chosen
 *
 * Under the device's lock.
 *
 * Return: 0, or a negative errno after telling the person.
 */
int net_vhost_start(struct net_vhost *vhost, uint64_t features)
{
	struct virtio_device *device = vhost->card->device;
	int error = 0;
	unsigned int i;

	features &= vhost->features;
	if (ioctl(vhost->fd, VHOST_SET_FEATURES, &features) < 0)
		error = -errno;
	for (i = 0; !error && i < NET_QUEUES; i++)
		if (device->queue[i].ready)
			error = start_queue(vhost, &device->queue[i]);
	if (!error)
		return 0;
	for (i = 0; i < NET_QUEUES; i++)
		net_vhost_stop_queue(vhost, i);
	return refuse(error, "vhost-net does not take the guest's rings: %s", strerror(-error));
}

/**
 * net_vhost_stop_queue() - stop serving a queue
 * @vhost: from net_vhost_open()
 * @index: which queue
 *
 * Under the device's lock. When this returns, the host's thread is done with the queue.
 */
void net_vhost_stop_queue(struct net_vhost *vhost, unsigned int index)
{
	struct vhost_vring_file nothing = { .index = index, .fd = -1 };

	ioctl(vhost->fd, VHOST_NET_SET_BACKEND, &nothing);
}

/**
 * net_vhost_close() - close all
 * @vhost: from net_vhost_open(), or NULL
 */
void net_vhost_close(struct net_vhost *vhost)
{
	if (!vhost)
		return;
	close(vhost->fd);
	free(vhost);
}
