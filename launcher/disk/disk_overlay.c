// SPDX-License-Identifier: GPL-2.0-only
/*
 * --block=FILE,snapshot: the guest's writes go to an overlay, which is gone at the end.
 *
 * The overlay is a file without a name and with holes. Each sector has the same place in it as
 * in the disk, and a bit for each sector says which of the two has it. So a guest can fill no
 * more than the size of its disk.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "base/message.h"
#include "disk/disk_file.h"
#include "disk/disk_io.h"
#include "disk/disk_overlay.h"

#define WORD_BITS	64

/* The directory for large files that nobody keeps. */
static const char *directory(void)
{
	const char *wanted = getenv("TMPDIR");

	return wanted && *wanted ? wanted : "/var/tmp";
}

/**
 * disk_overlay_open() - make an overlay
 * @overlay: filled in; disk_overlay_close() it, whatever is returned
 * @size: the disk's, in bytes
 *
 * Return: 0, or a negative errno after telling the person.
 */
int disk_overlay_open(struct disk_overlay *overlay, uint64_t size)
{
	uint64_t words = (size / SECTOR_SIZE + WORD_BITS - 1) / WORD_BITS;
	void *map;

	overlay->fd = open(directory(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (overlay->fd < 0)
		return refuse(-errno, "can't make a file for snapshot in '%s': %s: TMPDIR says where else",
			      directory(), strerror(errno));
	if (ftruncate(overlay->fd, size) < 0)
		return refuse(-errno, "can't make a file as large as the disk in '%s': %s: TMPDIR says where else",
			      directory(), strerror(errno));
	overlay->size = words * sizeof(*overlay->written);
	/* The host provides only the pages that are touched. */
	map = mmap(NULL, overlay->size, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (map == MAP_FAILED)
		return no_memory();
	overlay->written = map;
	return 0;
}

/**
 * disk_overlay_close() - close an overlay, and forget all that was written
 * @overlay: as disk_overlay_open() left it, or with fd -1 and all else 0
 */
void disk_overlay_close(struct disk_overlay *overlay)
{
	file_close(&overlay->fd);
	if (overlay->written)
		munmap(overlay->written, overlay->size);
	overlay->written = NULL;
}

static bool is_written(const struct disk_overlay *overlay, uint64_t sector)
{
	return overlay->written[sector / WORD_BITS] >> sector % WORD_BITS & 1;
}

/* How many bytes from @offset on, at most @most, are in the same file? */
static uint64_t run_length(const struct disk_overlay *overlay, uint64_t offset, uint64_t most)
{
	uint64_t sector = offset / SECTOR_SIZE, end = (offset + most + SECTOR_SIZE - 1) / SECTOR_SIZE;
	bool where = is_written(overlay, sector);

	for (sector++; sector < end; sector++)
		if (is_written(overlay, sector) != where)
			return sector * SECTOR_SIZE - offset;
	return most;
}

/* Cut the read to what is in one file: the caller comes back for the rest. */
static void aim_read(const struct disk_overlay *overlay, int base, struct disk_request *request)
{
	const struct iovec *iov = request->iov;
	uint64_t most = 0, run;
	unsigned int i;

	for (i = 0; i < request->count; i++)
		most += iov[i].iov_len;
	if (!most)
		return;
	run = run_length(overlay, request->offset, most);
	request->fd = is_written(overlay, request->offset / SECTOR_SIZE) ? overlay->fd : base;
	if (run == most)
		return;
	while (!iov->iov_len)
		iov++;
	request->part = *iov;
	if (request->part.iov_len > run)
		request->part.iov_len = run;
	request->iov = &request->part;
	request->count = 1;
}

/**
 * disk_overlay_aim() - decide which file a request goes to
 * @overlay: from disk_overlay_open()
 * @base: the disk's own file
 * @request: of a range within the disk; its fd is filled in, and it may get smaller
 */
void disk_overlay_aim(struct disk_overlay *overlay, int base, struct disk_request *request)
{
	request->fd = overlay->fd;
	switch (request->operation) {
	case DISK_READ:
		request->fd = base;
		aim_read(overlay, base, request);
		break;
	case DISK_WRITE_THROUGH:
		request->operation = DISK_WRITE;
		break;
	case DISK_SYNC:		/* nothing here outlives this process */
		request->operation = DISK_NOTHING;
		break;
	case DISK_ZERO:
		request->operation = DISK_DISCARD;
		break;
	default:
		break;
	}
}

/**
 * disk_overlay_ended() - remember what a request has written
 * @overlay: from disk_overlay_open()
 * @request: that disk_overlay_aim() saw, with its result
 *
 * A sector that is written in part counts when its rest is written, by a request that starts
 * within it.
 */
void disk_overlay_ended(struct disk_overlay *overlay, const struct disk_request *request)
{
	uint64_t sector = request->offset / SECTOR_SIZE, end;

	if (request->operation == DISK_WRITE && request->result > 0)
		end = (request->offset + request->result) / SECTOR_SIZE;
	else if (request->operation == DISK_DISCARD && !request->result)
		end = (request->offset + request->size) / SECTOR_SIZE;
	else
		return;
	for (; sector < end; sector++)
		overlay->written[sector / WORD_BITS] |= 1ULL << sector % WORD_BITS;
}
