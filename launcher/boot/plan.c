// SPDX-License-Identifier: GPL-2.0-only
/*
 * From the person's options to the guest's start: opens the files that it starts from, and
 * makes its kernel's command line.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "boot/boot.h"
#include "boot/from_disk.h"
#include "boot/kernel.h"
#include "boot/parser.h"
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
 * Open the file initrd.img beside the kernel, if there is one. Refuse a link, since nobody
 * has named this file: a guest that can write to the directory could make it a link to any
 * of the host's files.
 */
static void open_beside(struct boot_request *request)
{
	const char *kernel = request->kernel.path, *slash = strrchr(kernel, '/');
	int directory = slash ? slash - kernel + 1 : 0;
	struct boot_file *initrd = &request->initrd;

	if (asprintf(&request->found_initrd, "%.*sinitrd.img", directory, kernel) < 0)
		request->found_initrd = NULL;
	if (!request->found_initrd)
		return;
	initrd->path = request->found_initrd;
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
 * boot_plan_open() - open the files that the guest starts from
 * @options: as parsed; must live as long as @request, which points to its names
 * @request: its files are filled in; boot_plan_close() it, whatever this returns
 *
 * The files are opened once for all starts of the guest: later changes of their names do not
 * matter. The initrd is the file that --initrd names. Without --initrd, and without root= for
 * the kernel, it is initrd.img beside the kernel, if there is one. Without a kernel, both are
 * on the first disk (from_disk.c).
 *
 * Return: 0, or a negative errno after telling the person.
 */
int boot_plan_open(const struct options *options, struct boot_request *request)
{
	request->kernel = (struct boot_file){ -1, options->kernel };
	request->initrd = (struct boot_file){ -1, options->initrd };
	request->found_initrd = NULL;
	if (options->from_disk) {
		int error = from_disk_open(options, request);

		return error ? error : from_disk_read(request);
	}
	request->kernel.fd = file_open(options->kernel, "kernel");
	if (request->kernel.fd < 0)
		return request->kernel.fd;
	if (options->found_kernel && !is_trusted(request->kernel.fd))
		return refuse(-EPERM, "'%s' belongs to another user now: --kernel=%s takes it all the same",
			      options->kernel, options->kernel);
	if (options->has_initrd_fd)
		request->initrd.fd = file_use(fcntl(options->initrd_fd, F_DUPFD_CLOEXEC, 0),
					      options->initrd, "initrd");
	else if (options->initrd)
		request->initrd.fd = file_open(options->initrd, "initrd");
	else if (!names_root(options->arguments))
		open_beside(request);
	return options->initrd && request->initrd.fd < 0 ? request->initrd.fd : 0;
}

/**
 * boot_plan_abi() - find out which ABI the guest's kernel is to be run by
 * @options: as parsed
 * @request: as boot_plan_open() left it; the kernel may be opened ahead, to see what it speaks
 *
 * Return: 0, or a negative errno after telling the person.
 */
int boot_plan_abi(const struct options *options, struct boot_request *request)
{
	struct kernel *kernel;
	int error;

	request->xen = options->abi == ABI_XEN;
	if (options->abi != ABI_OF_KERNEL)
		return 0;
	kernel = malloc(sizeof(*kernel));
	if (!kernel)
		return no_memory();
	error = parser_open(kernel, request->kernel.fd, request->kernel.path);
	if (error) {
		free(kernel);
		return error;
	}
	request->xen = !kernel->image.entry;
	request->ahead = kernel;
	return 0;
}

/**
 * boot_plan_close() - close what boot_plan_open() and boot_plan_abi() opened
 * @request: from boot_plan_open()
 */
void boot_plan_close(struct boot_request *request)
{
	if (request->from_disk)
		from_disk_close(request);
	if (request->ahead)
		kernel_close(request->ahead);
	free(request->ahead);
	request->ahead = NULL;
	file_close(&request->kernel.fd);
	file_close(&request->initrd.fd);
	free(request->found_initrd);
	request->found_initrd = NULL;
}

/**
 * boot_plan_command_line() - make the guest kernel's command line
 * @options: with the person's arguments
 * @devices: the arguments that tell the kernel of its devices
 *
 * Put our own arguments first: after "--" the person's are for the guest's init.
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
		no_memory();
		return NULL;
	}
	return line;
}
