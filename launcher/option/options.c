// SPDX-License-Identifier: GPL-2.0-only
/*
 * The command line of the launcher: options, how much memory, which kernel. All that follows is
 * for the kernel. Options may also stand between the amount of memory and the kernel.
 */
#include <errno.h>
#include <getopt.h>
#include <string.h>

#include "option/amount.h"
#include "option/config.h"
#include "base/message.h"
#include "option/rows.h"
#include "option/options.h"
#include "virtio/virtio.h"

#define TRY_HELP	"'lguest --help' lists what there is"

/* getopt returns an option as this plus its number: no character is so large. */
#define FIRST_OPTION	256

/* Room for all options, and for the end. */
#define TABLE_SIZE	64

/* The options, as getopt wants them. */
struct table {
	struct option option[TABLE_SIZE];
	char letters[2 + TABLE_SIZE];
};

static void fill_table(struct table *table, unsigned int whose)
{
	struct option *option = table->option;
	/* "+": stop at the first word that is no option. ":": tell when a value is missing. */
	char *letter = stpcpy(table->letters, "+:");
	unsigned int i;

	for (i = 0; i < option_count() && i < TABLE_SIZE - 1; i++) {
		if (!option_is_of(i, whose))
			continue;
		*option++ = (struct option) {
			.name = option_name(i),
			.has_arg = option_value(i) ? required_argument : no_argument,
			.val = FIRST_OPTION + i,
		};
		if (option_letter(i))
			*letter++ = option_letter(i);
	}
	*option = (struct option) { 0 };
	*letter = '\0';
}

static int find_letter(int letter)
{
	unsigned int i;

	for (i = 0; i < option_count(); i++)
		if (option_letter(i) == letter)
			return i;
	return -1;
}

static int refuse_name(const char *word, int length, unsigned int whose)
{
	int number = option_find(word + 2, length);

	if (number >= 0 && whose == OF_RUN)
		return misused("--%s does not go with 'lguest run'", option_name(number));
	if (number >= 0)
		return misused("--%s is for 'lguest run', behind that word", option_name(number));
	number = option_nearest(word + 2, length, whose);
	if (number >= 0)
		return misused("unknown option '%s': did you mean --%s? " TRY_HELP, word,
			       option_name(number));
	return misused("unknown option '%s': " TRY_HELP, word);
}

/*
 * getopt takes "--ver" for "--verbose" as long as no other option begins like that, so a new
 * option could break a command line that works today. Accept whole names only.
 */
static int check_name(const char *word, unsigned int whose)
{
	int length, number;

	if (strncmp(word, "--", 2) || !word[2])
		return 0;
	length = strcspn(word + 2, "=");
	number = option_find(word + 2, length);
	return number >= 0 && option_is_of(number, whose) ? 0 : refuse_name(word, length, whose);
}

/* getopt did not accept @word, which has the name of an option. */
static int refuse_option(int why, const char *word)
{
	if (why == ':')
		return misused("option '%s' needs a value: %s=%s", word, word,
			       option_value(optopt - FIRST_OPTION));
	/* getopt knows the option, but it takes no value, and there is one behind "=". */
	if (optopt >= FIRST_OPTION)
		return misused("option '%s' takes no value", word);
	return misused("unknown option '%s': " TRY_HELP, word);
}

static int use_option(struct options *options, unsigned int number, const char *value)
{
	if (value && !*value)
		return misused("option '--%s=' needs a value: --%s=%s", option_name(number),
			       option_name(number), option_value(number));
	if (!option_is_general(number) && !options->first)
		options->first = option_name(number);
	return option_use(options, number, value);
}

/* Understand the options up to the first word that is none. Return: 0 or a negative errno. */
static int read_some(struct options *options, const struct table *table, int argc, char **argv,
		     unsigned int whose)
{
	int option, number, error, word = optind ? optind : 1;

	for (;; word = optind) {
		error = word < argc ? check_name(argv[word], whose) : 0;
		if (error)
			return error;
		option = getopt_long(argc, argv, table->letters, table->option, NULL);
		if (option == -1)
			break;
		if (option == '?' || option == ':')
			return refuse_option(option, argv[word]);
		number = option >= FIRST_OPTION ? option - FIRST_OPTION : find_letter(option);
		error = use_option(options, number, optarg);
		if (error)
			return error;
		options->took = optarg && optarg == argv[optind - 1] ? option_name(number) : NULL;
	}
	options->words = argv + optind;
	/* After "--" the word before is no value of an option. */
	if (optind > word)
		options->took = NULL;
	return 0;
}

/**
 * options_read() - understand the options of a command line
 * @options: filled in
 * @argc: number of words
 * @argv: the name of the program or command, then the words, up to NULL; changed: MEMORY moves
 *	  behind all options; @options refers to them
 * @whose: whose options they are: OF_START or OF_RUN
 *
 * Return: 0, or a negative errno after telling the person. What follows the options is in
 * @options->words.
 */
int options_read(struct options *options, int argc, char **argv, unsigned int whose)
{
	struct table table;
	char *memory;
	int error;

	fill_table(&table, whose);
	memset(options, 0, sizeof(*options));
	options->cpus = 1;
	options->panic_status = -1;
	opterr = 0;
	optind = 0;	/* glibc: begin anew; tests parse more than once */
	error = read_some(options, &table, argc, argv, whose);
	if (error || whose != OF_START || optind + 1 >= argc || !amount_looks_like(argv[optind]) ||
	    argv[optind + 1][0] != '-')
		return error;
	/* More options, between MEMORY and KERNEL. */
	memory = argv[optind++];
	error = read_some(options, &table, argc, argv, whose);
	if (!error)
		*--options->words = memory;
	return error;
}

/* Complain if an amount of memory was taken for the value of the option before it. */
static int check_value_taken(const struct options *options)
{
	const char *word = options->words[-1];

	if (!options->took || !amount_looks_like(word))
		return 0;
	return misused("'%s' was taken as the value of --%s: say --%s=%s", word, options->took,
		       options->took, option_value(option_find(options->took, strlen(options->took))));
}

/* Nobody has named a kernel: it is on the first disk. */
static int use_disk(struct options *options)
{
	unsigned int i;

	for (i = 0; i < options->devices; i++)
		if (options->device[i].kind == &virtio_block_kind)
			break;
	if (i == options->devices)
		return misused("which kernel? For example: lguest %s bzImage; or a disk that has one: --block=FILE",
			       *options->words);
	options->kernel = options->device[i].value;
	options->from_disk = true;
	if (virtio_block_kind.shares_memory(options->kernel))
		return misused("which kernel? The first disk, --block=%s, is another program's, and can't be looked into",
			       options->kernel);
	if (options->initrd)
		return misused("--initrd goes with a KERNEL, and nobody has named one: the disk '%s' has its own",
			       options->kernel);
	return 0;
}

/**
 * options_guest() - understand which guest is to be started
 * @options: as options_read() left it: with MEMORY, KERNEL and the kernel's words to come
 *
 * Return: 0, or a negative errno after telling the person.
 */
int options_guest(struct options *options)
{
	char **word = options->words;
	int error;

	if (options->json)
		return misused("--json is for commands, --check and --version");
	if (options->console && !options->detach)
		return misused("--console is for a guest without a terminal: say --detach, too, or '| tee %s'",
			       options->console);
	if (!*word || !amount_looks_like(*word)) {
		error = check_value_taken(options);
		if (error)
			return error;
	}
	if (!*word)
		return misused("how much memory, and which kernel? For example: lguest 64m bzImage");
	error = amount_memory(word[0], &options->memory);
	if (error)
		return error;
	options->arguments = word + 1 + !!word[1];
	if (!word[1])
		return use_disk(options);
	if (options->append)
		return misused("--append is for a kernel that the disk has: put '%s' behind the kernel '%s'",
			       options->append, word[1]);
	options->kernel = word[1];
	return 0;
}

/**
 * options_parse() - understand the command line
 * @options: filled in
 * @argc: main()'s
 * @argv: main()'s; @options refers to it
 *
 * Return: 0, or a negative errno after telling the person.
 */
int options_parse(struct options *options, int argc, char **argv)
{
	int error = options_read(options, argc, argv, OF_START);

	return error || options->action != OPTIONS_RUN ? error : options_guest(options);
}
