// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest that starts from what is on its own disk, like a machine with a boot loader: the
 * process of parser.c finds kernel, initrd and command line there, before each start anew, so
 * that a guest gets the kernel that it has installed when it reboots.
 *
 * The disk has a descriptor of its own here, which can only read. With "snapshot" it shows the
 * disk without what the guest has written.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/message.h"
#include "base/value.h"
#include "boot/boot.h"
#include "boot/from_disk.h"
#include "boot/parser.h"
#include "option/config.h"

struct from_disk {
	struct value disk;		/* of the option --block; its first word is the file */
	int fd;
	uint64_t most;			/* bytes of a file */
	struct loader_found found;
	char *kernel, *initrd;		/* malloc: names for the person */
};

static int open_disk(const char *path)
{
	/* O_NONBLOCK: do not wait for the writer of a pipe. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat status;

	if (fd < 0)
		return refuse(-errno, "can't open the disk '%s': %s", path, strerror(errno));
	if (!fstat(fd, &status) && (S_ISREG(status.st_mode) || S_ISBLK(status.st_mode)))
		return fd;
	close(fd);
	return refuse(-EINVAL, "the disk '%s' is no file or block device", path);
}

/**
 * from_disk_open() - open the disk that the guest starts from
 * @options: as parsed
 * @request: its from_disk is filled in; from_disk_close() it, whatever this returns
 *
 * Return: 0, or a negative errno after telling the person.
 */
int from_disk_open(const struct options *options, struct boot_request *request)
{
	struct from_disk *from = calloc(1, sizeof(*from));
	int error;

	if (!from)
		return no_memory();
	request->from_disk = from;
	from->fd = -1;
	from->most = options->memory;
	error = value_parse(&from->disk, "block", "FILE", options->kernel);
	if (error)
		return error;
	from->fd = open_disk(from->disk.first);
	return from->fd < 0 ? from->fd : 0;
}

/* Return: "DISK:NAME" from malloc(), or NULL after telling the person. */
static char *full_name(const struct from_disk *from, const char *name)
{
	char *full;

	if (asprintf(&full, "%s:%s", from->disk.first, name) >= 0)
		return full;
	no_memory();
	return NULL;
}

/**
 * from_disk_read() - read from the disk what the guest starts from now
 * @request: as from_disk_open() or from_disk_forget() left it; its kernel and initrd are filled in
 *
 * Return: 0, or a negative errno after telling the person.
 */
int from_disk_read(struct boot_request *request)
{
	struct from_disk *from = request->from_disk;
	struct loader_found *found = &from->found;
	int file[LOADER_FILES], error;

	error = parser_find(from->fd, from->disk.first, from->most, found, file);
	if (error)
		return error;
	from->kernel = full_name(from, found->kernel);
	from->initrd = full_name(from, found->initrd);
	request->kernel = (struct boot_file){ file[LOADER_KERNEL], from->kernel };
	request->initrd = (struct boot_file){ file[LOADER_INITRD], from->initrd };
	if (!from->kernel || !from->initrd)
		return -ENOMEM;
	detail("%s: %s, by %s: kernel %s, initrd %s, words: %s", from->disk.first, found->place,
	       found->entry, found->kernel, *found->initrd ? found->initrd : "none", found->words);
	return 0;
}

/**
 * from_disk_forget() - the guest's memory has what was read
 * @request: as from_disk_read() left it
 */
void from_disk_forget(struct boot_request *request)
{
	struct from_disk *from = request->from_disk;

	file_close(&request->kernel.fd);
	file_close(&request->initrd.fd);
	free(from->kernel);
	free(from->initrd);
	from->kernel = from->initrd = NULL;
	request->kernel.path = request->initrd.path = NULL;
}

/**
 * from_disk_close() - close the disk
 * @request: as from_disk_open() left it
 */
void from_disk_close(struct boot_request *request)
{
	from_disk_forget(request);
	value_free(&request->from_disk->disk);
	file_close(&request->from_disk->fd);
	free(request->from_disk);
	request->from_disk = NULL;
}

static bool has_word(const char *words, const char *word)
{
	size_t length = strlen(word);
	const char *at;

	for (at = words; (at = strstr(at, word)); at += length)
		if (at == words || at[-1] == ' ')
			return true;
	return false;
}

static void add_words(FILE *out, const char *words, size_t length)
{
	while (length && words[length - 1] == ' ')
		length--;
	if (length)
		fprintf(out, "%s%.*s", ftell(out) ? " " : "", (int)length, words);
}

/* Where what is for the guest's init begins, or the end. */
static size_t kernels_part(const char *words)
{
	const char *at = words;

	while ((at = strstr(at, "--"))) {
		if ((at == words || at[-1] == ' ') && (!at[2] || at[2] == ' '))
			return at - words;
		at += 2;
	}
	return strlen(words);
}

/**
 * from_disk_command_line() - make the guest kernel's command line
 * @options: as parsed
 * @request: as from_disk_read() left it, and with the ABI
 * @devices: the arguments that tell the kernel of its devices
 *
 * The last console is the one for init. The disk's words may name one that this guest has not,
 * so ours comes behind them, and what the person wants last.
 *
 * Return: memory that the caller frees, or NULL after telling the person.
 */
char *from_disk_command_line(const struct options *options, const struct boot_request *request,
			     const char *devices)
{
	const struct loader_found *found = &request->from_disk->found;
	const char *root = found->root, *append = options->append ? options->append : "";
	size_t length = kernels_part(found->words), size = 0;
	char *line;
	FILE *out;

	if (!strcmp(root, LOADER_ROOT_DISK))
		root = request->xen ? "/dev/xvda" : "/dev/vda";
	out = open_memstream(&line, &size);
	if (out) {
		add_words(out, devices, strlen(devices));
		add_words(out, found->words, length);
		if (!has_word(append, "console="))
			add_words(out, "console=hvc0", strlen("console=hvc0"));
		if (*root)
			fprintf(out, " root=%s rw", root);
		add_words(out, append, strlen(append));
		add_words(out, found->words + length, strlen(found->words + length));
	}
	if (!out || fclose(out)) {
		no_memory();
		return NULL;
	}
	return line;
}
