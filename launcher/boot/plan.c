// SPDX-License-Identifier: GPL-2.0-only
/*
 * What follows from the person's wishes for how the Guest starts: the files that it starts
 * from and its kernel's command line.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "boot/boot.h"
#include "boot/plan.h"
#include "option/config.h"
#include "base/file.h"
#include "base/message.h"
#include "base/user.h"

static bool names_root(char *const *arguments)
{
	for (; *arguments; arguments++)
		if (!strncmp(*arguments, "root=", 5))
			return true;
	return false;
}

/*
 * The file initrd.img beside the kernel, if there is one: nobody has asked for it by name,
 * so it has to be a file itself. What a Guest can write to, it could make a link to any of
 * the Host's files.
 */
static void open_beside(struct boot_file *initrd, struct options *options)
{
	const char *slash = strrchr(options->kernel, '/');
	int directory = slash ? slash - options->kernel + 1 : 0;

	if (asprintf(&options->found_initrd, "%.*sinitrd.img", directory, options->kernel) < 0)
		options->found_initrd = NULL;
	if (!options->found_initrd)
		return;
	initrd->path = options->found_initrd;
	initrd->fd = open(initrd->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
	if (initrd->fd < 0 && errno == ELOOP)
		message("'%s' is a link, and not taken as the initrd: --initrd=%s takes it",
			initrd->path, initrd->path);
	if (initrd->fd >= 0)
		initrd->fd = file_use(initrd->fd, initrd->path, "initrd");
}

static bool is_trusted(int fd)
{
	struct stat status;

	return !fstat(fd, &status) && user_is_trusted(status.st_uid);
}

/**
 * boot_plan_open() - open the files that the Guest starts from
 * @options: as parsed; what lives as long has their names
 * @request: its files are filled in; boot_plan_close() it, whatever is returned
 *
 * Once for all starts of the Guest: what their names lead to later is none of its business.
 * The initial file system is what --initrd says; without it, and without a root= for the
 * kernel, the file initrd.img beside the kernel, if there is one.
 *
 * Return: 0, or a negative errno after telling the person.
 */
int boot_plan_open(struct options *options, struct boot_request *request)
{
	request->kernel = (struct boot_file){ -1, options->kernel };
	request->initrd = (struct boot_file){ -1, options->initrd };
	request->kernel.fd = file_open(options->kernel, "kernel");
	if (request->kernel.fd < 0)
		return request->kernel.fd;
	if (options->found_kernel && !is_trusted(request->kernel.fd))
		return refuse(-EPERM, "'%s' has become another user's: --kernel=%s takes it",
			      options->kernel, options->kernel);
	if (options->initrd)
		request->initrd.fd = file_open(options->initrd, "initrd");
	else if (!names_root(options->arguments))
		open_beside(&request->initrd, options);
	return options->initrd && request->initrd.fd < 0 ? request->initrd.fd : 0;
}

/**
 * boot_plan_close() - give back what boot_plan_open() took
 * @request: as it left it
 */
void boot_plan_close(struct boot_request *request)
{
	file_close(&request->kernel.fd);
	file_close(&request->initrd.fd);
}

/**
 * boot_plan_command_line() - the Guest kernel's command line
 * @options: with the person's arguments
 * @devices: what the kernel must be told of its devices
 *
 * Ours comes first: after "--" the arguments are for the Guest's init.
 *
 * Return: memory that the caller frees, or NULL after telling the person.
 */
char *boot_plan_command_line(const struct options *options, const char *devices)
{
	bool console = false;
	size_t size = 0;
	char **word;
	char *line;
	FILE *out;

	for (word = options->arguments; *word && strcmp(*word, "--"); word++)
		console |= !strncmp(*word, "console=", 8) || strstr(*word, " console=");
	out = open_memstream(&line, &size);
	if (out) {
		fprintf(out, "%s%s", console ? "" : "console=hvc0 ", devices);
		for (word = options->arguments; *word; word++)
			fprintf(out, " %s", *word);
	}
	if (!out || fclose(out)) {
		refuse(-ENOMEM, "no memory");
		return NULL;
	}
	return line;
}
