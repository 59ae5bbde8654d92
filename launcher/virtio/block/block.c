// SPDX-License-Identifier: GPL-2.0-only
/*
 * A disk (virtio 1.2, section 5.2) in a file or block device of the host: what --block= means,
 * and what the driver sees of the disk.
 */
#include <endian.h>
#include <errno.h>
#include <linux/virtio_ids.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/compiler.h"
#include "base/message.h"
#include "base/value.h"
#include "virtio/block/block.h"
#include "virtio/block/vhost_block.h"

/* The driver chooses between write-back and write-through (5.2.5.2). */
static void block_write_config(struct virtio_device *device, uint64_t offset, unsigned int length,
			       uint64_t value)
{
	struct block *block = device->private;

	if (offset != WCE_OFFSET || length != 1 ||
	    !virtio_has_feature(device, VIRTIO_BLK_F_CONFIG_WCE))
		return;
	__atomic_store_n(&device->config[WCE_OFFSET], value & 1, __ATOMIC_RELAXED);
	/* What was written before must be as safe as what will be. */
	if (!(value & 1) && fdatasync(block->file.fd))
		message("the disk '%s': %s", block->path, strerror(errno));
}

static void block_reset(struct virtio_device *device)
{
	const struct block *block = device->private;

	__atomic_store_n(&device->config[WCE_OFFSET],
			 block->file.cache != DISK_CACHE_WRITETHROUGH, __ATOMIC_RELAXED);
}

static void block_exit(struct virtio_device *device)
{
	struct block *block = device->private;

	if (!block)
		return;
	disk_io_exit(&block->io);
	disk_file_close(&block->file);
	free(block->path);
	free(block);
}

static const struct virtio_ops block_ops = {
	.name = "disk",
	.id = VIRTIO_ID_BLOCK,
	.queues = 1,
	.async = true,
	.run = block_run,
	.write_config = block_write_config,
	.reset = block_reset,
	.exit = block_exit,
};

/* Open the disk that @value names. */
static int open_disk(struct block *block, const struct value *value)
{
	const char *serial = value_get(value, "serial");
	int error = value_refuse_others(value, "block", "ro", "snapshot", "serial=", "cache=", NULL);

	if (!error)
		error = disk_file_choose_cache(&block->file, value_get(value, "cache"));
	if (error)
		return error;
	if (!serial)
		serial = "lguest";
	if (strlen(serial) > sizeof(block->serial))
		return misused("'%s' is too long for a disk's serial number: %zu letters are the most",
			      serial, sizeof(block->serial));
	memcpy(block->serial, serial, strlen(serial));
	block->file.read_only = value_flag(value, "ro");
	block->file.snapshot = value_flag(value, "snapshot");
	block->path = strdup(value->first);
	if (!block->path)
		return no_memory();
	return disk_file_open(&block->file, block->path);
}

static void describe(struct virtio_device *device, const struct block *block)
{
	uint32_t block_size = block->file.block_size, physical = block->file.physical_block_size;
	struct virtio_blk_config config = {
		.capacity = htole64(block->file.size / SECTOR_SIZE),
		.seg_max = htole32(VIRTIO_QUEUE_SIZE - 2),	/* all except header and */
		.blk_size = htole32(block_size),
		.physical_block_exp = __builtin_ctz(physical / block_size),
		.min_io_size = htole16(physical / block_size),
		.wce = block->file.cache != DISK_CACHE_WRITETHROUGH,
	};

	device->features |= 1ULL << VIRTIO_BLK_F_SEG_MAX | 1ULL << VIRTIO_BLK_F_BLK_SIZE |
			    1ULL << VIRTIO_BLK_F_TOPOLOGY | 1ULL << VIRTIO_BLK_F_FLUSH |
			    1ULL << VIRTIO_BLK_F_CONFIG_WCE;
	if (block->file.read_only) {
		device->features |= 1ULL << VIRTIO_BLK_F_RO;
	} else {
		device->features |= 1ULL << VIRTIO_BLK_F_DISCARD |
				    1ULL << VIRTIO_BLK_F_WRITE_ZEROES;
		config.max_discard_sectors = htole32(MOST_SECTORS);
		config.max_discard_seg = htole32(MOST_RANGES);
		config.discard_sector_alignment = htole32(physical / SECTOR_SIZE);
		config.max_write_zeroes_sectors = htole32(MOST_SECTORS);
		config.max_write_zeroes_seg = htole32(MOST_RANGES);
		config.write_zeroes_may_unmap = 1;
	}
	_Static_assert(sizeof(config) <= VIRTIO_CONFIG_SIZE, "the configuration fits");
	virtio_config_set(device, &config, sizeof(config));
}

static bool block_shares_memory(const char *text)
{
	return !strncmp(text, VHOST_BLOCK_PREFIX, strlen(VHOST_BLOCK_PREFIX));
}

static int block_init(struct virtio_device *device, const struct guest_memory *memory,
		      const char *text)
{
	struct block *block;
	struct value value;
	unsigned int i;
	int error;

	if (block_shares_memory(text))
		return vhost_block_init(device, memory, text);
	error = virtio_device_init(device, &block_ops, memory);
	if (error)
		return error;
	block = calloc(1, sizeof(*block));
	if (!block)
		return no_memory();
	block->file.fd = block->file.overlay.fd = -1;
	device->private = block;	/* from here on block_exit() closes it */
	error = value_parse(&value, "block", "FILE", text);
	if (!error)
		error = open_disk(block, &value);
	value_free(&value);
	if (error)
		return error;
	disk_io_init(&block->io, block->file.fd, block->file.snapshot ? &block->file.overlay : NULL,
		     ARRAY_SIZE(block->request));
	for (i = 0; i < ARRAY_SIZE(block->request); i++) {
		block->request[i].next_free = block->free;
		block->free = &block->request[i];
	}
	describe(device, block);
	return 0;
}

const struct virtio_kind virtio_block_kind = {
	.option = "block",
	.value = "FILE[,ro][,snapshot][,serial=TEXT][,cache=none|writeback|writethrough]",
	.help = "a disk: /dev/vda in the guest, the next one /dev/vdb; snapshot:\n"
		"what the guest writes is gone at the end;\n"
		"vhost-user:SOCKET for one that another program serves",
	.init = block_init,
	.shares_memory = block_shares_memory,
};
