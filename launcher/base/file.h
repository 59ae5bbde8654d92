/* SPDX-License-Identifier: GPL-2.0-only */
/* Reading files: completely, or with a message that says why not. */
#ifndef _LAUNCHER_FILE_H
#define _LAUNCHER_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

void file_close(int *fd);
int file_use(int fd, const char *path, const char *what);
int file_open(const char *path, const char *what);
int file_size(int fd, const char *path, uint64_t *size);
int file_read(int fd, const char *path, void *buffer, size_t size);
int file_write(int fd, struct bytes contents, uint64_t at);
int file_load(int fd, const char *path, const char *what, uint64_t limit, struct bytes *contents);

#endif /* _LAUNCHER_FILE_H */
