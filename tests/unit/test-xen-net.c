// SPDX-License-Identifier: GPL-2.0-only
/* A network card of a guest of Xen's ABI. */
#include <endian.h>
#include <string.h>

#include "unit.h"
#include "xen_card.h"

/* --- What the guest sends. --- */

START_TEST(packet_of_two_pieces_arrives)
{
	set_up(&wire_ops, 0);
	memset(memory.base + PAGE(0), 1, PAGE_SIZE);
	memset(memory.base + PAGE(1), 2, PAGE_SIZE);
	put(0, NETIF_TX_MORE, 1000)->offset = 4096 - 900;
	put(1, 0, 100)->offset = 3996;
	tx->response_event = 2;
	work();
	ck_assert_int_eq(came_out(), HEADER + 1000);
	ck_assert_uint_eq(header()->flags | header()->gso_type, 0);
	ck_assert_uint_eq(packet[HEADER], 1);
	ck_assert_uint_eq(packet[HEADER + 899], 1);
	ck_assert_uint_eq(packet[HEADER + 900], 2);
	ck_assert_int_eq(answer(0x100), NETIF_OKAY);
	ck_assert_int_eq(answer(0x101), NETIF_OKAY);
	ck_assert(interrupted(&card.tx));
	ck_assert_uint_eq(tx->request_event, 3);
	/* Nobody wants to hear of this one. */
	put(0, 0, 60);
	work();
	ck_assert_int_eq(came_out(), HEADER + 60);
	ck_assert(!interrupted(&card.tx));
	tear_down();
}
END_TEST

START_TEST(checksum_and_segments_are_left_to_the_network)
{
	uint8_t *frame;
	size_t start;

	set_up(&wire_ops, 0);
	frame = memory.base + PAGE(0);
	start = make_ipv4(frame, 17);
	put(0, NETIF_TX_CSUM_BLANK, 100);
	work();
	ck_assert_int_eq(came_out(), HEADER + 100);
	ck_assert_uint_eq(header()->flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
	ck_assert_uint_eq(header()->csum_start, start);
	ck_assert_uint_eq(header()->csum_offset, 6);
	ck_assert(net_header_check(packet, HEADER + 100));
	make_ipv4(frame, 6);
	put(0, NETIF_TX_CSUM_BLANK | NETIF_TX_EXTRA | NETIF_TX_MORE, 5000);
	put_gso(NETIF_GSO_TCPV4, 1448, 0);
	put(1, NETIF_TX_MORE, 4000);
	put(2, 0, 900);
	work();
	ck_assert_int_eq(came_out(), HEADER + 5000);
	ck_assert_uint_eq(header()->gso_type, VIRTIO_NET_HDR_GSO_TCPV4);
	ck_assert_uint_eq(header()->gso_size, 1448);
	ck_assert_uint_eq(header()->hdr_len, start + 20);
	ck_assert_uint_eq(header()->csum_offset, 16);
	ck_assert(net_header_check(packet, HEADER + 5000));
	start = make_ipv6(frame, 6);
	put(0, NETIF_TX_CSUM_BLANK | NETIF_TX_EXTRA, 4096);
	put_gso(NETIF_GSO_TCPV6, 1000, 0);
	work();
	ck_assert_int_eq(came_out(), HEADER + 4096);
	ck_assert_uint_eq(header()->gso_type, VIRTIO_NET_HDR_GSO_TCPV6);
	ck_assert_uint_eq(header()->csum_start, start);
	/* All have been answered, the entries of segments, too. */
	ck_assert_int_eq(answer(0x100), NETIF_OKAY);
	ck_assert_int_eq(answer(0x100), NETIF_OKAY);
	ck_assert_int_eq(answer(0), NETIF_NULL);
	ck_assert_int_eq(answer(0x101), NETIF_OKAY);
	ck_assert_int_eq(answer(0x102), NETIF_OKAY);
	ck_assert_int_eq(answer(0x100), NETIF_OKAY);
	ck_assert_int_eq(answer(0), NETIF_NULL);
	ck_assert_uint_eq(tx->response_prod, seen);
	tear_down();
}
END_TEST

START_TEST(plain_network_gets_whole_checksums)
{
	set_up(&plain_ops, 0);
	make_ipv4(memory.base + PAGE(0), 17);
	memory.base[PAGE(0) + 50] = 0x12;
	memory.base[PAGE(0) + 51] = 0x34;
	put(0, NETIF_TX_CSUM_BLANK, 100);
	work();
	ck_assert_int_eq(came_out(), HEADER + 100);
	ck_assert_uint_eq(header()->flags, 0);
	/* All is 0 but byte 12 of the header, which is 0x50 of TCP's, and these. */
	ck_assert_uint_eq(packet[HEADER + 40] << 8 | packet[HEADER + 41], 0xffff - 0x5000 - 0x1234);
	/* It can't cut segments, and takes no packets that are larger. */
	make_ipv4(memory.base + PAGE(0), 6);
	put(0, NETIF_TX_CSUM_BLANK | NETIF_TX_EXTRA, 4096);
	put_gso(NETIF_GSO_TCPV4, 1000, 0);
	work();
	ck_assert_int_eq(came_out(), -1);
	card.net.ops = &large_ops;
	put(0, NETIF_TX_CSUM_BLANK | NETIF_TX_EXTRA, 4096);
	put_gso(NETIF_GSO_TCPV4, 1000, 0);
	work();
	ck_assert_int_eq(came_out(), HEADER + 4096);
	ck_assert_uint_eq(header()->gso_type, VIRTIO_NET_HDR_GSO_NONE);
	ck_assert_int_eq(answer(0x100), NETIF_OKAY);
	ck_assert_int_eq(answer(0x100), NETIF_ERROR);
	ck_assert_int_eq(answer(0), NETIF_NULL);
	ck_assert_int_eq(answer(0x100), NETIF_OKAY);
	tear_down();
}
END_TEST

START_TEST(largest_packet_goes_both_ways)
{
	unsigned int i;

	set_up(&wire_ops, 0);
	for (i = 0; i < 16; i++)
		memset(memory.base + PAGE(i), i + 1, PAGE_SIZE);
	for (i = 0; i < 16; i++)
		put(i, i < 15 ? NETIF_TX_MORE : 0, i == 0 ? 65535 : i == 15 ? 4095 : 4096);
	work();
	ck_assert_int_eq(came_out(), HEADER + 65535);
	ck_assert_uint_eq(packet[HEADER + 65534], 16);
	put_rx(16);
	receive(packet, HEADER + 65535);
	ck_assert_uint_eq(rx->response_prod, 16);
	for (i = 0; i < 16; i++) {
		ck_assert_uint_eq(got(i)->id, i);
		ck_assert_uint_eq(got(i)->flags, i < 15 ? NETIF_RX_MORE : 0);
		ck_assert_int_eq(got(i)->status, i < 15 ? 4096 : 4095);
	}
	/* 18 pieces are the most: each of one byte, but for the first. */
	put(0, NETIF_TX_MORE, 117);
	for (i = 1; i < NETIF_PIECES; i++)
		put(i % 16, i < NETIF_PIECES - 1 ? NETIF_TX_MORE : 0, 1);
	work();
	ck_assert_int_eq(came_out(), HEADER + 117);
	ck_assert_uint_eq(packet[HEADER + 116], 2);
	tear_down();
}
END_TEST

/* The ring goes round several times; what the network can't take yet is sent later, once. */
START_TEST(packets_wait_for_the_network)
{
	unsigned int i;

	set_up(&wire_ops, 0);
	for (i = 0; i < 1000; i++) {
		cut = i % 3 == 0;
		put(i % PAGES, 0, 60 + i % 7);
		work();
		ck_assert_int_eq(came_out(), cut ? -1 : (int)(HEADER + 60 + i % 7));
		cut = false;
		work();
		ck_assert_int_eq(came_out(), i % 3 == 0 ? (int)(HEADER + 60 + i % 7) : -1);
		ck_assert_int_eq(answer(0x100 + i % PAGES), NETIF_OKAY);
	}
	tear_down();
}
END_TEST

/* --- What it gets. --- */

START_TEST(packet_waits_for_room)
{
	static uint8_t bytes[HEADER + 5000];
	unsigned int i;

	set_up(&wire_ops, 0);
	for (i = 0; i < sizeof(bytes) - HEADER; i++)
		bytes[HEADER + i] = i * 7;
	put_rx(1);
	receive(bytes, sizeof(bytes));
	ck_assert_uint_eq(rx->response_prod, 0);
	ck_assert_uint_eq(rx->request_event, 2);
	rx->response_event = 1;
	put_rx(1);
	work();
	ck_assert_uint_eq(rx->response_prod, 2);
	ck_assert(interrupted(&card.rx));
	ck_assert_int_eq(got(0)->status, 4096);
	ck_assert_uint_eq(got(0)->flags, NETIF_RX_MORE);
	ck_assert_int_eq(got(1)->status, 5000 - 4096);
	ck_assert_mem_eq(memory.base + PAGE(0), bytes + HEADER, 4096);
	ck_assert_mem_eq(memory.base + PAGE(1), bytes + HEADER + 4096, 5000 - 4096);
	/* A front end that takes one page a packet. */
	card.takes_pages = false;
	put_rx(2);
	receive(bytes, sizeof(bytes));
	receive(bytes, HEADER + 4096);
	ck_assert_uint_eq(rx->response_prod, 3);
	ck_assert_int_eq(got(2)->status, 4096);
	tear_down();
}
END_TEST

/* Before the front end is connected, and after. */
START_TEST(packet_waits_for_a_front_end)
{
	static const uint8_t bytes[HEADER + 60];

	set_up(&wire_ops, 0);
	card.rx.shared = card.tx.shared = NULL;
	put_rx(1);
	put(0, 0, 60);
	receive(bytes, sizeof(bytes));
	ck_assert_uint_eq(rx->response_prod | tx->response_prod, 0);
	card.tx.shared = tx;
	card.rx.shared = rx;
	work();
	ck_assert_uint_eq(rx->response_prod, 1);
	ck_assert_int_eq(came_out(), HEADER + 60);
	tear_down();
}
END_TEST

static size_t make_packet(uint8_t *bytes, uint8_t flags, uint8_t gso_type)
{
	size_t start = make_ipv4(bytes + HEADER, 6);
	struct virtio_net_hdr_v1 new = {
		.flags = flags, .gso_type = gso_type, .gso_size = htole16(gso_type ? 1000 : 0),
		.hdr_len = htole16(gso_type ? 54 : 0), .csum_start = htole16(start),
		.csum_offset = htole16(16),
	};

	memcpy(bytes, &new, sizeof(new));
	return start;
}

START_TEST(checksum_and_segments_are_left_to_the_guest)
{
	const struct netif_extra *extra;
	static uint8_t bytes[HEADER + 5000];

	set_up(&wire_ops, TSO);
	put_rx(20);
	make_packet(bytes, VIRTIO_NET_HDR_F_DATA_VALID, 0);
	receive(bytes, HEADER + 100);
	ck_assert_uint_eq(got(0)->flags, NETIF_RX_DATA_VALIDATED);
	make_packet(bytes, VIRTIO_NET_HDR_F_NEEDS_CSUM, 0);
	receive(bytes, HEADER + 100);
	ck_assert_uint_eq(got(1)->flags, NETIF_RX_CSUM_BLANK | NETIF_RX_DATA_VALIDATED);
	make_packet(bytes, VIRTIO_NET_HDR_F_NEEDS_CSUM,
		    VIRTIO_NET_HDR_GSO_TCPV4 | VIRTIO_NET_HDR_GSO_ECN);
	receive(bytes, sizeof(bytes));
	ck_assert_uint_eq(rx->response_prod, 5);
	ck_assert_uint_eq(got(2)->flags, NETIF_RX_CSUM_BLANK | NETIF_RX_DATA_VALIDATED |
			  NETIF_RX_EXTRA | NETIF_RX_MORE);
	extra = (const void *)got(3);
	ck_assert_uint_eq(extra->type, NETIF_EXTRA_GSO);
	ck_assert_uint_eq(extra->flags | extra->gso_pad | extra->gso_features, 0);
	ck_assert_uint_eq(extra->gso_type, NETIF_GSO_TCPV4);
	ck_assert_uint_eq(extra->gso_size, 1000);
	ck_assert_int_eq(got(4)->status, 5000 - 4096);
	ck_assert_uint_eq(got(4)->flags, 0);
	ck_assert_mem_eq(memory.base + PAGE(4), bytes + HEADER + 4096, 5000 - 4096);
	/* Linux would not find that checksum: it looks for UDP. */
	bytes[HEADER + 23] = 17;
	make_packet(bytes, VIRTIO_NET_HDR_F_NEEDS_CSUM, 0);
	bytes[HEADER + 23] = 17;
	receive(bytes, HEADER + 100);
	ck_assert_uint_eq(got(5)->flags, 0);
	ck_assert_uint_ne(*(uint16_t *)(memory.base + PAGE(5) + 50), 0);
	/* Nor can it cut such a one. */
	make_packet(bytes, VIRTIO_NET_HDR_F_NEEDS_CSUM, VIRTIO_NET_HDR_GSO_TCPV6);
	receive(bytes, sizeof(bytes));
	ck_assert_uint_eq(rx->response_prod, 6);
	/* What the front end does not take. */
	card.features = CSUMS;
	make_packet(bytes, VIRTIO_NET_HDR_F_NEEDS_CSUM, VIRTIO_NET_HDR_GSO_TCPV4);
	receive(bytes, sizeof(bytes));
	ck_assert_uint_eq(rx->response_prod, 6);
	card.features = 0;
	make_packet(bytes, VIRTIO_NET_HDR_F_NEEDS_CSUM, 0);
	receive(bytes, HEADER + 100);
	ck_assert_uint_eq(got(6)->flags, 0);
	tear_down();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("Xen's network card");

	UNIT_ADD(suite, packet_of_two_pieces_arrives);
	UNIT_ADD(suite, checksum_and_segments_are_left_to_the_network);
	UNIT_ADD(suite, plain_network_gets_whole_checksums);
	UNIT_ADD(suite, largest_packet_goes_both_ways);
	UNIT_ADD(suite, packets_wait_for_the_network);
	UNIT_ADD(suite, packet_waits_for_room);
	UNIT_ADD(suite, packet_waits_for_a_front_end);
	UNIT_ADD(suite, checksum_and_segments_are_left_to_the_guest);
	return unit_run(suite);
}
