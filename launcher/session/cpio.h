/* SPDX-License-Identifier: GPL-2.0-only */
/* Archives for the kernel's first file system. */
#ifndef _LAUNCHER_CPIO_H
#define _LAUNCHER_CPIO_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

void cpio_add(FILE *archive, const char *name, uint32_t mode, const void *data, size_t size);
void cpio_end(FILE *archive);

#endif /* _LAUNCHER_CPIO_H */
