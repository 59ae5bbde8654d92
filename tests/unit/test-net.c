// SPDX-License-Identifier: GPL-2.0-only
/*
 * The network card: packets come into the guest's buffers and out of them, whatever the
 * driver does.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net_card.h"
#include "unit.h"

#define F_EVENT_IDX	(1ULL << VIRTIO_RING_F_EVENT_IDX)

static int wire[2];	/* the back end's end, and the test's */
static int index_of_wire;
static atomic_bool wire_is_cut;	/* the back end can't send */

/* --- A back end that the test holds the other end of. --- */

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

static void start_wire(uint64_t features)
{
	struct net_request request = { .ops = &wire_ops, .mac = { 2, 0, 0, 0, 0, 1 } };

	driver_init(&driver);
	ck_assert_int_eq(virtio_net_init(&device, &driver.memory, &request), 0);
	run_card(features);
}

/* Send a packet to the card: an empty header, and a frame with a pattern. */
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

/* A packet waits until the driver has offered all its buffers; the next packets wait behind it. */
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

/* A reset takes away buffers that hold half a packet: the packet starts anew in new ones. */
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

/* The driver may cut a packet into any pieces. */
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

/* Packets that the back end can't take are kept in order; a reset does not wait for them. */
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
	driver_misuses(&driver, "a packet without a header");
	stop();
}
END_TEST

static void receive_misused(uint32_t size, uint64_t features)
{
	start_wire(features);
	offer(0, size);
	put_on_wire(HEADER + 100, 0);
	driver_misuses(&driver, "receive buffers that are too small");
	/* The card works again when the driver begins anew. */
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

/* Do all entries of the ring wait for the device's thread, which may be late? */
static bool ring_is_full(void)
{
	uint16_t taken;

	pthread_mutex_lock(&device.lock);
	taken = device.queue[RECEIVE].next_avail;
	pthread_mutex_unlock(&device.lock);
	return (uint16_t)(driver_avail(&driver, RECEIVE)->idx - taken) >= DRIVER_ENTRIES;
}

/* The driver offers tiny buffers for ever, and the card can use none before a packet fits. */
START_TEST(packet_in_endless_buffers_costs_the_device)
{
	unsigned int i;

	start_wire(F_MERGE);
	offer(0, HEADER);
	put_on_wire(HEADER + 1000, 0);
	for (i = 1; i < 5000 && !driver_needs_reset(&driver);) {
		if (ring_is_full())
			usleep(1000);
		else
			offer(i++, 1);
	}
	driver_misuses(&driver, "receive buffers that are too small");
	stop();
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
	return unit_run(suite);
}
