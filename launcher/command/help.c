// SPDX-License-Identifier: GPL-2.0-only
/*
 * lguest --help: all options and commands on one page, or one command.
 */
#include <stdio.h>

#include "command/commands.h"
#include "command/help.h"
#include "option/help.h"
#include "option/rows.h"

static void print_commands(void)
{
	unsigned int i;

	for (i = 0; i < commands_count(); i++) {
		const struct command *command = commands_get(i);

		printf("  lguest %s %s\n%21s%s\n", command->name, command->arguments, "",
		       command->help);
	}
}

/**
 * help_print() - print how the program is used
 */
void help_print(void)
{
	fputs("Usage: lguest [OPTIONS] MEMORY KERNEL [KERNEL ARGUMENTS...]\n"
	      "       lguest [OPTIONS] MEMORY --block=FILE\n"
	      "       lguest COMMAND ...\n"
	      "Run a Linux guest on a host that needs no virtualisation hardware.\n"
	      "\n"
	      "MEMORY is the guest's memory: 64m, 2g, 65536k; a plain number means MiB.\n"
	      "KERNEL is a bzImage or a vmlinux with lguest or Xen PV support. Without it, kernel,\n"
	      "initrd and command line are those on the first disk of --block, at each boot anew.\n"
	      "Options may stand behind MEMORY, too.\n"
	      "\n"
	      "Devices, each as often as it is wanted:\n", stdout);
	option_help_devices();
	fputs("\nOptions:\n", stdout);
	option_help(OF_START);
	fputs("\nCommands:\n", stdout);
	print_commands();
	fputs("\n"
	      "The guest's console is this terminal. Ctrl-A x leaves, Ctrl-A Ctrl-A sends\n"
	      "Ctrl-A. Exit status: 0 after the guest's poweroff, 1 if it could not be\n"
	      "started, 2 if the command line is wrong, 255 if it panicked or crashed.\n"
	      "\n"
	      "Example: lguest --initrd=initrd.img 64m bzImage quiet\n", stdout);
}

/**
 * help_command() - print how a command is used
 * @command: a command without a --help of its own
 */
void help_command(const struct command *command)
{
	printf("Usage: lguest %s %s\n%s.\n", command->name, command->arguments, command->help);
}
