// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the sender of a packet leaves to others. A ring of Xen's says only that a checksum is
 * left, or that segments are; the header of virtio, which networks have, says where, too. So
 * the frame must say it: TCP or UDP over IPv4 or IPv6, as its own headers have it.
 */
#include <endian.h>
#include <netinet/in.h>
#include <string.h>

#include "xen/net.h"

#define ETHER_TYPE	12
#define IPV4		0x0800
#define IPV6		0x86dd
#define IPV6_SIZE	40
#define TCP_SIZE	20

/* The header whose checksum may be left to others. */
struct transport {
	size_t start;		/* in the frame */
	uint16_t csum_offset;	/* behind start */
	bool tcp, ipv6;
};

/* Bytes of the frame up to @size can be read. Return: the place of the next header, or 0. */
static size_t skip_ipv4(const uint8_t *frame, size_t size, uint8_t *protocol)
{
	const uint8_t *ip = frame + NET_ETHERNET_SIZE;

	if (size < NET_ETHERNET_SIZE + 20 || ip[0] >> 4 != 4 || (ip[0] & 15) < 5)
		return 0;
	/* A fragment has no checksum of its own. */
	if (ip[6] & 0x3f || ip[7])
		return 0;
	*protocol = ip[9];
	return NET_ETHERNET_SIZE + 4 * (ip[0] & 15);
}

static size_t skip_ipv6(const uint8_t *frame, size_t size, uint8_t *protocol)
{
	size_t at = NET_ETHERNET_SIZE + IPV6_SIZE;

	if (size < at || frame[NET_ETHERNET_SIZE] >> 4 != 6)
		return 0;
	*protocol = frame[NET_ETHERNET_SIZE + 6];
	while (*protocol == IPPROTO_HOPOPTS || *protocol == IPPROTO_ROUTING ||
	       *protocol == IPPROTO_DSTOPTS) {
		if (size < at + 2)
			return 0;
		*protocol = frame[at];
		at += 8 * (frame[at + 1] + 1);
	}
	return at;
}

static bool find_transport(const uint8_t *frame, size_t size, struct transport *transport)
{
	uint16_t type = frame[ETHER_TYPE] << 8 | frame[ETHER_TYPE + 1];
	uint8_t protocol = 0;

	transport->start = 0;
	if (type == IPV4)
		transport->start = skip_ipv4(frame, size, &protocol);
	else if (type == IPV6)
		transport->start = skip_ipv6(frame, size, &protocol);
	if (!transport->start || (protocol != IPPROTO_TCP && protocol != IPPROTO_UDP))
		return false;
	transport->tcp = protocol == IPPROTO_TCP;
	transport->ipv6 = type == IPV6;
	transport->csum_offset = transport->tcp ? 16 : 6;
	return true;
}

/* Segments, too. Return: false if that makes no sense. */
static bool add_gso(struct virtio_net_hdr_v1 *header, const struct netif_extra *gso,
		    const struct transport *transport, const uint8_t *frame, size_t seen)
{
	size_t start = transport->start, tcp_size;

	if (!transport->tcp || !gso->gso_size || start + TCP_SIZE > seen ||
	    gso->gso_type != (transport->ipv6 ? NETIF_GSO_TCPV6 : NETIF_GSO_TCPV4))
		return false;
	tcp_size = 4 * (frame[start + 12] >> 4);
	if (tcp_size < TCP_SIZE || start + tcp_size > seen)
		return false;
	header->gso_type = transport->ipv6 ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4;
	header->gso_size = htole16(gso->gso_size);
	header->hdr_len = htole16(start + tcp_size);
	return true;
}

/**
 * xen_net_make_header() - say where is what the guest leaves to us
 * @card: the card that it sends by
 * @header: filled in
 * @blank: the guest leaves the checksum
 * @gso: the guest leaves segments, too; or NULL
 * @frame: the frame, at least an Ethernet header
 * @seen: bytes of it that can be read
 * @size: bytes of it in all
 *
 * A network that can't cut segments gets the frame in one piece, if it takes large ones; else
 * the guest has not been offered this.
 *
 * Return: false if the frame is not what the guest takes it for.
 */
bool xen_net_make_header(const struct xen_net *card, struct virtio_net_hdr_v1 *header,
			 bool blank, const struct netif_extra *gso, const uint8_t *frame,
			 size_t seen, size_t size)
{
	uint64_t wanted = gso && gso->gso_type == NETIF_GSO_TCPV6 ? NET_FEATURE(HOST_TSO6) :
								    NET_FEATURE(HOST_TSO4);
	struct transport transport;

	memset(header, 0, sizeof(*header));
	if (!blank)
		return !gso;
	if (!find_transport(frame, seen, &transport) ||
	    transport.start + transport.csum_offset + 2 > size)
		return false;
	header->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	header->csum_start = htole16(transport.start);
	header->csum_offset = htole16(transport.csum_offset);
	if (!gso)
		return true;
	if (!(card->net.ops->features & wanted))
		return card->net.ops->takes_large;
	return add_gso(header, gso, &transport, frame, seen);
}

/* Will the guest find the checksum where the header says that it is? */
static bool is_plain(const struct xen_net *card, const struct virtio_net_hdr_v1 *header,
		     const uint8_t *frame, size_t size)
{
	uint8_t type = header->gso_type & ~VIRTIO_NET_HDR_GSO_ECN;
	struct transport transport;

	if (!find_transport(frame, size, &transport) ||
	    le16toh(header->csum_start) != transport.start ||
	    le16toh(header->csum_offset) != transport.csum_offset ||
	    (transport.ipv6 && !card->takes_ipv6))
		return false;
	return type == VIRTIO_NET_HDR_GSO_NONE ||
	       (transport.tcp && type == (transport.ipv6 ? VIRTIO_NET_HDR_GSO_TCPV6 :
							   VIRTIO_NET_HDR_GSO_TCPV4));
}

/**
 * xen_net_suit() - change a packet so that the guest can take it
 * @card: its card
 * @packet: net_header_check() has accepted it
 * @size: its bytes
 *
 * Return: false if that can't be done.
 */
bool xen_net_suit(const struct xen_net *card, void *packet, size_t size)
{
	/* Linux finds that flag of TCP in the frame. */
	uint64_t features = card->features | NET_FEATURE(GUEST_ECN);
	struct virtio_net_hdr_v1 header;

	memcpy(&header, packet, sizeof(header));
	if (header.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM &&
	    !is_plain(card, &header, (uint8_t *)packet + sizeof(header), size - sizeof(header)))
		features = 0;
	return net_header_suit(packet, size, features);
}
