/* SPDX-License-Identifier: GPL-2.0-only */
/* What a network card's front end and its back end write to their rings (Xen: io/netif.h). */
#ifndef _LAUNCHER_XEN_NETIF_H
#define _LAUNCHER_XEN_NETIF_H

#include <stdint.h>

#include "memory.h"

#define NETIF_ENTRIES		256	/* of a ring of one page */
#define NETIF_PIECES		18	/* of a packet, each in one page */

/* Flags of what the guest sends. */
#define NETIF_TX_CSUM_BLANK	1	/* the checksum is left to us */
#define NETIF_TX_MORE		4
#define NETIF_TX_EXTRA		8	/* the next entry is a struct netif_extra */

/* Flags of what it gets. */
#define NETIF_RX_DATA_VALIDATED	1	/* the checksum is right, or not needed */
#define NETIF_RX_CSUM_BLANK	2
#define NETIF_RX_MORE		4
#define NETIF_RX_EXTRA		8

#define NETIF_OKAY		0
#define NETIF_ERROR		(-1)
#define NETIF_NULL		1	/* of an entry that was a struct netif_extra */

#define NETIF_EXTRA_GSO		1
#define NETIF_EXTRA_MORE	1	/* a flag */
#define NETIF_GSO_TCPV4		1
#define NETIF_GSO_TCPV6		2

struct netif_tx_request {
	uint32_t grant;
	uint16_t offset, flags, id;
	uint16_t size;		/* the first one's: of the whole packet */
};

struct netif_tx_response {
	uint16_t id;
	int16_t status;
};

struct netif_rx_request {
	uint16_t id, pad;
	uint32_t grant;
};

struct netif_rx_response {
	uint16_t id, offset, flags;
	int16_t status;		/* bytes in the page, or NETIF_ERROR */
};

struct netif_extra {
	uint8_t type, flags;
	uint16_t gso_size;
	uint8_t gso_type, gso_pad;
	uint16_t gso_features;
};

struct netif_ring {
	uint32_t request_prod, request_event, response_prod, response_event;
	uint8_t pad[48];
	union {
		union {
			struct netif_tx_request request;
			struct netif_tx_response response;
			struct netif_extra extra;
		} tx[NETIF_ENTRIES];
		union {
			struct netif_rx_request request;
			struct netif_rx_response response;
			struct netif_extra extra;
		} rx[NETIF_ENTRIES];
	};
};

_Static_assert(sizeof(struct netif_tx_request) == 12, "as both sides have it");
_Static_assert(sizeof(struct netif_rx_request) == 8, "as both sides have it");
_Static_assert(sizeof(struct netif_rx_response) == 8, "as both sides have it");
_Static_assert(sizeof(struct netif_extra) == 8, "as both sides have it");
_Static_assert(sizeof(struct netif_ring) <= PAGE_SIZE, "a ring is one page");

#endif /* _LAUNCHER_XEN_NETIF_H */
