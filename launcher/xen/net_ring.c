// SPDX-License-Identifier: GPL-2.0-only
/* The two rings of a network card, which lie in a page of the guest's each. */
#include "base/compiler.h"
#include "base/event.h"
#include "base/message.h"
#include "xen/net.h"

/**
 * xen_net_misused() - the guest does not keep to the rules: its card is served no more
 * @card: the card
 * @how: what it does
 */
void xen_net_misused(struct xen_net *card, const char *how)
{
	message("the guest misuses its network card: %s", how);
	card->broken = true;
}

/**
 * xen_net_requests() - how many requests are there?
 * @card: the card, connected
 * @ring: one of its rings
 * @needed: so many are needed
 *
 * If there are fewer, the guest is to say when there are more.
 *
 * Return: their number, or 0 if there are fewer than needed.
 */
unsigned int xen_net_requests(struct xen_net *card, struct xen_net_ring *ring, unsigned int needed)
{
	uint32_t prod = READ_ONCE(ring->shared->request_prod);

	if (prod - ring->request_cons < needed) {
		WRITE_ONCE(ring->shared->request_event, prod + 1);
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		prod = READ_ONCE(ring->shared->request_prod);
	}
	if (prod - ring->request_cons > NETIF_ENTRIES) {
		xen_net_misused(card, "it asks for more than there is room for");
		return 0;
	}
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return prod - ring->request_cons < needed ? 0 : prod - ring->request_cons;
}

/**
 * xen_net_push() - let the guest see all responses
 * @ring: a ring of a card that is connected
 */
void xen_net_push(struct xen_net_ring *ring)
{
	uint32_t old = ring->pushed, event;

	if (old == ring->response_prod)
		return;
	ring->pushed = ring->response_prod;
	__atomic_store_n(&ring->shared->response_prod, ring->pushed, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	event = READ_ONCE(ring->shared->response_event);
	if (ring->pushed - event < ring->pushed - old)
		event_set(ring->raise);
}
