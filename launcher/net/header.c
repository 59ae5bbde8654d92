// SPDX-License-Identifier: GPL-2.0-only
/*
 * The header of a packet (virtio 1.2, section 5.1.6): what its sender leaves to others. A
 * packet may come from another guest, so a header is checked before a guest gets it.
 */
#include <endian.h>
#include <string.h>

#include "net/net.h"

/**
 * net_header_check() - check a header from outside
 * @packet: header and frame
 * @size: bytes of both; may be any number
 *
 * Return: false if no driver should see it.
 */
bool net_header_check(const void *packet, size_t size)
{
	struct virtio_net_hdr_v1 header;
	size_t frame = size - sizeof(header), start, offset;
	uint8_t type;

	if (size < NET_HEADER_SIZE + NET_ETHERNET_SIZE || size > NET_MAX_PACKET)
		return false;
	memcpy(&header, packet, sizeof(header));
	type = header.gso_type & ~VIRTIO_NET_HDR_GSO_ECN;
	if (header.flags & ~(VIRTIO_NET_HDR_F_NEEDS_CSUM | VIRTIO_NET_HDR_F_DATA_VALID))
		return false;
	if (header.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) {
		start = le16toh(header.csum_start);
		offset = le16toh(header.csum_offset);
		if (start > frame || offset + 2 > frame - start)
			return false;
	}
	if (header.gso_type == VIRTIO_NET_HDR_GSO_NONE)
		return true;
	/* Segments need a size, and a checksum each (5.1.6.2.2). */
	return (type == VIRTIO_NET_HDR_GSO_TCPV4 || type == VIRTIO_NET_HDR_GSO_TCPV6) &&
	       (header.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) && header.gso_size &&
	       le16toh(header.hdr_len) <= frame;
}

/*
 * Compute the checksum of what begins at csum_start (RFC 1071); the sender has put in the rest.
 */
static void complete_checksum(uint8_t *frame, size_t size, size_t start, size_t offset)
{
	uint32_t sum = 0;
	size_t i;

	for (i = start; i < size; i++)
		sum += (i - start) % 2 ? frame[i] : frame[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	sum = ~sum & 0xffff;
	if (!sum)
		sum = 0xffff;	/* 0 would mean that there is none (RFC 768) */
	frame[start + offset] = sum >> 8;
	frame[start + offset + 1] = sum;
}

static uint64_t needed_feature(uint8_t gso_type)
{
	uint64_t needed = gso_type & VIRTIO_NET_HDR_GSO_ECN ? NET_FEATURE(GUEST_ECN) : 0;

	switch (gso_type & ~VIRTIO_NET_HDR_GSO_ECN) {
	case VIRTIO_NET_HDR_GSO_TCPV4:
		return needed | NET_FEATURE(GUEST_TSO4);
	case VIRTIO_NET_HDR_GSO_TCPV6:
		return needed | NET_FEATURE(GUEST_TSO6);
	default:
		return needed;
	}
}

/**
 * net_header_suit() - change a packet so that a driver can take it
 * @packet: net_header_check() has accepted it
 * @size: its bytes
 * @features: the features that the driver has chosen
 *
 * Return: false if that can't be done.
 */
bool net_header_suit(void *packet, size_t size, uint64_t features)
{
	struct virtio_net_hdr_v1 header;

	memcpy(&header, packet, sizeof(header));
	if (needed_feature(header.gso_type) & ~features)
		return false;
	if (!(features & NET_FEATURE(GUEST_CSUM))) {
		if (header.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)
			complete_checksum((uint8_t *)packet + sizeof(header), size - sizeof(header),
					  le16toh(header.csum_start), le16toh(header.csum_offset));
		header.flags = 0;
		header.csum_start = 0;
		header.csum_offset = 0;
	}
	header.num_buffers = htole16(1);
	memcpy(packet, &header, sizeof(header));
	return true;
}
