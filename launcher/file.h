/* SPDX-License-Identifier: GPL-2.0-only */
/* Reading files: all of it or a message. */
#ifndef _LAUNCHER_FILE_H
#define _LAUNCHER_FILE_H

#include <stddef.h>
#include <stdint.h>

struct bytes;

int file_open(const char *path, const char *what, uint64_t *size);
int file_read(int fd, const char *path, void *buffer, size_t size);
int file_load(const char *path, const char *what, uint64_t limit, struct bytes *contents);

#endif /* _LAUNCHER_FILE_H */
