// SPDX-License-Identifier: GPL-2.0-only
/*
 * From the first word to the command: the options that all commands have, and "help".
 */
#include <stdlib.h>
#include <string.h>

#include "command/commands.h"
#include "option/config.h"
#include "command/help.h"
#include "base/message.h"

/* Take out the words that are the option, up to "--". Return: was it there? */
static bool take_option(char **word, const char *name, const char *letter)
{
	char **to = word;
	bool found = false;

	for (; *word && strcmp(*word, "--"); word++) {
		if (!strcmp(*word, name) || (letter && !strcmp(*word, letter)))
			found = true;
		else
			*to++ = *word;
	}
	while ((*to++ = *word))
		word++;
	return found;
}

static int count(char **word)
{
	int words = 0;

	while (word[words])
		words++;
	return words;
}

static int print_help_of(char **word)
{
	const struct command *command = *word ? command_find(*word) : NULL;
	char *its_help[] = { *word, "--help", NULL };

	if (*word && !command)
		return misused("'%s' is no command: 'lguest --help' lists them", *word);
	if (!command)
		help_print();
	else if (command->has_help)
		return command->run(2, its_help);
	else
		help_command(command);
	return EXIT_SUCCESS;
}

/**
 * command_start() - do what a command says
 * @command: what the first word is
 * @options: as options_read() left it: with the command's words
 *
 * Return: the exit status, or a negative errno after telling the person.
 */
int command_start(const struct command *command, const struct options *options)
{
	char **word = options->words;
	bool wants_json = options->json;

	message_json = wants_json;
	if (options->first)
		return misused("--%s comes behind '%s', or does not go with it", options->first,
			       command->name);
	if (!command->has_help) {
		wants_json |= take_option(word + 1, "--json", NULL);
		message_verbose |= take_option(word + 1, "--verbose", "-v");
	}
	if (wants_json && !command->json)
		return misused("'lguest %s' can't say it in JSON", command->name);
	message_json = wants_json;
	if (!command->run)
		return print_help_of(word + 1);
	if (!command->has_help && take_option(word + 1, "--help", "-h")) {
		help_command(command);
		return EXIT_SUCCESS;
	}
	return command->run(count(word), word);
}
