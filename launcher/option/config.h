/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a person wants, as plain data: options.c fills it in from the command line, and the code
 * that runs the guest reads it.
 */
#ifndef _LAUNCHER_CONFIG_H
#define _LAUNCHER_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

struct virtio_kind;

#define OPTIONS_MAX_DEVICES	22

enum options_action {
	OPTIONS_RUN,
	OPTIONS_CHECK,
	OPTIONS_HELP,
	OPTIONS_VERSION,
};

/* Which ABI the Guest's kernel is to be run by. */
enum options_abi {
	ABI_OF_KERNEL,	/* what the kernel's notes say; lguest's, if it speaks both */
	ABI_LGUEST,
	ABI_XEN,
};

struct options_device {
	const struct virtio_kind *kind;
	const char *value;
};

/* A directory that the guest sees. */
struct options_share {
	const char *directory;	/* NULL: there is none */
	const char *tag;
	bool read_only;
};

/* A port of the console's with a socket behind it. */
struct options_port {
	const char *name;	/* NULL: there is none */
	int fd;
};

struct options {
	enum options_action action;
	bool verbose;
	bool stats;
	bool report_free;
	bool detach;
	bool json;
	const char *console;	/* file for what the guest prints, or NULL */
	const char *name;	/* or NULL */
	bool merge;
	bool no_sandbox;
	uint64_t shadow;	/* bytes; 0: what lg.ko allows */
	enum options_abi abi;
	unsigned int cpus;	/* 1 to LGUEST_MAX_VCPUS */
	uint64_t memory;	/* bytes, a multiple of the page size */
	const char *kernel;	/* its file; or, if this is true, the value of the --block that */
	bool from_disk;		/* has it */
	bool found_kernel;	/* nobody has named it: its owner must be trusted */
	const char *initrd;
	bool has_initrd_fd;	/* it is open already, and its name is only for messages: */
	int initrd_fd;
	char **arguments;	/* for the guest's kernel, up to NULL */

	const char *append;	/* more for the kernel's command line, or NULL */

	/* Of "lguest run" alone. */
	const char *lacks;	/* a module that its kernel would need with Xen's ABI, or NULL */
	bool for_command;	/* the guest is there for a command, which gets the signals */
	bool writable;		/* what the guest writes to the host's files stays */
	bool as_user;
	unsigned int timeout;	/* seconds; 0: none */
	int panic_status;	/* -1: EXIT_CRASHED */

	/* Of options_read(), for the code that goes on with the command line. */
	char **words;		/* the words behind the options, up to NULL */
	const char *first;	/* name of the first option that is for starting a guest */
	const char *took;	/* name of the option whose value the last word is, or NULL */

	unsigned int devices;	/* devices that the person asks for */
	struct options_device device[OPTIONS_MAX_DEVICES];
	/* What "lguest run" needs beside these. */
	struct options_share share;
	struct options_port port;
};

#endif /* _LAUNCHER_CONFIG_H */
