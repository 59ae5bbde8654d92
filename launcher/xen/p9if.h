/* SPDX-License-Identifier: GPL-2.0-only */
/* What a share's front end and its back end write to their ring (Xen: io/9pfs.h). */
#ifndef _LAUNCHER_XEN_P9IF_H
#define _LAUNCHER_XEN_P9IF_H

#include <stdint.h>

#include "memory.h"

/* Pages of a ring: at most 1 << this. Half of them are for each way. */
#define P9IF_MAX_ORDER		7
#define P9IF_MAX_PAGES		(1U << P9IF_MAX_ORDER)

/* The page with the indices: "in" is for answers, "out" for requests. */
struct p9if_indices {
	uint32_t in_cons, in_prod;
	uint8_t pad0[56];
	uint32_t out_cons, out_prod;
	uint8_t pad1[56];
	uint32_t order;
	uint32_t grant[P9IF_MAX_PAGES];	/* of the ring's pages; first those for "in" */
};

_Static_assert(sizeof(struct p9if_indices) <= PAGE_SIZE, "the indices are one page");

#endif /* _LAUNCHER_XEN_P9IF_H */
