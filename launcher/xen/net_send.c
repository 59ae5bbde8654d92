// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a guest of Xen's ABI sends: packets of up to 18 pieces, each a part of a page. Each
 * entry of the ring is copied before anything of it is looked at. The frame itself goes to the
 * network as it lies in the guest's memory; what the header says of it is within its size,
 * whatever the guest writes there meanwhile.
 */
#include <string.h>

#include "base/compiler.h"
#include "memory.h"
#include "virtio/virtio.h"
#include "xen/grant.h"
#include "xen/net.h"

#define MOST_EXTRAS	4
#define MOST_ENTRIES	(NETIF_PIECES + MOST_EXTRAS)
/* All that is needed of a frame to find its transport header, if it is not out of the way. */
#define HEAD_SIZE	256

struct packet {
	unsigned int available;		/* entries of the ring that are left */
	unsigned int entries;		/* of this packet */
	struct netif_tx_response answer[MOST_ENTRIES];
	unsigned int pieces;
	struct netif_tx_request piece[NETIF_PIECES];
	struct netif_extra gso;		/* type 0: none */
	size_t size;			/* of the frame */
	struct virtio_net_hdr_v1 header;
	struct iovec iov[1 + NETIF_PIECES];
};

/* Copy one more entry of the packet. Return: false if there is none, against the rules. */
static bool take_entry(struct xen_net *card, struct packet *packet, void *to, size_t size)
{
	struct xen_net_ring *ring = &card->tx;

	if (!packet->available || packet->entries == MOST_ENTRIES) {
		xen_net_misused(card, packet->available ? "a packet of too many pieces" :
							  "a packet without its end");
		return false;
	}
	memcpy(to, &ring->shared->tx[ring->request_cons % NETIF_ENTRIES], size);
	barrier();
	ring->request_cons++;
	packet->available--;
	packet->entries++;
	return true;
}

static bool take_piece(struct xen_net *card, struct packet *packet)
{
	struct netif_tx_request *piece = &packet->piece[packet->pieces];

	if (packet->pieces == NETIF_PIECES) {
		xen_net_misused(card, "a packet of too many pieces");
		return false;
	}
	if (!take_entry(card, packet, piece, sizeof(*piece)))
		return false;
	packet->answer[packet->entries - 1] = (struct netif_tx_response){ piece->id, NETIF_OKAY };
	packet->pieces++;
	return true;
}

static bool take_extras(struct xen_net *card, struct packet *packet)
{
	struct netif_extra extra;

	do {
		if (!take_entry(card, packet, &extra, sizeof(extra)))
			return false;
		packet->answer[packet->entries - 1] = (struct netif_tx_response){ 0, NETIF_NULL };
		if (extra.type == NETIF_EXTRA_GSO)
			packet->gso = extra;
	} while (extra.flags & NETIF_EXTRA_MORE);
	return true;
}

/* Take a packet off the ring. Return: false if there is no whole one. */
static bool take_packet(struct xen_net *card, struct packet *packet)
{
	packet->available = xen_net_requests(card, &card->tx, 1);
	packet->entries = packet->pieces = 0;
	packet->gso = (struct netif_extra){ 0 };
	if (!packet->available || !take_piece(card, packet))
		return false;
	if (packet->piece[0].flags & NETIF_TX_EXTRA && !take_extras(card, packet))
		return false;
	while (packet->piece[packet->pieces - 1].flags & NETIF_TX_MORE)
		if (!take_piece(card, packet))
			return false;
	return true;
}

/* Find the pieces in memory. Return: false if they are not the guest's to give. */
static bool find_pieces(const struct xen_net *card, struct packet *packet)
{
	unsigned int i;

	/* The first piece has what the others leave. */
	packet->size = packet->piece[0].size;
	for (i = 1; i < packet->pieces; i++) {
		if (packet->piece[i].size > packet->piece[0].size)
			return false;
		packet->piece[0].size -= packet->piece[i].size;
	}
	for (i = 0; i < packet->pieces; i++) {
		const struct netif_tx_request *piece = &packet->piece[i];
		uint8_t *page;

		if ((uint32_t)piece->offset + piece->size > PAGE_SIZE)
			return false;
		page = xen_grant(card->area, card->memory, piece->grant, false);
		if (!page)
			return false;
		packet->iov[1 + i] = (struct iovec){ page + piece->offset, piece->size };
	}
	return packet->size >= NET_ETHERNET_SIZE;
}

static bool find_header(const struct xen_net *card, struct packet *packet)
{
	struct iovec copy[NETIF_PIECES], *iov = copy;
	unsigned int count = packet->pieces;
	uint8_t head[HEAD_SIZE];
	size_t seen;

	memcpy(copy, packet->iov + 1, sizeof(copy));
	seen = iov_read(&iov, &count, head, packet->size < HEAD_SIZE ? packet->size : HEAD_SIZE);
	packet->iov[0] = (struct iovec){ &packet->header, NET_HEADER_SIZE };
	return xen_net_make_header(card, &packet->header, packet->piece[0].flags & NETIF_TX_CSUM_BLANK,
				   packet->gso.type ? &packet->gso : NULL, head, seen, packet->size);
}

/* Return: false if the packet makes no sense. */
static bool send_packet(struct xen_net *card, struct packet *packet)
{
	struct iovec *iov = packet->iov, whole;
	unsigned int count = 1 + packet->pieces;
	size_t size;

	if (!find_pieces(card, packet) || !find_header(card, packet))
		return false;
	size = NET_HEADER_SIZE + packet->size;
	if (packet->header.flags && !(card->net.ops->features & NET_FEATURE(CSUM))) {
		iov_read(&iov, &count, card->packet, size);
		/* The guest may have changed the frame, but not its size: the header is good. */
		net_header_suit(card->packet, size, 0);
		whole = (struct iovec){ card->packet, size };
		iov = &whole;
		count = 1;
	}
	if (!card->net.ops->send(&card->net, iov, count))
		card->net.unsent_size = iov_read(&iov, &count, card->net.unsent, size);
	return true;
}

static void answer(struct xen_net *card, const struct packet *packet, bool sent)
{
	struct xen_net_ring *ring = &card->tx;
	struct netif_tx_response response;
	unsigned int i;

	for (i = 0; i < packet->entries; i++) {
		response = packet->answer[i];
		if (!sent && response.status != NETIF_NULL)
			response.status = NETIF_ERROR;
		memcpy(&ring->shared->tx[ring->response_prod++ % NETIF_ENTRIES], &response,
		       sizeof(response));
	}
}

/**
 * xen_net_send() - send packets of the guest
 * @card: its card
 *
 * Return: true if there may be more, but it is time for what comes in.
 */
bool xen_net_send(struct xen_net *card)
{
	struct packet packet;
	unsigned int i;

	for (i = 0; i < NETIF_ENTRIES; i++) {
		if (!net_unsent_goes(&card->net) || !card->tx.shared || card->broken ||
		    !take_packet(card, &packet))
			return false;
		answer(card, &packet, send_packet(card, &packet));
	}
	return true;
}
