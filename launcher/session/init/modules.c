// SPDX-License-Identifier: GPL-2.0-only
/* The modules that the guest's kernel needs to have the host's files. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "session/init/run_init.h"

#define MODULES		"/modules"

/* Of finit_module(): the kernel is to unpack it. Linux: include/uapi/linux/module.h. */
#define COMPRESSED_FILE	4

static void load_module(const char *name)
{
	char path[300], what[400];
	size_t length = strlen(name);
	int fd, flags = COMPRESSED_FILE;

	if (length > 3 && !strcmp(name + length - 3, ".ko"))
		flags = 0;
	snprintf(path, sizeof(path), MODULES "/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (syscall(SYS_finit_module, fd, "", flags) < 0 && errno != EEXIST) {
		snprintf(what, sizeof(what), "can't load the module %s", name);
		die(what);
	}
	close(fd);
}

/* Those that the launcher has put there, in the order of their names. */
void load_modules(void)
{
	struct dirent **entry;
	int count = scandir(MODULES, &entry, NULL, alphasort), i;

	for (i = 0; i < count; i++)
		if (entry[i]->d_name[0] != '.')
			load_module(entry[i]->d_name);
}
