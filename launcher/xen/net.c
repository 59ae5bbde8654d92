// SPDX-License-Identifier: GPL-2.0-only
/*
 * A network card of a guest of Xen's ABI: the back end of Linux's xen-netfront. Behind it is a
 * network (net/net.h), as behind a card of virtio's. One thread moves packets between the two
 * for as long as the guest runs; while the front end is not connected, the guest just has no
 * room and sends nothing. The store's thread connects it, and stops that thread meanwhile.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/compiler.h"
#include "base/event.h"
#include "base/file.h"
#include "base/message.h"
#include "xen/abi.h"
#include "xen/grant.h"
#include "xen/net.h"

/* The places of the thread's own descriptors in what it polls. */
enum { POLL_STOP, POLL_PORT };

static void set_flag(const struct xen_net *card, const char *name, bool value)
{
	xen_device_set(&card->device, XEN_BACK, name, "%d", value);
}

static bool get_flag(const struct xen_net *card, const char *name)
{
	uint64_t value;

	return xen_device_get(&card->device, name, 1, &value) && value;
}

/**
 * xen_net_describe() - let a guest that starts find the card
 * @card: as xen_net_init() left it, with memory, area and store
 */
void xen_net_describe(struct xen_net *card)
{
	static const char * const always[] = {
		"feature-rx-copy", "feature-sg", "feature-split-event-channels",
		"feature-ipv6-csum-offload",
	};
	const uint8_t *mac = card->net.mac;
	uint64_t features = card->net.ops->features;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(always); i++)
		set_flag(card, always[i], true);
	set_flag(card, "feature-gso-tcpv4",
		 features & NET_FEATURE(HOST_TSO4) || card->net.ops->takes_large);
	set_flag(card, "feature-gso-tcpv6",
		 features & NET_FEATURE(HOST_TSO6) || card->net.ops->takes_large);
	for (i = 0; i < 2; i++) {
		enum xen_device_side side = i ? XEN_FRONT : XEN_BACK;

		xen_device_set(&card->device, side, "handle", "%u", card->device.number);
		xen_device_set(&card->device, side, "mac", "%02x:%02x:%02x:%02x:%02x:%02x",
			       mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
	}
	xen_device_describe(&card->device);
}

/* Sleep until there is something to do. Return: false if the thread must end. */
static bool sleep_on(struct xen_net *card, struct net_poll *poll_on, bool more)
{
	unsigned int i;

	poll_on->count = 0;
	poll_on->timeout = -1;
	if (net_poll_add(poll_on, card->stop, POLLIN) < 0)
		return false;
	for (i = 0; i < ARRAY_SIZE(card->port); i++)
		net_poll_add(poll_on, card->port[i].kick, POLLIN);
	card->net.ops->prepare(&card->net, poll_on);
	if (more)
		poll_on->timeout = 0;
	if (poll(poll_on->fd, poll_on->count, poll_on->timeout) < 0)
		poll_on->count = 0;	/* EINTR: nothing has happened */
	return !card->stopping;
}

/**
 * xen_net_work() - all that can be done now, but not for too long
 * @card: the card
 * @poll_on: what has happened to the network's descriptors
 *
 * Return: true if there may be more to do.
 */
bool xen_net_work(struct xen_net *card, const struct net_poll *poll_on)
{
	bool more;

	net_place_waiting(&card->net);
	card->net.ops->receive(&card->net, poll_on);
	xen_net_push(&card->rx);
	more = xen_net_send(card);
	xen_net_push(&card->tx);
	return more;
}

static void *run_net(void *argument)
{
	struct xen_net *card = argument;
	struct net_poll poll_on = { 0 };
	bool more = true;	/* the guest may have begun before we heard of it */
	unsigned int i;

	while (sleep_on(card, &poll_on, more)) {
		for (i = 0; i < ARRAY_SIZE(card->port); i++)
			if (net_poll_events(&poll_on, POLL_PORT + i))
				event_take(card->port[i].kick);
		more = xen_net_work(card, &poll_on);
	}
	free(poll_on.fd);
	return NULL;
}

static int start_thread(struct xen_net *card)
{
	event_take(card->stop);
	card->stopping = false;
	return thread_start(&card->thread, run_net, card);
}

static void stop_thread(struct xen_net *card)
{
	if (!card->thread.started)
		return;
	card->stopping = true;
	event_set(card->stop);
	thread_join(&card->thread);
}

/* Return: 0, or a negative errno, and the ring is not there. */
static int hold_ring(struct xen_net *card, struct xen_net_ring *ring, const char *name)
{
	uint64_t grant;

	if (!xen_device_get(&card->device, name, UINT32_MAX, &grant))
		return -EINVAL;
	ring->grant = grant;
	ring->request_cons = ring->response_prod = ring->pushed = 0;
	ring->shared = xen_grant_hold(card->area, card->memory, grant);
	return ring->shared ? 0 : -EFAULT;
}

static void drop_ring(struct xen_net *card, struct xen_net_ring *ring)
{
	if (ring->shared)
		xen_grant_drop(card->area, ring->grant);
	ring->shared = NULL;
}

static int connect_port(struct xen_net *card, const char *name)
{
	unsigned int i = card->ports;
	uint64_t number;
	int error;

	if (!xen_device_get(&card->device, name, XEN_PORTS - 1, &number) ||
	    number < XEN_FIRST_FREE_PORT)
		return -EINVAL;
	error = xen_port_connect(&card->port[i], card->vm, number);
	if (error)
		return error;
	card->port_number[i] = number;
	card->ports++;
	return 0;
}

/* Each ring has a port, or both have one. */
static int connect_ports(struct xen_net *card)
{
	int error = connect_port(card, "event-channel-tx");

	if (!error)
		error = connect_port(card, "event-channel-rx");
	else if (error == -EINVAL)
		error = connect_port(card, "event-channel");
	card->tx.raise = card->port[0].raise;
	card->rx.raise = card->port[card->ports == 2].raise;
	return error;
}

static void disconnect_ports(struct xen_net *card)
{
	while (card->ports) {
		card->ports--;
		xen_port_disconnect(&card->port[card->ports], card->vm,
				    card->port_number[card->ports]);
	}
}

/* What the front end takes. */
static int take_features(struct xen_net *card)
{
	uint64_t features = 0;

	card->takes_pages = get_flag(card, "feature-sg");
	card->takes_ipv6 = get_flag(card, "feature-ipv6-csum-offload");
	if (!get_flag(card, "feature-no-csum-offload"))
		features |= NET_FEATURE(GUEST_CSUM);
	if (features && card->takes_pages && get_flag(card, "feature-gso-tcpv4"))
		features |= NET_FEATURE(GUEST_TSO4);
	if (features && card->takes_pages && card->takes_ipv6 && get_flag(card, "feature-gso-tcpv6"))
		features |= NET_FEATURE(GUEST_TSO6);
	card->features = features & card->net.ops->features;
	return card->net.ops->set_features ?
	       card->net.ops->set_features(&card->net, card->features) : 0;
}

/* The thread stands still. */
static void disconnect_card(struct xen_device *device)
{
	struct xen_net *card = container_of(device, struct xen_net, device);

	disconnect_ports(card);
	drop_ring(card, &card->tx);
	drop_ring(card, &card->rx);
	if (card->net.ops->reset)
		card->net.ops->reset(&card->net);
}

/* The front end is ready. The thread stands still. */
static int connect_card(struct xen_net *card)
{
	int error;

	if (!get_flag(card, "request-rx-copy"))
		return -EPROTO;
	error = hold_ring(card, &card->tx, "tx-ring-ref");
	if (!error)
		error = hold_ring(card, &card->rx, "rx-ring-ref");
	if (!error)
		error = take_features(card);
	if (!error)
		error = connect_ports(card);
	card->broken = false;
	if (error)
		disconnect_card(&card->device);
	return error;
}

static int try_connect(struct xen_device *device)
{
	struct xen_net *card = container_of(device, struct xen_net, device);
	int error = connect_card(card);

	if (error)
		message("the guest does not get its network card: %s", xen_device_problem(error));
	else
		detail("the guest uses its network card, ports %u and %u", card->port_number[0],
		       card->port_number[card->ports - 1]);
	return error;
}

static const struct xen_device_ops ops = {
	.kind = "vif", .attach = try_connect, .detach = disconnect_card,
};

/**
 * xen_net_changed() - the guest has changed something in the store
 * @card: the card; this is the store's thread
 * @path: what it has changed
 */
void xen_net_changed(struct xen_net *card, const char *path)
{
	unsigned int state;

	if (!xen_device_changed(&card->device, path, &state))
		return;
	stop_thread(card);
	xen_device_follow(&card->device, state);
	if (start_thread(card))
		message("the guest's network card stands still");
}

static const struct net_card xen_card = { .place = xen_net_place };

/**
 * xen_net_init() - open a network, and make a card for it
 * @card: zero, but for memory, area and the store; xen_net_exit() it, whatever is returned
 * @number: 0: eth0
 * @request: what the person wants
 *
 * Return: 0, or a negative errno after telling the person.
 */
int xen_net_init(struct xen_net *card, unsigned int number, const struct net_request *request)
{
	unsigned int i;
	int error = 0;

	card->device.ops = &ops;
	card->device.number = number;
	card->vm = -1;
	/* All of them, so that xen_net_exit() has nothing to ask. */
	for (i = 0; i < ARRAY_SIZE(card->port); i++)
		if (xen_port_init(&card->port[i]))
			error = -EMFILE;
	card->stop = event_new();
	if (error || card->stop < 0)
		return -EMFILE;
	card->net.card = &xen_card;
	card->net.stop = card->stop;
	return net_open(&card->net, request);
}

/**
 * xen_net_start() - the guest starts now
 * @card: as xen_net_init() or xen_net_stop() left it
 * @vm: lg.ko's descriptor of the VM
 *
 * Return: 0, or a negative errno after telling the person.
 */
int xen_net_start(struct xen_net *card, int vm)
{
	card->vm = vm;
	return start_thread(card);
}

/**
 * xen_net_stop() - the guest has ended
 * @card: as the others left it; the store's thread has ended
 */
void xen_net_stop(struct xen_net *card)
{
	stop_thread(card);
	xen_device_disconnect(&card->device);
	card->vm = -1;
}

/**
 * xen_net_exit() - close all
 * @card: stopped
 */
void xen_net_exit(struct xen_net *card)
{
	unsigned int i;

	net_close(&card->net);
	file_close(&card->stop);
	for (i = 0; i < ARRAY_SIZE(card->port); i++)
		xen_port_exit(&card->port[i]);
}
