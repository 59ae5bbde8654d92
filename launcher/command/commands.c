// SPDX-License-Identifier: GPL-2.0-only
/* The commands: a first word that is no option and no amount of memory. */
#include <string.h>

#include "command/commands.h"
#include "base/compiler.h"
#include "base/words.h"

static const struct command commands[] = {
	{ "list", "[--json]", "your guests", command_list, .json = true },
	{ "console", "NAME", "the console of a guest that was detached; Ctrl-A x leaves it",
	  command_console, .json = false },
	{ "log", "NAME [-f]", "what a guest has printed, all of it with --console; -f: and will print",
	  command_log, .json = false },
	{ "stop", "NAME [--timeout=S] [--json]", "a guest switches itself off, or is killed after S seconds (60)",
	  command_stop, .json = true },
	{ "kill", "NAME [--json]", "end a guest at once, as if its power was cut", command_kill,
	  .json = true },
	{ "wait", "NAME [--timeout=S] [--json]", "until a guest has ended, or for S seconds",
	  command_wait, .json = true },
	{ "pause", "NAME [--json]", "a guest and its time stand still", command_ask, .json = true },
	{ "resume", "NAME [--json]", "and go on", command_ask, .json = true },
	{ "balloon", "NAME SIZE [--json]",
	  "a guest gives SIZE of its memory back to the host; 0 ends it",
	  command_balloon, .json = true },
	{ "stats", "NAME [--json]", "what a guest costs", command_stats, .json = true },
	{ "run", "[OPTIONS] [--] COMMAND...",
	  "a command in a guest on this host's files: lguest run --help", command_run,
	  .has_help = true },
	{ "help", "[COMMAND]", "this text, or a command's", NULL, .json = false },
};

/**
 * commands_count() - how many commands there are
 */
unsigned int commands_count(void)
{
	return ARRAY_SIZE(commands);
}

/**
 * commands_get() - one of the commands
 * @number: from 0 to one less than commands_count()
 */
const struct command *commands_get(unsigned int number)
{
	return &commands[number];
}

/**
 * command_find() - find a command by its name
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
 * command_nearest() - guess which command the person meant
 * @word: what the person typed
 *
 * Return: the command's name, or NULL.
 */
const char *command_nearest(const char *word)
{
	unsigned int i, distance, best = WORDS_FAR;
	const char *nearest = NULL;

	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		distance = words_distance(word, strlen(word), commands[i].name);
		if (distance < best) {
			best = distance;
			nearest = commands[i].name;
		}
	}
	return nearest;
}
