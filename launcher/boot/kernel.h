/* SPDX-License-Identifier: GPL-2.0-only */
/* Reads a guest kernel from a file and copies it to guest memory. */
#ifndef _LAUNCHER_KERNEL_H
#define _LAUNCHER_KERNEL_H

#include <asm/bootparam.h>

#include "base/bytes.h"
#include "boot/elf_image.h"

struct guest_memory;

/* A vmlinux with debug information can be this big. */
#define KERNEL_FILE_MAX	(2ULL << 30)

struct kernel {
	struct setup_header header;	/* the bzImage's, or vmlinux_header */
	struct elf_image image;		/* refers to contents */
	struct bytes contents;		/* the ELF file, from malloc(); or, if mapped, only its */
	bool mapped;			/* segments, from mmap() */
};

int kernel_open(struct kernel *kernel, int fd, const char *path);
int kernel_parse(struct kernel *kernel, const char *path, struct bytes file);
int kernel_load(const struct kernel *kernel, const struct guest_memory *memory);
void kernel_close(struct kernel *kernel);

#endif /* _LAUNCHER_KERNEL_H */
