/* SPDX-License-Identifier: GPL-2.0-only */
/* Xen's store: where a guest finds its devices, and hears that it is to end. */
#ifndef _LAUNCHER_XEN_STORE_H
#define _LAUNCHER_XEN_STORE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/thread.h"
#include "base/compiler.h"
#include "xen/abi.h"
#include "xen/port.h"
#include "xen/store_tree.h"

/* What is the guest's own: it may write there, and its relative paths begin there. */
#define XEN_STORE_HOME		"/local/domain/1"

#define XEN_STORE_WATCHES	64
#define XEN_STORE_TOKEN		256
#define XEN_STORE_PAYLOAD	4096	/* of a message, as all sides have it */
#define XEN_STORE_OUTPUT	(128U << 10)

struct xen_store_header {
	uint32_t type, request, transaction, size;
};

struct xen_store_watch {
	char path[XEN_STORE_PATH];	/* as the guest has it; "": there is no watch here */
	char token[XEN_STORE_TOKEN];
};

struct xen_store {
	/* The guest has changed what is at that path. Called by the store's thread. */
	void (*changed)(void *argument, const char *path);
	void *argument;
	struct xen_port port;
	int wake;			/* eventfd: there is something to be said, or the end */
	atomic_bool stopping;
	struct thread thread;
	struct xen_store_ring *ring;	/* the guest's */

	pthread_mutex_t lock;		/* of all below */
	struct xen_store_tree tree;
	struct xen_store_watch watch[XEN_STORE_WATCHES];
	uint32_t transactions;
	/* Where we are in the rings, which is never read back from the guest. */
	uint32_t request_cons, answer_prod;
	bool broken;			/* the guest breaks the rules: it is heard no more */
	/* The message that comes in, byte by byte. */
	size_t have;
	struct xen_store_header header;
	uint8_t payload[XEN_STORE_PAYLOAD + 1];
	/* What goes out, as soon as the guest has room. */
	size_t out_from, out_to;
	uint8_t out[XEN_STORE_OUTPUT];
};

int xen_store_init(struct xen_store *store, void (*changed)(void *, const char *), void *argument);
int xen_store_start(struct xen_store *store, struct xen_store_ring *ring);
void xen_store_stop(struct xen_store *store);
void xen_store_exit(struct xen_store *store);
__printf(3, 4) int xen_store_set(struct xen_store *store, const char *path, const char *format,
				  ...);
bool xen_store_get(struct xen_store *store, const char *path, char *to, size_t room);
bool xen_store_number(struct xen_store *store, const char *path, uint64_t most, uint64_t *number);

/* For its own thread, and tests. */
bool xen_store_work(struct xen_store *store);

#endif /* _LAUNCHER_XEN_STORE_H */
