/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The Xen area: pages that a guest has beside its memory, above it. They are ours, and
 * neither its memory map nor its p2m names them.
 */
#ifndef _LAUNCHER_XEN_AREA_H
#define _LAUNCHER_XEN_AREA_H

#include <stdint.h>

#include "lguest_uapi.h"
#include "xen/abi.h"

#define XEN_GRANT_FRAMES	64	/* pages of grants that a guest may have */

struct xen_area {
	uint8_t *base;
	uint64_t gpa;			/* where that is for the guest */
	uint64_t size;			/* bytes */
	uint64_t frames;		/* of the guest's memory: the M2P is as long */
	struct xen_shared_info *shared_info;	/* first in the area */
	struct xen_grant_entry *grants;		/* XEN_GRANT_FRAMES pages */
	uint64_t tables_gpa;		/* of the M2P, as for a top-level table of its own */
	uint64_t tables_pages;
	uint64_t m2p_gpa;
	uint64_t m2p_entry;		/* for slot 257 of each top-level table of the guest's */
};

int xen_area_init(struct xen_area *area, uint64_t memory);
void xen_area_fill(struct xen_area *area);
uint64_t xen_area_grant_frame(const struct xen_area *area, unsigned int number);
int xen_area_tell(const struct xen_area *area, int vm);
void xen_area_exit(struct xen_area *area);

#endif /* _LAUNCHER_XEN_AREA_H */
