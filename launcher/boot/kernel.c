// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads a guest kernel from a file and copies it to guest memory: a bzImage, which we
 * unpack ourselves, or a plain vmlinux.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "boot/bzimage.h"
#include "base/file.h"
#include "boot/kernel.h"
#include "memory.h"
#include "base/message.h"
#include "boot/payload.h"

/* A vmlinux has no set-up header; its bzImage would have this one. */
static const struct setup_header vmlinux_header = {
	.boot_flag = 0xaa55,
	.header = 0x53726448,	/* "HdrS" */
	.version = 0x020c,
	.loadflags = LOADED_HIGH,
	.initrd_addr_max = 0x7fffffff,
	.cmdline_size = 2047,
};

/**
 * kernel_parse() - unpack a kernel if it is packed, and check it
 * @kernel: filled in; kernel_close() it if this succeeds
 * @path: the file's name for the person
 * @file: all of the file, from malloc(); this function or kernel_close() frees it
 *
 * Return: 0, or a negative errno after telling the person.
 */
int kernel_parse(struct kernel *kernel, const char *path, struct bytes file)
{
	struct bytes payload;
	int error = 0;

	memset(kernel, 0, sizeof(*kernel));
	if (bzimage_probe(file)) {
		error = bzimage_parse(path, file, &kernel->header, &payload);
		if (!error)
			error = payload_unpack(path, payload, &kernel->contents);
		free((void *)file.at);
	} else {
		kernel->header = vmlinux_header;
		kernel->contents = file;
		if (!elf_probe(file))
			error = refuse(-ENOEXEC,
				       "'%s' is neither a bzImage nor an ELF kernel (vmlinux)", path);
	}
	if (!error)
		error = elf_parse(path, kernel->contents, &kernel->image);
	if (error)
		kernel_close(kernel);
	return error;
}

/**
 * kernel_open() - read and check a kernel
 * @kernel: filled in; kernel_close() it if this succeeds
 * @fd: the file, which the caller closes
 * @path: its name for the person
 *
 * Return: 0, or a negative errno after telling the person.
 */
int kernel_open(struct kernel *kernel, int fd, const char *path)
{
	struct bytes contents;
	int error;

	error = file_load(fd, path, "kernel", KERNEL_FILE_MAX, &contents);
	return error ? error : kernel_parse(kernel, path, contents);
}

/**
 * kernel_load() - copy a kernel into fresh guest memory
 * @kernel: as kernel_open() left it
 * @memory: guest memory, all zero
 *
 * Return: 0, or -ENOSPC if it does not fit.
 */
int kernel_load(const struct kernel *kernel, const struct guest_memory *memory)
{
	unsigned int i;

	for (i = 0; i < kernel->image.segments; i++) {
		const struct elf_segment *segment = &kernel->image.segment[i];
		uint8_t *to = guest_range(memory, segment->gpa, segment->size);

		if (!to)
			return -ENOSPC;
		memcpy(to, segment->contents.at, segment->contents.size);
	}
	return 0;
}

/**
 * kernel_close() - free a kernel
 * @kernel: from kernel_open(), kernel_parse() or parser_open()
 */
void kernel_close(struct kernel *kernel)
{
	if (!kernel->mapped)
		free((void *)kernel->contents.at);
	else if (kernel->contents.size)
		munmap((void *)kernel->contents.at, kernel->contents.size);
	kernel->contents.at = NULL;
	kernel->contents.size = 0;
}
