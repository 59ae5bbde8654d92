// SPDX-License-Identifier: GPL-2.0-only
/* A network card, and packets from outside, which are as bad as a guest's. */
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/file.h"
#include "guest.h"
#include "input.h"
#include "virtio/net/net.h"

/* At most one packet is on its way in. */
static struct {
	int bell;
	int index;
	bool busy;		/* does not take the guest's packets now */
	size_t size;
	uint8_t bytes[NET_MAX_PACKET + 1];
} wire = { .bell = -1 };

static int wire_init(struct net *net, const struct net_request *request)
{
	(void)net;
	(void)request;
	wire.bell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	wire.busy = false;
	wire.size = 0;
	return wire.bell < 0 ? -1 : 0;
}

static void wire_prepare(struct net *net, struct net_poll *poll)
{
	wire.index = net->first ? -1 : net_poll_add(poll, wire.bell, POLLIN);
	if (wire.busy && net->unsent_size)
		poll->timeout = 10;
}

/* Like a back end, keep the packet where nobody else writes: event() may put the next one on. */
static void wire_receive(struct net *net, const struct net_poll *poll)
{
	static uint8_t packet[NET_MAX_PACKET + 1];
	size_t size = wire.size;
	uint64_t count;

	wire.busy = wire.busy && poll->timeout != 10;
	if (!net_poll_events(poll, wire.index) || read(wire.bell, &count, sizeof(count)) < 0)
		return;
	memcpy(packet, wire.bytes, size);
	net_receive(net, packet, size);
}

static bool wire_send(struct net *net, struct iovec *iov, unsigned int count)
{
	uint8_t bytes[64];

	(void)net;
	if (wire.busy)
		return false;
	iov_read(&iov, &count, bytes, sizeof(bytes));
	return true;
}

static void wire_exit(struct net *net)
{
	(void)net;
	file_close(&wire.bell);
}

static const struct net_ops wire_ops = {
	.features = NET_OFFLOADS,
	.init = wire_init,
	.prepare = wire_prepare,
	.receive = wire_receive,
	.send = wire_send,
	.exit = wire_exit,
};

static int init(struct virtio_device *device, const struct guest_memory *memory)
{
	struct net_request request = { .ops = &wire_ops, .mac = { 2, 0, 0, 0, 0, 1 } };

	return virtio_net_init(device, memory, &request);
}

static void event(struct virtio_device *device)
{
	static const uint16_t sizes[] = { 0, 11, 12, 26, 60, 1526, 9000, 65535 };
	uint8_t how = input_byte();
	uint64_t one = 1;

	(void)device;
	if (how & 1) {
		wire.busy = how & 2;
		return;
	}
	wire.size = sizes[how >> 1 & 7];
	memset(wire.bytes, 0, 64);
	input_bytes(wire.bytes, how & 0x80 ? 40 : 12);
	if (write(wire.bell, &one, sizeof(one)) < 0)
		return;
}

const struct guest_device guest_device = { .init = init, .event = event };

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	launcher_begin();
	return 0;
}
