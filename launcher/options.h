/* SPDX-License-Identifier: GPL-2.0-only */
/* The command line of the Launcher. */
#ifndef _LAUNCHER_OPTIONS_H
#define _LAUNCHER_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#define OPTIONS_MAX_DISKS	16

enum options_action {
	OPTIONS_RUN,
	OPTIONS_CHECK,
	OPTIONS_HELP,
	OPTIONS_VERSION,
};

struct options_disk {
	char *path;	/* malloc */
	bool read_only;
};

struct options {
	enum options_action action;
	bool verbose;
	bool stats;
	unsigned int cpus;	/* 1 to LGUEST_MAX_VCPUS */
	uint64_t memory;	/* bytes, a multiple of the page size */
	const char *kernel;
	const char *initrd;
	char *found_initrd;	/* malloc: see options_initrd() */
	char **arguments;	/* for the Guest's kernel, up to NULL */
	unsigned int disks;
	struct options_disk disk[OPTIONS_MAX_DISKS];
};

int options_parse(struct options *options, int argc, char **argv);
void options_free(struct options *options);
int options_memory(const char *text, uint64_t *size);
int options_cpus(const char *text, unsigned int *cpus);
char *options_command_line(const struct options *options, const char *devices);
const char *options_initrd(struct options *options);
void options_help(void);

#endif /* _LAUNCHER_OPTIONS_H */
