// SPDX-License-Identifier: GPL-2.0-only
/*
 * lguest run: a command in a guest whose root is the root of this host.
 *
 * The guest is like any other. It gets a share of "/", a port for the streams of the command
 * (session/session.c), and an init of our own (session/image.c).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command/commands.h"
#include "command/run_kernel.h"
#include "option/config.h"
#include "base/exit_status.h"
#include "base/file.h"
#include "base/message.h"
#include "option/help.h"
#include "option/rows.h"
#include "option/options.h"
#include "session/command.h"
#include "session/image.h"
#include "session/modules.h"
#include "session/session.h"
#include "session/protocol.h"
#include "start.h"
#include "terminal/terminal.h"

#define DEFAULT_MEMORY	(512ULL << 20)

static void print_help(void)
{
	fputs("Usage: lguest run [OPTIONS] [--] [COMMAND...]\n"
	      "Run a command, or a shell, in a guest whose files are this host's, in the current\n"
	      "directory, and end with its status.\n"
	      "\n"
	      "Options:\n", stdout);
	option_help(OF_RUN);
	fputs("\nDevices, each as often as it is wanted:\n", stdout);
	option_help_devices();
	fputs("\n"
	      "Exit status: the command's; 126 or 127 if it could not be run or found; 128 and\n"
	      "a signal's number; 124; 255 after a panic; 125 if the guest could not be started,\n"
	      "2 if an option is wrong.\n",
	      stdout);
}

/* Do the arguments of the kernel set its address? */
static bool names_address(const char *append)
{
	return append && (!strncmp(append, "ip=", 3) || strstr(append, " ip="));
}

/*
 * Make the person's options those of a guest for a command.
 * @kernel: from run_kernel()
 * @argument: room for the kernel's arguments: three, and the end
 * @image: the guest's initial file system
 */
static void plan_guest(struct options *options, const struct session *session,
		       const char *kernel, char **argument, int image)
{
	options->for_command = true;
	options->kernel = kernel;
	options->initrd = "lguest-run";
	options->initrd_fd = image;
	options->has_initrd_fd = true;
	options->share = (struct options_share){ "/", SESSION_TAG, !options->writable };
	options->port = (struct options_port){ SESSION_PORT, session->guest_fd };
	options->arguments = argument;
	if (!options->verbose)
		*argument++ = "quiet";
	if (session_network(options) && !names_address(options->append))
		*argument++ = "ip=dhcp";
	if (options->append)
		*argument++ = (char *)options->append;
	*argument = NULL;
}

static int not_started(void)
{
	return message_misused ? EXIT_USAGE : EXIT_RUN_NOT_STARTED;
}

/* Run the guest from its start to its end. Return: the exit status. */
static int run_guest_for(struct session *session, struct options *options, bool terminal)
{
	int status;

	session->reads_stdin = !terminal;
	if (options->panic_status >= 0)
		session->panic_status = options->panic_status;
	if (!terminal)
		terminal_detach(options->verbose ? STDERR_FILENO : -1);
	else if (!options->verbose)
		terminal_hide_early();	/* the kernel prints a few lines before it reads "quiet" */
	status = start_guest(options, session);
	session_stop(session);
	if (status == EXIT_NOT_STARTED)
		return not_started();
	return session_status(session, status);
}

/*
 * Make the initial file system, with what the kernel needs first. A kernel that does not say its
 * release, or has no modules here, must have all in itself.
 *
 * Return: a descriptor of it, or a negative errno after telling the person.
 */
static int make_image(struct options *options, const char *kernel)
{
	struct module_list modules = { 0 };
	char release[MODULES_RELEASE];
	int image = 0;

	if (!modules_release(kernel, release) && modules_are_known(release)) {
		options->lacks = modules_missing(release);
		image = modules_find(&modules, release, session_network(options));
	}
	if (!image)
		image = run_image(&modules);
	modules_forget(&modules);
	return image;
}

static int run(struct options *options)
{
	/* Keys go to the terminal in the guest if both sides have a terminal. */
	bool terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
	char *kernel = NULL, *argument[4];
	int image = -1, error, status = -1;
	struct session session;

	error = session_init(&session, options->timeout);
	if (!error)
		error = session_make_command(options, terminal, &session.command);
	if (!error)
		kernel = run_kernel(options);
	if (kernel)
		image = make_image(options, kernel);
	if (image >= 0) {
		plan_guest(options, &session, kernel, argument, image);
		status = run_guest_for(&session, options, terminal);
	}
	session_stop(&session);
	session_exit(&session);
	file_close(&image);
	free(kernel);
	return status < 0 ? not_started() : status;
}

/**
 * command_run() - lguest run ...
 * @argc: number of words
 * @argv: "run" and what follows
 *
 * Return: the exit status.
 */
int command_run(int argc, char **argv)
{
	struct options options;
	int status;

	if (options_read(&options, argc, argv, OF_RUN)) {
		status = EXIT_USAGE;
	} else if (options.action == OPTIONS_HELP) {
		print_help();
		status = EXIT_SUCCESS;
	} else {
		if (!options.memory)
			options.memory = DEFAULT_MEMORY;
		message_verbose |= options.verbose;
		status = run(&options);
	}
	return status;
}
