/* SPDX-License-Identifier: GPL-2.0-only */
/* What a disk's front end and its back end write to their ring (Xen: io/blkif.h). */
#ifndef _LAUNCHER_XEN_BLKIF_H
#define _LAUNCHER_XEN_BLKIF_H

#include <stdint.h>

#include "memory.h"

#define BLKIF_READ		0
#define BLKIF_WRITE		1
#define BLKIF_FLUSH		3

#define BLKIF_OK		0
#define BLKIF_ERROR		(-1)
#define BLKIF_UNSUPPORTED	(-2)

#define BLKIF_ENTRIES		32	/* of a ring of one page */
#define BLKIF_SEGMENTS		11
#define BLKIF_SECTORS		8	/* in a page */

#define BLKIF_INFO_READ_ONLY	4

struct blkif_segment {
	uint32_t grant;
	uint8_t first, last;	/* sectors in the page */
	uint16_t pad;
};

struct blkif_request {
	uint8_t operation, segments;
	uint16_t handle;
	uint32_t pad0;
	uint64_t id, sector;
	struct blkif_segment segment[BLKIF_SEGMENTS];
};

struct blkif_response {
	uint64_t id;
	uint8_t operation, pad0;
	int16_t status;
	uint32_t pad1;		/* named, so that it is zero and nothing of ours */
};

struct blkif_ring {
	uint32_t request_prod, request_event, response_prod, response_event;
	uint8_t pad[48];
	union {
		struct blkif_request request;
		struct blkif_response response;
	} entry[BLKIF_ENTRIES];
};

_Static_assert(sizeof(struct blkif_request) == 112, "as both sides have it");
_Static_assert(sizeof(struct blkif_response) == 16, "without unnamed padding");
_Static_assert(sizeof(struct blkif_ring) <= PAGE_SIZE, "the ring is one page");

#endif /* _LAUNCHER_XEN_BLKIF_H */
