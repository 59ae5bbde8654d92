/* SPDX-License-Identifier: GPL-2.0-only */
/* A network card of a guest of Xen's ABI: the back end of Linux's xen-netfront. */
#ifndef _LAUNCHER_XEN_NET_H
#define _LAUNCHER_XEN_NET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/thread.h"
#include "net/net.h"
#include "xen/device.h"
#include "xen/netif.h"
#include "xen/port.h"

#define XEN_MAX_NETS	8	/* eth0 to eth7 */

struct guest_memory;
struct xen_area;

struct xen_net_ring {
	struct netif_ring *shared;	/* the guest's, or NULL: the two are not connected */
	uint32_t grant;
	int raise;			/* eventfd: the guest is to hear */
	uint32_t request_cons, response_prod;	/* never read back from the guest */
	uint32_t pushed;		/* responses that the guest can see */
};

struct xen_net {
	const struct guest_memory *memory;
	const struct xen_area *area;
	struct xen_device device;
	struct net net;
	struct xen_port port[2];
	int stop;			/* eventfd: readable when the thread must end */
	atomic_bool stopping;
	struct thread thread;		/* while the guest runs, but for moments */
	int vm;				/* while the guest runs, lg.ko's descriptor of it; or -1 */
	unsigned int ports;		/* how many the two rings have: one for both, or two */
	uint32_t port_number[2];
	/* The thread's, as long as there is one: */
	struct xen_net_ring tx, rx;	/* what the guest sends, and what it gets */
	uint64_t features;		/* of NET_OFFLOADS: what the front end takes */
	bool takes_pages;		/* a packet may be in several pages */
	bool takes_ipv6;		/* the checksum of IPv6 may be left to the guest, too */
	bool broken;			/* the guest does not keep to the rules */
	uint8_t packet[NET_MAX_PACKET];	/* one whose checksum is computed here */
};

int xen_net_init(struct xen_net *card, unsigned int number, const struct net_request *request);
void xen_net_describe(struct xen_net *card);
int xen_net_start(struct xen_net *card, int vm);
void xen_net_changed(struct xen_net *card, const char *path);
void xen_net_stop(struct xen_net *card);
void xen_net_exit(struct xen_net *card);

/* net_ring.c */
unsigned int xen_net_requests(struct xen_net *card, struct xen_net_ring *ring,
			      unsigned int needed);
void xen_net_push(struct xen_net_ring *ring);
void xen_net_misused(struct xen_net *card, const char *how);

/* net_send.c */
bool xen_net_send(struct xen_net *card);

/* net_receive.c */
bool xen_net_place(struct net *net, void *packet, size_t size);

/* net_header.c */
bool xen_net_make_header(const struct xen_net *card, struct virtio_net_hdr_v1 *header,
			 bool blank, const struct netif_extra *gso, const uint8_t *frame,
			 size_t seen, size_t size);
bool xen_net_suit(const struct xen_net *card, void *packet, size_t size);

/* For its own thread, and tests. */
bool xen_net_work(struct xen_net *card, const struct net_poll *poll_on);

#endif /* _LAUNCHER_XEN_NET_H */
