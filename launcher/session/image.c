// SPDX-License-Identifier: GPL-2.0-only
/*
 * The initrd of a guest of "lguest run": an archive in memory with one program,
 * session/init/run_init.c, which the Makefile builds into the launcher, and with the modules
 * that the guest's kernel needs first.
 */
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/file.h"
#include "base/message.h"
#include "session/cpio.h"
#include "session/image.h"
#include "session/modules.h"

#define MODULE_SIZE	(64ULL << 20)	/* a larger one is none */

__asm__(".section .rodata\n"
	"run_init_start: .incbin \"" RUN_INIT "\"\n"
	"run_init_end:\n"
	".previous\n");
extern const uint8_t run_init_start[], run_init_end[];

/* As modules/NUMBER-NAME: the init loads them in the order of their names. */
static int add_module(FILE *archive, const struct module_list *modules, unsigned int number)
{
	const char *path = modules->path[number], *slash = strrchr(path, '/');
	char whole[PATH_MAX], name[NAME_MAX];
	struct bytes contents;
	int fd, error;

	snprintf(whole, sizeof(whole), "%s/%s/%s", modules_folder, modules->release, path);
	snprintf(name, sizeof(name), "modules/%02u-%s", number, slash ? slash + 1 : path);
	fd = file_open(whole, "module");
	if (fd < 0)
		return fd;
	error = file_load(fd, whole, "module", MODULE_SIZE, &contents);
	close(fd);
	if (error)
		return error;
	cpio_add(archive, name, S_IFREG | 0644, contents.at, contents.size);
	free((void *)contents.at);
	return 0;
}

static int fill(FILE *archive, const struct module_list *modules)
{
	unsigned int i;
	int error = 0;

	cpio_add(archive, "init", S_IFREG | 0755, run_init_start, run_init_end - run_init_start);
	cpio_add(archive, "modules", S_IFDIR | 0755, "", 0);
	for (i = 0; !error && i < modules->count; i++)
		error = add_module(archive, modules, i);
	cpio_end(archive);
	return error;
}

/**
 * run_image() - make the initrd of a guest of "lguest run"
 * @modules: that its kernel needs
 *
 * Return: a descriptor of the archive, or a negative errno after telling the person.
 */
int run_image(const struct module_list *modules)
{
	int fd = memfd_create("lguest-run", MFD_CLOEXEC);
	FILE *archive = fd < 0 ? NULL : fdopen(fd, "w");
	int result = -1, error = 0;

	if (archive) {
		error = fill(archive, modules);
		if (!error && !fflush(archive) && !ferror(archive))
			result = dup(fd);
	}
	if (!error && result < 0)
		error = refuse(-ENOMEM, "no memory for the guest's init: %s", strerror(errno));
	if (archive)
		fclose(archive);
	else if (fd >= 0)
		close(fd);
	return error ? error : result;
}
