/* SPDX-License-Identifier: GPL-2.0-only */
/* The outer part of a bzImage. */
#ifndef _LAUNCHER_BZIMAGE_H
#define _LAUNCHER_BZIMAGE_H

#include <asm/bootparam.h>
#include <stdbool.h>

#include "base/bytes.h"

bool bzimage_probe(struct bytes file);
int bzimage_parse(const char *path, struct bytes file, struct setup_header *header,
		  struct bytes *payload);

#endif /* _LAUNCHER_BZIMAGE_H */
