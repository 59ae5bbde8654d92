// SPDX-License-Identifier: GPL-2.0-only
/*
 * The command line of the Launcher: options, how much memory, which kernel,
 * and all that follows is the kernel's own.
 */
#include <errno.h>
#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "amount.h"
#include "compiler.h"
#include "config.h"
#include "lguest_uapi.h"
#include "message.h"
#include "options.h"
#include "runtime.h"
#include "virtio/virtio.h"
#include "words.h"

#define TRY_HELP	"'lguest --help' lists what there is"

/* An option: devices' are in virtio/kinds.c. */
struct option_row {
	const char *name;
	const char *value;	/* how its value is written; NULL: it has none */
	const char *help;
	/* What it does with its value; or, if it has none: */
	int (*use)(struct options *options, const char *value);
	enum options_action action;	/* what it is for, or */
	size_t flag;			/* where in struct options is the bool that it sets */
};

#define FLAG(member)	.flag = offsetof(struct options, member)

static int use_initrd(struct options *options, const char *value)
{
	options->initrd = value;
	return 0;
}

static int use_cpus(struct options *options, const char *value)
{
	return amount_cpus(value, &options->cpus);
}

static int use_name(struct options *options, const char *value)
{
	options->name = value;
	return runtime_check_name(value);
}

static int use_shadow(struct options *options, const char *value)
{
	int error = amount_memory(value, &options->shadow);

	if (!error && options->shadow < LGUEST_MIN_SHADOW * LGUEST_SHADOW_BYTES)
		return refuse(-EINVAL, "'%s' is too little for the shadow page tables: say 1m or more",
			      value);
	return error;
}

static int use_sandbox(struct options *options, const char *value)
{
	options->no_sandbox = !strcmp(value, "off");
	if (!options->no_sandbox && strcmp(value, "on"))
		return refuse(-EINVAL, "--sandbox is on or off, not '%s'", value);
	return 0;
}

static const struct option_row rows[] = {
	{ "initrd", "FILE", "the guest's initial file system (default: initrd.img beside\n"
			    "KERNEL, if it is there and no root= is given)", .use = use_initrd },
	{ "cpus", "N", "how many CPUs the guest has: 1 (the default) to 16", .use = use_cpus },
	{ "name", "NAME", "what the guest is called in other commands (default: lguest-PID)",
	  .use = use_name },
	{ "detach", NULL, "go on without this terminal, and say the guest's name", FLAG(detach) },
	{ "report-free", NULL, "the guest gives the host back what memory it does not use",
	  FLAG(report_free) },
	{ "merge", NULL, "the host may merge pages that are the same (KSM)", FLAG(merge) },
	{ "shadow", "SIZE", "memory of the host's, at most, for shadow page tables",
	  .use = use_shadow },
	{ "sandbox", "on|off", "give up what the guest does not need; off: to find out whether\n"
			       "that is what stands in the way", .use = use_sandbox },
	{ "stats", NULL, "at the end, say what the guest made the host do", FLAG(stats) },
	{ "verbose", NULL, "say what is being done", FLAG(verbose) },
	{ "check", NULL, "say whether this host can run guests, and what it lacks",
	  .action = OPTIONS_CHECK },
	{ "help", NULL, "this text", .action = OPTIONS_HELP },
	{ "version", NULL, "the versions of this program and of its interfaces",
	  .action = OPTIONS_VERSION },
};

#define OPTIONS	(ARRAY_SIZE(rows) + virtio_nr_kinds)

static const char *option_name(unsigned int number)
{
	return number < ARRAY_SIZE(rows) ? rows[number].name :
					   virtio_kinds[number - ARRAY_SIZE(rows)]->option;
}

static const char *option_value(unsigned int number)
{
	return number < ARRAY_SIZE(rows) ? rows[number].value :
					   virtio_kinds[number - ARRAY_SIZE(rows)]->value;
}

static const char *option_help(unsigned int number)
{
	return number < ARRAY_SIZE(rows) ? rows[number].help :
					   virtio_kinds[number - ARRAY_SIZE(rows)]->help;
}

/* One option's lines of --help: its text stands in a column of its own. */
static void help_option(unsigned int number)
{
	const char *line = option_help(number), *value = option_value(number);
	int column = 21, used, length;

	used = printf("  --%s%s%s ", option_name(number), value ? "=" : "", value ? value : "");
	for (;;) {
		if (used > column)
			used = printf("\n") - 1;
		length = strcspn(line, "\n");
		printf("%*s%.*s\n", column - used, "", length, line);
		used = 0;
		if (!line[length])
			return;
		line += length + 1;
	}
}

/**
 * options_help_devices() - print the options that ask for devices
 */
void options_help_devices(void)
{
	unsigned int i;

	for (i = ARRAY_SIZE(rows); i < OPTIONS; i++)
		help_option(i);
}

/**
 * options_help() - print all other options
 */
void options_help(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		help_option(i);
}

/**
 * options_words() - how many of a command's words are one of our options?
 * @word: in a list that ends with NULL; if it is none, options_parse() will say so
 *
 * Return: 1 or 2, or a negative errno after telling the person.
 */
int options_words(char **word)
{
	const char *value;
	unsigned int i;
	int used = 0;

	for (i = 0; !used && i < OPTIONS; i++)
		used = words_option(word, option_name(i), option_value(i), &value);
	return used ? used : 1;
}

static int add_device(struct options *options, const struct virtio_kind *kind,
		      const char *value)
{
	if (options->devices == OPTIONS_MAX_DEVICES)
		return refuse(-E2BIG, "too many devices: %d is the most", OPTIONS_MAX_DEVICES);
	options->device[options->devices++] = (struct options_device) {
		.kind = kind,
		.value = value,
	};
	return 0;
}

/* getopt returns an option's number and this: no character is so large. */
#define FIRST_OPTION	256

/* Room for all there are, and the end. */
#define TABLE_SIZE	64

static void fill_table(struct option *table)
{
	unsigned int i;

	for (i = 0; i < OPTIONS && i < TABLE_SIZE - 1; i++)
		table[i] = (struct option) {
			.name = option_name(i),
			.has_arg = option_value(i) ? required_argument : no_argument,
			.val = FIRST_OPTION + i,
		};
	table[i] = (struct option) { 0 };
}

static int use_option(struct options *options, unsigned int number, const char *value)
{
	const struct option_row *row;

	if (number >= ARRAY_SIZE(rows))
		return add_device(options, virtio_kinds[number - ARRAY_SIZE(rows)], value);
	row = &rows[number];
	if (row->use)
		return row->use(options, value);
	if (row->action)
		options->action = row->action;
	else
		*(bool *)((char *)options + row->flag) = true;
	return 0;
}

/* getopt did not understand @word. */
static int refuse_option(int why, const char *word)
{
	if (why == ':')
		return refuse(-EINVAL, "option '%s' needs a value: %s=%s", word, word,
			      option_value(optopt - FIRST_OPTION));
	/* getopt says here that it knows the option, without what is after "=". */
	if (optopt >= FIRST_OPTION)
		return refuse(-EINVAL, "option '%s' takes no value", word);
	return refuse(-EINVAL, "unknown option '%s': " TRY_HELP, word);
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
	struct option table[TABLE_SIZE];
	int option, error, word;

	fill_table(table);
	memset(options, 0, sizeof(*options));
	options->cpus = 1;
	opterr = 0;
	optind = 0;	/* glibc: begin anew, for tests that parse twice */
	for (;;) {
		word = optind ? optind : 1;
		/* +: stop at the first word that is none. :: tell what is missing. */
		option = getopt_long(argc, argv, "+:", table, NULL);
		if (option == -1)
			break;
		error = option >= FIRST_OPTION ? use_option(options, option - FIRST_OPTION, optarg) :
						 refuse_option(option, argv[word]);
		if (error)
			return error;
	}
	if (options->action != OPTIONS_RUN)
		return 0;
	if (argc - optind < 1)
		return refuse(-EINVAL, "how much memory, and which kernel? For example: lguest 64m bzImage");
	error = amount_memory(argv[optind], &options->memory);
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
}
