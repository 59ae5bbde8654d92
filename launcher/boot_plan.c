// SPDX-License-Identifier: GPL-2.0-only
/*
 * What follows from the person's wishes for how the Guest starts: its initial file system
 * and its kernel's command line.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "boot_plan.h"
#include "config.h"
#include "message.h"

static bool names_root(char *const *arguments)
{
	for (; *arguments; arguments++)
		if (!strncmp(*arguments, "root=", 5))
			return true;
	return false;
}

/**
 * boot_plan_initrd - the Guest's initial file system, if it has one
 * @options: as parsed
 *
 * What --initrd says; without it, and without a root= for the kernel, the file
 * initrd.img beside the kernel, if there is one.
 *
 * Return: a path that lives as long as @options, or NULL.
 */
const char *boot_plan_initrd(struct options *options)
{
	const char *slash = strrchr(options->kernel, '/');
	int directory = slash ? slash - options->kernel + 1 : 0;

	if (options->initrd || names_root(options->arguments))
		return options->initrd;
	free(options->found_initrd);
	if (asprintf(&options->found_initrd, "%.*sinitrd.img", directory, options->kernel) < 0)
		options->found_initrd = NULL;
	if (!options->found_initrd || access(options->found_initrd, R_OK))
		return NULL;
	return options->found_initrd;
}

/**
 * boot_plan_command_line() - the Guest kernel's command line
 * @options: with the person's arguments
 * @devices: what the kernel must be told of its devices
 *
 * Ours comes first: after "--" the arguments are for the Guest's init.
 *
 * Return: memory that the caller frees, or NULL after telling the person.
 */
char *boot_plan_command_line(const struct options *options, const char *devices)
{
	bool console = false;
	size_t size = 0;
	char **word;
	char *line;
	FILE *out;

	for (word = options->arguments; *word && strcmp(*word, "--"); word++)
		console |= !strncmp(*word, "console=", 8) || strstr(*word, " console=");
	out = open_memstream(&line, &size);
	if (out) {
		fprintf(out, "%s%s", console ? "" : "console=hvc0 ", devices);
		for (word = options->arguments; *word; word++)
			fprintf(out, " %s", *word);
	}
	if (!out || fclose(out)) {
		refuse(-ENOMEM, "no memory");
		return NULL;
	}
	return line;
}
