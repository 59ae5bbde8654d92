// SPDX-License-Identifier: GPL-2.0-only
/* A guest from its options to its end, with all its restarts. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "boot/from_disk.h"
#include "boot/plan.h"
#include "base/clock.h"
#include "option/config.h"
#include "terminal/console_log.h"
#include "control/control.h"
#include "terminal/detach.h"
#include "base/exit_status.h"
#include "last_resort.h"
#include "lguest_uapi.h"
#include "base/message.h"
#include "control/notify.h"
#include "boot/parser.h"
#include "terminal/recent.h"
#include "terminal/relay.h"
#include "report.h"
#include "run.h"
#include "sandbox/sandbox.h"
#include "session/session.h"
#include "start.h"
#include "control/stats.h"
#include "terminal/terminal.h"
#include "vm.h"
#include "sandbox/vm_sandbox.h"
#include "xen/xen.h"

/* The least time from one start to the next. */
#define RESTART_MS	500
#define LOOK_MS		20

#define SHADOW_PAGES	"/sys/module/lg/parameters/shadow_pages"

static int check_memory(uint64_t wanted, const char *what)
{
	struct sysinfo info;
	uint64_t have;

	if (sysinfo(&info) < 0)
		return 0;
	have = (uint64_t)info.totalram * info.mem_unit;
	if (wanted <= have)
		return 0;
	return refuse(-ENOMEM, "%s %llu MiB are more than this host has: %llu MiB", what,
		      (unsigned long long)wanted >> 20, (unsigned long long)have >> 20);
}

/*
 * lg.ko would refuse it, too, but only after all else is made, and without saying what it
 * allows.
 */
static int check_shadow(uint64_t wanted)
{
	FILE *file = wanted ? fopen(SHADOW_PAGES, "re") : NULL;
	unsigned long long pages = 0;
	int known;

	if (!file)
		return 0;
	known = fscanf(file, "%llu", &pages);
	fclose(file);
	if (known != 1 || wanted / LGUEST_SHADOW_BYTES <= pages)
		return 0;
	return refuse(-EINVAL, "--shadow: the module lg allows %llu KiB at most: its parameter shadow_pages is %llu",
		      pages * LGUEST_SHADOW_BYTES >> 10, pages);
}

/* More virtual CPUs than CPUs work, but slowly when they wait for each other. */
static void check_cpus(unsigned int wanted)
{
	long have = sysconf(_SC_NPROCESSORS_ONLN);

	if (have > 0 && wanted > have)
		detail("the guest's %u CPUs take turns on this host's %ld", wanted, have);
}

static int make_command_line(const struct vm *vm, const struct options *options,
			     struct boot_request *request)
{
	char *devices = vm_describe_devices(vm);

	free(request->command_line);
	request->command_line = NULL;
	if (devices)
		request->command_line = request->from_disk ?
			from_disk_command_line(options, request, devices) :
			boot_plan_command_line(options, devices);
	free(devices);
	if (!request->command_line)
		return -ENOMEM;
	detail("kernel command line: %s", request->command_line);
	return 0;
}

/* Open and make all that every start of the guest needs. */
static int set_up(struct vm *vm, const struct options *options, struct boot_request *request)
{
	int error = boot_plan_open(options, request);

	if (!error)
		error = boot_plan_abi(options, request);
	if (!error)
		error = vm_init(vm, options, request->xen);
	return error ? error : make_command_line(vm, options, request);
}

/* Make the VM ready for another start, and read again what the guest may have changed. */
static int set_up_again(struct vm *vm, const struct options *options, struct boot_request *request)
{
	int error = vm_restart(vm);

	if (error || !request->from_disk)
		return error;
	error = from_disk_read(request);
	return error ? error : make_command_line(vm, options, request);
}

/* Give up what rights we can: everything is open. After this, the devices may have threads. */
static int close_cage(void)
{
	static bool is_closed;
	int error;

	if (is_closed)
		return 0;
	is_closed = true;
	stats_init();
	detach_prepare();
	vm_sandbox(control_directory());
	error = last_resort_init();
	if (!error)
		error = control_start();
	return error ? error : relay_start();
}

static int boot(struct vm *vm, const struct boot_request *request)
{
	struct boot_entry entry;
	int error = vm->xen ? xen_prepare(vm->xen, request, &entry) :
			      boot_prepare(request, &vm->memory, &entry);

	if (!error)
		error = vm_open(vm);
	if (!error)
		error = close_cage();
	return error ? error : vm_start(vm, &entry);
}

/* Run the guest once. Return: the exit status, or -1 to run it again. */
static int run_once(struct vm *vm, const struct options *options, struct session *session,
		    struct boot_request *request)
{
	enum run_end end;

	recent_clear();
	if (boot(vm, request))
		return EXIT_NOT_STARTED;
	if (request->from_disk)
		from_disk_forget(request);
	if (session)
		session_attach(session, vm);
	end = run_guest(vm);
	if (session)
		session_detach(session);
	if (end == RUN_NOT_STARTED)
		return EXIT_NOT_STARTED;
	if (options->stats)
		stats_report(vm);
	if (end == RUN_RESTART) {
		detail("the guest restarts");
		return -1;
	}
	return end == RUN_CRASHED ? EXIT_CRASHED : EXIT_SUCCESS;
}

/* Wait, so that a guest that does nothing but restart does not keep the host busy. */
static void wait_for_turn(const struct vm *vm, int64_t begin)
{
	while (now_ms() - begin < RESTART_MS && !control_killed() && !vm->leaving)
		usleep(LOOK_MS * 1000);
}

/* Run the guest as often as it restarts. Return: the exit status. */
static int run_all(const struct options *options, struct session *session)
{
	struct boot_request request = { .cpus = options->cpus };
	static struct vm vm = { .fd = -1 };
	int64_t begin = now_ms();
	int status;

	status = set_up(&vm, options, &request) ?
		 EXIT_NOT_STARTED : run_once(&vm, options, session, &request);
	while (status < 0 && !session && !control_killed()) {
		wait_for_turn(&vm, begin);
		begin = now_ms();
		status = set_up_again(&vm, options, &request) ?
			 EXIT_NOT_STARTED : run_once(&vm, options, session, &request);
	}
	vm_exit(&vm);
	boot_plan_close(&request);
	free(request.command_line);
	return status < 0 ? EXIT_SUCCESS : status;
}

/**
 * start_guest() - run a guest from its start to its end
 * @options: what the person wants
 * @session: of the command that the guest is for, or NULL
 *
 * Return: the exit status: 0, or one of exit_status.h; the person knows why.
 */
int start_guest(const struct options *options, struct session *session)
{
	int status;

	if (check_memory(options->memory, "the guest's") ||
	    check_memory(options->shadow, "--shadow:") || check_shadow(options->shadow) ||
	    terminal_init())
		return EXIT_NOT_STARTED;
	check_cpus(options->cpus);
	sandbox_wanted = !options->no_sandbox;
	/* A guest that takes this process over must gain nothing from set-uid programs. */
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (options->detach) {
		status = detach_begin();
		if (status >= 0)
			return status;
	}
	/*
	 * After detach_begin(), which takes all descriptors that are open for inherited ones.
	 */
	notify_init();
	if (options->console && console_log_open(options->console))
		return EXIT_NOT_STARTED;
	/*
	 * Early: as long as there is little in this process that the parser would have a copy
	 * of.
	 */
	if (parser_start())
		return EXIT_NOT_STARTED;
	if (session && session_start(session)) {
		parser_stop();
		return EXIT_NOT_STARTED;
	}
	/* A guest without --name and --detach can do without the control socket. */
	if (control_init(options) && (options->name || options->detach)) {
		control_exit();
		parser_stop();
		return EXIT_NOT_STARTED;
	}
	status = run_all(options, session);
	relay_exit();
	control_exit();
	parser_stop();
	return status;
}
