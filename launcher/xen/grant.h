/* SPDX-License-Identifier: GPL-2.0-only */
/* Pages that the guest lets us use, by their number in its grant table. */
#ifndef _LAUNCHER_XEN_GRANT_H
#define _LAUNCHER_XEN_GRANT_H

#include <stdbool.h>
#include <stdint.h>

struct guest_memory;
struct xen_area;

void *xen_grant(const struct xen_area *area, const struct guest_memory *memory, uint32_t number,
		bool write);
void *xen_grant_hold(const struct xen_area *area, const struct guest_memory *memory,
		     uint32_t number);
void xen_grant_drop(const struct xen_area *area, uint32_t number);

#endif /* _LAUNCHER_XEN_GRANT_H */
