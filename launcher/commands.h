/* SPDX-License-Identifier: GPL-2.0-only */
/* Commands: lguest COMMAND ... */
#ifndef _LAUNCHER_COMMANDS_H
#define _LAUNCHER_COMMANDS_H

struct command {
	const char *name;
	const char *arguments;	/* what may follow, for --help */
	const char *help;	/* one line */
	/* argv[0] is the name. Return: the exit status. NULL: main() prints the help. */
	int (*run)(int argc, char **argv);
};

int command_list(int argc, char **argv);
int command_console(int argc, char **argv);
int command_stop(int argc, char **argv);
int command_kill(int argc, char **argv);
int command_ask(int argc, char **argv);
int command_balloon(int argc, char **argv);
int command_stats(int argc, char **argv);

const struct command *command_find(const char *word);
void commands_help(void);

/* The commands, each in a file of its own. */
int command_run(int argc, char **argv);

#endif /* _LAUNCHER_COMMANDS_H */
