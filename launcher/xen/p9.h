/* SPDX-License-Identifier: GPL-2.0-only */
/* A directory shared with a guest of Xen's ABI: the back end of Linux's 9pnet_xen. */
#ifndef _LAUNCHER_XEN_P9_H
#define _LAUNCHER_XEN_P9_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/thread.h"
#include "p9/ring.h"
#include "xen/device.h"
#include "xen/p9if.h"
#include "xen/port.h"

#define XEN_MAX_SHARES		8
#define XEN_P9_RINGS		2	/* Linux wants no fewer */

struct guest_memory;
struct xen_area;

/* One of the rings of a share. */
struct xen_p9_ring {
	struct xen_port port;
	uint32_t port_number;		/* 0: not connected */
	uint32_t grant;			/* of the page with the indices */
	struct p9if_indices *indices;	/* the guest's; NULL: the ring is not connected */
	unsigned int pages;		/* of the ring, as far as they are held */
	uint32_t size;			/* bytes each way */
	uint32_t page_grant[P9IF_MAX_PAGES];
	uint8_t *page[P9IF_MAX_PAGES];
	uint32_t out_cons, in_prod;	/* never read back from the guest */
	bool broken;			/* the guest does not keep to the rules */
};

/* What is in a slot of the server. */
struct xen_p9_request {
	struct xen_p9_ring *ring;	/* where the answer goes; NULL: nowhere */
	uint16_t tag;
	uint32_t room;
};

struct xen_p9 {
	const struct guest_memory *memory;
	const struct xen_area *area;
	struct xen_device device;
	char *path;
	char *tag;			/* what the guest mounts it by */
	int stop;			/* eventfd: readable when the thread must end */
	atomic_bool stopping;
	struct thread thread;		/* started: front end and back end are connected */
	int vm;				/* while the guest runs, lg.ko's descriptor of it; or -1 */
	unsigned int rings;		/* as the front end says */
	struct xen_p9_ring ring[XEN_P9_RINGS];
	/* The thread's, as long as there is one: */
	struct p9_process server;
	bool lost;			/* the server is gone */
	bool forget;			/* the server does not know of the new client yet */
	struct p9_slot *answer;		/* taken, but the guest has no room for it; or NULL */
	uint32_t answer_size;
	struct xen_p9_request request[P9_SLOTS];	/* one for each slot of the server */
};

int xen_p9_init(struct xen_p9 *share, unsigned int number, const char *directory, const char *tag,
		bool read_only);
void xen_p9_describe(struct xen_p9 *share);
void xen_p9_changed(struct xen_p9 *share, const char *path);
void xen_p9_stop(struct xen_p9 *share);
void xen_p9_exit(struct xen_p9 *share);

/* p9_ring.c */
int xen_p9_ring_connect(struct xen_p9 *share, struct xen_p9_ring *ring);
void xen_p9_ring_disconnect(struct xen_p9 *share, struct xen_p9_ring *ring);
uint32_t xen_p9_ring_bytes(struct xen_p9_ring *ring);
void xen_p9_ring_peek(const struct xen_p9_ring *ring, void *to, uint32_t size);
void xen_p9_ring_took(struct xen_p9_ring *ring, uint32_t size);
bool xen_p9_ring_put(struct xen_p9_ring *ring, const void *from, uint32_t size);
void xen_p9_ring_misused(struct xen_p9_ring *ring);

/* p9_request.c */
void xen_p9_work(struct xen_p9 *share);
void xen_p9_lose_server(struct xen_p9 *share);

#endif /* _LAUNCHER_XEN_P9_H */
