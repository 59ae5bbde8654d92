// SPDX-License-Identifier: GPL-2.0-only
/* A disk. */
#include <fcntl.h>
#include <linux/virtio_blk.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "compiler.h"
#include "guest.h"
#include "input.h"

#define SECTORS	64

static char value[256], read_only[256];

static int init(struct virtio_device *device, const struct guest_memory *memory)
{
	return virtio_block_kind.init(device, memory, input_byte() & 1 ? read_only : value);
}

/* A header, and for some requests what follows it. */
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

const struct guest_device guest_device = { .init = init, .request = request };

/* Completions by a ring come when the Host's kernel likes: not in the same order each time. */
int __wrap_io_uring_queue_init(unsigned int entries, void *ring, unsigned int flags);
int __wrap_io_uring_queue_init(unsigned int entries, void *ring, unsigned int flags)
{
	(void)entries;
	(void)ring;
	(void)flags;
	return -38;	/* ENOSYS */
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	int fd;

	(void)argc;
	(void)argv;
	messages_catch();
	rights_drop();
	snprintf(value, sizeof(value), "%s/disk", scratch_directory());
	snprintf(read_only, sizeof(read_only), "%s,ro", value);
	fd = open(value, O_RDWR | O_CREAT, 0600);
	require(!ftruncate(fd, SECTORS * 512));
	close(fd);
	return 0;
}
