/* SPDX-License-Identifier: GPL-2.0-only */
/* The inside of a disk: block.c makes the device, block_request.c serves its requests. */
#ifndef _LAUNCHER_BLOCK_H
#define _LAUNCHER_BLOCK_H

#include <linux/virtio_blk.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "disk/disk_file.h"
#include "disk/disk_io.h"
#include "virtio/virtio.h"

/* How many ranges a discard may have, and how long each may be: 1 GiB. */
#define MOST_RANGES	32
#define MOST_SECTORS	(1U << 21)

#define WCE_OFFSET	offsetof(struct virtio_blk_config, wce)

/* A request of the guest, as far as it is not done. */
struct request {
	struct disk_request io;		/* the step under way */
	struct request *next_free;
	struct virtio_chain chain;
	uint32_t type;			/* VIRTIO_BLK_T_* */
	bool write_through;
	bool synced;			/* its last step, to make it safe, is under way */
	uint8_t *status;		/* in guest memory */
	uint32_t written;		/* bytes for the guest, if all goes well */
	/* The data that is left, and where it goes; or ranges. */
	struct iovec *iov;
	unsigned int count;
	uint64_t position, left;
	struct iovec part;		/* a part of iov, if it is too large at once */
	/* Data that goes through our own buffer, from position on. */
	uint8_t *bounce;
	struct iovec piece;
	/* The rest of a range that the host can't zero in another way. */
	uint64_t zero_from, zero_left;
};

struct block {
	struct disk_file file;
	struct disk_io io;
	char *path;
	char serial[VIRTIO_BLK_ID_BYTES];	/* 5.2.6.1: with a 0 at the end if there is room */
	int told;			/* errno of the last failure that the person was told */
	struct request *free;
	struct request request[VIRTIO_QUEUE_SIZE];
};

void block_run(struct virtio_queue *queue);

#endif /* _LAUNCHER_BLOCK_H */
