/* SPDX-License-Identifier: GPL-2.0-only */
/* A Guest kernel, from a file to Guest memory. */
#ifndef _LAUNCHER_KERNEL_H
#define _LAUNCHER_KERNEL_H

#include <asm/bootparam.h>

#include "base/bytes.h"
#include "boot/elf_image.h"

struct guest_memory;

/* A vmlinux with debug information can be this big. */
#define KERNEL_FILE_MAX	(2ULL << 30)

struct kernel {
	struct setup_header header;	/* the bzImage's, or what stands for it */
	struct elf_image image;		/* refers to contents */
	struct bytes contents;		/* the ELF file, malloc; or of it the segments, and */
	bool mapped;			/* that is a mapping */
};

int kernel_open(struct kernel *kernel, int fd, const char *path);
int kernel_parse(struct kernel *kernel, const char *path, struct bytes file);
int kernel_load(const struct kernel *kernel, const struct guest_memory *memory);
void kernel_close(struct kernel *kernel);

#endif /* _LAUNCHER_KERNEL_H */
