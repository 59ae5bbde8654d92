// SPDX-License-Identifier: GPL-2.0-only
/*
 * The command line of the Launcher: options, how much memory, which kernel,
 * and all that follows is the kernel's own.
 */
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lguest_uapi.h"
#include "memory.h"
#include "message.h"
#include "options.h"

static const char help[] =
"Usage: lguest [OPTIONS] MEMORY KERNEL [KERNEL ARGUMENTS...]\n"
"Run a Linux guest on a host that needs no virtualisation hardware.\n"
"\n"
"MEMORY is the guest's memory: 64m, 2g, 65536k; a plain number means MiB.\n"
"KERNEL is a bzImage or a vmlinux with lguest support.\n"
"\n"
"  --initrd=FILE      the guest's initial file system (default: initrd.img beside\n"
  "                     KERNEL, if it is there and no root= is given)\n"
"  --block=FILE[,ro]  a disk: /dev/vda in the guest, the next one /dev/vdb\n"
"  --cpus=N           how many CPUs the guest has: 1 (the default) to 16\n"
"  --stats            at the end, say what the guest made the host do\n"
"  --verbose          say what is being done\n"
"  --check            say whether this host can run guests, and what it lacks\n"
"  --help             this text\n"
"  --version          the versions of this program and of its interfaces\n"
"\n"
"The guest's console is this terminal. Ctrl-A x leaves, Ctrl-A Ctrl-A sends\n"
"Ctrl-A. Exit status: 0 after the guest's poweroff, 1 if it could not be\n"
"started, 255 if it panicked or crashed.\n"
"\n"
"Example: lguest --initrd=initrd.img 64m bzImage quiet\n";

enum { OPTION_INITRD = 1, OPTION_BLOCK, OPTION_CPUS, OPTION_STATS, OPTION_VERBOSE, OPTION_CHECK,
	OPTION_HELP, OPTION_VERSION };

static const struct option option_table[] = {
	{ "initrd", required_argument, NULL, OPTION_INITRD },
	{ "block", required_argument, NULL, OPTION_BLOCK },
	{ "cpus", required_argument, NULL, OPTION_CPUS },
	{ "stats", no_argument, NULL, OPTION_STATS },
	{ "verbose", no_argument, NULL, OPTION_VERBOSE },
	{ "check", no_argument, NULL, OPTION_CHECK },
	{ "help", no_argument, NULL, OPTION_HELP },
	{ "version", no_argument, NULL, OPTION_VERSION },
	{ NULL, 0, NULL, 0 },
};

#define TRY_HELP	"'lguest --help' lists what there is"

static bool names_root(char *const *arguments)
{
	for (; *arguments; arguments++)
		if (!strncmp(*arguments, "root=", 5))
			return true;
	return false;
}

/**
 * options_initrd - the Guest's initial file system, if it has one
 * @options: as parsed
 *
 * What --initrd says; without it, and without a root= for the kernel, the file
 * initrd.img beside the kernel, if there is one.
 *
 * Return: a path that lives as long as @options, or NULL.
 */
const char *options_initrd(struct options *options)
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
 * options_help() - print how the program is used
 */
void options_help(void)
{
	fputs(help, stdout);
}

/**
 * options_memory() - understand an amount of memory
 * @text: digits and one of k, m, g; none means MiB
 * @size: bytes, whole pages, go there
 *
 * Return: 0, or a negative errno after telling the person.
 */
int options_memory(const char *text, uint64_t *size)
{
	unsigned int shift = 20;
	uint64_t value = 0;
	const char *at;

	for (at = text; isdigit((unsigned char)*at); at++) {
		if (value > UINT64_MAX / 16)
			return refuse(-ERANGE, "'%s' is more memory than there can be", text);
		value = value * 10 + (*at - '0');
	}
	if (at == text)
		goto no_number;
	if (*at) {
		const char *units = "kmg", *unit = strchr(units, tolower((unsigned char)*at));

		if (!unit || at[1])
			goto no_number;
		shift = 10 * (1 + (unit - units));
	}
	if (value > UINT64_MAX >> shift)
		return refuse(-ERANGE, "'%s' is more memory than there can be", text);
	*size = (value << shift) / PAGE_SIZE * PAGE_SIZE;
	if (!*size)
		return refuse(-EINVAL, "'%s' is too small a guest: 64m is a good size", text);
	return 0;

no_number:
	return refuse(-EINVAL,
		      "'%s' is not an amount of memory: say 64m, 2g or a number of MiB", text);
}

/**
 * options_cpus() - understand a number of CPUs
 * @text: digits
 * @cpus: goes there
 *
 * Return: 0, or a negative errno after telling the person.
 */
int options_cpus(const char *text, unsigned int *cpus)
{
	unsigned int value = 0;
	const char *at;

	for (at = text; isdigit((unsigned char)*at) && value <= LGUEST_MAX_VCPUS; at++)
		value = value * 10 + (*at - '0');
	if (at == text || *at || !value || value > LGUEST_MAX_VCPUS)
		return refuse(-EINVAL,
			      "'%s' is not a number of CPUs that a guest can have: say 1 to %d",
			      text, LGUEST_MAX_VCPUS);
	*cpus = value;
	return 0;
}

static int add_disk(struct options *options, const char *text)
{
	struct options_disk *disk;
	const char *comma = strrchr(text, ',');
	size_t length = strlen(text);

	if (options->disks == OPTIONS_MAX_DISKS)
		return refuse(-E2BIG, "too many disks: %d is the most", OPTIONS_MAX_DISKS);
	disk = &options->disk[options->disks];
	if (comma && !strcmp(comma, ",ro")) {
		disk->read_only = true;
		length = comma - text;
	}
	if (!length)
		return refuse(-EINVAL, "--block needs a file: --block=FILE[,ro]");
	disk->path = strndup(text, length);
	if (!disk->path)
		return refuse(-ENOMEM, "no memory");
	options->disks++;
	return 0;
}

static int use_option(struct options *options, int option, const char *word)
{
	switch (option) {
	case OPTION_INITRD:
		options->initrd = optarg;
		return 0;
	case OPTION_BLOCK:
		return add_disk(options, optarg);
	case OPTION_CPUS:
		return options_cpus(optarg, &options->cpus);
	case OPTION_STATS:
		options->stats = true;
		return 0;
	case OPTION_VERBOSE:
		options->verbose = true;
		return 0;
	case OPTION_CHECK:
		options->action = OPTIONS_CHECK;
		return 0;
	case OPTION_HELP:
		options->action = OPTIONS_HELP;
		return 0;
	case OPTION_VERSION:
		options->action = OPTIONS_VERSION;
		return 0;
	case ':':
		return refuse(-EINVAL, "option '%s' needs a value: %s=%s", word, word,
			      optopt == OPTION_CPUS ? "N" : "FILE");
	default:
		/* getopt says here that it knows the option, without what is after "=". */
		if (optopt >= OPTION_INITRD && optopt <= OPTION_VERSION)
			return refuse(-EINVAL, "option '%s' takes no value", word);
		return refuse(-EINVAL, "unknown option '%s': " TRY_HELP, word);
	}
}

/**
 * options_parse() - understand the command line
 * @options: filled in; options_free() it, whatever is returned
 * @argc: main()'s
 * @argv: main()'s; @options refers to it
 *
 * Return: 0, or a negative errno after telling the person.
 */
int options_parse(struct options *options, int argc, char **argv)
{
	int option, error, word;

	memset(options, 0, sizeof(*options));
	options->cpus = 1;
	opterr = 0;
	optind = 0;	/* glibc: begin anew, for tests that parse twice */
	for (;;) {
		word = optind ? optind : 1;
		/* +: stop at the first word that is none. :: tell what is missing. */
		option = getopt_long(argc, argv, "+:", option_table, NULL);
		if (option == -1)
			break;
		error = use_option(options, option, argv[word]);
		if (error)
			return error;
	}
	if (options->action != OPTIONS_RUN)
		return 0;
	if (argc - optind < 1)
		return refuse(-EINVAL, "how much memory, and which kernel? For example: lguest 64m bzImage");
	error = options_memory(argv[optind], &options->memory);
	if (error)
		return error;
	if (argc - optind < 2)
		return refuse(-EINVAL, "which kernel? For example: lguest %s bzImage", argv[optind]);
	options->kernel = argv[optind + 1];
	options->arguments = argv + optind + 2;
	return 0;
}

/**
 * options_free() - give back what options_parse() took
 * @options: as options_parse() left it
 */
void options_free(struct options *options)
{
	free(options->found_initrd);
	options->found_initrd = NULL;
	while (options->disks)
		free(options->disk[--options->disks].path);
}

/**
 * options_command_line() - the Guest kernel's command line
 * @options: with the person's arguments
 * @devices: what the kernel must be told of its devices
 *
 * Ours comes first: after "--" the arguments are for the Guest's init.
 *
 * Return: memory that the caller frees, or NULL after telling the person.
 */
char *options_command_line(const struct options *options, const char *devices)
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
