// SPDX-License-Identifier: GPL-2.0-only
/*
 * Archives in cpio's "newc" format, which the kernel unpacks into its first file system
 * (Documentation/driver-api/early-userspace/buffer-format.rst): a number is eight
 * hexadecimal digits, and each part begins at a multiple of 4 bytes.
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
 * @archive: written at its end; the caller checks ferror() after the last entry
 * @name: its name, without a "/" at the front
 * @mode: its type and permissions
 * @data: its contents
 * @size: bytes of @data
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
 * cpio_end() - add the last entry, which marks the end
 * @archive: the archive
 */
void cpio_end(FILE *archive)
{
	cpio_add(archive, "TRAILER!!!", 0, "", 0);
}
