// SPDX-License-Identifier: GPL-2.0-only
/* A network card of Xen's: any rings, any grant table, any frames, and packets from outside. */
#include <string.h>

#include "input.h"
#include "memory.h"
#include "virtio/virtio.h"
#include "xen/area.h"
#include "xen/net.h"

#define SIZE	(1ULL << 20)

static struct guest_memory memory;
static struct xen_area area;
static struct xen_net card;
static bool busy;	/* the network takes nothing now */

static int wire_init(struct net *net, const struct net_request *request)
{
	(void)net;
	(void)request;
	return 0;
}

/* At most one packet from outside each time. */
static void wire_receive(struct net *net, const struct net_poll *poll_on)
{
	static const uint16_t sizes[] = { 0, 11, 26, 72, 512, 4108, 9000, 65535 };
	static uint8_t packet[NET_MAX_PACKET];
	size_t size = sizes[input_below(8)];

	(void)poll_on;
	if (net->first)
		return;
	memset(packet, 0, 128);
	input_bytes(packet, input_below(128));
	net_receive(net, packet, size);
}

/* Whoever gets a packet can rely on the header. */
static bool wire_send(struct net *net, struct iovec *iov, unsigned int count)
{
	static uint8_t packet[NET_MAX_PACKET];
	size_t size = iov_size(iov, count);

	if (busy)
		return false;
	require(size <= sizeof(packet));
	iov_read(&iov, &count, packet, size);
	require(net_header_check(packet, size));
	require(net->ops->features & NET_FEATURE(CSUM) || !packet[0]);
	return true;
}

#define WIRE	.init = wire_init, .receive = wire_receive, .send = wire_send

static const struct net_ops wires[] = {
	{ WIRE, .features = NET_OFFLOADS },
	{ WIRE, .features = NET_FEATURE(GUEST_CSUM) },
	{ WIRE, .features = NET_OFFLOADS },
	{ WIRE, .features = NET_FEATURE(GUEST_CSUM), .takes_large = true },
};

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct net_request request = { .ops = &wires[0], .mac = { 2, 0, 0, 0, 0, 1 } };

	(void)argc;
	(void)argv;
	launcher_begin();
	require(!guest_memory_init(&memory, SIZE));
	guest_memory_close_hole(&memory);
	require(!xen_area_init(&area, SIZE));
	card.memory = &memory;
	card.area = &area;
	require(!xen_net_init(&card, 0, &request));
	return 0;
}

static struct netif_ring *begin_ring(struct xen_net_ring *ring, unsigned int page)
{
	memset(ring, 0, sizeof(*ring));
	ring->shared = (void *)(memory.base + page * PAGE_SIZE);
	ring->raise = card.port[0].raise;
	memset(ring->shared, 0, PAGE_SIZE);
	return ring->shared;
}

static void put_piece(struct netif_ring *tx)
{
	struct netif_tx_request *piece = &tx->tx[tx->request_prod % NETIF_ENTRIES].request;

	input_bytes(piece, sizeof(*piece));
	/* Most are not so wrong that nothing comes of them. */
	if (input_below(4)) {
		piece->grant %= 256;
		piece->offset %= 2048;
		piece->flags &= ~NETIF_TX_MORE;
		piece->size %= 2048;
	}
	tx->request_prod += input_below(64) ? 1 : input_32();
}

/* The headers of some frame, in some page. */
static void put_frame(void)
{
	uint8_t *frame = memory.base + (4 + input_below(250)) * PAGE_SIZE;

	memset(frame, 0, 128);
	frame[12] = 0x08;
	frame[14] = 0x45;
	frame[23] = input_below(2) ? 6 : 17;
	frame[46] = 0x50;
	if (input_below(2)) {
		frame[12] = 0x86;
		frame[13] = 0xdd;
		frame[14] = 0x60;
		frame[20] = input_byte();
	}
	input_bytes(frame + input_below(100), input_below(16));
}

static void put_room(struct netif_ring *rx)
{
	struct netif_rx_request *request = &rx->rx[rx->request_prod % NETIF_ENTRIES].request;

	input_bytes(request, sizeof(*request));
	if (input_below(4))
		request->grant %= 256;
	rx->request_prod += input_below(64) ? input_below(20) : input_32();
}

static void lose_waiting(void)
{
	static const struct net_poll nothing;
	unsigned int tries;

	card.broken = true;
	card.net.unsent_size = 0;
	busy = false;
	for (tries = 0; card.net.first && tries < 2; tries++)
		xen_net_work(&card, &nothing);
	require(!card.net.first);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct net_poll nothing;
	struct netif_ring *tx, *rx;
	unsigned int i;
	uint8_t how;

	input_begin(data, size);
	how = input_byte();
	tx = begin_ring(&card.tx, 0);
	/* They may even be the same page. */
	rx = begin_ring(&card.rx, how & 1 && how & 2);
	card.net.ops = &wires[how >> 2 & 3];
	card.features = card.net.ops->features & (how & 16 ? NET_OFFLOADS : 0);
	card.takes_pages = how & 32;
	card.takes_ipv6 = how & 64;
	card.broken = false;
	/* Good ones, and a few of the input's. The rings themselves may be granted, too. */
	for (i = 0; i < 256; i++)
		area.grants[i] = (struct xen_grant_entry){ 1, 0, i };
	input_bytes(&area.grants[input_byte()], 16);
	while (!input_over()) {
		busy = !input_below(4);
		put_frame();
		put_piece(tx);
		put_room(rx);
		xen_net_work(&card, &nothing);
		require(card.broken || card.tx.pushed == card.tx.request_cons);
		require(card.rx.pushed == card.rx.request_cons);
	}
	lose_waiting();
	return 0;
}
