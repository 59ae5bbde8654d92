/* SPDX-License-Identifier: GPL-2.0-only */
/* Reads files in an ext2, ext3 or ext4 file system on a disk. */
#ifndef _LAUNCHER_EXT_H
#define _LAUNCHER_EXT_H

#include <stdbool.h>
#include <stdint.h>

struct bytes;
struct volume;

/* One that is open; all functions that fail leave in @why what libext2fs says. */
struct ext {
	void *fs;		/* libext2fs' */
	const char *why;
};

int ext_open(struct ext *ext, int disk, const struct volume *volume);
void ext_close(struct ext *ext);
bool ext_is_unclean(const struct ext *ext);
bool ext_has(struct ext *ext, const char *path);
bool ext_has_directory(struct ext *ext, const char *path);
int ext_list(struct ext *ext, const char *path, void (*take)(void *argument, const char *name),
	     void *argument);
int ext_load(struct ext *ext, const char *path, uint64_t most, struct bytes *contents);
int ext_copy(struct ext *ext, const char *path, uint64_t most, int to, uint64_t *at);

#endif /* _LAUNCHER_EXT_H */
