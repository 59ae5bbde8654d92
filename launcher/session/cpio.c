// SPDX-License-Identifier: GPL-2.0-only
/*
 * Archives in cpio's "newc" form, which the kernel unpacks into its first file system
 * (Documentation/driver-api/early-userspace/buffer-format.rst): numbers are eight
 * hexadecimal digits, each part begins at a multiple of 4 bytes.
 */
#include <string.h>

#include "session/cpio.h"

static void align(FILE *archive)
{
	while (ftell(archive) % 4)
		fputc(0, archive);
}

/**
 * cpio_add() - add a file or directory
 * @archive: at its end; the caller looks at ferror() in the end
 * @name: without "/" before it
 * @mode: type and permissions
 * @data: what is in it
 * @size: bytes of that
 */
void cpio_add(FILE *archive, const char *name, uint32_t mode, const void *data, size_t size)
{
	unsigned int links = 1, length = strlen(name) + 1;

	/* ino mode uid gid nlink mtime filesize, device, rdev, namesize, check */
	fprintf(archive, "070701%08x%08x%08x%08x%08x%08x%08zx%08x%08x%08x%08x%08x%08x", 0, mode, 0,
		0, links, 0, size, 0, 0, 0, 0, length, 0);
	fwrite(name, 1, length, archive);
	align(archive);
	fwrite(data, 1, size, archive);
	align(archive);
}

/**
 * cpio_end() - what the last entry must be
 * @archive: at its end
 */
void cpio_end(FILE *archive)
{
	cpio_add(archive, "TRAILER!!!", 0, "", 0);
}
