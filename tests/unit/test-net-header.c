// SPDX-License-Identifier: GPL-2.0-only
/* The header before each packet, and hardware addresses. */
#include <string.h>

#include "base/compiler.h"
#include "net_card.h"
#include "unit.h"

START_TEST(headers_are_checked)
{
	enum { CSUM = VIRTIO_NET_HDR_F_NEEDS_CSUM, TSO4 = VIRTIO_NET_HDR_GSO_TCPV4 };
	static const struct {
		struct virtio_net_hdr_v1 header;
		size_t frame;
		bool good;
	} rows[] = {
		{ { 0 }, 14, true }, { { 0 }, 13, false }, { { 0 }, NET_MAX_PACKET - HEADER, true },
		{ { 0 }, NET_MAX_PACKET - HEADER + 1, false }, { { 0 }, -12UL, false },
		{ { .flags = VIRTIO_NET_HDR_F_DATA_VALID }, 60, true },
		{ { .flags = 0x80 }, 60, false }, { { .flags = 4 }, 60, false },
		{ { .flags = CSUM, .csum_start = 34, .csum_offset = 16 }, 60, true },
		{ { .flags = CSUM, .csum_start = 34, .csum_offset = 16 }, 52, true },
		{ { .flags = CSUM, .csum_start = 34, .csum_offset = 16 }, 51, false },
		{ { .flags = CSUM, .csum_start = 61, .csum_offset = 0 }, 60, false },
		{ { .flags = CSUM, .csum_start = 60, .csum_offset = 0xffff }, 60, false },
		{ { .flags = CSUM, .csum_start = 0xffff, .csum_offset = 0xffff }, 60, false },
		{ { .gso_type = TSO4, .gso_size = 1000 }, 2000, false },
		{ { .flags = CSUM, .gso_type = TSO4, .gso_size = 1000, .hdr_len = 54 }, 2000, true },
		{ { .flags = CSUM, .gso_type = TSO4, .gso_size = 0 }, 2000, false },
		{ { .flags = CSUM, .gso_type = TSO4, .gso_size = 1, .hdr_len = 2001 }, 2000, false },
		{ { .flags = CSUM, .gso_type = VIRTIO_NET_HDR_GSO_TCPV6 | VIRTIO_NET_HDR_GSO_ECN,
		    .gso_size = 1000 }, 2000, true },
		{ { .flags = CSUM, .gso_type = VIRTIO_NET_HDR_GSO_UDP, .gso_size = 9 }, 99, false },
		{ { .flags = CSUM, .gso_type = VIRTIO_NET_HDR_GSO_ECN, .gso_size = 9 }, 99, false },
		{ { .flags = CSUM, .gso_type = 0x7f, .gso_size = 9 }, 99, false },
	};
	static uint8_t packet[NET_MAX_PACKET];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		memcpy(packet, &rows[i].header, HEADER);
		ck_assert_msg(net_header_check(packet, HEADER + rows[i].frame) == rows[i].good,
			      "row %zu", i);
	}
}
END_TEST

/* A checksum of RFC 1071's own example, over an odd number of bytes, too. */
START_TEST(checksums_are_completed_for_drivers_that_can_not)
{
	static const uint8_t data[] = { 0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7 };
	struct virtio_net_hdr_v1 header = {
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = 20, .csum_offset = 8,
	};
	uint8_t packet[HEADER + 31] = { 0 };

	memcpy(packet, &header, HEADER);
	memcpy(packet + HEADER + 20, data, sizeof(data));
	packet[HEADER + 30] = 0x10;
	ck_assert(net_header_check(packet, sizeof(packet)));
	ck_assert(net_header_suit(packet, sizeof(packet), NET_FEATURE(GUEST_CSUM)));
	ck_assert_uint_eq(packet[0], VIRTIO_NET_HDR_F_NEEDS_CSUM);
	ck_assert_uint_eq(packet[HEADER + 28], 0);
	ck_assert(net_header_suit(packet, sizeof(packet), 0));
	ck_assert_uint_eq(packet[0], 0);
	/* 0xddf2 is the example's sum. */
	ck_assert_uint_eq(packet[HEADER + 28] << 8 | packet[HEADER + 29],
			  (uint16_t)~(0xddf2 + 0x1000));
}
END_TEST

START_TEST(segments_go_only_to_drivers_that_want_them)
{
	struct virtio_net_hdr_v1 header = {
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.gso_type = VIRTIO_NET_HDR_GSO_TCPV4 | VIRTIO_NET_HDR_GSO_ECN, .gso_size = 1000,
	};
	const uint64_t csum = NET_FEATURE(GUEST_CSUM), tso = NET_FEATURE(GUEST_TSO4);
	uint8_t packet[HEADER + 3000] = { 0 };

	memcpy(packet, &header, HEADER);
	ck_assert(!net_header_suit(packet, sizeof(packet), 0));
	ck_assert(!net_header_suit(packet, sizeof(packet), csum));
	ck_assert(!net_header_suit(packet, sizeof(packet), csum | tso));
	ck_assert(!net_header_suit(packet, sizeof(packet), csum | NET_FEATURE(GUEST_TSO6)));
	ck_assert(net_header_suit(packet, sizeof(packet), csum | tso | NET_FEATURE(GUEST_ECN)));
}
END_TEST

START_TEST(hardware_addresses_are_understood)
{
	static const char * const bad[] = {
		"", "52:54:00:12:34", "52:54:00:12:34:5", "52:54:00:12:34:567", "52:54:00:12:34:5g",
		"52-54-00-12-34-56", " 2:54:00:12:34:56", "+2:54:00:12:34:56",
		"52:54:00:12:34:56:78", "52:54:00:12:34:56 ",
	};
	uint8_t mac[6];
	size_t i;

	ck_assert_int_eq(net_parse_mac("52:54:00:aB:Cd:ff", mac), 0);
	ck_assert_mem_eq(mac, "\x52\x54\x00\xab\xcd\xff", 6);
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		unit_refused(net_parse_mac(bad[i], mac), "is no hardware address");
	unit_refused(net_parse_mac("53:54:00:12:34:56", mac), "make the first byte even");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("net headers");

	UNIT_ADD(suite, headers_are_checked);
	UNIT_ADD(suite, checksums_are_completed_for_drivers_that_can_not);
	UNIT_ADD(suite, segments_go_only_to_drivers_that_want_them);
	UNIT_ADD(suite, hardware_addresses_are_understood);
	return unit_run(suite);
}
