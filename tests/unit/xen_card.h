/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of a network card of Xen's share: a card, a guest that may put anything into
 * its rings, and a network whose other end the test holds.
 */
#ifndef _XEN_CARD_H
#define _XEN_CARD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "memory.h"
#include "xen/area.h"
#include "xen/net.h"

#define MIB	(1ULL << 20)
#define TX	0x5000ULL	/* guest physical */
#define RX	0x6000ULL
/* Grant FIRST + n is that page, for reading and writing. */
#define PAGE(n)	(0x10000ULL + (n) * PAGE_SIZE)
#define FIRST	8U
#define PAGES	300

#define HEADER	NET_HEADER_SIZE
#define CSUMS	NET_FEATURE(GUEST_CSUM)
#define TSO	(NET_FEATURE(GUEST_CSUM) | NET_FEATURE(GUEST_TSO4) | NET_FEATURE(GUEST_TSO6))

extern struct guest_memory memory;
extern struct xen_area area;
extern struct xen_net card;
extern struct netif_ring *tx, *rx;
extern int wire[2];		/* the network's end, and the test's */
extern bool cut;		/* the network can't send */
extern uint32_t seen;		/* responses in tx */
extern uint8_t packet[NET_MAX_PACKET + 1];	/* what came out last */

extern const struct net_ops wire_ops;
extern const struct net_ops plain_ops;	/* computes no checksums */
extern const struct net_ops large_ops;	/* and takes packets of any size, as the user network */

void set_up(const struct net_ops *ops, uint64_t features);
void tear_down(void);
void work(void);		/* all that can be done */
bool interrupted(const struct xen_net_ring *ring);

/* Let grant @number be that page. */
void grant(uint32_t number, uint16_t flags, uint16_t domain, uint32_t frame);
/* A piece of a packet, at the start of page n, which is grant FIRST + n. */
struct netif_tx_request *put(unsigned int n, uint16_t flags, uint16_t size);
void put_gso(uint8_t type, uint16_t size, uint8_t flags);
int answer(uint16_t id);	/* the next response, which must be there */
ssize_t came_out(void);		/* bytes of the next packet on the wire, or -1 */
const struct virtio_net_hdr_v1 *header(void);	/* its header */

void put_rx(unsigned int count);	/* room for so many pages */
const struct netif_rx_response *got(unsigned int n);
void receive(const void *bytes, size_t size);	/* a packet comes from the wire */

/* Frames: an Ethernet header, IP, and the header of TCP or UDP, in zeroes. Where that is. */
size_t make_ipv4(uint8_t *frame, uint8_t protocol);
size_t make_ipv6(uint8_t *frame, uint8_t protocol);	/* with two headers in between */

#endif /* _XEN_CARD_H */
