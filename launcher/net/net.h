/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A network of a guest's: what is behind its network card. The files here are the kinds of
 * networks. The card itself, which the guest sees, is a device of some transport, and is told
 * by struct net_card.
 *
 * A packet here is a struct virtio_net_hdr_v1 and a frame (virtio 1.2, section 5.1), as it lies
 * in a ring of virtio. One thread does all the work of a card and its network, so networks need
 * no lock.
 */
#ifndef _LAUNCHER_NET_H
#define _LAUNCHER_NET_H

#include <linux/virtio_net.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/value.h"

struct net;

#define NET_HEADER_SIZE		sizeof(struct virtio_net_hdr_v1)
#define NET_ETHERNET_SIZE	14
/* The largest IP packet, behind an Ethernet header with a VLAN tag. */
#define NET_MAX_PACKET		(NET_HEADER_SIZE + NET_ETHERNET_SIZE + 4 + 65535)

#define NET_FEATURE(name)	(1ULL << VIRTIO_NET_F_##name)
/* For networks whose other side knows the header, and may be left the rest. */
#define NET_OFFLOADS	(NET_FEATURE(CSUM) | NET_FEATURE(GUEST_CSUM) | \
			 NET_FEATURE(HOST_TSO4) | NET_FEATURE(HOST_TSO6) | NET_FEATURE(HOST_ECN) | \
			 NET_FEATURE(GUEST_TSO4) | NET_FEATURE(GUEST_TSO6) | NET_FEATURE(GUEST_ECN))

/* What the thread sleeps on. */
struct net_poll {
	struct pollfd *fd;
	unsigned int count;
	unsigned int room;
	int timeout;		/* ms, or -1: without a limit; networks may make it shorter */
};

/* What the person wants, from request.c. */
struct net_request {
	const struct net_ops *ops;
	const char *argument;		/* behind the mode's colon, or NULL */
	const struct value *value;	/* the whole value */
	uint8_t mac[6];
};

/* One kind of network. */
struct net_ops {
	uint64_t features;	/* of NET_OFFLOADS and MTU */
	bool takes_large;	/* of the guest's packets, those that are larger than the MTU, too */
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
	 * Optional: the driver has chosen these features, and begins. No packet is under way.
	 * Return: 0, or a negative errno after telling the person.
	 */
	int (*set_features)(struct net *net, uint64_t features);
	/* Optional: the driver resets the card. */
	void (*reset)(struct net *net);
	/* Optional: close all, however far init() came. The thread has ended. */
	void (*exit)(struct net *net);
};

/* The guest's side of it. */
struct net_card {
	bool tells_mtu;		/* the driver hears of the network's; else it takes 1500 */
	/*
	 * Give a packet to the guest, or lose it; the packet is changed if the driver needs it.
	 * Return: false if it must wait for room.
	 */
	bool (*place)(struct net *net, void *packet, size_t size);
	/* Optional: the packet that place() returned false for does not wait: it is lost. */
	void (*forget)(struct net *net);
	/* Optional: net->link has changed. */
	void (*link_changed)(struct net *net);
};

/* A packet that the guest had no room for when it came. */
struct net_packet {
	struct net_packet *next;
	size_t size;
	uint8_t bytes[];
};

struct net {
	const struct net_ops *ops;
	void *private;			/* the network's own */
	const struct net_card *card;
	int stop;			/* eventfd of the card: readable when all must end */
	int tap;			/* a tap device, which the host's kernel can serve, or -1 */
	uint8_t mac[6];
	uint16_t mtu;			/* with the feature MTU */
	bool link;			/* is anybody at the other end? */

	/* The rest is for the thread alone. Packets that wait, at most NET_MAX_WAITING bytes: */
	struct net_packet *first, **last;
	size_t waiting;
	/* A packet of the guest that the network could not take yet: */
	size_t unsent_size;		/* 0: there is none */
	uint8_t unsent[NET_MAX_PACKET];
};

/* net.c */
int net_open(struct net *net, const struct net_request *request);
void net_close(struct net *net);
bool net_unsent_goes(struct net *net);
void net_place_waiting(struct net *net);
void net_receive(struct net *net, void *packet, size_t size);
void net_set_link(struct net *net, bool up);
int net_poll_add(struct net_poll *poll, int fd, short events);
short net_poll_events(const struct net_poll *poll, int index);

/* request.c */
int net_understand(struct net_request *request, struct value *value, const char *text,
		unsigned int number);
int net_understand_tunnet(struct net_request *request, struct value *value, const char *text,
		       unsigned int number);
int net_parse_mac(const char *text, uint8_t mac[6]);

/* header.c */
bool net_header_check(const void *packet, size_t size);
bool net_header_suit(void *packet, size_t size, uint64_t features);

/* The kinds. */
extern const struct net_ops net_user_ops;
extern const struct net_ops net_tap_ops, net_bridge_ops, net_address_ops;
extern const struct net_ops net_socket_ops;

#endif /* _LAUNCHER_NET_H */
