// SPDX-License-Identifier: GPL-2.0-only
/*
 * lguest run: a command in a Guest whose root is this Host's own.
 *
 * All is made of what there is: a share of "/", a port for the command's streams
 * (session/session.c), and an init of ours (session/image.c); then the Guest is run as any other.
 */
#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdarg.h>
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
#include "base/number.h"
#include "option/rows.h"
#include "option/options.h"
#include "session/image.h"
#include "session/session.h"
#include "session/protocol.h"
#include "start.h"
#include "terminal/terminal.h"
#include "base/user.h"
#include "base/value.h"
#include "virtio/virtio.h"

#define DEFAULT_MEMORY	(512ULL << 20)

/* Devices of ours, beside those that the person asks for. */
struct own_devices {
	char *share, *port;	/* values of --share and --port; malloc */
	char *initrd;		/* its name; malloc */
	char *kernel;		/* malloc */
	char *argument[4];	/* for the kernel */
};

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

/* printf's, for one word. */
__printf(1, 2)
static char *text(const char *format, ...)
{
	char *word = NULL;
	va_list list;

	va_start(list, format);
	if (vasprintf(&word, format, list) < 0)
		word = NULL;
	va_end(list);
	return word;
}

static bool is_there(const char *path)
{
	return !access(path, R_OK);
}

/*
 * The current directory may be somebody else's, and so the kernel in it, which would have
 * all files of this Host's. The one that is opened is looked at again (boot_plan_open()).
 */
static bool is_trusted(const char *path)
{
	struct stat status;

	if (!stat(path, &status) && user_is_trusted(status.st_uid))
		return true;
	message("'%s' is another user's, and not taken: --kernel=%s takes it", path, path);
	return false;
}

/* Malloc'ed, or NULL after telling the person. */
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
		return strdup(named);
	if (is_there(places[0]) && is_trusted(places[0])) {
		message("the kernel is %s, from the current directory", places[0]);
		options->found_kernel = true;
		return strdup(places[0]);
	}
	length = readlink("/proc/self/exe", self, sizeof(self) - 1);
	self[length > 0 ? length : 0] = '\0';
	slash = strrchr(self, '/');
	if (slash) {
		*slash = '\0';
		beside = text("%s/guest-6.12/bzImage", self);
		if (!beside || is_there(beside))
			return beside;
		free(beside);
	}
	for (i = 1; i < ARRAY_SIZE(places); i++)
		if (is_there(places[i]))
			return strdup(places[i]);
	refuse(-ENOENT, "which kernel? There is no arch/x86/boot/bzImage of yours here: use --kernel FILE");
	return NULL;
}

/*
 * Who the command runs as: root, or whoever has called us, through sudo perhaps. What can't
 * be understood makes nobody root. Return: 0, or a negative errno after telling the person.
 */
static int fill_user(const struct options *options, struct session_command *command)
{
	gid_t groups[ARRAY_SIZE(command->group)];
	int count = ARRAY_SIZE(groups), i;
	const struct passwd *user;
	uid_t uid;
	gid_t gid;

	if (!options->as_user)
		return 0;
	if (user_who_called(&uid, &gid))
		return refuse(-EINVAL, "--user: SUDO_UID or SUDO_GID is no number of a user");
	command->uid = uid;
	user = getpwuid(uid);
	command->gid = user ? user->pw_gid : gid;
	if (!user)
		return 0;
	setenv("HOME", user->pw_dir, 1);
	setenv("USER", user->pw_name, 1);
	setenv("LOGNAME", user->pw_name, 1);
	if (getgrouplist(user->pw_name, user->pw_gid, groups, &count) < 0)
		count = ARRAY_SIZE(groups);
	for (i = 0; i < count; i++)
		command->group[i] = groups[i];
	command->groups = count;
	return 0;
}

/* A card of --net=user, whose network has DHCP and a resolver? */
static bool has_user_network(const struct options *options)
{
	unsigned int i;

	for (i = 0; i < options->devices; i++)
		if (options->device[i].kind == &virtio_net_kind &&
		    (!strcmp(options->device[i].value, "user") ||
		     !strncmp(options->device[i].value, "user,", 5)))
			return true;
	return false;
}

/*
 * A share's tag, and where it is: as p9.c understands the option, which tells what is wrong
 * with it.
 */
static int write_share(FILE *out, const char *text, unsigned int number)
{
	char path[PATH_MAX], *colon;
	struct value value;
	int error;

	error = value_parse(&value, "share", "DIR[:TAG]", text);
	if (error)
		goto free;
	colon = strrchr(value.text, ':');
	if (colon)
		*colon++ = '\0';
	if (!realpath(value.first, path)) {
		error = refuse(-errno, "can't share '%s': %s", value.first, strerror(errno));
		goto free;
	}
	if (colon)
		fputs(colon, out);
	else
		fprintf(out, "share%u", number);
	fputc('\0', out);
	fwrite(path, strlen(path) + 1, 1, out);

free:
	value_free(&value);
	return error;
}

/* Return: how many there are, or a negative errno after telling the person. */
static int write_shares(const struct options *options, FILE *out)
{
	int error = 0, shares = 0;
	unsigned int i;

	for (i = 0; !error && i < options->devices; i++)
		if (options->device[i].kind == &virtio_p9_kind)
			error = write_share(out, options->device[i].value, shares++);
	return error ? error : shares;
}

static void write_texts(char **word, FILE *out)
{
	for (; *word; word++)
		fwrite(*word, strlen(*word) + 1, 1, out);
}

/* The frame that the Guest's init gets first. */
static int make_command(const struct options *options, bool terminal, struct bytes *frame)
{
	struct session_command command = { .writable = options->writable };
	struct session_frame header = { .type = SESSION_COMMAND };
	char directory[PATH_MAX], **word, *made = NULL;
	size_t size = 0;
	int shares;
	FILE *out;
	int error;

	if (!getcwd(directory, sizeof(directory)))
		return refuse(-errno, "there is no current directory: %s", strerror(errno));
	error = fill_user(options, &command);
	if (error)
		return error;
	command.terminal = terminal ? 3 | (isatty(STDERR_FILENO) ? 4 : 0) : 0;
	command.resolver = has_user_network(options);
	for (word = options->words; *word; word++)
		command.arguments++;
	for (word = environ; *word; word++)
		command.variables++;
	out = open_memstream(&made, &size);
	if (!out)
		return refuse(-ENOMEM, "no memory");
	fwrite(&header, sizeof(header), 1, out);
	fwrite(&command, sizeof(command), 1, out);
	fwrite(directory, strlen(directory) + 1, 1, out);
	write_texts(options->words, out);
	write_texts(environ, out);
	shares = write_shares(options, out);
	if (fclose(out) || shares < 0 || size - sizeof(header) > SESSION_MAX_COMMAND) {
		free(made);
		return shares < 0 ? shares :
				    refuse(-E2BIG, "the command and the environment are too long");
	}
	header.length = size - sizeof(header);
	command.shares = shares;
	memcpy(made, &header, sizeof(header));
	memcpy(made + sizeof(header), &command, sizeof(command));
	frame->at = (uint8_t *)made;
	frame->size = size;
	return 0;
}

/* Do the kernel's arguments say what address it has? */
static bool names_address(const char *append)
{
	return append && (!strncmp(append, "ip=", 3) || strstr(append, " ip="));
}

/* Make of the person's options those of such a Guest. */
static int plan_guest(struct options *options, const struct session *session, int image,
		      struct own_devices *own)
{
	unsigned int arguments = 0;

	if (options->devices > OPTIONS_MAX_DEVICES - 2)
		return misused("too many devices: with 'lguest run', %d is the most",
			       OPTIONS_MAX_DEVICES - 2);
	own->kernel = find_kernel(options);
	if (!own->kernel)
		return -ENOENT;
	own->share = text("/:%s%s", SESSION_TAG, options->writable ? "" : ",ro");
	own->port = text("%s,fd=%d", SESSION_PORT, session->guest_fd);
	own->initrd = text("/proc/self/fd/%d", image);
	if (!own->share || !own->port || !own->initrd)
		return refuse(-ENOMEM, "no memory");
	options->device[options->devices++] = (struct options_device) { &virtio_p9_kind, own->share };
	options->device[options->devices++] = (struct options_device) { &virtio_port_kind, own->port };
	options->kernel = own->kernel;
	options->initrd = own->initrd;
	if (!options->verbose)
		own->argument[arguments++] = "quiet";
	if (has_user_network(options) && !names_address(options->append))
		own->argument[arguments++] = "ip=dhcp";
	if (options->append)
		own->argument[arguments++] = (char *)options->append;
	options->arguments = own->argument;
	return 0;
}

static void free_own(struct own_devices *own)
{
	free(own->share);
	free(own->port);
	free(own->initrd);
	free(own->kernel);
}

static int not_started(void)
{
	return message_misused ? EXIT_USAGE : EXIT_RUN_NOT_STARTED;
}

/* The Guest, from its start to its end. Return: the exit status. */
static int run_guest_for(struct session *session, struct options *options, bool terminal)
{
	int status;

	options->for_command = true;
	session->reads_stdin = !terminal;
	if (options->panic_status >= 0)
		session->panic_status = options->panic_status;
	if (!terminal)
		terminal_detach(options->verbose ? STDERR_FILENO : -1);
	else if (!options->verbose)
		terminal_hide_early();	/* the kernel says a few words before it reads "quiet" */
	status = start_guest(options, session);
	session_stop(session);
	if (status == EXIT_NOT_STARTED)
		return not_started();
	return session_status(session, status);
}

static int run(struct options *options)
{
	/* Keys go to the Guest's terminal if there is one on both sides. */
	bool terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
	int image = -1, error, status = -1;
	struct own_devices own = { 0 };
	struct session session;

	error = session_init(&session, options->timeout);
	if (!error)
		error = image = run_image();
	if (error >= 0)
		error = make_command(options, terminal, &session.command);
	if (!error)
		error = plan_guest(options, &session, image, &own);
	if (!error)
		status = run_guest_for(&session, options, terminal);
	session_stop(&session);
	session_exit(&session);
	file_close(&image);
	free_own(&own);
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
