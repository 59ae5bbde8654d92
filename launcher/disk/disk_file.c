// SPDX-License-Identifier: GPL-2.0-only
/*
 * The file or block device of the host that a disk is in: which ones are allowed, and that no
 * two guests write to the same one.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/file.h"
#include "base/message.h"
#include "disk/disk_file.h"
#include "disk/disk_lock.h"

/*
 * How long udev may take to look at a block device that is new, or that somebody has written
 * to.
 */
#define UDEV_MS	5000

static bool is_written(const struct disk_file *file)
{
	return !file->read_only && !file->snapshot;
}

/* Find the process that has locked the file. Return: its number, or 0. */
static int find_holder(const struct stat *file)
{
	FILE *locks = fopen("/proc/locks", "re");
	unsigned int major_number, minor_number;
	unsigned long inode;
	char line[256];
	int pid = 0;

	while (locks && !pid && fgets(line, sizeof(line), locks)) {
		/* 1: FLOCK  ADVISORY  WRITE 123 fe:00:456 0 EOF */
		if (sscanf(line, "%*u: FLOCK %*s %*s %d %x:%x:%lu", &pid, &major_number,
			   &minor_number, &inode) != 4 ||
		    makedev(major_number, minor_number) != file->st_dev || inode != file->st_ino)
			pid = 0;
	}
	if (locks)
		fclose(locks);
	return pid;
}

static int refuse_shared(const char *path, const struct stat *status)
{
	int pid = find_holder(status);
	char name[64] = "", line[32];
	FILE *comm = NULL;

	snprintf(line, sizeof(line), "/proc/%d/comm", pid);
	if (pid)
		comm = fopen(line, "re");
	if (comm) {
		if (fgets(name, sizeof(name), comm))
			name[strcspn(name, "\n")] = '\0';
		fclose(comm);
	}
	if (!pid)
		return refuse(-EBUSY, "the disk '%s' is in use by another program", path);
	return refuse(-EBUSY, "the disk '%s' is in use by process %d (%s): a disk that is written to can't be shared",
		      path, pid, *name ? name : "which has ended");
}

/*
 * Can the file be read past the page cache, in pieces as small as the guest's, into memory
 * aligned to no more than that? Only the file system knows.
 */
static bool can_be_direct(const struct disk_file *file)
{
	int flags = fcntl(file->fd, F_GETFL);
	bool can = false;
	char *buffer;

	if (flags < 0 || fcntl(file->fd, F_SETFL, flags | O_DIRECT) < 0)
		return false;
	buffer = aligned_alloc(4096, 2 * 4096);
	if (buffer)
		can = pread(file->fd, buffer + file->block_size, file->block_size, 0) ==
		      (ssize_t)file->block_size;
	free(buffer);
	if (!can)
		fcntl(file->fd, F_SETFL, flags);
	return can;
}

static int choose_cache(struct disk_file *file, const char *path)
{
	bool has_large_blocks;

	if (file->cache != DISK_CACHE_DEFAULT && file->cache != DISK_CACHE_NONE)
		return 0;
	has_large_blocks = file->only_sectors && file->block_size > SECTOR_SIZE;
	if (!has_large_blocks && can_be_direct(file)) {
		file->cache = DISK_CACHE_NONE;
		return 0;
	}
	if (file->cache == DISK_CACHE_NONE && has_large_blocks)
		return refuse(-EINVAL,
			      "'%s' has blocks of %u bytes, and past the host's page cache there are only whole ones: say cache=writeback",
			      path, file->block_size);
	if (file->cache == DISK_CACHE_NONE)
		return refuse(-EINVAL,
			      "the file system of '%s' can't go past the host's page cache: say cache=writeback",
			      path);
	detail("%s: what is read and written can't go past the host's page cache", path);
	file->cache = DISK_CACHE_WRITEBACK;
	return 0;
}

static void find_block_sizes(struct disk_file *file, const struct stat *status)
{
	int logical = 0;
	unsigned int physical = 0;

	file->block_size = SECTOR_SIZE;
	file->physical_block_size = status->st_blksize;
	if (S_ISBLK(status->st_mode) && !ioctl(file->fd, BLKSSZGET, &logical) &&
	    !ioctl(file->fd, BLKPBSZGET, &physical)) {
		file->block_size = logical;
		file->physical_block_size = physical;
	}
	/* A size that is no power of 2, or out of all proportion, is of no use to a guest. */
	if (file->block_size < SECTOR_SIZE || file->block_size > 4096 ||
	    file->block_size & (file->block_size - 1))
		file->block_size = SECTOR_SIZE;
	if (file->physical_block_size < file->block_size || file->physical_block_size > 1 << 20 ||
	    file->physical_block_size & (file->physical_block_size - 1))
		file->physical_block_size = file->block_size;
}

/* Check that a disk can be in the file, and that nobody else uses it. */
static int check(struct disk_file *file, const char *path)
{
	struct stat status;
	int error;
	off_t end;

	if (fstat(file->fd, &status) < 0)
		return refuse(-errno, "can't use the disk '%s': %s", path, strerror(errno));
	end = lseek(file->fd, 0, SEEK_END);
	if ((!S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode)) || end < SECTOR_SIZE)
		return refuse(-EINVAL, "the disk '%s' is no file or block device of at least %d bytes",
			      path, SECTOR_SIZE);
	if (end % SECTOR_SIZE)
		return refuse(-EINVAL,
			      "the disk '%s' has %lld bytes, which is no multiple of %d: truncate -s %%%d '%s' makes it one",
			      path, (long long)end, SECTOR_SIZE, SECTOR_SIZE, path);
	/* Two guests that write to one disk destroy what is on it. */
	error = disk_lock(file->fd, !is_written(file), S_ISBLK(status.st_mode) ? UDEV_MS : 0);
	if (error == -EBUSY)
		return refuse_shared(path, &status);
	if (error)
		return refuse(error, "can't lock the disk '%s': %s", path, strerror(-error));
	file->size = end;
	find_block_sizes(file, &status);
	return choose_cache(file, path);
}

/*
 * The guest must not write to a block device that the host has mounted: O_EXCL finds out (and
 * means nothing for files that exist). O_NONBLOCK is for what is neither file nor block device.
 * It must be cleared afterwards: with it io_uring does not wait for the disk.
 */
static int open_path(const struct disk_file *file, const char *path)
{
	struct stat status;
	int flags = O_CLOEXEC | O_NONBLOCK, fd;

	flags |= is_written(file) ? O_RDWR : O_RDONLY;
	if (is_written(file) && !stat(path, &status) && S_ISBLK(status.st_mode))
		flags |= O_EXCL;
	fd = open(path, flags);
	if (fd < 0 && errno == EBUSY)
		return refuse(-EBUSY, "the disk '%s' is in use by the host: is it mounted?", path);
	if (fd < 0)
		return refuse(-errno, "can't open the disk '%s': %s", path, strerror(errno));
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
	return fd;
}

/**
 * disk_file_choose_cache() - how what is written gets to the disk
 * @file: not open yet
 * @word: as --block has it, or NULL
 *
 * Return: 0, or a negative errno after telling the person.
 */
int disk_file_choose_cache(struct disk_file *file, const char *word)
{
	static const char * const names[] = {
		[DISK_CACHE_NONE] = "none",
		[DISK_CACHE_WRITEBACK] = "writeback",
		[DISK_CACHE_WRITETHROUGH] = "writethrough",
	};
	unsigned int i;

	for (i = DISK_CACHE_NONE; word && i < ARRAY_SIZE(names); i++) {
		if (!strcmp(word, names[i])) {
			file->cache = i;
			return 0;
		}
	}
	if (!word)
		return 0;
	return misused("a disk has no cache=%s: say cache=none, cache=writeback or cache=writethrough",
		      word);
}

/**
 * disk_file_open() - open the file of a disk, and lock it
 * @file: with read_only, snapshot and cache as the person wants them, and only_sectors as the
 *	  device can do it; the rest is filled in, and disk_file_close() closes it, whatever is
 *	  returned
 * @path: its name
 *
 * Return: 0, or a negative errno after telling the person.
 */
int disk_file_open(struct disk_file *file, const char *path)
{
	int error;

	file->fd = open_path(file, path);
	if (file->fd < 0)
		return file->fd;
	error = check(file, path);
	if (!error && file->snapshot)
		error = disk_overlay_open(&file->overlay, file->size);
	return error;
}

/**
 * disk_file_close() - close the file, and give up its lock
 * @file: as disk_file_open() left it, or with both its fd -1
 */
void disk_file_close(struct disk_file *file)
{
	disk_overlay_close(&file->overlay);
	file_close(&file->fd);
}
