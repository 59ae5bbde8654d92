// SPDX-License-Identifier: GPL-2.0-only
/*
 * lguest run: a command in a Guest whose root is this Host's own.
 *
 * All is made of what there is: a share of "/", a port for the command's streams
 * (session.c), and an init of ours (run_image.c); then the Guest is run as any other.
 */
#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "amount.h"
#include "commands.h"
#include "compiler.h"
#include "config.h"
#include "file.h"
#include "message.h"
#include "number.h"
#include "options.h"
#include "run_image.h"
#include "session.h"
#include "session_protocol.h"
#include "start.h"
#include "terminal.h"
#include "words.h"

#define MAX_WORDS	64	/* of the command line that we make */

struct request {
	const char *kernel;
	const char *memory;
	const char *append;
	bool writable, user, verbose, help;
	unsigned int timeout;
	char **command;		/* up to NULL; empty: a shell */
	unsigned int words;	/* options for start_guest() */
	char *word[MAX_WORDS];
};

/* Our own options, and where they go. */
static const struct {
	const char *name;
	enum { TEXT, SECONDS, FLAG } what;
	size_t offset;
} rows[] = {
	{ "kernel", TEXT, offsetof(struct request, kernel) },
	{ "memory", TEXT, offsetof(struct request, memory) },
	{ "append", TEXT, offsetof(struct request, append) },
	{ "timeout", SECONDS, offsetof(struct request, timeout) },
	{ "rw", FLAG, offsetof(struct request, writable) },
	{ "user", FLAG, offsetof(struct request, user) },
	{ "verbose", FLAG, offsetof(struct request, verbose) },
	{ "help", FLAG, offsetof(struct request, help) },
};

static void print_help(void)
{
	fputs("Usage: lguest run [OPTIONS] [--] [COMMAND...]\n"
	      "Run a command, or a shell, in a guest whose files are this host's, in the current\n"
	      "directory, and end with its status.\n"
	      "\n"
	      "  --kernel FILE      a bzImage or vmlinux (default: $LGUEST_KERNEL, else\n"
	      "                     arch/x86/boot/bzImage, else one beside this program or\n"
	      "                     one that is installed)\n"
	      "  --memory SIZE      the guest's memory (512m)\n"
	      "  --rw               what it writes stays; without this, it is gone at the end\n"
	      "  --user             not as root but as you (after sudo: as who called it)\n"
	      "  --timeout S        end it after so many seconds, with status 124\n"
	      "  --append TEXT      more arguments for the kernel\n"
	      "  --verbose          the kernel's messages on standard error\n"
	      "\n"
	      "and the options of 'lguest --help' for CPUs and devices, such as --cpus 4 and\n"
	      "--share DIR.\n"
	      "Exit status: the command's; 126 or 127 if it could not be run or found; 128 and\n"
	      "a signal's number; 124; 255 after a panic; 1 if the guest could not be started.\n",
	      stdout);
}

static int add_word(struct request *request, char *word)
{
	if (!word)
		return refuse(-ENOMEM, "no memory");
	if (request->words == MAX_WORDS - 1) {
		free(word);
		return refuse(-E2BIG, "too many options");
	}
	request->word[request->words++] = word;
	return 0;
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

/* One of our own options. Return: words used, 0 if it is none, or a negative errno. */
static int take_option(struct request *request, char **word)
{
	const char *value;
	int used = 0, error = 0;
	unsigned int i;
	void *at;

	for (i = 0; !used && i < ARRAY_SIZE(rows); i++)
		used = words_option(word, rows[i].name, rows[i].what != FLAG, &value);
	if (used <= 0)
		return used;
	at = (char *)request + rows[i - 1].offset;
	if (rows[i - 1].what == TEXT)
		*(const char **)at = value;
	else if (rows[i - 1].what == SECONDS)
		error = amount_seconds(value, at);
	else
		*(bool *)at = true;
	return error ? error : used;
}

/* One of start_guest()'s. Return: words used, or a negative errno. */
static int pass_option(struct request *request, char **word)
{
	int used = options_words(word), i, error = 0;

	for (i = 0; !error && i < used; i++)
		error = add_word(request, strdup(word[i]));
	return error ? error : used;
}

static int parse(struct request *request, char **word)
{
	int used;

	for (; *word && !strncmp(*word, "--", 2); word += used) {
		if (!(*word)[2]) {
			word++;
			break;
		}
		used = take_option(request, word);
		if (!used)
			used = pass_option(request, word);
		if (used < 0)
			return used;
	}
	request->command = word;
	return 0;
}

static bool is_there(const char *path)
{
	return !access(path, R_OK);
}

/* Malloc'ed, or NULL after telling the person. */
static char *find_kernel(const struct request *request)
{
	static const char * const places[] = {
		"arch/x86/boot/bzImage", "/usr/local/share/lguest/bzImage",
		"/usr/share/lguest/bzImage", "/usr/lib/lguest/bzImage",
	};
	const char *named = request->kernel ? request->kernel : getenv("LGUEST_KERNEL");
	char self[PATH_MAX], *beside, *slash;
	ssize_t length;
	unsigned int i;

	if (named && *named)
		return strdup(named);
	if (is_there(places[0]))
		return strdup(places[0]);
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
	refuse(-ENOENT, "which kernel? There is no arch/x86/boot/bzImage here: use --kernel FILE");
	return NULL;
}

/* Who the command runs as: root, or whoever has called us, through sudo perhaps. */
static void fill_user(const struct request *request, struct session_command *command)
{
	const char *sudo = geteuid() ? NULL : getenv("SUDO_UID");
	gid_t groups[ARRAY_SIZE(command->group)];
	int count = ARRAY_SIZE(groups), i;
	const struct passwd *user;
	uint64_t uid;

	if (!request->user)
		return;
	command->uid = sudo && number_parse(sudo, 0, UINT32_MAX - 1, &uid) ? uid : getuid();
	user = getpwuid(command->uid);
	command->gid = user ? user->pw_gid : getgid();
	if (!user)
		return;
	setenv("HOME", user->pw_dir, 1);
	setenv("USER", user->pw_name, 1);
	setenv("LOGNAME", user->pw_name, 1);
	if (getgrouplist(user->pw_name, user->pw_gid, groups, &count) < 0)
		count = ARRAY_SIZE(groups);
	for (i = 0; i < count; i++)
		command->group[i] = groups[i];
	command->groups = count;
}

/* The frame that the Guest's init gets first. */
static int make_command(const struct request *request, bool terminal, struct bytes *frame)
{
	struct session_command command = { .writable = request->writable };
	struct session_frame header = { .type = SESSION_COMMAND };
	char directory[PATH_MAX], **word, *made = NULL;
	size_t size = 0;
	FILE *out;

	if (!getcwd(directory, sizeof(directory)))
		return refuse(-errno, "there is no current directory: %s", strerror(errno));
	fill_user(request, &command);
	command.terminal = terminal ? 3 | (isatty(STDERR_FILENO) ? 4 : 0) : 0;
	for (word = request->command; *word; word++)
		command.arguments++;
	for (word = environ; *word; word++)
		command.variables++;
	out = open_memstream(&made, &size);
	if (!out)
		return refuse(-ENOMEM, "no memory");
	fwrite(&header, sizeof(header), 1, out);
	fwrite(&command, sizeof(command), 1, out);
	fwrite(directory, strlen(directory) + 1, 1, out);
	for (word = request->command; *word; word++)
		fwrite(*word, strlen(*word) + 1, 1, out);
	for (word = environ; *word; word++)
		fwrite(*word, strlen(*word) + 1, 1, out);
	if (fclose(out) || size - sizeof(header) > SESSION_MAX_COMMAND) {
		free(made);
		return refuse(-E2BIG, "the command and the environment are too long");
	}
	header.length = size - sizeof(header);
	memcpy(made, &header, sizeof(header));
	frame->at = (uint8_t *)made;
	frame->size = size;
	return 0;
}

/* The command line without "run" that makes such a Guest. */
static int make_words(struct request *request, const struct session *session, int image)
{
	char *kernel = find_kernel(request);
	int error;

	if (!kernel)
		return -ENOENT;
	error = add_word(request, text("--share=/:%s%s", SESSION_TAG, request->writable ? "" : ",ro"));
	if (!error)
		error = add_word(request, text("--port=%s,fd=%d", SESSION_PORT, session->guest_fd));
	if (!error)
		error = add_word(request, text("--initrd=/proc/self/fd/%d", image));
	if (!error)
		error = add_word(request, strdup(request->memory));
	if (error) {
		free(kernel);
		return error;
	}
	error = add_word(request, kernel);
	if (!error && !request->verbose)
		error = add_word(request, strdup("quiet"));
	if (!error && request->append)
		error = add_word(request, strdup(request->append));
	return error;
}

static int run(struct request *request)
{
	/* Keys go to the Guest's terminal if there is one on both sides. */
	bool terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
	struct options options = { 0 };
	struct session session;
	int image = -1, error, status = EXIT_NOT_STARTED;

	error = session_init(&session, request->timeout);
	if (!error)
		error = image = run_image();
	if (error >= 0)
		error = make_command(request, terminal, &session.command);
	if (!error)
		error = make_words(request, &session, image);
	if (!error)
		error = options_parse(&options, request->words, request->word);
	if (!error && (options.action != OPTIONS_RUN || options.detach))
		error = refuse(-EINVAL, "--version, --check and --detach do not go with 'lguest run'");
	if (error)
		goto exit;
	message_verbose = request->verbose;
	options.session = &session;
	session.reads_stdin = !terminal;
	if (!terminal)
		terminal_detach(request->verbose ? STDERR_FILENO : -1);
	else if (!request->verbose)
		terminal_hide_early();	/* the kernel says a few words before it reads "quiet" */
	error = session_start(&session);
	if (!error)
		status = start_guest(&options);
	session_stop(&session);
	if (!error)
		status = session_status(&session, status);

exit:
	options_free(&options);
	session_stop(&session);
	session_exit(&session);
	file_close(&image);
	return status;
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
	struct request request = { .memory = "512m" };
	int status = EXIT_NOT_STARTED;
	unsigned int i;

	(void)argc;
	if (add_word(&request, strdup("lguest")) || parse(&request, argv + 1))
		goto free;
	if (request.help) {
		print_help();
		status = EXIT_SUCCESS;
	} else {
		status = run(&request);
	}

free:
	for (i = 0; i < request.words; i++)
		free(request.word[i]);
	return status;
}
