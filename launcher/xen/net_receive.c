// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a guest of Xen's ABI gets: packets that are copied into pages that it has granted, a
 * whole page of the frame into each.
 */
#include <string.h>

#include "base/compiler.h"
#include "memory.h"
#include "xen/grant.h"
#include "xen/net.h"

/* The pages for one packet; NULL: the entry is for a struct netif_extra. */
struct room {
	unsigned int entries;
	uint16_t id[1 + NETIF_PIECES];
	uint8_t *page[1 + NETIF_PIECES];
};

/* Return: false if one of the pages is not the guest's to give. */
static bool take_room(struct xen_net *card, struct room *room, bool extra)
{
	struct xen_net_ring *ring = &card->rx;
	struct netif_rx_request request;
	bool good = true;
	unsigned int i;

	for (i = 0; i < room->entries; i++) {
		memcpy(&request, &ring->shared->rx[ring->request_cons++ % NETIF_ENTRIES].request,
		       sizeof(request));
		barrier();
		room->id[i] = request.id;
		room->page[i] = NULL;
		if (extra && i == 1)
			continue;
		room->page[i] = xen_grant(card->area, card->memory, request.grant, true);
		good = good && room->page[i];
	}
	return good;
}

/* An entry is for the request that was there. */
static void respond(struct xen_net_ring *ring, const void *response)
{
	memcpy(&ring->shared->rx[ring->response_prod++ % NETIF_ENTRIES], response,
	       sizeof(struct netif_rx_response));
}

static void respond_errors(struct xen_net *card, const struct room *room)
{
	struct netif_rx_response response = { .status = NETIF_ERROR };
	unsigned int i;

	for (i = 0; i < room->entries; i++) {
		response.id = room->id[i];
		respond(&card->rx, &response);
	}
}

static void respond_gso(struct xen_net *card, const struct virtio_net_hdr_v1 *header)
{
	bool ipv4 = (header->gso_type & ~VIRTIO_NET_HDR_GSO_ECN) == VIRTIO_NET_HDR_GSO_TCPV4;
	struct netif_extra extra = {
		.type = NETIF_EXTRA_GSO,
		.gso_size = header->gso_size,
		.gso_type = ipv4 ? NETIF_GSO_TCPV4 : NETIF_GSO_TCPV6,
	};

	respond(&card->rx, &extra);
}

static uint16_t first_flags(const struct virtio_net_hdr_v1 *header)
{
	uint16_t flags = header->gso_type ? NETIF_RX_EXTRA : 0;

	if (header->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)
		return flags | NETIF_RX_CSUM_BLANK | NETIF_RX_DATA_VALIDATED;
	return header->flags & VIRTIO_NET_HDR_F_DATA_VALID ? flags | NETIF_RX_DATA_VALIDATED : flags;
}

static void fill_room(struct xen_net *card, const struct room *room,
		      const struct virtio_net_hdr_v1 *header, const uint8_t *frame, size_t left)
{
	struct netif_rx_response response = { .flags = first_flags(header) };
	unsigned int i;

	for (i = 0; i < room->entries; i++) {
		size_t part = left < PAGE_SIZE ? left : PAGE_SIZE;

		if (!room->page[i]) {
			respond_gso(card, header);
			continue;
		}
		memcpy(room->page[i], frame, part);
		frame += part;
		left -= part;
		response.id = room->id[i];
		response.status = part;
		response.flags |= left ? NETIF_RX_MORE : 0;
		respond(&card->rx, &response);
		response.flags = 0;
	}
}

/**
 * xen_net_place() - give a packet to the guest, or lose it
 * @net: the network of its card
 * @packet: header and frame; changed if the driver needs it
 * @size: bytes of both
 *
 * Return: false if it must wait for room.
 */
bool xen_net_place(struct net *net, void *packet, size_t size)
{
	struct xen_net *card = container_of(net, struct xen_net, net);
	size_t frame = size - NET_HEADER_SIZE;
	struct virtio_net_hdr_v1 header;
	struct room room;

	if (card->broken)
		return true;
	if (!card->rx.shared)
		return false;
	if (!xen_net_suit(card, packet, size) || (frame > PAGE_SIZE && !card->takes_pages))
		return true;
	memcpy(&header, packet, sizeof(header));
	room.entries = (frame + PAGE_SIZE - 1) / PAGE_SIZE + !!header.gso_type;
	if (!xen_net_requests(card, &card->rx, room.entries))
		return card->broken;
	if (take_room(card, &room, header.gso_type))
		fill_room(card, &room, &header, (uint8_t *)packet + NET_HEADER_SIZE, frame);
	else
		respond_errors(card, &room);
	return true;
}
