/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a person wants, as plain data: options.c makes it of the command line, and whoever
 * runs the Guest reads it.
 */
#ifndef _LAUNCHER_CONFIG_H
#define _LAUNCHER_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

struct session;
struct virtio_kind;

#define OPTIONS_MAX_DEVICES	22

enum options_action {
	OPTIONS_RUN,
	OPTIONS_CHECK,
	OPTIONS_HELP,
	OPTIONS_VERSION,
};

struct options_device {
	const struct virtio_kind *kind;
	const char *value;
};

struct options {
	enum options_action action;
	bool verbose;
	bool stats;
	bool report_free;
	bool detach;
	const char *name;	/* or NULL */
	bool merge;
	bool no_sandbox;
	uint64_t shadow;	/* bytes; 0: what lg.ko allows */
	unsigned int cpus;	/* 1 to LGUEST_MAX_VCPUS */
	uint64_t memory;	/* bytes, a multiple of the page size */
	const char *kernel;
	const char *initrd;
	char *found_initrd;	/* malloc: see boot_plan_initrd() */
	struct session *session;	/* whose command the Guest is there for, or NULL */
	char **arguments;	/* for the Guest's kernel, up to NULL */
	unsigned int devices;	/* beside those that every Guest has */
	struct options_device device[OPTIONS_MAX_DEVICES];
};

#endif /* _LAUNCHER_CONFIG_H */
