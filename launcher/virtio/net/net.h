/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parts of a network card (virtio 1.2, section 5.1) know of each other. */
#ifndef _LAUNCHER_VIRTIO_NET_H
#define _LAUNCHER_VIRTIO_NET_H

#include <linux/virtio_net.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/net.h"
#include "virtio/virtio.h"

enum { NET_RECEIVE_QUEUE, NET_TRANSMIT_QUEUE, NET_QUEUES };

struct net_vhost;

struct virtio_net {
	struct net net;
	struct virtio_device *device;
	struct net_vhost *vhost;	/* the host's kernel serves the queues; or NULL */
	struct virtio_net_config config;

	/*
	 * The rest is for the thread alone. The packet that is being put into the guest's
	 * buffers, which may take several:
	 */
	size_t placed;			/* bytes of it that are placed */
	uint32_t placed_epoch;		/* of the queue, when these were placed */
	unsigned int buffers;
	struct virtio_used used[VIRTIO_QUEUE_SIZE];
	uint8_t *num_buffers[2];	/* where the header's field of that name lies */
	/* Buffers taken off the ring, but not used yet: */
	bool has_room;
	struct virtio_chain room;
};

/* net.c */
int virtio_net_init(struct virtio_device *device, const struct guest_memory *memory,
		    const struct net_request *request);

/* vhost.c, for tap devices */
struct net_vhost *net_vhost_open(struct virtio_net *card, int tap);
int net_vhost_start(struct net_vhost *vhost, uint64_t features);
void net_vhost_stop_queue(struct net_vhost *vhost, unsigned int index);
void net_vhost_close(struct net_vhost *vhost);

#endif /* _LAUNCHER_VIRTIO_NET_H */
