/* SPDX-License-Identifier: GPL-2.0-only */
/* All that is in Guest memory when the Guest starts. */
#ifndef _LAUNCHER_BOOT_H
#define _LAUNCHER_BOOT_H

#include <stdint.h>

/*
 * Our own things lie in the first 64 KiB, which Linux never gives to anybody
 * (a rule from BIOS times), so that nothing overwrites them before the Guest's
 * kernel has copied what it wants and has page tables of its own.
 */
#define BOOT_PARAMS_GPA		0x1000ULL
#define BOOT_COMMAND_LINE_GPA	0x2000ULL
#define BOOT_PAGE_TABLES_GPA	0x4000ULL	/* seven pages, to 0xb000 */
#define BOOT_COMMAND_LINE_MAX	(BOOT_PAGE_TABLES_GPA - BOOT_COMMAND_LINE_GPA)

struct guest_memory;

/* A file that a Guest starts from: opened once, and read at each of its starts. */
struct boot_file {
	int fd;				/* -1: there is none */
	const char *path;		/* its name, for the person alone */
};

/* What to boot: the person's wishes. */
struct boot_request {
	struct boot_file kernel;
	struct boot_file initrd;
	char *command_line;
	unsigned int cpus;
};

/* Where the Guest starts. */
struct boot_entry {
	uint64_t rip;	/* Guest virtual */
	uint64_t rsi;	/* Guest physical: struct boot_params */
	uint64_t cr3;
};

int boot_prepare(const struct boot_request *request, struct guest_memory *memory,
		 struct boot_entry *entry);

#endif /* _LAUNCHER_BOOT_H */
