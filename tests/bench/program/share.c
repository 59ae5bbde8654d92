// SPDX-License-Identifier: GPL-2.0-only
/*
 * A directory of the host, shared by 9P: the cost of "ls -R", "find", reading a file and
 * reading many small ones, after everything has been read once. It is mounted as "lguest run"
 * mounts the root: read-only with the guest's cache, or writable without it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"

#define OPTIONS		"trans=virtio,version=9p2000.L,msize=512000"
#define FOLDERS		4
#define FILES		8		/* in each directory */
#define LARGE		(1 << 20)	/* bytes */

#define BLOCK		(128 << 10)

/* Mapped only when needed: as part of the program each fork would copy it. */
static char *block;

/* Mount the share, unless an earlier operation has: all use the same mount. */
static void mount_share(const char *tag, unsigned long flags, const char *options)
{
	struct stat own, above;

	if (!block) {
		block = mmap(NULL, BLOCK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		MUST(block == MAP_FAILED ? -1 : 0);
	}
	if (mkdir("/tmp/share", 0755) && errno != EEXIST)
		give_up("mkdir");
	MUST(stat("/tmp", &above));
	MUST(stat("/tmp/share", &own));
	if (own.st_dev != above.st_dev)
		MUST(umount("/tmp/share"));
	MUST(mount(tag, "/tmp/share", "9p", flags, options));
	MUST(chdir("/tmp/share"));
}

static void prepare_fixed(void)
{
	mount_share("fixed", MS_RDONLY, OPTIONS ",cache=loose");
}

static void prepare_open(void)
{
	mount_share("open", 0, OPTIONS ",cache=mmap");
}

/* Read all names below @path; with @look, each file's attributes, too. */
static void walk(const char *path, int look)
{
	DIR *folder = opendir(path);
	struct dirent *entry;
	struct stat status;
	char name[300];

	MUST(folder ? 0 : -1);
	while ((entry = readdir(folder))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		if (look)
			MUST(lstat(name, &status));
		if (entry->d_type == DT_DIR)
			walk(name, look);
	}
	closedir(folder);
}

static void run_list(unsigned int n)
{
	while (n--)
		walk(".", 0);
}

static void run_find(unsigned int n)
{
	while (n--)
		walk(".", 1);
}

static size_t read_file(const char *name)
{
	int fd = MUST(open(name, O_RDONLY));
	size_t size = 0;
	ssize_t got;

	while ((got = MUST(read(fd, block, BLOCK))))
		size += got;
	close(fd);
	return size;
}

static void run_read(unsigned int n)
{
	while (n--)
		MUST(read_file("large") == LARGE ? 0 : -1);
}

static void run_small(unsigned int n)
{
	char name[32];
	unsigned int i;

	while (n--) {
		for (i = 0; i < FOLDERS * FILES; i++) {
			snprintf(name, sizeof(name), "folder%u/file%u", i / FILES, i % FILES);
			MUST(read_file(name) ? 0 : -1);
		}
	}
}

const struct op share_ops[] = {
	{ "share_list", 2, prepare_fixed, NULL, run_list, NULL },
	{ "share_find", 2, prepare_fixed, NULL, run_find, NULL },
	{ "share_read", 2, prepare_fixed, NULL, run_read, NULL },
	{ "share_small", 2, prepare_fixed, NULL, run_small, NULL },
	{ "share_rw_list", 1, prepare_open, NULL, run_list, NULL },
	{ "share_rw_find", 1, prepare_open, NULL, run_find, NULL },
	{ "share_rw_read", 1, prepare_open, NULL, run_read, NULL },
	{ "share_rw_small", 1, prepare_open, NULL, run_small, NULL },
	{ NULL, 0, NULL, NULL, NULL, NULL }
};
