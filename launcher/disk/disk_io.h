/* SPDX-License-Identifier: GPL-2.0-only */
/* Reading and writing a file, with many requests under way where the host can. */
#ifndef _LAUNCHER_DISK_IO_H
#define _LAUNCHER_DISK_IO_H

#include <liburing.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

struct disk_overlay;

enum disk_operation {
	DISK_READ,
	DISK_WRITE,
	DISK_WRITE_THROUGH,	/* as DISK_WRITE, but ends when the data is on the disk */
	DISK_SYNC,		/* put all that was written before on the disk */
	DISK_DISCARD,		/* a hole: reads as zero, takes no room */
	DISK_ZERO,		/* reads as zero, keeps its room */
	DISK_NOTHING,
};

struct disk_request {
	enum disk_operation operation;
	uint64_t offset;
	uint64_t size;			/* of DISK_DISCARD and DISK_ZERO */
	const struct iovec *iov;	/* of the others; stays until the request has ended */
	unsigned int count;
	int64_t result;			/* when it has ended: bytes, or a negative errno */
	struct disk_request *next;
	/* Of disk_io.c: */
	int fd;
	struct iovec part;		/* see disk_overlay_aim() */
};

/* For one thread: nothing here has a lock. */
struct disk_io {
	int fd;
	struct disk_overlay *overlay;	/* over fd, or NULL */
	bool has_ring;
	struct io_uring ring;
	unsigned int under_way;		/* started, and not yet seen to have ended */
	struct disk_request *ended;	/* without a ring: those that have ended, to be returned */
};

void disk_io_init(struct disk_io *io, int fd, struct disk_overlay *overlay,
		  unsigned int requests);
void disk_io_exit(struct disk_io *io);
int disk_io_descriptor(const struct disk_io *io);
void disk_io_start(struct disk_io *io, struct disk_request *request);
void disk_io_submit(struct disk_io *io);
struct disk_request *disk_io_ended(struct disk_io *io);
struct disk_request *disk_io_wait(struct disk_io *io);

#endif /* _LAUNCHER_DISK_IO_H */
