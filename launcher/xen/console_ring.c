// SPDX-License-Identifier: GPL-2.0-only
/*
 * The two rings of bytes in the page of a console of Xen's ABI. Where we are in them is kept by
 * the caller, and never read back from the guest.
 */
#include "xen/console_ring.h"

/**
 * xen_console_take() - take what the guest has for us
 * @ring: the guest's
 * @out_cons: where we are in it
 * @text: goes there
 *
 * The guest sees that it is taken before the caller looks again at where the guest is.
 *
 * Return: how many bytes; none of a guest that lies about that.
 */
uint32_t xen_console_take(struct xen_console_ring *ring, uint32_t *out_cons,
			  uint8_t text[XEN_CONSOLE_OUT])
{
	uint32_t prod = __atomic_load_n(&ring->out_prod, __ATOMIC_ACQUIRE);
	uint32_t size = prod - *out_cons, i;

	if (size > XEN_CONSOLE_OUT) {
		*out_cons = prod;
		return 0;
	}
	if (!size)
		return 0;
	for (i = 0; i < size; i++)
		text[i] = ring->out[(*out_cons + i) % XEN_CONSOLE_OUT];
	*out_cons = prod;
	__atomic_store_n(&ring->out_cons, prod, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return size;
}

/**
 * xen_console_room() - how much does the guest have room for?
 * @ring: the guest's
 * @in_prod: where we are in it
 *
 * Return: bytes; if the guest lies, none.
 */
uint32_t xen_console_room(const struct xen_console_ring *ring, uint32_t in_prod)
{
	uint32_t used = in_prod - __atomic_load_n(&ring->in_cons, __ATOMIC_ACQUIRE);

	return used <= XEN_CONSOLE_IN ? XEN_CONSOLE_IN - used : 0;
}

/**
 * xen_console_give() - give the guest bytes
 * @ring: the guest's
 * @in_prod: where we are in it
 * @text: the bytes
 * @size: how many, no more than xen_console_room() has said
 */
void xen_console_give(struct xen_console_ring *ring, uint32_t *in_prod, const uint8_t *text,
		      uint32_t size)
{
	uint32_t i;

	for (i = 0; i < size; i++)
		ring->in[(*in_prod + i) % XEN_CONSOLE_IN] = text[i];
	*in_prod += size;
	__atomic_store_n(&ring->in_prod, *in_prod, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}
