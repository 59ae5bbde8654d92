/* SPDX-License-Identifier: GPL-2.0-only */
/* A disk's inside: block.c makes the device, block_request.c does its requests. */
#ifndef _LAUNCHER_BLOCK_H
#define _LAUNCHER_BLOCK_H

#include <linux/virtio_blk.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "virtio/block/disk_file.h"
#include "virtio/block/disk_io.h"
#include "virtio/virtio.h"

/* Ranges of one discard request; and how long each may be: 1 GiB. */
#define MOST_RANGES	32
#define MOST_SECTORS	(1U << 21)

#define WCE_OFFSET	offsetof(struct virtio_blk_config, wce)

/* What the Guest asked for, as far as it is not done. */
struct request {
	struct disk_request io;		/* the step under way */
	struct request *next_free;
	struct virtio_chain chain;
	uint32_t type;			/* VIRTIO_BLK_T_* */
	bool write_through;
	bool synced;			/* if it must be: its last step is under way */
	uint8_t *status;		/* the Guest's */
	uint32_t written;		/* bytes for the Guest, if all goes well */
	/* Data: the rest of it, and where it goes; or ranges. */
	struct iovec *iov;
	unsigned int count;
	uint64_t position, left;
	struct iovec part;		/* of them, if they are too large */
	/* Through our own buffer, from position on. */
	uint8_t *bounce;
	struct iovec piece;
	/* The range, if the Host can't zero it otherwise. */
	uint64_t zero_from, zero_left;
};

struct block {
	struct disk_file file;
	struct disk_io io;
	char *path;
	char serial[VIRTIO_BLK_ID_BYTES];	/* 5.2.6.1: with a 0 at the end if there is room */
	int told;			/* errno of the last failure that the person heard of */
	struct request *free;
	struct request request[VIRTIO_QUEUE_SIZE];
};

void block_run(struct virtio_queue *queue);

#endif /* _LAUNCHER_BLOCK_H */
