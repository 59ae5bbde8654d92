// SPDX-License-Identifier: GPL-2.0-only
/* Headers of packets from outside: those that pass make sense, and fit any driver. */
#include <stdlib.h>
#include <string.h>

#include "input.h"
#include "net/net.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return 0;
}

/* A driver without features gets a plain packet. */
static void is_plain(const uint8_t *packet, uint64_t features)
{
	struct virtio_net_hdr_v1 header;

	memcpy(&header, packet, sizeof(header));
	require(header.num_buffers == htole16(1));
	if (features & NET_FEATURE(GUEST_CSUM))
		return;
	require(!header.flags && !header.csum_start && !header.csum_offset);
	if (!(features & (NET_FEATURE(GUEST_TSO4) | NET_FEATURE(GUEST_TSO6))))
		require(header.gso_type == VIRTIO_NET_HDR_GSO_NONE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *packet;
	uint64_t features;

	input_begin(data, size);
	features = input_64();
	size = input_left();
	packet = malloc(size ? size : 1);
	input_bytes(packet, size);
	if (net_header_check(packet, size) && net_header_suit(packet, size, features))
		is_plain(packet, features);
	free(packet);
	return 0;
}
