/* SPDX-License-Identifier: GPL-2.0-only */
/* A process that unpacks kernels, and finds them on disks. */
#ifndef _LAUNCHER_PARSER_H
#define _LAUNCHER_PARSER_H

#include <stdint.h>

#include "loader/loader.h"

struct kernel;

extern int parser_limit_ms;	/* the time for an answer; tests set a shorter one */

int parser_start(void);
void parser_stop(void);
int parser_find(int disk, const char *path, uint64_t most, struct loader_found *found,
		int file[LOADER_FILES]);
int parser_open(struct kernel *kernel, int file, const char *path);

#endif /* _LAUNCHER_PARSER_H */
