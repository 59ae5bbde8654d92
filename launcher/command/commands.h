/* SPDX-License-Identifier: GPL-2.0-only */
/* Commands: lguest COMMAND ... */
#ifndef _LAUNCHER_COMMANDS_H
#define _LAUNCHER_COMMANDS_H

#include <stdbool.h>

struct options;

struct command {
	const char *name;
	const char *arguments;	/* what may follow, for --help */
	const char *help;	/* lines */
	/* argv[0] is the name. Return: the exit status. NULL: "help", which dispatch.c does. */
	int (*run)(int argc, char **argv);
	bool json;		/* takes --json: see message_json */
	bool has_help;		/* prints its own --help */
};

/* The commands: each in a file of its own, or with others like it. */
int command_list(int argc, char **argv);
int command_console(int argc, char **argv);
int command_log(int argc, char **argv);
int command_stop(int argc, char **argv);
int command_kill(int argc, char **argv);
int command_wait(int argc, char **argv);
int command_ask(int argc, char **argv);
int command_balloon(int argc, char **argv);
int command_stats(int argc, char **argv);
int command_run(int argc, char **argv);

unsigned int commands_count(void);
const struct command *commands_get(unsigned int number);
const struct command *command_find(const char *word);
const char *command_nearest(const char *word);

/* dispatch.c */
int command_start(const struct command *command, const struct options *options);

#endif /* _LAUNCHER_COMMANDS_H */
