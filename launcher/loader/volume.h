/* SPDX-License-Identifier: GPL-2.0-only */
/* What a disk is divided into. */
#ifndef _LAUNCHER_VOLUME_H
#define _LAUNCHER_VOLUME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* No more partitions than these are looked at. */
#define VOLUMES_MAX	32

#define VOLUME_TYPE	32
#define VOLUME_ID	64

/* A partition, or a whole disk that has none. */
struct volume {
	unsigned int number;		/* of the partition; 0: the whole disk */
	uint64_t offset, size;		/* bytes; all of it is inside of the disk */
	char type[VOLUME_TYPE];		/* as libblkid calls what is in it; "": nothing known */
	char uuid[VOLUME_ID];		/* of the file system; "": it has none */
	char partition_uuid[VOLUME_ID];	/* "": it has none */
};

int volumes_find(int disk, const char *path, struct volume *volume);
bool volume_is_ext(const struct volume *volume);
void volume_name(const struct volume *volume, char *name, size_t room);

#endif /* _LAUNCHER_VOLUME_H */
