/* SPDX-License-Identifier: GPL-2.0-only */
/* The file or block device of the host that a disk is in. */
#ifndef _LAUNCHER_DISK_FILE_H
#define _LAUNCHER_DISK_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "disk/disk_overlay.h"

#define SECTOR_SIZE	512

enum disk_cache {
	DISK_CACHE_DEFAULT,		/* DISK_CACHE_NONE, if the file can be used so */
	DISK_CACHE_NONE,		/* past the host's page cache */
	DISK_CACHE_WRITEBACK,		/* through the page cache; on the disk after a flush */
	DISK_CACHE_WRITETHROUGH,	/* through it; on the disk when a write has ended */
};

struct disk_file {
	int fd;
	bool read_only;
	bool snapshot;			/* writes go to the overlay alone */
	bool only_sectors;		/* what is read and written may be no whole blocks */
	struct disk_overlay overlay;
	enum disk_cache cache;		/* not DISK_CACHE_DEFAULT any more once it is open */
	uint64_t size;			/* bytes, whole sectors */
	uint32_t block_size;		/* bytes that it reads and writes in one piece, */
	uint32_t physical_block_size;	/* and without reading first */
};

int disk_file_choose_cache(struct disk_file *file, const char *word);
int disk_file_open(struct disk_file *file, const char *path);
void disk_file_close(struct disk_file *file);

#endif /* _LAUNCHER_DISK_FILE_H */
