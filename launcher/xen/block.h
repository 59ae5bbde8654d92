/* SPDX-License-Identifier: GPL-2.0-only */
/* A disk of a guest of Xen's ABI: the back end of Linux's xen-blkfront. */
#ifndef _LAUNCHER_XEN_BLOCK_H
#define _LAUNCHER_XEN_BLOCK_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/thread.h"
#include "disk/disk_file.h"
#include "disk/disk_io.h"
#include "xen/blkif.h"
#include "xen/device.h"
#include "xen/port.h"

#define XEN_MAX_BLOCKS		16	/* xvda to xvdp */

struct guest_memory;
struct xen_area;

/* What the guest asked for, as far as it is not done. */
struct xen_block_request {
	struct disk_request io;		/* the step under way */
	struct xen_block_request *next_free;
	uint64_t id;
	uint8_t operation;
	uint64_t position, left;	/* bytes */
	struct iovec *iov;		/* the rest of data[] */
	unsigned int count;
	struct iovec data[BLKIF_SEGMENTS];
};

struct xen_block {
	const struct guest_memory *memory;
	const struct xen_area *area;
	struct xen_device device;
	char *path;
	struct disk_file file;
	struct disk_io io;
	struct xen_port port;
	int stop;			/* eventfd: readable when the thread must end */
	atomic_bool stopping;
	struct thread thread;		/* started: front end and back end are connected */
	int vm;				/* while the guest runs, lg.ko's descriptor of it; or -1 */
	uint32_t port_number, ring_grant;
	/* The thread's, as long as there is one: */
	struct blkif_ring *ring;	/* the guest's */
	uint32_t request_cons, response_prod;	/* never read back from the guest */
	bool broken;			/* the guest does not keep to the rules */
	bool flush_failed;		/* what was written may be lost: no more is written */
	int told;			/* errno of the last failure that the person heard of */
	struct xen_block_request *free;
	struct xen_block_request request[BLKIF_ENTRIES];
};

int xen_block_init(struct xen_block *block, unsigned int number, const char *text);
void xen_block_describe(struct xen_block *block);
void xen_block_changed(struct xen_block *block, const char *path);
void xen_block_stop(struct xen_block *block);
void xen_block_exit(struct xen_block *block);

/* block_request.c */
void xen_block_work(struct xen_block *block);
void xen_block_take(struct xen_block *block);
void xen_block_ended(struct xen_block *block, struct disk_request *io);

#endif /* _LAUNCHER_XEN_BLOCK_H */
