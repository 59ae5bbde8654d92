// SPDX-License-Identifier: GPL-2.0-only
/*
 * The modules that a distribution's kernel needs to have the host's files: they are in
 * /lib/modules, by the kernel's release, and modules.dep says there which of them needs which.
 * A kernel without a folder there has all that it needs in itself, or does not.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/compiler.h"
#include "base/message.h"
#include "session/modules.h"

const char *modules_folder = "/lib/modules";

/* Linux: Documentation/arch/x86/boot.rst. */
#define MAGIC_OFFSET	0x202	/* "HdrS" */
#define TEXT_OFFSET	0x20e	/* u16: where the release is, less 0x200 */

/* The first ones are those that a guest cannot do without. */
static const char * const wanted[] = { "9p", "9pnet_xen", "overlay", "xen-netfront" };
#define NEEDED		2
#define NETWORK		3	/* the number of the one that only a network needs */

static int read_header(int fd, char release[MODULES_RELEASE])
{
	uint8_t header[TEXT_OFFSET + 2 - MAGIC_OFFSET];
	ssize_t got;

	if (pread(fd, header, sizeof(header), MAGIC_OFFSET) != sizeof(header) ||
	    memcmp(header, "HdrS", 4))
		return -ENOENT;
	got = pread(fd, release, MODULES_RELEASE - 1,
		    0x200 + (header[TEXT_OFFSET - MAGIC_OFFSET] |
			     header[TEXT_OFFSET + 1 - MAGIC_OFFSET] << 8));
	if (got <= 0)
		return -ENOENT;
	release[got] = '\0';
	release[strcspn(release, " ")] = '\0';
	return !release[0] || release[0] == '.' || strchr(release, '/') ? -ENOENT : 0;
}

/**
 * modules_release() - which release is a kernel?
 * @kernel: the file
 * @release: goes there, as uname -r has it in the guest
 *
 * Return: 0, or a negative errno: the file does not say.
 */
int modules_release(const char *kernel, char release[MODULES_RELEASE])
{
	int fd = open(kernel, O_RDONLY | O_CLOEXEC | O_NONBLOCK), error;

	if (fd < 0)
		return -errno;
	error = read_header(fd, release);
	close(fd);
	return error;
}

static FILE *open_list(const char *release, const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s/%s", modules_folder, release, name);
	return fopen(path, "re");
}

/**
 * modules_are_known() - are a kernel's modules installed?
 * @release: of the kernel
 */
bool modules_are_known(const char *release)
{
	FILE *list = open_list(release, "modules.dep");

	if (list)
		fclose(list);
	return list;
}

/* Is the file at @path, up to its extension, that module? */
static bool is_called(const char *path, const char *name)
{
	size_t length = strcspn(path, ": \n");
	const char *slash = memrchr(path, '/', length), *base = slash ? slash + 1 : path;
	size_t size = strlen(name);

	return !strncmp(base, name, size) && !strncmp(base + size, ".ko", 3);
}

/* Return: the line of a module, malloc; NULL: there is none. */
static char *find_line(const char *release, const char *list, const char *name)
{
	FILE *file = open_list(release, list);
	char *line = NULL;
	size_t room = 0;
	bool found = false;

	while (file && !found && getline(&line, &room, file) > 0)
		found = is_called(line, name);
	if (file)
		fclose(file);
	if (found)
		return line;
	free(line);
	return NULL;
}

static int add(struct module_list *list, const char *path)
{
	unsigned int i;

	for (i = 0; i < list->count; i++)
		if (!strcmp(list->path[i], path))
			return 0;
	if (list->count == MODULES_MOST)
		return refuse(-E2BIG, "%s/%s/modules.dep names too many modules",
			      modules_folder, list->release);
	list->path[list->count] = strdup(path);
	return list->path[list->count++] ? 0 : no_memory();
}

/* "path: what it needs, that which is to be loaded first at the end" */
static int add_line(struct module_list *list, char *line)
{
	char *word;
	int error = 0;

	line[strcspn(line, "\n")] = '\0';
	while (!error && (word = strrchr(line, ' '))) {
		*word++ = '\0';
		if (*word)
			error = add(list, word);
	}
	line[strcspn(line, ":")] = '\0';
	return error ? error : add(list, line);
}

/**
 * modules_find() - which modules does a guest for a command need?
 * @list: filled in; modules_forget() it, whatever is returned
 * @release: of its kernel; what is missing or built in is left out
 * @network: it has a network card
 *
 * Return: 0, or a negative errno after telling the person.
 */
int modules_find(struct module_list *list, const char *release, bool network)
{
	unsigned int count = network ? ARRAY_SIZE(wanted) : NETWORK, i;
	int error = 0;

	memset(list, 0, sizeof(*list));
	snprintf(list->release, sizeof(list->release), "%s", release);
	for (i = 0; !error && i < count; i++) {
		char *line = find_line(release, "modules.dep", wanted[i]);

		if (line)
			error = add_line(list, line);
		free(line);
	}
	return error;
}

/**
 * modules_missing() - what does a kernel lack to be a guest of Xen's ABI for a command?
 * @release: the kernel's, with known modules
 *
 * Return: the name of a module that is neither there nor built in; NULL: none is missing.
 */
const char *modules_missing(const char *release)
{
	unsigned int i;

	for (i = 0; i < NEEDED; i++) {
		char *line = find_line(release, "modules.dep", wanted[i]);
		bool found;

		if (!line)
			line = find_line(release, "modules.builtin", wanted[i]);
		found = line;
		free(line);
		if (!found)
			return wanted[i];
	}
	return NULL;
}

/**
 * modules_forget() - free what modules_find() allocated
 * @list: the list
 */
void modules_forget(struct module_list *list)
{
	while (list->count)
		free(list->path[--list->count]);
}
