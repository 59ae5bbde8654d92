// SPDX-License-Identifier: GPL-2.0-only
/*
 * The command line of the Launcher: options, how much memory, which kernel,
 * and all that follows is the kernel's own.
 */
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "compiler.h"
#include "lguest_uapi.h"
#include "memory.h"
#include "message.h"
#include "number.h"
#include "options.h"
#include "runtime.h"
#include "virtio/virtio.h"

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
	return options_cpus(value, &options->cpus);
}

static int use_name(struct options *options, const char *value)
{
	options->name = value;
	return runtime_check_name(value);
}

static int use_shadow(struct options *options, const char *value)
{
	int error = options_memory(value, &options->shadow);

	if (!error && options->shadow < LGUEST_MIN_SHADOW * LGUEST_SHADOW_BYTES)
		return refuse(-EINVAL, "'%s' is too little for the shadow page tables: say 1m or more",
			      value);
	return error;
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
 * options_help() - print how the program is used
 */
void options_help(void)
{
	unsigned int i;

	fputs("Usage: lguest [OPTIONS] MEMORY KERNEL [KERNEL ARGUMENTS...]\n"
	      "       lguest COMMAND ...\n"
	      "Run a Linux guest on a host that needs no virtualisation hardware.\n"
	      "\n"
	      "MEMORY is the guest's memory: 64m, 2g, 65536k; a plain number means MiB.\n"
	      "KERNEL is a bzImage or a vmlinux with lguest support.\n"
	      "\n"
	      "Devices, each as often as it is wanted:\n", stdout);
	for (i = ARRAY_SIZE(rows); i < OPTIONS; i++)
		help_option(i);
	fputs("\nOptions:\n", stdout);
	for (i = 0; i < ARRAY_SIZE(rows); i++)
		help_option(i);
	fputs("\nCommands:\n", stdout);
	commands_help();
	fputs("\n"
	      "The guest's console is this terminal. Ctrl-A x leaves, Ctrl-A Ctrl-A sends\n"
	      "Ctrl-A. Exit status: 0 after the guest's poweroff, 1 if it could not be\n"
	      "started, 255 if it panicked or crashed.\n"
	      "\n"
	      "Example: lguest --initrd=initrd.img 64m bzImage quiet\n", stdout);
}

/**
 * options_word() - is a command's word this option?
 * @word: in a list that ends with NULL
 * @name: the option's
 * @has_value: --NAME=VALUE or --NAME VALUE, not --NAME
 * @value: goes there
 *
 * Return: how many words it takes, 0 if the word is something else; or a negative errno
 * after telling the person.
 */
int options_word(char **word, const char *name, bool has_value, const char **value)
{
	size_t length = strlen(name);
	const char *rest;

	if (strncmp(*word, "--", 2))
		return 0;
	rest = *word + 2;
	if (strncmp(rest, name, length) || (rest[length] && rest[length] != '='))
		return 0;
	if (rest[length] && !has_value)
		return refuse(-EINVAL, "option '%s' takes no value", *word);
	if (has_value && !rest[length] && !word[1])
		return refuse(-EINVAL, "option '%s' needs a value", *word);
	*value = rest[length] ? rest + length + 1 : word[1];
	return 1 + (has_value && !rest[length]);
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
		used = options_word(word, option_name(i), option_value(i), &value);
	return used ? used : 1;
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
	const char *units = "kmg", *unit = units + 1;
	uint64_t value = UINT64_MAX;	/* if it is larger */
	const char *end = number_read(text, 0, UINT64_MAX, &value);
	unsigned int shift;

	if (end && *end)
		unit = strchr(units, tolower((unsigned char)*end++));
	if (!isdigit((unsigned char)*text) || !unit || (end && *end))
		return refuse(-EINVAL,
			      "'%s' is not an amount of memory: say 64m, 2g or a number of MiB",
			      text);
	shift = 10 * (1 + (unit - units));
	if (value > UINT64_MAX >> shift)
		return refuse(-ERANGE, "'%s' is more memory than there can be", text);
	*size = (value << shift) / PAGE_SIZE * PAGE_SIZE;
	if (!*size)
		return refuse(-EINVAL, "'%s' is too small a guest: 64m is a good size", text);
	return 0;
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
	uint64_t value;

	if (!number_parse(text, 1, LGUEST_MAX_VCPUS, &value))
		return refuse(-EINVAL,
			      "'%s' is not a number of CPUs that a guest can have: say 1 to %d",
			      text, LGUEST_MAX_VCPUS);
	*cpus = value;
	return 0;
}

/**
 * options_seconds() - understand an amount of time
 * @text: digits
 * @seconds: goes there, more than 0
 *
 * Return: 0, or a negative errno after telling the person.
 */
int options_seconds(const char *text, unsigned int *seconds)
{
	uint64_t value;

	if (!number_parse(text, 1, INT_MAX, &value))
		return refuse(-EINVAL, "'%s' is not a number of seconds", text);
	*seconds = value;
	return 0;
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
