/* SPDX-License-Identifier: GPL-2.0-only */
/* The two rings of bytes in the page of a console of Xen's ABI. */
#ifndef _LAUNCHER_XEN_CONSOLE_RING_H
#define _LAUNCHER_XEN_CONSOLE_RING_H

#include <stdint.h>

#include "xen/abi.h"

#define XEN_CONSOLE_IN	(sizeof(((struct xen_console_ring *)0)->in))
#define XEN_CONSOLE_OUT	(sizeof(((struct xen_console_ring *)0)->out))

uint32_t xen_console_take(struct xen_console_ring *ring, uint32_t *out_cons,
			  uint8_t text[XEN_CONSOLE_OUT]);
uint32_t xen_console_room(const struct xen_console_ring *ring, uint32_t in_prod);
void xen_console_give(struct xen_console_ring *ring, uint32_t *in_prod, const uint8_t *text,
		      uint32_t size);

#endif /* _LAUNCHER_XEN_CONSOLE_RING_H */
