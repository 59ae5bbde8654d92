// SPDX-License-Identifier: GPL-2.0-only
/* A network card of a guest of Xen's ABI, with a front end that may say anything. */
#include <string.h>
#include <sys/socket.h>

#include "base/compiler.h"
#include "unit.h"
#include "xen_card.h"

START_TEST(pieces_that_lie_are_lost)
{
	static const struct netif_tx_request hostile[] = {
		{ FIRST, 4000, 0, 0x100, 97 }, { FIRST, 0xffff, 0, 0x100, 60 },
		{ FIRST, 0, 0, 0x100, 4097 }, { FIRST, 1, 0, 0x100, 0xffff },
		{ FIRST, 0, 0, 0x100, 13 }, { FIRST, 0, 0, 0x100, 0 },
		{ FIRST - 1, 0, 0, 0x100, 60 },		/* not granted */
		{ 0xffffffff, 0, 0, 0x100, 60 }, { XEN_GRANT_FRAMES * 512, 0, 0, 0x100, 60 },
		{ 1001, 0, 0, 0x100, 60 },		/* to another domain */
		{ 1002, 0, 0, 0x100, 60 },		/* a transfer */
		{ 1003, 0, 0, 0x100, 60 }, { 1004, 0, 0, 0x100, 60 },	/* no memory */
	};
	size_t i;

	set_up(&wire_ops, 0);
	grant(1001, 1, 1, 0x10);
	grant(1002, 2, 0, 0x10);
	grant(1003, 1, 0, 16 * MIB / PAGE_SIZE);
	grant(1004, 1, 0, 0xffffffff);
	for (i = 0; i < ARRAY_SIZE(hostile); i++) {
		*put(0, 0, 0) = hostile[i];
		work();
		ck_assert_int_eq(came_out(), -1);
		ck_assert_int_eq(answer(0x100), NETIF_ERROR);
		put(0, NETIF_TX_MORE, 0xffff);
		*put(0, 0, 0) = hostile[i];
		work();
		ck_assert_int_eq(came_out(), -1);
		ck_assert_int_eq(answer(0x100), NETIF_ERROR);
		ck_assert_int_eq(answer(0x100), NETIF_ERROR);
	}
	/* The others are larger than the whole. */
	put(0, NETIF_TX_MORE, 100);
	put(1, 0, 101);
	work();
	ck_assert_int_eq(came_out(), -1);
	/* In 16 bits they are not. */
	put(0, NETIF_TX_MORE, 100);
	for (i = 0; i < 16; i++)
		put(1, i < 15 ? NETIF_TX_MORE : 0, 4096);
	work();
	ck_assert_int_eq(came_out(), -1);
	/* What is granted for reading alone can be sent. */
	grant(FIRST, 1 | 4, 0, PAGE(0) / PAGE_SIZE);
	put(0, 0, 60);
	work();
	ck_assert_int_eq(came_out(), HEADER + 60);
	ck_assert_int_eq(unit_messages, 0);
	tear_down();
}
END_TEST

/* A frame that is not what its flags say never gets a header that says so. */
START_TEST(frames_that_lie_are_lost)
{
	static const struct lie { unsigned int at; uint8_t byte; uint16_t size; } ipv4[] = {
		{ 13, 6, 100 }, { 14, 0x44, 100 }, { 14, 0x55, 100 }, { 20, 0x20, 100 }, { 21, 1, 100 },
		{ 23, 1, 100 }, { 23, 17, 100 }, { 46, 0x40, 100 }, { 46, 0xf0, 90 },
		{ 46, 0x50, 51 }, { 46, 0x50, 33 }, { 46, 0x50, 14 },
	}, ipv6[] = {
		{ 14, 0x40, 200 }, { 20, 44, 200 }, { 55, 255, 200 }, { 70, 60, 79 }, { 70, 6, 95 },
		{ 70, 6, 54 }, { 20, 6, 56 },
	};
	size_t i;

	set_up(&wire_ops, 0);
	for (i = 0; i < ARRAY_SIZE(ipv4) + ARRAY_SIZE(ipv6); i++) {
		bool four = i < ARRAY_SIZE(ipv4);
		const struct lie *lie = four ? &ipv4[i] : &ipv6[i - ARRAY_SIZE(ipv4)];

		if (four)
			make_ipv4(memory.base + PAGE(0), 6);
		else
			make_ipv6(memory.base + PAGE(0), 6);
		memory.base[PAGE(0) + lie->at] = lie->byte;
		put(0, NETIF_TX_CSUM_BLANK | NETIF_TX_EXTRA, lie->size);
		put_gso(four ? NETIF_GSO_TCPV4 : NETIF_GSO_TCPV6, 10, 0);
		work();
		ck_assert_msg(came_out() == -1, "lie %zu", i);
		ck_assert_int_eq(answer(0x100), NETIF_ERROR);
		ck_assert_int_eq(answer(0), NETIF_NULL);
	}
	/* A header that ends before it does. */
	make_ipv4(memory.base + PAGE(0), 17);
	memory.base[PAGE(0) + 14] = 0x44;
	put(0, NETIF_TX_CSUM_BLANK, 100);
	work();
	ck_assert_int_eq(came_out(), -1);
	/* Segments of the wrong kind, of no size, without a checksum. */
	make_ipv4(memory.base + PAGE(0), 6);
	put(0, NETIF_TX_CSUM_BLANK | NETIF_TX_EXTRA, 100);
	put_gso(NETIF_GSO_TCPV6, 10, 0);
	put(0, NETIF_TX_CSUM_BLANK | NETIF_TX_EXTRA, 100);
	put_gso(9, 10, 0);
	put(0, NETIF_TX_CSUM_BLANK | NETIF_TX_EXTRA, 100);
	put_gso(NETIF_GSO_TCPV4, 0, 0);
	put(0, NETIF_TX_EXTRA, 100);
	put_gso(NETIF_GSO_TCPV4, 10, 0);
	work();
	ck_assert_int_eq(came_out(), -1);
	put(0, NETIF_TX_CSUM_BLANK | NETIF_TX_EXTRA, 100);
	put_gso(NETIF_GSO_TCPV4, 10, 0);
	work();
	ck_assert_int_eq(came_out(), HEADER + 100);
	ck_assert_int_eq(unit_messages, 0);
	tear_down();
}
END_TEST

static void is_misuse(void)
{
	work();
	ck_assert_int_eq(came_out(), -1);
	ck_assert_int_eq(unit_messages, 1);
	ck_assert_ptr_nonnull(strstr(unit_last_message, "misuses its network card"));
	unit_forget();
	/* It is heard no more, and gets no more. */
	put(0, 0, 60);
	tx->request_prod = card.tx.request_cons + 1;
	work();
	ck_assert_int_eq(came_out(), -1);
	ck_assert_uint_eq(tx->response_prod | rx->response_prod, 0);
	tear_down();
}

START_TEST(rings_that_lie_are_served_no_more)
{
	static const uint32_t hostile[] = { NETIF_ENTRIES + 1, 0x80000000, 0xffffffff };
	static const uint8_t bytes[HEADER + 60];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(hostile); i++) {
		set_up(&wire_ops, 0);
		tx->request_prod = hostile[i];
		is_misuse();
		set_up(&wire_ops, 0);
		rx->request_prod = hostile[i];
		ck_assert_int_eq(send(wire[1], bytes, sizeof(bytes), 0), sizeof(bytes));
		is_misuse();
	}
	/* A packet without its end, with too many pieces, with too many extras. */
	set_up(&wire_ops, 0);
	put(0, NETIF_TX_MORE, 60);
	is_misuse();
	set_up(&wire_ops, 0);
	put(0, NETIF_TX_EXTRA, 60);
	is_misuse();
	set_up(&wire_ops, 0);
	for (i = 0; i <= NETIF_PIECES; i++)
		put(i, i < NETIF_PIECES ? NETIF_TX_MORE : 0, i ? 60 : 60 * 20);
	is_misuse();
	set_up(&wire_ops, 0);
	put(0, NETIF_TX_EXTRA, 60);
	for (i = 0; i < 100; i++)
		put_gso(NETIF_GSO_TCPV4, 10, i < 99 ? NETIF_EXTRA_MORE : 0);
	is_misuse();
}
END_TEST

START_TEST(pages_that_are_not_to_be_written_fail)
{
	static const uint8_t bytes[HEADER + 5000];
	static const uint32_t hostile[] = { FIRST - 1, 1001, 1002, 1003, 1005, 0xffffffff };
	uint32_t i;

	set_up(&wire_ops, 0);
	grant(1001, 1, 1, 0x10);
	grant(1002, 2, 0, 0x10);
	grant(1003, 1, 0, 16 * MIB / PAGE_SIZE);
	grant(1005, 1 | 4, 0, PAGE(0) / PAGE_SIZE);
	memset(memory.base + PAGE(0), 9, PAGE_SIZE);
	for (i = 0; i < ARRAY_SIZE(hostile); i++) {
		put_rx(2);
		rx->rx[(2 * i + i % 2) % NETIF_ENTRIES].request.grant = hostile[i];
		receive(bytes, sizeof(bytes));
		ck_assert_uint_eq(rx->response_prod, 2 * i + 2);
		ck_assert_int_eq(got(2 * i)->status, NETIF_ERROR);
		ck_assert_int_eq(got(2 * i + 1)->status, NETIF_ERROR);
		ck_assert_uint_eq(got(2 * i)->flags | got(2 * i + 1)->flags, 0);
	}
	ck_assert_uint_eq(memory.base[PAGE(0)], 9);
	put_rx(2);
	receive(bytes, sizeof(bytes));
	ck_assert_int_eq(got(2 * i)->status, 4096);
	ck_assert_int_eq(unit_messages, 0);
	tear_down();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("Xen's network card, hostile guests");

	UNIT_ADD(suite, pieces_that_lie_are_lost);
	UNIT_ADD(suite, frames_that_lie_are_lost);
	UNIT_ADD(suite, rings_that_lie_are_served_no_more);
	UNIT_ADD(suite, pages_that_are_not_to_be_written_fail);
	return unit_run(suite);
}
