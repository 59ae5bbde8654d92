// SPDX-License-Identifier: GPL-2.0-only
/*
 * lguest, the Launcher: runs a Linux Guest on a Host with the module lg.
 *
 * The way through this program: options.c understands the person; vm.c makes
 * memory and devices; boot.c (and kernel.c, bzimage.c, payload.c, elf_image.c,
 * pagetables.c) puts the Guest into the memory; vm.c tells lg.ko of it; run.c
 * runs it, with a thread for each further virtual CPU (vcpu.c) and for each queue
 * of each device (virtio/) beside it; report.c tells how it ended.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "host_check.h"
#include "lguest_abi.h"
#include "message.h"
#include "options.h"
#include "recent.h"
#include "report.h"
#include "run.h"
#include "terminal.h"
#include "vm.h"

#ifndef LGUEST_VERSION
#define LGUEST_VERSION	"development"
#endif

#define EXIT_NOT_STARTED	1
#define EXIT_CRASHED		255

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
		.initrd = options_initrd(options),
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
		command_line = options_command_line(options, devices);
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
	end = run_guest(&vm);
	if (end == RUN_NOT_STARTED)
		goto exit;
	if (options->stats)
		report_stats(&vm);
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

static int run(struct options *options)
{
	int status;

	if (check_memory(options->memory) || terminal_init())
		return EXIT_NOT_STARTED;
	check_cpus(options->cpus);
	/* No Guest gains anything from a set-uid program that we might start. */
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	do {
		recent_clear();
		status = run_once(options);
	} while (status < 0);
	return status;
}

int main(int argc, char **argv)
{
	struct options options;
	int status = EXIT_NOT_STARTED;

	if (options_parse(&options, argc, argv))
		goto free;
	message_verbose = options.verbose;
	switch (options.action) {
	case OPTIONS_RUN:
		status = run(&options);
		break;
	case OPTIONS_CHECK:
		status = check_host("");
		break;
	case OPTIONS_HELP:
		options_help();
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
