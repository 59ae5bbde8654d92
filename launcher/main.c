// SPDX-License-Identifier: GPL-2.0-only
/*
 * lguest, the launcher: runs a Linux guest on a host with the module lg.
 *
 * The way through this program: command/ has the commands, each in a file of its own; without a
 * command, lguest runs a guest. option/ understands the command line, and writes what the
 * person wants into a struct (config.h). start.c takes a guest from its start to its end: vm.c
 * makes its memory (memory.c) and devices (virtio/), boot/ unpacks the kernel in a process of
 * its own (sandbox/) and puts it into the memory, vm.c tells lg.ko of all that, and run.c runs
 * the guest, with a thread for each further virtual CPU (vcpu.c) and for each queue of each
 * device. report.c tells how a guest has crashed. control/ answers requests from outside,
 * terminal/ is the person's side of the console, session/ is what "lguest run" says to its
 * init, and base/ knows nothing of guests.
 */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "control/answer.h"
#include "command/commands.h"
#include "option/config.h"
#include "control/control.h"
#include "base/exit_status.h"
#include "command/help.h"
#include "command/check.h"
#include "lguest_abi.h"
#include "lguest_uapi.h"
#include "base/message.h"
#include "option/rows.h"
#include "option/options.h"
#include "start.h"

#ifndef LGUEST_VERSION
#define LGUEST_VERSION	"development"
#endif

static int print_version(bool json)
{
	printf(json ? "{\"version\":\"%s\",\"interface\":%d,\"abi\":%d,\"control\":%d}\n" :
		      "lguest %s (interface to lg.ko %d, guest ABI %d, control socket %d)\n",
	       LGUEST_VERSION, LGUEST_API_VERSION, LGUEST_ABI_VERSION, CONTROL_VERSION);
	return EXIT_SUCCESS;
}

/* The first word is no command. Return: the exit status, or a negative errno. */
static int run_guest_of(struct options *options)
{
	const char *word = *options->words, *nearest;
	int error;

	if (word && *word && !isdigit((unsigned char)*word) && !options->first) {
		nearest = command_nearest(word);
		return misused("'%s' is neither a command nor an amount of memory, such as 64m: %s%s%s",
			       word, nearest ? "did you mean '" : "'lguest --help' lists the commands",
			       nearest ? nearest : "", nearest ? "'?" : "");
	}
	error = options_guest(options);
	return error ? error : start_guest(options, NULL);
}

static int do_it(struct options *options)
{
	const struct command *command = *options->words ? command_find(*options->words) : NULL;

	switch (options->action) {
	case OPTIONS_HELP:
		help_print();
		return EXIT_SUCCESS;
	case OPTIONS_VERSION:
		return print_version(options->json);
	case OPTIONS_CHECK:
		message_json = options->json;
		return check_host("", options->json);
	default:
		return command ? command_start(command, options) : run_guest_of(options);
	}
}

int main(int argc, char **argv)
{
	struct options options;
	int status;

	message_error_sink = answer_print_error;
	status = options_read(&options, argc, argv, OF_START);
	message_verbose = options.verbose;
	if (!status)
		status = do_it(&options);
	/* Some mistakes in the words are noticed only by the code that acts on them. */
	if (status < 0 || (status == EXIT_NOT_STARTED && message_misused))
		status = EXIT_USAGE;
	return status;
}
