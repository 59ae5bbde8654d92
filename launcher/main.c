// SPDX-License-Identifier: GPL-2.0-only
/*
 * lguest, the Launcher: runs a Linux Guest on a Host with the module lg.
 *
 * The way through this program: commands.c knows the commands, each in a file of
 * its own (command_*.c); without one, a Guest is to be run. options.c understands
 * what the person wants (config.h); start.c has a Guest made and run; vm.c makes memory
 * and devices; boot_plan.c says what to start it from; boot.c (and kernel.c, bzimage.c, payload.c, elf_image.c, pagetables.c)
 * puts the Guest into the memory; vm.c tells lg.ko of it; run.c runs it, with a
 * thread for each further virtual CPU (vcpu.c) and for each queue of each device
 * (virtio/) beside it; report.c tells how it ended.
 */
#include <stdio.h>
#include <stdlib.h>

#include "commands.h"
#include "config.h"
#include "help.h"
#include "host_check.h"
#include "lguest_abi.h"
#include "lguest_uapi.h"
#include "message.h"
#include "options.h"
#include "start.h"

#ifndef LGUEST_VERSION
#define LGUEST_VERSION	"development"
#endif

int main(int argc, char **argv)
{
	const struct command *command = argc > 1 ? command_find(argv[1]) : NULL;
	struct options options;
	int status = EXIT_NOT_STARTED;

	if (command && command->run)
		return command->run(argc - 1, argv + 1);
	if (command) {
		help_print();
		return EXIT_SUCCESS;
	}
	if (options_parse(&options, argc, argv))
		goto free;
	message_verbose = options.verbose;
	switch (options.action) {
	case OPTIONS_RUN:
		status = start_guest(&options);
		break;
	case OPTIONS_CHECK:
		status = check_host("");
		break;
	case OPTIONS_HELP:
		help_print();
		status = EXIT_SUCCESS;
		break;
	case OPTIONS_VERSION:
		printf("lguest %s (interface to lg.ko %d, guest ABI %d)\n", LGUEST_VERSION,
		       LGUEST_API_VERSION, LGUEST_ABI_VERSION);
		status = EXIT_SUCCESS;
		break;
	}

free:
	options_free(&options);
	return status;
}
