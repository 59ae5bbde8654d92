// SPDX-License-Identifier: GPL-2.0-only
/*
 * file_ops DIRECTORY COUNT SEED: COUNT mixed operations on files in DIRECTORY, the same
 * for the same SEED. Prints what each came to and, at the end, all that is there, so
 * that two file systems can be compared by what it prints.
 *
 * Names are few, so that operations meet each other, and errors are part of it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_SIZE	200000
#define NAMES		5

static uint64_t state;
static char data[MAX_SIZE];

static unsigned int choose(unsigned int below)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (state * 0x2545f4914f6cdd1dULL >> 33) % below;
}

/* One to three of a few names. */
static char *some_path(void)
{
	static char paths[4][32];
	static unsigned int next;
	char *path = paths[next++ % 4], *at = path;
	unsigned int depth = 1 + choose(3);

	while (depth--)
		at += sprintf(at, "%c%s", 'a' + choose(NAMES), depth ? "/" : "");
	return path;
}

static uint64_t sum(const char *from, size_t size)
{
	uint64_t hash = 0xcbf29ce484222325ULL;

	while (size--)
		hash = (hash ^ (uint8_t)*from++) * 0x100000001b3ULL;
	return hash;
}

static void fill(size_t size)
{
	size_t i;

	for (i = 0; i < size; i++)
		data[i] = choose(256);
}

/* Sizes from nothing to more than a message of the protocol carries in parts. */
static size_t some_size(void)
{
	return choose(choose(2) ? 5000 : MAX_SIZE) + 1;
}

static void say(const char *what, const char *path, long result)
{
	printf("%s %s %ld %s\n", what, path, result, result < 0 ? strerror(errno) : "");
}

static void print_file(int fd)
{
	struct stat status;
	uint64_t hash = 0;
	ssize_t got;
	off_t size = 0;

	if (fstat(fd, &status) < 0) {
		say("fstat", "", -1);
		return;
	}
	lseek(fd, 0, SEEK_SET);
	while ((got = read(fd, data, sizeof(data))) > 0) {
		hash = hash * 31 + sum(data, got);
		size += got;
	}
	printf("  size %jd read %jd sum %" PRIx64 "\n", (intmax_t)status.st_size, (intmax_t)size, hash);
}

static void write_some(const char *path)
{
	static const int flags[] = { 0, O_TRUNC, O_APPEND, O_EXCL, O_SYNC };
	int fd = open(path, O_RDWR | O_CREAT | flags[choose(5)], 0600 | choose(0100));
	size_t size = some_size();
	off_t at = choose(MAX_SIZE);

	say("open", path, fd < 0 ? -1 : 0);
	if (fd < 0)
		return;
	fill(size);
	say("pwrite", path, pwrite(fd, data, size, at));
	say("write", path, write(fd, data, size / 2));
	if (!choose(4))
		say("ftruncate", path, ftruncate(fd, choose(MAX_SIZE)));
	if (!choose(8))
		say("fsync", path, fsync(fd));
	print_file(fd);
	close(fd);
}

static void read_some(const char *path)
{
	int fd = open(path, O_RDONLY);

	say("open", path, fd < 0 ? -1 : 0);
	if (fd < 0)
		return;
	print_file(fd);
	close(fd);
}

static void map_some(const char *path)
{
	int fd = open(path, O_RDONLY);
	struct stat status;
	char *map;

	if (fd < 0 || fstat(fd, &status) < 0 || !S_ISREG(status.st_mode) || !status.st_size) {
		close(fd);
		return;
	}
	map = mmap(NULL, status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED) {
		say("mmap", path, -1);
	} else {
		printf("mmap %s %" PRIx64 "\n", path, sum(map, status.st_size));
		munmap(map, status.st_size);
	}
	close(fd);
}

/* What has no name any more can be used as long as it is open. */
static void unlink_open(const char *path)
{
	int fd = open(path, O_RDWR);

	say("open", path, fd < 0 ? -1 : 0);
	if (fd < 0)
		return;
	say("unlink", path, unlink(path));
	fill(100);
	say("pwrite", path, pwrite(fd, data, 100, 10));
	print_file(fd);
	close(fd);
}

static void stat_some(const char *path)
{
	struct stat status;

	if (lstat(path, &status) < 0) {
		say("lstat", path, -1);
		return;
	}
	printf("lstat %s mode %o uid %u gid %u links %u", path, status.st_mode, status.st_uid,
	       status.st_gid, (unsigned int)status.st_nlink);
	printf(" mtime %d\n", status.st_mtim.tv_sec < 1000000 ? (int)status.st_mtim.tv_sec : -1);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void list(const char *path)
{
	struct dirent **entries;
	int count = scandir(path, &entries, NULL, by_name), i;

	say("scandir", path, count);
	for (i = 0; i < count; i++) {
		printf("  %s type %d\n", entries[i]->d_name, entries[i]->d_type);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
}

static void lock_some(const char *path)
{
	int fd = open(path, O_RDWR);
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 100 };

	if (fd < 0)
		return;
	/* Not both: 9P has one kind of lock for the two. */
	if (choose(2))
		say("fcntl", path, fcntl(fd, F_SETLK, &lock));
	else
		say("flock", path, flock(fd, LOCK_EX | LOCK_NB));
	close(fd);
}

static void set_times(const char *path)
{
	struct timespec times[2] = { { choose(1000000), 0 }, { choose(1000000), 0 } };

	say("utimensat", path, utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW));
}

static void operate(unsigned int number)
{
	char *path = some_path(), *other = some_path(), target[64];
	ssize_t length;

	printf("%u: ", number);
	switch (choose(20)) {
	case 0: case 1: case 2: write_some(path); break;
	case 3: read_some(path); break;
	case 4: map_some(path); break;
	case 5: case 6: case 7: say("mkdir", path, mkdir(path, 0700 | choose(0100))); break;
	case 8: say("rmdir", path, rmdir(path)); break;
	case 9: say("unlink", path, unlink(path)); break;
	case 10: unlink_open(path); break;
	case 11: case 12: say("rename", path, rename(path, other)); break;
	case 13: say("link", path, link(path, other)); break;
	case 14: say("symlink", path, symlink(other, path)); break;
	case 15:
		length = readlink(path, target, sizeof(target));
		say("readlink", path, length);
		break;
	case 16: say("chmod", path, chmod(path, 0700 | choose(0100))); break;
	case 17: say("chown", path, lchown(path, choose(3), choose(3))); break;
	case 18: choose(2) ? set_times(path) : lock_some(path); break;
	case 19: choose(2) ? list(path) : stat_some(path); break;
	}
	printf("\n");
}

/* Everything below the current directory. */
static void print_tree(const char *path)
{
	struct dirent **entries;
	int count = scandir(path, &entries, NULL, by_name), i;
	char below[512];
	struct stat status;

	for (i = 0; i < count; i++) {
		const char *name = entries[i]->d_name;

		snprintf(below, sizeof(below), "%s/%s", path, name);
		if (strcmp(name, ".") && strcmp(name, "..")) {
			stat_some(below);
			if (!lstat(below, &status) && S_ISREG(status.st_mode))
				read_some(below);
			if (S_ISDIR(status.st_mode))
				print_tree(below);
		}
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
}

int main(int argc, char **argv)
{
	unsigned int i, count;

	if (argc != 4 || chdir(argv[1]) < 0) {
		fprintf(stderr, "usage: file_ops DIRECTORY COUNT SEED\n");
		return 4;
	}
	umask(022);
	count = atoi(argv[2]);
	state = 0x1905a5a51905a5a5ULL + atoi(argv[3]);
	for (i = 0; i < count; i++)
		operate(i);
	print_tree(".");
	return 0;
}
