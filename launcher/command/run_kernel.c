// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which kernel "lguest run" boots: the one that is named, or that of the tree in the current
 * directory, or the one that this host runs, if it can have the host's files as a guest, or
 * another such one that is installed, or lguest's own.
 */
#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/compiler.h"
#include "base/message.h"
#include "base/user.h"
#include "command/run_kernel.h"
#include "option/config.h"
#include "session/modules.h"

#define TREE		"arch/x86/boot/bzImage"
#define INSTALLED	"/boot/vmlinuz-"

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

/* lguest's own. Return: the name, malloc; NULL, if there is none or no memory. */
static char *find_own(void)
{
	static const char * const places[] = {
		"/usr/local/share/lguest/bzImage", "/usr/share/lguest/bzImage",
		"/usr/lib/lguest/bzImage",
	};
	char self[PATH_MAX], *beside, *slash;
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
	unsigned int i;

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
	for (i = 0; i < ARRAY_SIZE(places); i++)
		if (is_there(places[i]))
			return copy(places[i]);
	return NULL;
}

static bool can_have_files(const char *kernel)
{
	return is_there(kernel) && !modules_missing(kernel + strlen(INSTALLED));
}

/*
 * A distribution's kernel that can have the host's files: the one that runs, else the newest.
 * Return: the name, malloc, or NULL.
 */
static char *find_installed(void)
{
	struct utsname running;
	char *name, *best = NULL;
	glob_t found;
	size_t i;

	if (!uname(&running) && asprintf(&name, INSTALLED "%s", running.release) >= 0) {
		if (can_have_files(name))
			return name;
		free(name);
	}
	if (glob(INSTALLED "*", 0, NULL, &found))
		return NULL;
	for (i = 0; i < found.gl_pathc; i++)
		if (can_have_files(found.gl_pathv[i]) &&
		    (!best || strverscmp(best, found.gl_pathv[i]) < 0))
			best = found.gl_pathv[i];
	name = best ? copy(best) : NULL;
	globfree(&found);
	return name;
}

static char *find_unnamed(struct options *options)
{
	char *kernel;

	if (is_there(TREE) && is_trusted(TREE)) {
		message("the kernel is %s, from the current directory", TREE);
		options->found_kernel = true;
		return copy(TREE);
	}
	kernel = find_installed();
	if (!kernel)
		kernel = find_own();
	if (!kernel)
		refuse(-ENOENT, "which kernel? There is no " TREE " of yours here, and no " INSTALLED "* with the modules 9p and 9pnet_xen (Debian: linux-image-amd64): use --kernel FILE");
	else
		detail("the kernel is %s", kernel);
	return kernel;
}

/**
 * run_kernel() - which kernel?
 * @options: what the person wants
 *
 * Return: the name of a kernel, malloc, or NULL after telling the person.
 */
char *run_kernel(struct options *options)
{
	const char *named = options->kernel ? options->kernel : getenv("LGUEST_KERNEL");
	char *kernel;

	if (!named || !*named)
		return find_unnamed(options);
	if (strcmp(named, "lguest"))
		return copy(named);
	kernel = find_own();
	if (!kernel)
		refuse(-ENOENT, "--kernel=lguest: there is no kernel of lguest's own, neither beside the program nor in /usr/share/lguest");
	return kernel;
}
