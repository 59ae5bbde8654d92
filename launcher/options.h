/* SPDX-License-Identifier: GPL-2.0-only */
/* The command line of the Launcher. */
#ifndef _LAUNCHER_OPTIONS_H
#define _LAUNCHER_OPTIONS_H

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
	uint64_t shadow;	/* bytes; 0: what lg.ko allows */
	unsigned int cpus;	/* 1 to LGUEST_MAX_VCPUS */
	uint64_t memory;	/* bytes, a multiple of the page size */
	const char *kernel;
	const char *initrd;
	char *found_initrd;	/* malloc: see options_initrd() */
	struct session *session;	/* whose command the Guest is there for, or NULL */
	char **arguments;	/* for the Guest's kernel, up to NULL */
	unsigned int devices;	/* beside those that every Guest has */
	struct options_device device[OPTIONS_MAX_DEVICES];
};

int options_parse(struct options *options, int argc, char **argv);
void options_free(struct options *options);
int options_word(char **word, const char *name, bool has_value, const char **value);
int options_words(char **word);
int options_memory(const char *text, uint64_t *size);
int options_seconds(const char *text, unsigned int *seconds);
int options_cpus(const char *text, unsigned int *cpus);
char *options_command_line(const struct options *options, const char *devices);
const char *options_initrd(struct options *options);
void options_help(void);

#endif /* _LAUNCHER_OPTIONS_H */
