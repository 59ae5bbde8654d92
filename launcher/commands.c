// SPDX-License-Identifier: GPL-2.0-only
/*
 * What lguest can be told to do by its first word, if that is no option and no
 * amount of memory.
 */
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "compiler.h"

static const struct command commands[] = {
	{ "list", "[--json]", "your guests", command_list },
	{ "console", "NAME", "the console of a guest that was detached; Ctrl-A x leaves it",
	  command_console },
	{ "stop", "NAME [--timeout=S] [--json]", "a guest switches itself off, or is killed after S seconds (60)",
	  command_stop },
	{ "kill", "NAME [--json]", "end a guest at once, as if its power was cut", command_kill },
	{ "pause", "NAME [--json]", "a guest and its time stand still", command_ask },
	{ "resume", "NAME [--json]", "and go on", command_ask },
	{ "balloon", "NAME SIZE [--json]",
	  "a guest gives SIZE of its memory back to the host; 0 ends it",
	  command_balloon },
	{ "stats", "NAME [--json]", "what a guest costs", command_stats },
	{ "run", "[--kernel FILE] [--memory SIZE] [--append TEXT] [--timeout S] [--rw] [--user] [--verbose] [--] COMMAND...",
	  "a command in a guest on this host's files: lguest run --help", command_run },
	{ "help", "", "this text", NULL },
};

/**
 * command_find() - is it a command?
 * @word: the first one on the command line
 *
 * Return: the command, or NULL.
 */
const struct command *command_find(const char *word)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(word, commands[i].name))
			return &commands[i];
	return NULL;
}

/**
 * commands_help() - print the commands
 */
void commands_help(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(commands); i++)
		printf("  lguest %s %s\n%21s%s\n", commands[i].name, commands[i].arguments, "",
		       commands[i].help);
}
