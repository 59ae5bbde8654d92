// SPDX-License-Identifier: GPL-2.0-only
/*
 * What all kinds of networks have: packets that wait for room in the guest (net->first), while
 * which no network takes in more, and the descriptors that the thread of a card sleeps on.
 */
#include <stdlib.h>
#include <string.h>

#include "net/net.h"

/*
 * How many bytes may wait of packets that came in answer to the guest's own while it had no
 * room.
 */
#define NET_MAX_WAITING	(1 << 20)

/**
 * net_poll_add() - poll one more descriptor
 * @poll: the argument of prepare()
 * @fd: the descriptor
 * @events: POLLIN, POLLOUT...
 *
 * Return: an index for net_poll_events(), or -1 if there is no memory.
 */
int net_poll_add(struct net_poll *poll, int fd, short events)
{
	if (poll->count == poll->room) {
		unsigned int room = 2 * poll->room + 8;
		struct pollfd *more = realloc(poll->fd, room * sizeof(*more));

		if (!more)
			return -1;
		poll->fd = more;
		poll->room = room;
	}
	poll->fd[poll->count] = (struct pollfd){ .fd = fd, .events = events };
	return poll->count++;
}

/**
 * net_poll_events() - what happened to a descriptor
 * @poll: the argument of receive()
 * @index: from net_poll_add()
 */
short net_poll_events(const struct net_poll *poll, int index)
{
	return index < 0 || (unsigned int)index >= poll->count ? 0 : poll->fd[index].revents;
}

/**
 * net_set_link() - plug the cable in, or out
 * @net: the network
 * @up: is anybody at the other end?
 */
void net_set_link(struct net *net, bool up)
{
	net->link = up;
	if (net->card->link_changed)
		net->card->link_changed(net);
}

/**
 * net_place_waiting() - the guest may have room for packets that wait
 * @net: the network
 */
void net_place_waiting(struct net *net)
{
	struct net_packet *packet;

	while ((packet = net->first) && net->card->place(net, packet->bytes, packet->size)) {
		net->first = packet->next;
		if (!net->first)
			net->last = &net->first;
		net->waiting -= packet->size;
		free(packet);
	}
}

/**
 * net_receive() - give a packet to the guest, or lose it if nobody has room
 * @net: the network
 * @packet: header and frame; changed if the driver needs it
 * @size: bytes of both
 */
void net_receive(struct net *net, void *packet, size_t size)
{
	struct net_packet *copy;

	if (!net_header_check(packet, size) ||
	    (!net->first && net->card->place(net, packet, size)))
		return;
	if (size > NET_MAX_WAITING - net->waiting)
		return;
	copy = malloc(sizeof(*copy) + size);
	if (!copy) {
		if (!net->first && net->card->forget)
			net->card->forget(net);
		return;
	}
	memcpy(copy->bytes, packet, size);
	copy->size = size;
	copy->next = NULL;
	*net->last = copy;
	net->last = &copy->next;
	net->waiting += size;
}

/**
 * net_unsent_goes() - send what the network could not take before
 * @net: the network
 *
 * Return: false if it still can't.
 */
bool net_unsent_goes(struct net *net)
{
	struct iovec iov = { net->unsent, net->unsent_size };

	if (net->unsent_size && !net->ops->send(net, &iov, 1))
		return false;
	net->unsent_size = 0;
	return true;
}

/**
 * net_open() - open a network
 * @net: zero, but for card and stop; net_close() it, whatever is returned
 * @request: what the person wants
 *
 * Return: 0, or a negative errno after telling the person.
 */
int net_open(struct net *net, const struct net_request *request)
{
	net->ops = request->ops;
	net->last = &net->first;
	net->tap = -1;
	net->link = true;
	memcpy(net->mac, request->mac, sizeof(net->mac));
	return net->ops->init(net, request);
}

/**
 * net_close() - close it
 * @net: as net_open() left it, or zero; the thread has ended
 */
void net_close(struct net *net)
{
	struct net_packet *packet;

	if (net->ops && net->ops->exit)
		net->ops->exit(net);
	while ((packet = net->first)) {
		net->first = packet->next;
		free(packet);
	}
}
