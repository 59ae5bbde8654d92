/* SPDX-License-Identifier: GPL-2.0-only */
/* --block=FILE,snapshot: the guest's writes go to an overlay, which is gone at the end. */
#ifndef _LAUNCHER_DISK_OVERLAY_H
#define _LAUNCHER_DISK_OVERLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct disk_request;

struct disk_overlay {
	int fd;			/* a file without a name, as long as the disk; -1: there is none */
	uint64_t *written;	/* a bit for each sector: the overlay has it */
	size_t size;		/* bytes of written */
};

int disk_overlay_open(struct disk_overlay *overlay, uint64_t size);
void disk_overlay_close(struct disk_overlay *overlay);
void disk_overlay_aim(struct disk_overlay *overlay, int base, struct disk_request *request);
void disk_overlay_ended(struct disk_overlay *overlay, const struct disk_request *request);

#endif /* _LAUNCHER_DISK_OVERLAY_H */
