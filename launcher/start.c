// SPDX-License-Identifier: GPL-2.0-only
/*
 * From a Guest's options to its end, as often as it restarts.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "boot_plan.h"
#include "config.h"
#include "control.h"
#include "detach.h"
#include "exit_status.h"
#include "message.h"
#include "parser.h"
#include "recent.h"
#include "relay.h"
#include "report.h"
#include "run.h"
#include "sandbox.h"
#include "session.h"
#include "start.h"
#include "stats.h"
#include "terminal.h"
#include "vm.h"

static int check_memory(uint64_t wanted)
{
	struct sysinfo info;
	uint64_t have;

	if (sysinfo(&info) < 0)
		return 0;
	have = (uint64_t)info.totalram * info.mem_unit;
	if (wanted <= have)
		return 0;
	return refuse(-ENOMEM, "the guest's %llu MiB are more than this host has: %llu MiB",
		      (unsigned long long)wanted >> 20, (unsigned long long)have >> 20);
}

/* It works, but slowly when they wait for each other. */
static void check_cpus(unsigned int wanted)
{
	long have = sysconf(_SC_NPROCESSORS_ONLN);

	if (have > 0 && wanted > have)
		detail("the guest's %u CPUs take turns on this host's %ld", wanted, have);
}

/* Make a VM with the Guest in it, ready to run. */
static int set_up(struct vm *vm, struct options *options)
{
	struct boot_request request = {
		.kernel = options->kernel,
		.initrd = boot_plan_initrd(options),
		.cpus = options->cpus,
	};
	char *devices = NULL, *command_line = NULL;
	struct boot_entry entry;
	int error;

	error = vm_init(vm, options);
	if (error)
		return error;
	devices = vm_describe_devices(vm);
	if (devices)
		command_line = boot_plan_command_line(options, devices);
	free(devices);
	if (!command_line)
		return -ENOMEM;
	detail("kernel command line: %s", command_line);
	request.command_line = command_line;
	error = boot_prepare(&request, &vm->memory, &entry);
	free(command_line);
	if (!error)
		error = vm_start(vm, &entry);
	return error;
}

/* From set-up to the end, once. Return: exit status, or -1 to do it again. */
static int run_once(struct options *options)
{
	static struct vm vm;
	enum run_end end;
	int status = EXIT_NOT_STARTED;

	if (set_up(&vm, options))
		goto exit;
	if (options->session)
		session_attach(options->session, &vm);
	detach_done(control_name());
	end = run_guest(&vm);
	if (options->session)
		session_detach(options->session);
	if (end == RUN_NOT_STARTED)
		goto exit;
	if (options->stats)
		stats_report(&vm);
	if (end == RUN_RESTART) {
		detail("the guest restarts");
		status = -1;
	} else {
		status = end == RUN_CRASHED ? EXIT_CRASHED : EXIT_SUCCESS;
	}

exit:
	vm_exit(&vm);
	return status;
}

/**
 * start_guest() - run a Guest from its start to its end
 * @options: what the person wants
 *
 * Return: the exit status: 0, or one of exit_status.h; the person knows why.
 */
int start_guest(struct options *options)
{
	int status;

	if (check_memory(options->memory) || terminal_init())
		return EXIT_NOT_STARTED;
	check_cpus(options->cpus);
	sandbox_wanted = !options->no_sandbox;
	/* No Guest gains anything from a set-uid program that we might start. */
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (options->detach) {
		status = detach_begin();
		if (status >= 0)
			return status;
	}
	/* Before there are threads. */
	if (parser_start())
		return EXIT_NOT_STARTED;
	/* Who can't be asked for it does not have to have a name. */
	if ((control_init(options) && (options->name || options->detach)) || relay_start()) {
		control_exit();
		parser_stop();
		return EXIT_NOT_STARTED;
	}
	do {
		recent_clear();
		status = run_once(options);
	} while (status < 0 && !options->session && !control_killed());
	relay_exit();
	control_exit();
	parser_stop();
	return status < 0 ? EXIT_SUCCESS : status;
}
