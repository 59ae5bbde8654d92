// SPDX-License-Identifier: GPL-2.0-only
/* A disk: writable, read-only, or with a snapshot that takes the writes. */
#include <fcntl.h>
#include <linux/virtio_blk.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/compiler.h"
#include "guest.h"
#include "input.h"

#define SECTORS	64

/* The kinds of --block=. With a snapshot no byte of the file may change. */
enum { WRITABLE, READ_ONLY, SNAPSHOT, SNAPSHOT_READ_ONLY, KINDS };
static char values[KINDS][256];
static uint8_t before[SECTORS * 512];
static int snapshot_file;

static int init(struct virtio_device *device, const struct guest_memory *memory)
{
	return virtio_block_kind.init(device, memory, values[input_byte() % KINDS]);
}

static void end(void)
{
	static uint8_t now[sizeof(before)];

	require(pread(snapshot_file, now, sizeof(now), 0) == sizeof(now));
	require(!memcmp(now, before, sizeof(now)));
}

/* A header, and for some requests the data after it. */
static size_t request(unsigned int queue, uint8_t *to, size_t room)
{
	static const uint32_t types[] = {
		VIRTIO_BLK_T_IN, VIRTIO_BLK_T_OUT, VIRTIO_BLK_T_FLUSH, VIRTIO_BLK_T_GET_ID,
		VIRTIO_BLK_T_DISCARD, VIRTIO_BLK_T_WRITE_ZEROES, 10,
	};
	struct virtio_blk_outhdr header = { 0 };
	struct virtio_blk_discard_write_zeroes range;
	uint8_t how = input_byte();
	size_t size = sizeof(header);

	(void)queue;
	header.type = types[input_below(ARRAY_SIZE(types))];
	header.sector = how & 1 ? input_nasty() : input_below(SECTORS + 1);
	memcpy(to, &header, sizeof(header));
	for (; (how & 6) && size + sizeof(range) < room; how -= 2) {
		range.sector = input_below(SECTORS);
		range.num_sectors = how & 0x80 ? input_nasty() : input_below(SECTORS);
		range.flags = how >> 6 & 1;
		memcpy(to + size, &range, sizeof(range));
		size += sizeof(range);
	}
	return how & 8 ? size - input_byte() % 16 : size;
}

const struct guest_device guest_device = { .init = init, .request = request, .end = end };

/* Return: a descriptor of the new disk @name in @directory. */
static int make_disk(const char *directory, const char *name)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	fd = open(path, O_RDWR | O_CREAT, 0600);
	require(!ftruncate(fd, SECTORS * 512));
	return fd;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const char *directory;
	unsigned int i;

	(void)argc;
	(void)argv;
	launcher_begin();
	rights_drop();
	directory = scratch_directory();
	/* The snapshot's writes go to this directory, too. */
	require(!setenv("TMPDIR", directory, 1));
	close(make_disk(directory, "disk"));
	snapshot_file = make_disk(directory, "base");
	for (i = 0; i < sizeof(before); i++)
		before[i] = 1 + i / 512;
	require(pwrite(snapshot_file, before, sizeof(before), 0) == sizeof(before));
	snprintf(values[WRITABLE], sizeof(values[0]), "%s/disk", directory);
	snprintf(values[READ_ONLY], sizeof(values[0]), "%s/disk,ro", directory);
	snprintf(values[SNAPSHOT], sizeof(values[0]), "%s/base,snapshot", directory);
	snprintf(values[SNAPSHOT_READ_ONLY], sizeof(values[0]), "%s/base,snapshot,ro", directory);
	return 0;
}
