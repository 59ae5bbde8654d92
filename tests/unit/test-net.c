// SPDX-License-Identifier: GPL-2.0-only
/*
 * The network card: packets into the Guest's buffers and out of them, whatever the
 * driver does, and what the back ends make of the command line.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/virtio_config.h>
#include <linux/virtio_mmio.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "compiler.h"
#include "driver.h"
#include "unit.h"
#include "virtio/net.h"

#define WRITE		VRING_DESC_F_WRITE
#define NEXT		VRING_DESC_F_NEXT
#define F_EVENT_IDX	(1ULL << VIRTIO_RING_F_EVENT_IDX)
#define F_MERGE		NET_FEATURE(MRG_RXBUF)

#define RECEIVE		NET_RECEIVE_QUEUE
#define TRANSMIT	NET_TRANSMIT_QUEUE
#define HEADER		12
/* Receive buffers are so far apart; what is sent lies behind them. */
#define APART		0x1000ULL
#define RECEIVED(n)	(DRIVER_BUFFERS + (n) * APART)
#define SENT		(DRIVER_BUFFERS + 0x100000)

static struct virtio_device device;
static struct driver driver;
static int wire[2];	/* the back end's end, and the test's */
static int index_of_wire;
static bool wire_is_cut;	/* the back end can't send */

/* --- A back end whose other side is the test. --- */

static int wire_init(struct net *net, const struct net_request *request)
{
	(void)net;
	(void)request;
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, wire), 0);
	return 0;
}

static void wire_prepare(struct net *net, struct net_poll *poll)
{
	index_of_wire = net->first ? -1 : net_poll_add(poll, wire[0], POLLIN);
	if (wire_is_cut)
		poll->timeout = 10;
}

static void wire_receive(struct net *net, const struct net_poll *poll)
{
	static uint8_t packet[NET_MAX_PACKET];
	ssize_t size;

	if (!net_poll_events(poll, index_of_wire) || net->first)
		return;
	size = recv(wire[0], packet, sizeof(packet), MSG_DONTWAIT);
	if (size > 0)
		net_receive(net, packet, size);
}

static bool wire_send(struct net *net, struct iovec *iov, unsigned int count)
{
	(void)net;
	if (wire_is_cut)
		return false;
	ck_assert_int_ge(writev(wire[0], iov, count), 0);
	return true;
}

static void wire_exit(struct net *net)
{
	(void)net;
	close(wire[0]);
	close(wire[1]);
}

static const struct net_ops wire_ops = {
	.features = NET_OFFLOADS,
	.init = wire_init,
	.prepare = wire_prepare,
	.receive = wire_receive,
	.send = wire_send,
	.exit = wire_exit,
};

static void on_signal(int signal)
{
	(void)signal;
}

/* As vm.c has it: a signal that only ends system calls. */
static void start_threads(void)
{
	struct sigaction action = { .sa_handler = on_signal };

	sigaction(SIGUSR1, &action, NULL);
	driver.device = &device;
	ck_assert_int_eq(virtio_device_start(&device), 0);
}

static void start_wire(uint64_t features)
{
	struct net_request request = { .ops = &wire_ops, .mac = { 2, 0, 0, 0, 0, 1 } };

	driver_init(&driver);
	ck_assert_int_eq(net_init(&device, &driver.memory, &request), 0);
	start_threads();
	driver_start(&driver, features);
}

static void start_net(const char *value, uint64_t features)
{
	driver_init(&driver);
	ck_assert_int_eq(virtio_net_kind.init(&device, &driver.memory, value), 0);
	start_threads();
	driver_start(&driver, features);
}

static void stop(void)
{
	virtio_device_exit(&device);
	guest_memory_exit(&driver.memory);
}

static uint8_t *memory(uint64_t gpa)
{
	return driver.memory.base + gpa;
}

/* A buffer to receive into. */
static void offer(unsigned int number, uint32_t size)
{
	unsigned int i = number % DRIVER_ENTRIES;

	driver_put_desc(&driver, RECEIVE, i, RECEIVED(i), size, WRITE, 0);
	driver_offer(&driver, RECEIVE, i);
	driver_kick(&driver, RECEIVE);
}

/* A packet on the wire: an empty header, and a frame of a pattern. */
static void put_on_wire(size_t size, uint8_t seed)
{
	static uint8_t packet[NET_MAX_PACKET];
	size_t i;

	memset(packet, 0, HEADER);
	for (i = HEADER; i < size; i++)
		packet[i] = i * 7 + seed;
	ck_assert_int_eq(send(wire[1], packet, size, 0), size);
}

/* Does that byte of a packet come from put_on_wire()? */
static bool in_pattern(uint8_t byte, size_t i, uint8_t seed)
{
	return byte == (uint8_t)(i * 7 + seed);
}

static struct vring_used_elem *used(unsigned int queue, unsigned int number)
{
	return &driver_used(&driver, queue)->ring[number % DRIVER_ENTRIES];
}

static bool needs_reset(void)
{
	return driver_read(&driver, VIRTIO_MMIO_STATUS) & VIRTIO_CONFIG_S_NEEDS_RESET;
}

static void misused(const char *words)
{
	int tries;

	for (tries = 0; tries < 10000 && !needs_reset(); tries++)
		usleep(1000);
	unit_refused(-1, words);
}

static uint16_t num_buffers(uint64_t gpa)
{
	return memory(gpa)[10] | memory(gpa)[11] << 8;
}

static void packets_come_in(uint64_t features)
{
	unsigned int i, at;

	start_wire(features);
	for (i = 0; i < 100; i++) {
		offer(i, 2000);
		put_on_wire(HEADER + 14 + i, i);
		ck_assert(driver_wait(&driver, RECEIVE, i + 1));
		ck_assert_uint_eq(used(RECEIVE, i)->len, HEADER + 14 + i);
		ck_assert_uint_eq(used(RECEIVE, i)->id, i % DRIVER_ENTRIES);
		ck_assert_uint_eq(num_buffers(RECEIVED(i % DRIVER_ENTRIES)), 1);
		for (at = HEADER; at < HEADER + 14 + i; at++)
			ck_assert(in_pattern(memory(RECEIVED(i % DRIVER_ENTRIES))[at], at, i));
	}
	stop();
}

START_TEST(packets_come_in_order)
{
	packets_come_in(0);
}
END_TEST

START_TEST(packets_come_in_with_event_indexes_and_mergeable_buffers)
{
	packets_come_in(F_EVENT_IDX | F_MERGE);
}
END_TEST

/* All buffers of a packet appear at once, and the first one says how many. */
START_TEST(large_packet_is_merged_from_several_buffers)
{
	const size_t size = HEADER + 5000;
	unsigned int i, round;
	size_t at;

	start_wire(F_MERGE);
	for (round = 0; round < 200; round++) {
		for (i = 0; i < 6; i++)
			offer(round * 6 + i, 1000);
		put_on_wire(size, round);
		while (driver_done(&driver, RECEIVE) == (uint16_t)(round * 6))
			continue;
		ck_assert_uint_eq(driver_done(&driver, RECEIVE), (uint16_t)(round * 6 + 6));
		ck_assert_uint_eq(num_buffers(RECEIVED(round * 6 % DRIVER_ENTRIES)), 6);
		ck_assert_uint_eq(used(RECEIVE, round * 6 + 5)->len, size - 5000);
		for (at = HEADER; at < size; at++)
			ck_assert(in_pattern(memory(RECEIVED((round * 6 + at / 1000) %
					DRIVER_ENTRIES))[at % 1000], at, round));
	}
	stop();
}
END_TEST

/* The header's last field is cut in two by the driver's choice of buffers. */
START_TEST(header_may_lie_in_pieces)
{
	start_wire(F_MERGE);
	driver_put_desc(&driver, RECEIVE, 0, RECEIVED(0), 11, WRITE | NEXT, 1);
	driver_put_desc(&driver, RECEIVE, 1, RECEIVED(1), 100, WRITE, 0);
	driver_put_desc(&driver, RECEIVE, 2, RECEIVED(2), 1000, WRITE, 0);
	driver_offer(&driver, RECEIVE, 0);
	driver_offer(&driver, RECEIVE, 2);
	driver_kick(&driver, RECEIVE);
	put_on_wire(HEADER + 200, 0);
	ck_assert(driver_wait(&driver, RECEIVE, 2));
	ck_assert_uint_eq(memory(RECEIVED(0))[10], 2);
	ck_assert_uint_eq(memory(RECEIVED(1))[0], 0);
	ck_assert_uint_eq(used(RECEIVE, 0)->len, 111);
	ck_assert_uint_eq(used(RECEIVE, 1)->len, HEADER + 200 - 111);
	stop();
}
END_TEST

/* Half of its buffers are there, then the others come; the next packets wait behind it. */
START_TEST(packets_wait_for_room_in_order)
{
	unsigned int i;

	start_wire(F_MERGE | F_EVENT_IDX);
	offer(0, 1000);
	put_on_wire(HEADER + 1800, 1);
	put_on_wire(HEADER + 100, 2);
	put_on_wire(HEADER + 100, 3);
	usleep(100000);
	ck_assert_uint_eq(driver_done(&driver, RECEIVE), 0);
	for (i = 1; i < 4; i++)
		offer(i, 1000);
	ck_assert(driver_wait(&driver, RECEIVE, 4));
	ck_assert_uint_eq(num_buffers(RECEIVED(0)), 2);
	ck_assert(in_pattern(memory(RECEIVED(1))[0], 1000, 1));
	ck_assert(in_pattern(memory(RECEIVED(2))[50], 50, 2));
	ck_assert(in_pattern(memory(RECEIVED(3))[50], 50, 3));
	stop();
}
END_TEST

/* A reset takes the buffers that half a packet is in: it begins anew in new ones. */
START_TEST(reset_amid_a_packet_begins_it_anew)
{
	start_wire(F_MERGE);
	offer(0, 1000);
	put_on_wire(HEADER + 1800, 1);
	usleep(100000);
	driver_start(&driver, F_MERGE);
	memset(memory(RECEIVED(0)), 0xee, 1000);
	usleep(100000);
	ck_assert_uint_eq(memory(RECEIVED(0))[0], 0xee);
	offer(2, 1500);
	offer(3, 1500);
	ck_assert(driver_wait(&driver, RECEIVE, 2));
	ck_assert_uint_eq(num_buffers(RECEIVED(2)), 2);
	ck_assert(in_pattern(memory(RECEIVED(2))[50], 50, 1));
	ck_assert_uint_eq(memory(RECEIVED(0))[0], 0xee);
	stop();
}
END_TEST

START_TEST(without_merging_what_does_not_fit_is_lost)
{
	start_wire(0);
	offer(0, 500);
	put_on_wire(HEADER + 600, 1);
	put_on_wire(HEADER + 400, 2);
	ck_assert(driver_wait(&driver, RECEIVE, 1));
	ck_assert_uint_eq(used(RECEIVE, 0)->len, HEADER + 400);
	ck_assert(in_pattern(memory(RECEIVED(0))[50], 50, 2));
	ck_assert_int_eq(unit_messages, 0);
	stop();
}
END_TEST

/* The receive queue is untouched: a hostile driver can fill our memory no further. */
START_TEST(packets_go_out_in_any_pieces)
{
	static uint8_t got[NET_MAX_PACKET + 1];
	unsigned int i;

	start_wire(F_EVENT_IDX);
	for (i = 0; i < 300; i++)
		memory(SENT)[i] = i;
	memset(memory(SENT), 0, HEADER);
	driver_put_desc(&driver, TRANSMIT, 0, SENT, 5, NEXT, 1);
	driver_put_desc(&driver, TRANSMIT, 1, SENT + 5, 20, NEXT, 2);
	driver_put_desc(&driver, TRANSMIT, 2, SENT + 25, 275, 0, 0);
	for (i = 0; i < 50; i++) {
		driver_offer(&driver, TRANSMIT, 0);
		driver_kick(&driver, TRANSMIT);
		ck_assert(driver_wait(&driver, TRANSMIT, i + 1));
		ck_assert_int_eq(recv(wire[1], got, sizeof(got), 0), 300);
		ck_assert_mem_eq(got, memory(SENT), 300);
	}
	stop();
}
END_TEST

/* What the back end can't take is kept, in order; a reset does not wait for it. */
START_TEST(packets_wait_for_the_back_end)
{
	uint8_t got[100];
	unsigned int i;

	wire_is_cut = true;
	start_wire(0);
	for (i = 0; i < 3; i++) {
		memset(memory(SENT) + i * 100, 0, 100);
		memory(SENT)[i * 100 + 50] = i;
		driver_put_desc(&driver, TRANSMIT, i, SENT + i * 100, 100, 0, 0);
		driver_offer(&driver, TRANSMIT, i);
	}
	driver_kick(&driver, TRANSMIT);
	ck_assert(driver_wait(&driver, TRANSMIT, 1));
	usleep(100000);
	ck_assert_uint_eq(driver_done(&driver, TRANSMIT), 1);
	wire_is_cut = false;
	ck_assert(driver_wait(&driver, TRANSMIT, 3));
	for (i = 0; i < 3; i++) {
		ck_assert_int_eq(recv(wire[1], got, sizeof(got), 0), 100);
		ck_assert_uint_eq(got[50], i);
	}
	wire_is_cut = true;
	driver_offer(&driver, TRANSMIT, 2);
	driver_kick(&driver, TRANSMIT);
	ck_assert(driver_wait(&driver, TRANSMIT, 4));
	driver_reset(&driver);
	memset(memory(SENT), 0xee, 300);
	wire_is_cut = false;
	ck_assert_int_eq(recv(wire[1], got, sizeof(got), 0), 100);
	ck_assert_uint_eq(got[50], 2);
	stop();
}
END_TEST

START_TEST(bad_packets_cost_the_device_or_are_lost)
{
	uint8_t got[100];

	start_wire(0);
	driver_put_desc(&driver, TRANSMIT, 0, SENT, HEADER + 13, 0, 0);
	driver_put_desc(&driver, TRANSMIT, 1, SENT, NET_MAX_PACKET + 1, 0, 0);
	driver_put_desc(&driver, TRANSMIT, 2, SENT, HEADER + 14, 0, 0);
	driver_offer(&driver, TRANSMIT, 0);
	driver_offer(&driver, TRANSMIT, 1);
	driver_offer(&driver, TRANSMIT, 2);
	driver_kick(&driver, TRANSMIT);
	ck_assert(driver_wait(&driver, TRANSMIT, 3));
	ck_assert_int_eq(recv(wire[1], got, sizeof(got), 0), HEADER + 14);
	ck_assert_int_eq(recv(wire[1], got, sizeof(got), MSG_DONTWAIT), -1);
	ck_assert_int_eq(unit_messages, 0);
	driver_put_desc(&driver, TRANSMIT, 0, SENT, HEADER - 1, 0, 0);
	driver_offer(&driver, TRANSMIT, 0);
	driver_kick(&driver, TRANSMIT);
	misused("a packet without a header");
	stop();
}
END_TEST

static void receive_misused(uint32_t size, uint64_t features)
{
	start_wire(features);
	offer(0, size);
	put_on_wire(HEADER + 100, 0);
	misused("receive buffers that are too small");
	/* It works again when the driver begins anew. */
	driver_start(&driver, features);
	offer(0, 1000);
	put_on_wire(HEADER + 100, 0);
	ck_assert(driver_wait(&driver, RECEIVE, 1));
	stop();
}

START_TEST(receive_buffer_of_no_bytes_costs_the_device)
{
	receive_misused(0, F_MERGE);
}
END_TEST

START_TEST(receive_buffer_smaller_than_a_header_costs_the_device)
{
	receive_misused(HEADER - 1, F_MERGE);
}
END_TEST

/* The driver makes tiny buffers available for ever, and never sees one used. */
/* Offered buffers wait for the device's thread, which may be late, in all of the ring. */
static bool ring_is_full(void)
{
	uint16_t taken = __atomic_load_n(&device.queue[RECEIVE].next_avail, __ATOMIC_RELAXED);

	return (uint16_t)(driver_avail(&driver, RECEIVE)->idx - taken) >= DRIVER_ENTRIES;
}

START_TEST(packet_in_endless_buffers_costs_the_device)
{
	unsigned int i;

	start_wire(F_MERGE);
	offer(0, HEADER);
	put_on_wire(HEADER + 1000, 0);
	for (i = 1; i < 5000 && !needs_reset();) {
		if (ring_is_full())
			usleep(1000);
		else
			offer(i++, 1);
	}
	misused("receive buffers that are too small");
	stop();
}
END_TEST

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

START_TEST(mac_is_in_the_configuration)
{
	struct virtio_device others[2];
	unsigned int i;

	start_net("user,mac=52:54:00:12:34:56", 0);
	for (i = 0; i < 6; i++)
		ck_assert_uint_eq(virtio_mmio_read(&device, VIRTIO_MMIO_CONFIG + i, 1),
				  (uint8_t)"\x52\x54\x00\x12\x34\x56"[i]);
	ck_assert_uint_eq(virtio_mmio_read(&device, VIRTIO_MMIO_CONFIG + 6, 2), VIRTIO_NET_S_LINK_UP);
	/* Without one, each device has another, and has it again after a restart. */
	for (i = 0; i < 2; i++)
		ck_assert_int_eq(virtio_net_kind.init(&others[i], &driver.memory, "user"), 0);
	ck_assert_mem_ne(others[0].config, others[1].config, 6);
	virtio_device_exit(&others[1]);
	memcpy(others[1].config, others[0].config, 6);
	virtio_device_exit(&others[0]);
	ck_assert_int_eq(virtio_net_kind.init(&others[0], &driver.memory, "user"), 0);
	ck_assert_mem_eq(others[0].config, others[1].config, 6);
	ck_assert_uint_eq(others[0].config[0], 2);
	virtio_device_exit(&others[0]);
	stop();
}
END_TEST

static void refused(const char *value, const char *words)
{
	unit_refused(virtio_net_kind.init(&device, &driver.memory, value), words);
	virtio_device_exit(&device);
}

START_TEST(what_is_no_network_is_refused)
{
	driver_init(&driver);
	refused("", "--net needs a value");
	refused("lan", "'lan' is no kind of network: there are user, tap, bridge:BR, socket:PATH");
	refused("users", "is no kind of network");
	refused("user:x", "is no kind of network");
	refused("bridge", "needs to know more: --net=bridge:BR");
	refused("bridge:nobridge", "there is no bridge 'nobridge': make it: ip link add nobridge");
	refused("bridge:../lo", "there is no bridge '../lo'");
	refused("tap:a-name-of-16-chars", "is too long for a network device");
	unit_refused(virtio_tunnet_kind.init(&device, &driver.memory, "x"), "'x' is no IPv4 address");
	virtio_device_exit(&device);
	unit_refused(virtio_tunnet_kind.init(&device, &driver.memory, "10.0.0.1:xx"),
		     "'xx' is no hardware address");
	virtio_device_exit(&device);
	unit_refused(virtio_tunnet_kind.init(&device, &driver.memory,
					     "bridge:nobridge:52:54:00:12:34:56"), "there is no bridge");
	virtio_device_exit(&device);
	refused("user,mac=1", "'1' is no hardware address");
	refused("user,x", "--net=user does not know 'x'");
	refused("user,mac", "--net=user does not know 'mac'");
	guest_memory_exit(&driver.memory);
}
END_TEST

START_TEST(ports_that_can_not_be_forwarded_are_refused)
{
	static const char * const bad[] = {
		"", "tcp", "tcp:", "tcp::80", "tcp::80-", "tcp::80-:", "tcp:80-:80", "icmp::80-:80",
		"tcp::0-:80", "tcp::80-:0", "tcp::65536-:80", "tcp::80-:65536", "tcp::80-:80x",
		"tcp::-1-:80", "tcp::+80-:80", "tcp:1.2.3:80-:80", "tcp:localhost:80-:80",
		"tcp:999.0.0.1:80-:80", "tcp::80-1.2.3.4.5.6.7.8.9.10:80", "tcp:::1:80-:80",
	};
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t size = sizeof(address);
	char value[100];
	int fd, port;
	size_t i;

	driver_init(&driver);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		snprintf(value, sizeof(value), "user,hostfwd=%s", bad[i]);
		refused(value, "is no port to forward: say hostfwd=tcp:127.0.0.1:2222-:22");
	}
	fd = socket(AF_INET, SOCK_STREAM, 0);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	port = ntohs(address.sin_port);
	snprintf(value, sizeof(value), "user,hostfwd=tcp::%d-:22", port);
	refused(value, "of the host is taken: choose another one");
	/* Not as if somebody had it still: nobody is left behind. */
	close(fd);
	for (i = 0; i < 2; i++) {
		snprintf(value, sizeof(value), "user,hostfwd=tcp:127.0.0.1:%d-:22,hostfwd=udp::%d-:53",
			 port, port);
		ck_assert_int_eq(virtio_net_kind.init(&device, &driver.memory, value), 0);
		virtio_device_exit(&device);
	}
	guest_memory_exit(&driver.memory);
}
END_TEST

/* Who has 10.0.2.2? Ethernet, then RFC 826. */
static const uint8_t arp_request[] = {
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1, 0x08, 0x06,
	0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 1, 10, 0, 2, 15, 0, 0, 0, 0, 0, 0, 10, 0, 2, 2,
};

static void send_frames(const void *frame, size_t size, unsigned int times)
{
	uint16_t done = driver_done(&driver, TRANSMIT);
	unsigned int i;

	memset(memory(SENT), 0, HEADER);
	memcpy(memory(SENT) + HEADER, frame, size);
	driver_put_desc(&driver, TRANSMIT, 0, SENT, HEADER + size, 0, 0);
	for (i = 0; i < times; i++)
		driver_offer(&driver, TRANSMIT, 0);
	driver_kick(&driver, TRANSMIT);
	ck_assert(driver_wait(&driver, TRANSMIT, done + times));
}

START_TEST(user_network_answers)
{
	start_net("user,mac=02:00:00:00:00:01", F_MERGE);
	offer(0, 2000);
	send_frames(arp_request, sizeof(arp_request), 1);
	ck_assert(driver_wait(&driver, RECEIVE, 1));
	ck_assert_uint_ge(used(RECEIVE, 0)->len, HEADER + 42);
	/* An answer, of 10.0.2.2. */
	ck_assert_uint_eq(memory(RECEIVED(0))[HEADER + 21], 2);
	ck_assert_mem_eq(memory(RECEIVED(0)) + HEADER + 28, "\x0a\x00\x02\x02", 4);
	stop();
}
END_TEST

/* Frames that are nearly right, and nobody takes the answers. */
START_TEST(user_network_lives_with_any_frame)
{
	static const uint16_t types[] = { 0x0806, 0x0800, 0x86dd, 0x88f8 };
	uint8_t frame[1600];
	struct net *net;
	unsigned int i, at;

	start_net("user,mac=02:00:00:00:00:01", F_MERGE);
	net = device.private;
	for (i = 0; i < 3000; i++) {
		size_t size = 14 + unit_random() % (sizeof(frame) - 14);
		uint16_t type = types[i % ARRAY_SIZE(types)];

		for (at = 0; at < size; at++)
			frame[at] = unit_random() % 3 ? 0 : unit_random();
		memcpy(frame, arp_request, 12);
		frame[12] = type >> 8;
		frame[13] = type;
		if (type == 0x0800)
			frame[14] = 0x45;
		send_frames(frame, size, 1);
	}
	for (i = 0; i < 2000; i++)
		send_frames(arp_request, sizeof(arp_request), DRIVER_ENTRIES);
	ck_assert_uint_le(net->waiting, 1 << 20);
	offer(0, 2000);
	ck_assert(driver_wait(&driver, RECEIVE, 1));
	ck_assert_int_eq(unit_messages, 0);
	stop();
}
END_TEST

/* Another Guest, with a driver of its own, at the other end of socket:PATH. */
static struct virtio_device other_device;
static struct driver other;
static char cable[100], cable_value[120];

static void start_other(uint64_t features)
{
	driver_init(&other);
	ck_assert_int_eq(virtio_net_kind.init(&other_device, &other.memory, cable_value), 0);
	other.device = &other_device;
	ck_assert_int_eq(virtio_device_start(&other_device), 0);
	driver_start(&other, features);
}

static void stop_other(void)
{
	virtio_device_exit(&other_device);
	guest_memory_exit(&other.memory);
}

static void name_cable(void)
{
	snprintf(cable, sizeof(cable), "%s/cable", unit_directory());
	snprintf(cable_value, sizeof(cable_value), "socket:%s", cable);
}

static void remove_cable(void)
{
	ck_assert_int_eq(access(cable, F_OK), -1);
	*strrchr(cable, '/') = '\0';
	ck_assert_int_eq(rmdir(cable), 0);
}

static bool link_is(struct virtio_device *card, bool up)
{
	int tries;

	for (tries = 0; tries < 10000; tries++) {
		if (virtio_mmio_read(card, VIRTIO_MMIO_CONFIG + 6, 2) == up)
			return true;
		usleep(1000);
	}
	return false;
}

/* From the one to the other: a packet of segments, as it is, or nothing. */
static void cross(unsigned int number, uint64_t features)
{
	struct virtio_net_hdr_v1 header = {
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = 34, .csum_offset = 16,
		.gso_type = features ? VIRTIO_NET_HDR_GSO_TCPV4 : 0, .gso_size = features ? 1000 : 0,
	};
	uint8_t *frame = other.memory.base + RECEIVED(0);

	driver_put_desc(&other, RECEIVE, 0, RECEIVED(0), 2000, WRITE, 0);
	driver_offer(&other, RECEIVE, 0);
	driver_kick(&other, RECEIVE);
	memset(memory(SENT), number, 1500);
	memcpy(memory(SENT), &header, HEADER);
	driver_put_desc(&driver, TRANSMIT, 0, SENT, 1500, 0, 0);
	driver_offer(&driver, TRANSMIT, 0);
	driver_kick(&driver, TRANSMIT);
	ck_assert(driver_wait(&other, RECEIVE, 1));
	ck_assert_uint_eq(used(TRANSMIT, 0)->id, 0);
	ck_assert_uint_eq(driver_used(&other, RECEIVE)->ring[0].len, 1500);
	ck_assert_uint_eq(frame[0], features ? header.flags : 0);
	ck_assert_uint_eq(frame[1], header.gso_type);
	ck_assert_mem_eq(frame + HEADER, memory(SENT) + HEADER, features ? 1500 - HEADER : 50);
}

START_TEST(two_guests_meet_at_a_socket)
{
	const uint64_t offloads = NET_FEATURE(GUEST_CSUM) | NET_FEATURE(GUEST_TSO4);
	unsigned int i;

	name_cable();
	start_net(cable_value, 0);
	ck_assert(link_is(&device, false));
	/* Nobody there: what is sent is lost. */
	send_frames(arp_request, sizeof(arp_request), DRIVER_ENTRIES);
	for (i = 0; i < 6; i++) {
		start_other(i % 2 ? offloads : 0);
		ck_assert(link_is(&other_device, true));
		ck_assert(link_is(&device, true));
		cross(i, i % 2 ? offloads : 0);
		stop_other();
		ck_assert(link_is(&device, false));
	}
	ck_assert_int_eq(unit_messages, 0);
	stop();
	remove_cable();
}
END_TEST

/* The first one goes: the second one is first now, and whoever comes is second. */
START_TEST(guest_that_is_left_at_a_socket_waits_there)
{
	unsigned int i;

	name_cable();
	start_net(cable_value, 0);
	for (i = 0; i < 3; i++) {
		start_other(0);
		ck_assert(link_is(&device, true));
		stop();
		ck_assert(link_is(&other_device, false));
		start_net(cable_value, 0);
		ck_assert(link_is(&other_device, true));
		cross(i, 0);
		stop_other();
	}
	stop();
	usleep(100000);
	remove_cable();
}
END_TEST

START_TEST(third_guest_at_a_socket_is_refused)
{
	struct virtio_device third;

	name_cable();
	start_net(cable_value, 0);
	start_other(0);
	ck_assert(link_is(&device, true));
	unit_refused(virtio_net_kind.init(&third, &driver.memory, cable_value),
		     "has two guests already: choose another name");
	virtio_device_exit(&third);
	cross(1, 0);
	stop_other();
	stop();
	remove_cable();
}
END_TEST

/* Who takes nothing can't hold up the other one's driver. */
START_TEST(guest_that_takes_nothing_holds_up_nobody)
{
	unsigned int i;

	name_cable();
	start_net(cable_value, 0);
	start_other(0);
	ck_assert(link_is(&device, true));
	memset(memory(SENT), 0, 60000);
	for (i = 0; i < 30; i++) {
		driver_put_desc(&driver, TRANSMIT, 0, SENT, 60000, 0, 0);
		driver_offer(&driver, TRANSMIT, 0);
		driver_kick(&driver, TRANSMIT);
		ck_assert(driver_wait(&driver, TRANSMIT, i + 1));
	}
	/* A third one hears of it, too, while packets wait. */
	stop();
	start_net(cable_value, 0);
	ck_assert(link_is(&device, true));
	stop_other();
	stop();
	remove_cable();
}
END_TEST

START_TEST(what_is_no_socket_is_refused)
{
	char value[200];
	int fd;

	name_cable();
	driver_init(&driver);
	fd = open(cable, O_CREAT | O_WRONLY, 0600);
	refused(cable_value, "is a file, not a guest's network: choose another name");
	close(fd);
	ck_assert_int_eq(unlink(cable), 0);
	refused("socket:/nonexistent/cable", "can't use the network '/nonexistent/cable': No such");
	refused("socket", "needs to know more: --net=socket:PATH");
	snprintf(value, sizeof(value), "socket:/tmp/%0120d", 1);
	refused(value, "is too long for a socket");
	snprintf(value, sizeof(value), "%s,hostfwd=x", cable_value);
	refused(value, "does not know 'hostfwd=x'");
	guest_memory_exit(&driver.memory);
	remove_cable();
}
END_TEST

/* One that was killed leaves its socket behind. */
START_TEST(socket_that_nobody_has_is_taken_over)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);

	name_cable();
	strcpy(address.sun_path, cable);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
	start_net(cable_value, 0);
	start_other(0);
	ck_assert(link_is(&device, true));
	stop_other();
	stop();
	remove_cable();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("net");

	UNIT_ADD(suite, packets_come_in_order);
	UNIT_ADD(suite, packets_come_in_with_event_indexes_and_mergeable_buffers);
	UNIT_ADD(suite, large_packet_is_merged_from_several_buffers);
	UNIT_ADD(suite, header_may_lie_in_pieces);
	UNIT_ADD(suite, packets_wait_for_room_in_order);
	UNIT_ADD(suite, reset_amid_a_packet_begins_it_anew);
	UNIT_ADD(suite, without_merging_what_does_not_fit_is_lost);
	UNIT_ADD(suite, packets_go_out_in_any_pieces);
	UNIT_ADD(suite, packets_wait_for_the_back_end);
	UNIT_ADD(suite, bad_packets_cost_the_device_or_are_lost);
	UNIT_ADD(suite, receive_buffer_of_no_bytes_costs_the_device);
	UNIT_ADD(suite, receive_buffer_smaller_than_a_header_costs_the_device);
	UNIT_ADD(suite, packet_in_endless_buffers_costs_the_device);
	UNIT_ADD(suite, headers_are_checked);
	UNIT_ADD(suite, checksums_are_completed_for_drivers_that_can_not);
	UNIT_ADD(suite, segments_go_only_to_drivers_that_want_them);
	UNIT_ADD(suite, hardware_addresses_are_understood);
	UNIT_ADD(suite, mac_is_in_the_configuration);
	UNIT_ADD(suite, what_is_no_network_is_refused);
	UNIT_ADD(suite, ports_that_can_not_be_forwarded_are_refused);
	UNIT_ADD(suite, user_network_answers);
	UNIT_ADD(suite, user_network_lives_with_any_frame);
	UNIT_ADD(suite, two_guests_meet_at_a_socket);
	UNIT_ADD(suite, guest_that_is_left_at_a_socket_waits_there);
	UNIT_ADD(suite, third_guest_at_a_socket_is_refused);
	UNIT_ADD(suite, guest_that_takes_nothing_holds_up_nobody);
	UNIT_ADD(suite, what_is_no_socket_is_refused);
	UNIT_ADD(suite, socket_that_nobody_has_is_taken_over);
	return unit_run(suite);
}
