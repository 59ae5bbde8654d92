// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the guest's init is told first: the command of "lguest run", who runs it and where,
 * its environment, and which shares there are.
 */
#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/compiler.h"
#include "option/config.h"
#include "base/message.h"
#include "session/command.h"
#include "session/protocol.h"
#include "base/user.h"
#include "base/value.h"
#include "virtio/virtio.h"

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

/**
 * session_network() - which is the guest's card of --net=user?
 * @options: what the person wants
 *
 * Return: its number among the cards, from 1; that network has DHCP and a resolver. 0: there is
 * none.
 */
unsigned int session_network(const struct options *options)
{
	unsigned int i, cards = 0;

	for (i = 0; i < options->devices; i++) {
		const struct options_device *device = &options->device[i];

		cards += device->kind == &virtio_net_kind || device->kind == &virtio_tunnet_kind;
		if (device->kind == &virtio_net_kind &&
		    (!strcmp(device->value, "user") || !strncmp(device->value, "user,", 5)))
			return cards;
	}
	return 0;
}

/* A share's tag, and where it is. */
static int write_share(FILE *out, const char *text, unsigned int number)
{
	char path[PATH_MAX], *tag;
	struct value value;
	int error;

	error = virtio_p9_parse(&value, text, &tag);
	if (error)
		goto free;
	if (!realpath(value.first, path)) {
		error = refuse(-errno, "can't share '%s': %s", value.first, strerror(errno));
		goto free;
	}
	if (tag)
		fputs(tag, out);
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

/**
 * session_make_command() - make the frame that the guest's init gets first
 * @options: what the person wants; the words are the command
 * @terminal: the command has one, as its standard input and output
 * @frame: goes there, malloc
 *
 * Return: 0, or a negative errno after telling the person.
 */
int session_make_command(const struct options *options, bool terminal, struct bytes *frame)
{
	struct session_command command = { .writable = options->writable };
	struct session_frame header = { .type = SESSION_COMMAND };
	char directory[PATH_MAX], **word, *made = NULL;
	struct winsize size_now;
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
	if (terminal && !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size_now)) {
		command.rows = size_now.ws_row;
		command.columns = size_now.ws_col;
	}
	command.network = session_network(options);
	for (word = options->words; *word; word++)
		command.arguments++;
	for (word = environ; *word; word++)
		command.variables++;
	out = open_memstream(&made, &size);
	if (!out)
		return no_memory();
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
