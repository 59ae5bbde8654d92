// SPDX-License-Identifier: GPL-2.0-only
/*
 * lguest run: a command in a guest whose root is the root of this host.
 *
 * The guest is like any other. It gets a share of "/", a port for the streams of the command
 * (session/session.c), and an init of our own (session/image.c).
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command/commands.h"
#include "base/compiler.h"
#include "option/config.h"
#include "base/exit_status.h"
#include "base/file.h"
#include "base/message.h"
#include "option/help.h"
#include "option/rows.h"
#include "option/options.h"
#include "session/command.h"
#include "session/image.h"
#include "session/session.h"
#include "session/protocol.h"
#include "start.h"
#include "terminal/terminal.h"
#include "base/user.h"

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

static bool is_there(const char *path)
{
	return !access(path, R_OK);
}

/*
 * The current directory may be another user's, and a kernel from there could read all files of
 * this host. boot_plan_open() checks the file again when it is open.
 */
static bool is_trusted(const char *path)
{
	struct stat status;

	if (!stat(path, &status) && user_is_trusted(status.st_uid))
		return true;
	message("'%s' is another user's, and not taken: --kernel=%s takes it", path, path);
	return false;
}

static char *copy(const char *text)
{
	char *made = strdup(text);

	if (!made)
		no_memory();
	return made;
}

/* Return: the name of a kernel, malloc, or NULL after telling the person. */
static char *find_kernel(struct options *options)
{
	static const char * const places[] = {
		"arch/x86/boot/bzImage", "/usr/local/share/lguest/bzImage",
		"/usr/share/lguest/bzImage", "/usr/lib/lguest/bzImage",
	};
	const char *named = options->kernel ? options->kernel : getenv("LGUEST_KERNEL");
	char self[PATH_MAX], *beside, *slash;
	ssize_t length;
	unsigned int i;

	if (named && *named)
		return copy(named);
	if (is_there(places[0]) && is_trusted(places[0])) {
		message("the kernel is %s, from the current directory", places[0]);
		options->found_kernel = true;
		return copy(places[0]);
	}
	length = readlink("/proc/self/exe", self, sizeof(self) - 1);
	self[length > 0 ? length : 0] = '\0';
	slash = strrchr(self, '/');
	if (slash) {
		*slash = '\0';
		if (asprintf(&beside, "%s/guest-6.12/bzImage", self) < 0) {
			no_memory();
			return NULL;
		}
		if (is_there(beside))
			return beside;
		free(beside);
	}
	for (i = 1; i < ARRAY_SIZE(places); i++)
		if (is_there(places[i]))
			return copy(places[i]);
	refuse(-ENOENT, "which kernel? There is no arch/x86/boot/bzImage of yours here: use --kernel FILE");
	return NULL;
}

/* Do the arguments of the kernel set its address? */
static bool names_address(const char *append)
{
	return append && (!strncmp(append, "ip=", 3) || strstr(append, " ip="));
}

/*
 * Make the person's options those of a guest for a command.
 * @kernel: from find_kernel()
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
	if (session_has_network(options) && !names_address(options->append))
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

static int run(struct options *options)
{
	/* Keys go to the terminal in the guest if both sides have a terminal. */
	bool terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
	int image = -1, error, status = -1;
	char *kernel = NULL, *argument[4];
	struct session session;

	error = session_init(&session, options->timeout);
	if (!error)
		error = image = run_image();
	if (error >= 0)
		error = session_make_command(options, terminal, &session.command);
	if (!error)
		kernel = find_kernel(options);
	if (kernel) {
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
