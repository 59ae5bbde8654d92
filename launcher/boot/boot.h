/* SPDX-License-Identifier: GPL-2.0-only */
/* What is in guest memory when the guest starts. */
#ifndef _LAUNCHER_BOOT_H
#define _LAUNCHER_BOOT_H

#include <stdbool.h>
#include <stdint.h>

/*
 * What the launcher adds lies in the first 64 KiB. Linux never allocates these (a rule from
 * BIOS times), so nothing overwrites them before the guest's kernel has copied what it needs
 * and has page tables of its own.
 */
#define BOOT_PARAMS_GPA		0x1000ULL
#define BOOT_COMMAND_LINE_GPA	0x2000ULL
#define BOOT_PAGE_TABLES_GPA	0x4000ULL	/* seven pages, to 0xb000 */
#define BOOT_COMMAND_LINE_MAX	(BOOT_PAGE_TABLES_GPA - BOOT_COMMAND_LINE_GPA)

struct guest_memory;
struct kernel;
struct from_disk;

/* A file that a guest starts from: opened once, read at each start. */
struct boot_file {
	int fd;				/* -1: there is none */
	const char *path;		/* its name, only for messages */
};

/* What to boot, as the person wants it. */
struct boot_request {
	struct boot_file kernel;
	struct boot_file initrd;
	char *found_initrd;		/* malloc: the path of one that nobody has named, or NULL */
	char *command_line;
	unsigned int cpus;
	bool xen;			/* the kernel is run by Xen's ABI, not by lguest's */
	struct from_disk *from_disk;	/* what it starts from is on its own disk; or NULL */
	struct kernel *ahead;		/* opened to find that out, for the first start; or NULL */
};

/* The registers that the guest starts with. */
struct boot_entry {
	uint64_t rip;	/* guest virtual address */
	uint64_t rsp;	/* Xen: guest virtual address of the top of a stack */
	uint64_t rsi;	/* guest physical address of struct boot_params; Xen: virtual, of start_info */
	uint64_t cr3;
};

int boot_open_kernel(const struct boot_request *request, struct kernel *kernel);
int boot_prepare(const struct boot_request *request, struct guest_memory *memory,
		 struct boot_entry *entry);

#endif /* _LAUNCHER_BOOT_H */
