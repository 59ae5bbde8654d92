// SPDX-License-Identifier: GPL-2.0-only
/* What the tests of a network card of Xen's share. */
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/event.h"
#include "unit.h"
#include "xen_card.h"

struct guest_memory memory;
struct xen_area area;
struct xen_net card;
struct netif_ring *tx, *rx;
int wire[2];
bool cut;
uint32_t seen;
uint8_t packet[NET_MAX_PACKET + 1];

/* --- A network that the test holds the other end of. --- */

static int wire_init(struct net *net, const struct net_request *request)
{
	int size = 1 << 20;

	(void)net;
	(void)request;
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, wire), 0);
	setsockopt(wire[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	setsockopt(wire[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	return 0;
}

static void wire_receive(struct net *net, const struct net_poll *poll_on)
{
	static uint8_t bytes[NET_MAX_PACKET];
	ssize_t size;

	(void)poll_on;
	while (!net->first && (size = recv(wire[0], bytes, sizeof(bytes), MSG_DONTWAIT)) > 0)
		net_receive(net, bytes, size);
}

static bool wire_send(struct net *net, struct iovec *iov, unsigned int count)
{
	(void)net;
	if (cut)
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

#define WIRE						\
	.init = wire_init, .receive = wire_receive,	\
	.send = wire_send, .exit = wire_exit

const struct net_ops wire_ops = { WIRE, .features = NET_OFFLOADS };
const struct net_ops plain_ops = { WIRE, .features = NET_FEATURE(GUEST_CSUM) };
const struct net_ops large_ops = {
	WIRE, .features = NET_FEATURE(GUEST_CSUM), .takes_large = true };

/* --- The guest. --- */

void grant(uint32_t number, uint16_t flags, uint16_t domain, uint32_t frame)
{
	area.grants[number] = (struct xen_grant_entry){ flags, domain, frame };
}

void set_up(const struct net_ops *ops, uint64_t features)
{
	struct net_request request = { .ops = ops, .mac = { 2, 0, 0, 0, 0, 1 } };
	unsigned int i;

	ck_assert_int_eq(guest_memory_init(&memory, 16 * MIB), 0);
	guest_memory_close_hole(&memory);
	ck_assert_int_eq(xen_area_init(&area, 16 * MIB), 0);
	xen_area_fill(&area);
	memset(&card, 0, sizeof(card));
	card.memory = &memory;
	card.area = &area;
	ck_assert_int_eq(xen_net_init(&card, 0, &request), 0);
	for (i = 0; i < PAGES; i++)
		grant(FIRST + i, 1, 0, PAGE(i) / PAGE_SIZE);
	tx = card.tx.shared = guest_range(&memory, TX, PAGE_SIZE);
	rx = card.rx.shared = guest_range(&memory, RX, PAGE_SIZE);
	card.tx.raise = card.port[0].raise;
	card.rx.raise = card.port[1].raise;
	card.features = features;
	card.takes_pages = card.takes_ipv6 = true;
	cut = false;
	seen = 0;
}

void tear_down(void)
{
	xen_net_exit(&card);
	xen_area_exit(&area);
	guest_memory_exit(&memory);
}

void work(void)
{
	struct net_poll nothing = { 0 };

	while (xen_net_work(&card, &nothing))
		continue;
}

bool interrupted(const struct xen_net_ring *ring)
{
	struct pollfd raise = { .fd = ring->raise, .events = POLLIN };
	bool yes = poll(&raise, 1, 0) == 1;

	event_take(ring->raise);
	return yes;
}

struct netif_tx_request *put(unsigned int n, uint16_t flags, uint16_t size)
{
	struct netif_tx_request *piece = &tx->tx[tx->request_prod++ % NETIF_ENTRIES].request;

	*piece = (struct netif_tx_request){ FIRST + n, 0, flags, 0x100 + n, size };
	return piece;
}

void put_gso(uint8_t type, uint16_t size, uint8_t flags)
{
	tx->tx[tx->request_prod++ % NETIF_ENTRIES].extra = (struct netif_extra){
		.type = NETIF_EXTRA_GSO, .flags = flags, .gso_size = size, .gso_type = type };
}

int answer(uint16_t id)
{
	const struct netif_tx_response *response = &tx->tx[seen % NETIF_ENTRIES].response;

	ck_assert_int_gt((int32_t)(tx->response_prod - seen), 0);
	seen++;
	if (response->status != NETIF_NULL)
		ck_assert_uint_eq(response->id, id);
	return response->status;
}

ssize_t came_out(void)
{
	return recv(wire[1], packet, sizeof(packet), MSG_DONTWAIT);
}

const struct virtio_net_hdr_v1 *header(void)
{
	return (const void *)packet;
}

void put_rx(unsigned int count)
{
	for (; count; count--, rx->request_prod++)
		rx->rx[rx->request_prod % NETIF_ENTRIES].request = (struct netif_rx_request){
			.id = rx->request_prod, .grant = FIRST + rx->request_prod % PAGES };
}

const struct netif_rx_response *got(unsigned int n)
{
	ck_assert_uint_lt(n, rx->response_prod);
	return &rx->rx[n % NETIF_ENTRIES].response;
}

size_t make_ipv4(uint8_t *frame, uint8_t protocol)
{
	memset(frame, 0, 200);
	memcpy(frame + 12, "\x08\x00\x45", 3);
	frame[14 + 9] = protocol;
	frame[34 + 12] = 0x50;
	return 34;
}

size_t make_ipv6(uint8_t *frame, uint8_t protocol)
{
	memset(frame, 0, 200);
	memcpy(frame + 12, "\x86\xdd\x60", 3);
	frame[54] = 60;
	frame[55] = 1;
	frame[70] = protocol;
	frame[78 + 12] = 0x50;
	return 78;
}

void receive(const void *bytes, size_t size)
{
	ck_assert_int_eq(send(wire[1], bytes, size, 0), size);
	work();
}
