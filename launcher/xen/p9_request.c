// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a guest of Xen's ABI asks of a shared directory: messages of 9P2000.L, which go to the
 * process that serves it. The process has copies, and none of the guest's memory.
 */
#include <errno.h>

#include "base/compiler.h"
#include "base/message.h"
#include "xen/p9.h"

#define ERROR_SIZE	11	/* of an answer that says no more than an errno */

/* Answer with an I/O error, without a server. Return: false if there is no room now. */
static bool put_error(struct xen_p9_ring *ring, uint16_t tag)
{
	const uint8_t reply[ERROR_SIZE] = {
		ERROR_SIZE, 0, 0, 0, P9_RLERROR, tag, tag >> 8, EIO, 0, 0, 0
	};

	return xen_p9_ring_put(ring, reply, sizeof(reply));
}

/**
 * xen_p9_lose_server() - give up the server, once
 * @share: the share; requests that the server has are answered with an error, if there is room
 */
void xen_p9_lose_server(struct xen_p9 *share)
{
	struct p9_process *server = &share->server;
	uint32_t number = server->done - (share->answer ? 1 : 0);

	if (share->lost)
		return;
	message("the process that serves a shared directory has ended: the guest can't use it any more");
	share->lost = true;
	share->answer = NULL;
	for (; number != server->asked; number++) {
		const struct xen_p9_request *request = &share->request[number % P9_SLOTS];

		if (request->ring)
			put_error(request->ring, request->tag);
	}
	p9_process_stop(server);
}

/* Return: false if the guest has no room for it now. */
static bool give_answer(struct xen_p9 *share)
{
	const struct xen_p9_request *request = &share->request[(share->server.done - 1) % P9_SLOTS];

	if (request->ring && (!share->answer_size || share->answer_size > request->room))
		xen_p9_ring_misused(request->ring);
	else if (request->ring &&
		 !xen_p9_ring_put(request->ring, share->answer->reply, share->answer_size))
		return false;
	share->answer = NULL;
	return true;
}

/* Give the guest what the server has answered. */
static void give_answers(struct xen_p9 *share)
{
	while (!share->lost) {
		if (!share->answer) {
			if (!p9_process_answer(&share->server, &share->answer))
				xen_p9_lose_server(share);
			if (!share->answer)
				return;
			share->answer_size = READ_ONCE(share->answer->replied);
		}
		if (!give_answer(share))
			return;
	}
}

/* The size of the next request, or 0: there is none, or not all of it. */
static uint32_t next_size(struct xen_p9_ring *ring, uint16_t *tag)
{
	uint32_t there = xen_p9_ring_bytes(ring), size;
	uint8_t head[P9_HEADER];

	if (there < sizeof(head))
		return 0;
	xen_p9_ring_peek(ring, head, sizeof(head));
	size = head[0] | head[1] << 8 | head[2] << 16 | (uint32_t)head[3] << 24;
	*tag = head[5] | head[6] << 8;
	if (size < sizeof(head) || size > ring->size || size > P9_MAX_MESSAGE) {
		xen_p9_ring_misused(ring);
		return 0;
	}
	return size <= there ? size : 0;
}

/* The guest may have changed the size meanwhile: the server looks at its copy. */
static bool ask(struct xen_p9 *share, struct xen_p9_ring *ring)
{
	struct p9_slot *slot = p9_process_slot(&share->server);
	struct xen_p9_request *request = &share->request[share->server.asked % P9_SLOTS];
	uint32_t size;

	if (!slot)
		return false;
	size = next_size(ring, &request->tag);
	if (!size)
		return false;
	xen_p9_ring_peek(ring, slot->request, size);
	xen_p9_ring_took(ring, size);
	request->ring = ring;
	request->room = ring->size < sizeof(slot->reply) ? ring->size : sizeof(slot->reply);
	slot->room = request->room;
	slot->size = size;
	slot->forget = share->forget;
	share->forget = false;
	p9_process_ask(&share->server);
	return true;
}

/* Answer a request with an error: there is no server. */
static bool refuse_one(struct xen_p9_ring *ring)
{
	uint16_t tag;
	uint32_t size = next_size(ring, &tag);

	if (!size || !put_error(ring, tag))
		return false;
	xen_p9_ring_took(ring, size);
	return true;
}

/**
 * xen_p9_work() - all that can be done now
 * @share: connected
 *
 * While an answer waits for room, no more is asked: its slot would be used again. The rings take
 * turns.
 */
void xen_p9_work(struct xen_p9 *share)
{
	bool any = true;
	unsigned int i;

	while (any && !share->stopping) {
		any = false;
		give_answers(share);
		for (i = 0; i < share->rings && !share->answer; i++)
			any |= share->lost ? refuse_one(&share->ring[i]) :
					     ask(share, &share->ring[i]);
	}
}
