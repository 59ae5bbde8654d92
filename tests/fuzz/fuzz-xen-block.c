// SPDX-License-Identifier: GPL-2.0-only
/* A disk of Xen's: any ring, and any grant table. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "input.h"
#include "memory.h"
#include "xen/area.h"
#include "xen/block.h"

#define SIZE	(1ULL << 20)

static struct guest_memory memory;
static struct xen_area area;
static struct xen_block block;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	char path[256];
	int fd;

	(void)argc;
	(void)argv;
	launcher_begin();
	snprintf(path, sizeof(path), "%s/disk", scratch_directory());
	fd = open(path, O_RDWR | O_CREAT, 0600);
	require(fd >= 0 && !ftruncate(fd, 64 << 10));
	close(fd);
	require(!guest_memory_init(&memory, SIZE));
	guest_memory_close_hole(&memory);
	require(!xen_area_init(&area, SIZE));
	block.memory = &memory;
	block.area = &area;
	require(!xen_block_init(&block, 0, path));
	return 0;
}

static void put_request(struct blkif_ring *ring)
{
	struct blkif_request *request = &ring->entry[ring->request_prod % BLKIF_ENTRIES].request;

	input_bytes(request, sizeof(*request));
	/* Most are not so wrong that nothing comes of them. */
	if (input_below(4)) {
		request->operation %= 4;
		request->segments %= BLKIF_SEGMENTS + 1;
		request->sector %= 256;
	}
	ring->request_prod += input_below(64) ? 1 : input_32();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct blkif_ring *ring = (void *)memory.base;
	struct disk_request *io;
	unsigned int i;

	input_begin(data, size);
	memset(ring, 0, PAGE_SIZE);
	block.ring = ring;
	block.request_cons = block.response_prod = 0;
	block.broken = false;
	block.free = NULL;
	for (i = 0; i < BLKIF_ENTRIES; i++) {
		block.request[i].next_free = block.free;
		block.free = &block.request[i];
	}
	/* Good ones, and a few of the input's. The ring itself may be granted, too. */
	for (i = 0; i < 256; i++)
		area.grants[i] = (struct xen_grant_entry){ 1, 0, i };
	input_bytes(&area.grants[input_byte()], 16);
	while (!input_over()) {
		put_request(ring);
		xen_block_take(&block);
		while ((io = disk_io_wait(&block.io)))
			xen_block_ended(&block, io);
		require(block.broken || block.response_prod == block.request_cons);
	}
	return 0;
}
