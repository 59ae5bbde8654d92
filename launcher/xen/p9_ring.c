// SPDX-License-Identifier: GPL-2.0-only
/*
 * A ring of a shared directory of a guest of Xen's ABI: bytes of messages, requests one way and
 * answers the other, in pages that the guest grants one by one. Bytes are copied out before
 * anything of them is looked at.
 */
#include <errno.h>
#include <string.h>

#include "base/compiler.h"
#include "base/event.h"
#include "base/message.h"
#include "xen/abi.h"
#include "xen/grant.h"
#include "xen/p9.h"

/* Hold the pages that the indices' page names. Return: 0 or a negative errno; some may be held. */
static int hold_pages(struct xen_p9 *share, struct xen_p9_ring *ring)
{
	uint32_t order = READ_ONCE(ring->indices->order);

	if (!order || order > P9IF_MAX_ORDER)
		return -EINVAL;
	for (ring->pages = 0; ring->pages < 1U << order; ring->pages++) {
		uint32_t grant = READ_ONCE(ring->indices->grant[ring->pages]);

		ring->page[ring->pages] = xen_grant_hold(share->area, share->memory, grant);
		if (!ring->page[ring->pages])
			return -EFAULT;
		ring->page_grant[ring->pages] = grant;
	}
	ring->size = ring->pages * PAGE_SIZE / 2;
	return 0;
}

/**
 * xen_p9_ring_connect() - take a ring that the front end has named
 * @share: the share
 * @ring: one of its, with the numbers of grant and port; xen_p9_ring_disconnect() it, whatever
 *	  is returned
 *
 * Return: 0 or a negative errno.
 */
int xen_p9_ring_connect(struct xen_p9 *share, struct xen_p9_ring *ring)
{
	int error;

	ring->pages = 0;
	ring->out_cons = ring->in_prod = 0;
	ring->broken = false;
	ring->indices = xen_grant_hold(share->area, share->memory, ring->grant);
	if (!ring->indices)
		return -EFAULT;
	error = hold_pages(share, ring);
	if (!error)
		error = xen_port_connect(&ring->port, share->vm, ring->port_number);
	if (error)
		ring->port_number = 0;
	return error;
}

/**
 * xen_p9_ring_disconnect() - give it back to the guest
 * @share: the share; its thread does not run
 * @ring: as xen_p9_ring_connect() left it, or not connected
 */
void xen_p9_ring_disconnect(struct xen_p9 *share, struct xen_p9_ring *ring)
{
	if (!ring->indices)
		return;
	if (ring->port_number)
		xen_port_disconnect(&ring->port, share->vm, ring->port_number);
	while (ring->pages)
		xen_grant_drop(share->area, ring->page_grant[--ring->pages]);
	xen_grant_drop(share->area, ring->grant);
	ring->indices = NULL;
}

/**
 * xen_p9_ring_misused() - a ring of a guest that does not keep to the rules is served no more
 * @ring: the ring
 */
void xen_p9_ring_misused(struct xen_p9_ring *ring)
{
	if (!ring->broken)
		message("the guest misuses a shared directory: no message of 9P");
	ring->broken = true;
}

/* The piece at @index of one half of the ring, up to @size bytes and the end of its page. */
static uint8_t *piece(const struct xen_p9_ring *ring, uint32_t half, uint32_t index, uint32_t *size)
{
	uint32_t offset = half + index % ring->size, left = PAGE_SIZE - offset % PAGE_SIZE;

	if (*size > left)
		*size = left;
	return ring->page[offset / PAGE_SIZE] + offset % PAGE_SIZE;
}

/**
 * xen_p9_ring_bytes() - bytes that the guest has put there
 * @ring: the ring
 *
 * Return: how many; of a guest that lies, 0.
 */
uint32_t xen_p9_ring_bytes(struct xen_p9_ring *ring)
{
	uint32_t there = __atomic_load_n(&ring->indices->out_prod, __ATOMIC_ACQUIRE) - ring->out_cons;

	if (there > ring->size)
		xen_p9_ring_misused(ring);
	return ring->broken ? 0 : there;
}

/**
 * xen_p9_ring_peek() - copy the next bytes of the guest's, and leave them there
 * @ring: the ring
 * @to: they go there
 * @size: how many, no more than xen_p9_ring_bytes() has said
 */
void xen_p9_ring_peek(const struct xen_p9_ring *ring, void *to, uint32_t size)
{
	uint32_t done, part;

	for (done = 0; done < size; done += part) {
		const uint8_t *from;

		part = size - done;
		from = piece(ring, ring->size, ring->out_cons + done, &part);
		memcpy((uint8_t *)to + done, from, part);
	}
	barrier();
}

/**
 * xen_p9_ring_took() - the guest can have the room of bytes for new ones
 * @ring: the ring
 * @size: how many; xen_p9_ring_peek() has copied them
 */
void xen_p9_ring_took(struct xen_p9_ring *ring, uint32_t size)
{
	ring->out_cons += size;
	__atomic_store_n(&ring->indices->out_cons, ring->out_cons, __ATOMIC_RELEASE);
}

/**
 * xen_p9_ring_put() - give the guest an answer
 * @ring: the ring
 * @from: the answer
 * @size: its bytes, no more than ring->size
 *
 * It also hears of the room for requests. Linux sends an event when it has taken all answers.
 *
 * Return: false if there is no room now.
 */
bool xen_p9_ring_put(struct xen_p9_ring *ring, const void *from, uint32_t size)
{
	uint32_t used = ring->in_prod - __atomic_load_n(&ring->indices->in_cons, __ATOMIC_ACQUIRE);
	uint32_t done, part;

	if (used > ring->size)
		xen_p9_ring_misused(ring);
	if (ring->broken)
		return true;
	if (ring->size - used < size)
		return false;
	for (done = 0; done < size; done += part) {
		uint8_t *to;

		part = size - done;
		to = piece(ring, 0, ring->in_prod + done, &part);
		memcpy(to, (const uint8_t *)from + done, part);
	}
	ring->in_prod += size;
	__atomic_store_n(&ring->indices->in_prod, ring->in_prod, __ATOMIC_RELEASE);
	event_set(ring->port.raise);
	return true;
}
