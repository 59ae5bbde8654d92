/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parts of a network card (virtio 1.2, section 5.1) know of each other: net.c is the
 * device, the files beside it are its back ends.
 *
 * A packet here is what lies in a ring: a struct virtio_net_hdr_v1 and a frame. One thread does
 * all the work of a device, so back ends need no lock.
 */
#ifndef _LAUNCHER_VIRTIO_NET_H
#define _LAUNCHER_VIRTIO_NET_H

#include <linux/virtio_net.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "virtio/virtio.h"

struct net;
struct value;

enum { NET_RECEIVE_QUEUE, NET_TRANSMIT_QUEUE, NET_QUEUES };

#define NET_HEADER_SIZE		sizeof(struct virtio_net_hdr_v1)
#define NET_ETHERNET_SIZE	14
/* The largest IP packet, behind an Ethernet header with a VLAN tag. */
#define NET_MAX_PACKET		(NET_HEADER_SIZE + NET_ETHERNET_SIZE + 4 + 65535)

#define NET_FEATURE(name)	(1ULL << VIRTIO_NET_F_##name)
/* For back ends whose other side knows the header, and may be left the rest. */
#define NET_OFFLOADS	(NET_FEATURE(CSUM) | NET_FEATURE(GUEST_CSUM) | \
			 NET_FEATURE(HOST_TSO4) | NET_FEATURE(HOST_TSO6) | NET_FEATURE(HOST_ECN) | \
			 NET_FEATURE(GUEST_TSO4) | NET_FEATURE(GUEST_TSO6) | NET_FEATURE(GUEST_ECN))

/* What the thread sleeps on. */
struct net_poll {
	struct pollfd *fd;
	unsigned int count;
	unsigned int room;
	int timeout;		/* ms, or -1: without a limit; back ends may make it shorter */
};

/* What the person wants, from kinds.c. */
struct net_request {
	const struct net_ops *ops;
	const char *argument;		/* behind the mode's colon, or NULL */
	const struct value *value;	/* the whole value */
	uint8_t mac[6];
};

struct net_ops {
	uint64_t features;	/* of NET_OFFLOADS and MTU */
	/* Open all that it needs. Return: 0, or a negative errno after telling the person. */
	int (*init)(struct net *net, const struct net_request *request);
	/*
	 * prepare(): say what to wait for. receive(), after that: take packets in, with
	 * net_receive(), but only while net->first is NULL.
	 */
	void (*prepare)(struct net *net, struct net_poll *poll);
	void (*receive)(struct net *net, const struct net_poll *poll);
	/*
	 * Send a packet, or lose it. Return: false if that must wait; prepare() then waits for
	 * it.
	 */
	bool (*send)(struct net *net, struct iovec *iov, unsigned int count);
	/*
	 * Optional: the driver has chosen these features, and begins. Under the device's lock.
	 * Return: 0, or a negative errno after telling the person.
	 */
	int (*set_features)(struct net *net, uint64_t features);
	/* Optional: the driver resets the card. Under the device's lock. */
	void (*reset)(struct net *net);
	/* For a remote card: the driver takes a queue back. Under the device's lock. */
	void (*stop_queue)(struct net *net, unsigned int index);
	/* Optional: close all, however far init() came. The thread has ended. */
	void (*exit)(struct net *net);
};

/* A packet that the guest had no room for when it came. */
struct net_packet {
	struct net_packet *next;
	size_t size;
	uint8_t bytes[];
};

struct net {
	struct virtio_device *device;
	const struct net_ops *ops;
	void *private;			/* the back end's own */
	bool remote;			/* the host's kernel serves the queues; see vhost.c */
	struct virtio_net_config config;

	/*
	 * The rest is for the thread alone. Packets that wait, at most NET_MAX_WAITING bytes:
	 */
	struct net_packet *first, **last;
	size_t waiting;
	/* The packet that is being put into the guest's buffers, which may take several: */
	size_t placed;			/* bytes of it that are placed */
	uint32_t placed_epoch;		/* of the queue, when these were placed */
	unsigned int buffers;
	struct virtio_used used[VIRTIO_QUEUE_SIZE];
	uint8_t *num_buffers[2];	/* where the header's field of that name lies */
	/* Buffers taken off the ring, but not used yet: */
	bool has_room;
	struct virtio_chain room;
	/* A packet of the guest that the back end could not take yet: */
	size_t unsent_size;		/* 0: there is none */
	uint8_t unsent[NET_MAX_PACKET];
};

/* net.c */
int net_init(struct virtio_device *device, const struct guest_memory *memory,
	     const struct net_request *request);
void net_receive(struct net *net, void *packet, size_t size);
void net_set_link(struct net *net, bool up);
int net_poll_add(struct net_poll *poll, int fd, short events);
short net_poll_events(const struct net_poll *poll, int index);

/* kinds.c */
int net_parse_mac(const char *text, uint8_t mac[6]);

/* header.c */
bool net_header_check(const void *packet, size_t size);
bool net_header_suit(void *packet, size_t size, uint64_t features);

/* The back ends. */
extern const struct net_ops net_user_ops;
extern const struct net_ops net_tap_ops, net_bridge_ops, net_address_ops;
extern const struct net_ops net_socket_ops;

/* vhost.c, for tap devices */
struct net_vhost *net_vhost_open(struct net *net, int tap);
int net_vhost_start(struct net_vhost *vhost, uint64_t features);
void net_vhost_stop_queue(struct net_vhost *vhost, unsigned int index);
void net_vhost_close(struct net_vhost *vhost);

#endif /* _LAUNCHER_VIRTIO_NET_H */
