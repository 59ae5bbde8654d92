// SPDX-License-Identifier: GPL-2.0-only
/*
 * A disk (virtio 1.2, section 5.2) in a file or block device of the Host.
 *
 * A request of the Guest's is done in steps, of which each starts one request to the
 * Host: a read or write may come back short, buffers that the Host can't use as they
 * are go through one of ours, a discard may have several ranges. step() starts the
 * next one, ended() sees how it went.
 */
#include <endian.h>
#include <errno.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_ids.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../compiler.h"
#include "../message.h"
#include "../value.h"
#include "disk_file.h"
#include "disk_io.h"
#include "vhost_block.h"
#include "virtio.h"

/* Ranges of one discard request; and how long each may be: 1 GiB. */
#define MOST_RANGES	32
#define MOST_SECTORS	(1U << 21)

/* Bytes of one step: a disk can't be told to stop one. */
#define MOST_AT_ONCE	(4U << 20)

/* Our own buffer for a request that needs one, and zeroes to write. */
#define BOUNCE_SIZE	(64 * 1024)
#define BOUNCE_ALIGN	4096
static const uint8_t zeroes[BOUNCE_SIZE] __attribute__((aligned(BOUNCE_ALIGN)));

#define WCE_OFFSET	offsetof(struct virtio_blk_config, wce)

/* What the Guest asked for, as far as it is not done. */
struct request {
	struct disk_request io;		/* the step under way */
	struct request *next_free;
	struct virtio_chain chain;
	uint32_t type;			/* VIRTIO_BLK_T_* */
	bool write_through;
	bool synced;			/* if it must be: its last step is under way */
	uint8_t *status;		/* the Guest's */
	uint32_t written;		/* bytes for the Guest, if all goes well */
	/* Data: the rest of it, and where it goes; or ranges. */
	struct iovec *iov;
	unsigned int count;
	uint64_t position, left;
	struct iovec part;		/* of them, if they are too large */
	/* Through our own buffer, from position on. */
	uint8_t *bounce;
	struct iovec piece;
	/* The range, if the Host can't zero it otherwise. */
	uint64_t zero_from, zero_left;
};

struct block {
	struct disk_file file;
	struct disk_io io;
	char *path;
	char serial[VIRTIO_BLK_ID_BYTES];	/* 5.2.6.1: with a 0 at the end if there is room */
	int told;			/* errno of the last failure that the person heard of */
	struct request *free;
	struct request request[VIRTIO_QUEUE_SIZE];
};

static void step(struct virtio_queue *queue, struct request *request);

static void finish(struct virtio_queue *queue, struct request *request, uint8_t status)
{
	struct block *block = queue->device->private;

	*request->status = status;
	/* 2.7.8.2: all that is below this length is written. A failed read is not. */
	virtio_push(queue, &request->chain,
		    status == VIRTIO_BLK_S_OK || !request->written ? request->written + 1 : 0);
	free(request->bounce);
	request->bounce = NULL;
	request->next_free = block->free;
	block->free = request;
}

/* The Host could not do it: the Guest hears of an I/O error, the person why, once. */
static void fail(struct virtio_queue *queue, struct request *request, int error)
{
	struct block *block = queue->device->private;

	if (block->told != error)
		message("the disk '%s': %s: the guest sees I/O errors", block->path,
			strerror(error));
	block->told = error;
	finish(queue, request, VIRTIO_BLK_S_IOERR);
}

static void start(struct virtio_queue *queue, struct request *request,
		  enum disk_operation operation, uint64_t offset)
{
	struct block *block = queue->device->private;

	request->io.operation = operation;
	request->io.offset = offset;
	disk_io_start(&block->io, &request->io);
}

static enum disk_operation write_operation(const struct request *request)
{
	return request->write_through ? DISK_WRITE_THROUGH : DISK_WRITE;
}

/* Past the page cache each piece must be whole blocks, at addresses of such. */
static bool must_bounce(const struct block *block, const struct request *request)
{
	uintptr_t mask = block->file.block_size - 1;
	unsigned int i;

	if (block->file.cache != DISK_CACHE_NONE)
		return false;
	for (i = 0; i < request->count; i++)
		if (((uintptr_t)request->iov[i].iov_base | request->iov[i].iov_len) & mask)
			return true;
	return false;
}

/* The next piece in our own buffer. Return: false if there is no memory. */
static bool bounce(struct request *request)
{
	bool write = request->type == VIRTIO_BLK_T_OUT;
	size_t size = request->left < BOUNCE_SIZE ? request->left : BOUNCE_SIZE;

	if (!request->bounce)
		request->bounce = aligned_alloc(BOUNCE_ALIGN, BOUNCE_SIZE);
	if (!request->bounce)
		return false;
	request->piece.iov_base = request->bounce;
	request->piece.iov_len = size;
	if (write)
		iov_read(&request->iov, &request->count, request->bounce, size);
	return true;
}

/* What is so large is done a buffer, or a part of one, at a time. */
static void limit(struct request *request)
{
	while (!request->iov->iov_len) {
		request->iov++;
		request->count--;
	}
	request->part = *request->iov;
	if (request->part.iov_len > MOST_AT_ONCE)
		request->part.iov_len = MOST_AT_ONCE;
	request->io.iov = &request->part;
	request->io.count = 1;
}

static void step_transfer(struct virtio_queue *queue, struct request *request)
{
	const struct block *block = queue->device->private;

	if (!request->left) {
		finish(queue, request, VIRTIO_BLK_S_OK);
		return;
	}
	/* A write of the last piece that came back short goes on where it stopped. */
	if (!request->piece.iov_len && must_bounce(block, request) && !bounce(request)) {
		fail(queue, request, ENOMEM);
		return;
	}
	request->io.iov = request->piece.iov_len ? &request->piece : request->iov;
	request->io.count = request->piece.iov_len ? 1 : request->count;
	if (!request->piece.iov_len && request->left > MOST_AT_ONCE)
		limit(request);
	start(queue, request, request->type == VIRTIO_BLK_T_IN ? DISK_READ : write_operation(request),
	      request->position);
}

static void ended_transfer(struct request *request, size_t done)
{
	request->position += done;
	request->left -= done;
	if (!request->piece.iov_len) {
		iov_skip(&request->iov, &request->count, done);
	} else if (request->type == VIRTIO_BLK_T_IN) {
		iov_write(&request->iov, &request->count, request->bounce, done);
		request->piece.iov_len = 0;
	} else {
		request->piece.iov_base = (uint8_t *)request->piece.iov_base + done;
		request->piece.iov_len -= done;
	}
}

/* Do the bytes lie in the disk? */
static bool is_inside(const struct block *block, uint64_t sector, uint64_t size)
{
	return sector <= block->file.size / SECTOR_SIZE &&
	       size <= block->file.size - sector * SECTOR_SIZE;
}

/* 5.2.6: a discard is a hint, zeroes are none. */
static void step_range(struct virtio_queue *queue, struct request *request)
{
	const struct block *block = queue->device->private;
	struct virtio_blk_discard_write_zeroes range;
	uint32_t flags;

	if (request->zero_left) {
		request->piece.iov_base = (void *)zeroes;
		request->piece.iov_len = request->zero_left < BOUNCE_SIZE ? request->zero_left
									  : BOUNCE_SIZE;
		request->io.iov = &request->piece;
		request->io.count = 1;
		start(queue, request, write_operation(request), request->zero_from);
		return;
	}
	if (!request->left) {
		if (request->write_through && !request->synced) {
			request->synced = true;
			start(queue, request, DISK_SYNC, 0);
		} else {
			finish(queue, request, VIRTIO_BLK_S_OK);
		}
		return;
	}
	iov_read(&request->iov, &request->count, &range, sizeof(range));
	request->left -= sizeof(range);
	flags = le32toh(range.flags);
	if (flags & ~(request->type == VIRTIO_BLK_T_DISCARD ? 0 : VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP)) {
		finish(queue, request, VIRTIO_BLK_S_UNSUPP);
		return;
	}
	request->io.size = (uint64_t)le32toh(range.num_sectors) * SECTOR_SIZE;
	if (le32toh(range.num_sectors) > MOST_SECTORS ||
	    !is_inside(block, le64toh(range.sector), request->io.size)) {
		finish(queue, request, VIRTIO_BLK_S_IOERR);
		return;
	}
	if (!request->io.size)
		step_range(queue, request);	/* one of MOST_RANGES at most */
	else
		start(queue, request, request->type == VIRTIO_BLK_T_DISCARD || flags ? DISK_DISCARD
										     : DISK_ZERO,
		      le64toh(range.sector) * SECTOR_SIZE);
}

/* Return: false if the request has failed. */
static bool ended_range(struct request *request)
{
	int64_t result = request->io.result;

	if (request->synced)
		return result >= 0;
	if (request->zero_left) {
		if (result <= 0)
			return false;
		request->zero_from += result;
		request->zero_left -= result;
		return true;
	}
	if (result == -EOPNOTSUPP && request->type == VIRTIO_BLK_T_WRITE_ZEROES) {
		request->zero_from = request->io.offset;
		request->zero_left = request->io.size;
		return true;
	}
	return result >= 0 || result == -EOPNOTSUPP;
}

/* Start what is to be done next, or finish. */
static void step(struct virtio_queue *queue, struct request *request)
{
	switch (request->type) {
	case VIRTIO_BLK_T_IN:
	case VIRTIO_BLK_T_OUT:
		step_transfer(queue, request);
		break;
	case VIRTIO_BLK_T_FLUSH:
		start(queue, request, DISK_SYNC, 0);
		break;
	default:
		step_range(queue, request);
	}
}

/* What step() started has ended. */
static void ended(struct virtio_queue *queue, struct request *request)
{
	int64_t result = request->io.result;
	bool good = result >= 0;

	if (result == -EINTR || result == -EAGAIN) {
		struct block *block = queue->device->private;

		disk_io_start(&block->io, &request->io);
		return;
	}
	switch (request->type) {
	case VIRTIO_BLK_T_IN:
	case VIRTIO_BLK_T_OUT:
		good = result > 0;	/* nothing: somebody has made the file shorter */
		if (good)
			ended_transfer(request, result);
		break;
	case VIRTIO_BLK_T_FLUSH:
		if (good) {
			finish(queue, request, VIRTIO_BLK_S_OK);
			return;
		}
		break;
	default:
		good = ended_range(request);
	}
	/* A request may take very long, and nobody wants its rest when it is cut off. */
	if (good && (queue->device->stopping || !virtio_stop_time(queue)))
		finish(queue, request, VIRTIO_BLK_S_IOERR);
	else if (good)
		step(queue, request);
	else
		fail(queue, request, result ? -result : EIO);
}

/*
 * 5.2.6.2: who has not accepted FLUSH expects a write that has ended to be on the
 * disk. Else it is as the driver says, if it may, or as the person does.
 */
static bool is_write_through(struct virtio_device *device)
{
	return !virtio_has_feature(device, VIRTIO_BLK_F_FLUSH) ||
	       !__atomic_load_n(&device->config[WCE_OFFSET], __ATOMIC_RELAXED);
}

/* Return: VIRTIO_BLK_S_OK if there is something to do, in steps; else what is wrong. */
static uint8_t check(const struct block *block, struct request *request, uint64_t sector,
		     size_t out, size_t in)
{
	switch (request->type) {
	case VIRTIO_BLK_T_IN:
	case VIRTIO_BLK_T_OUT:
		request->left = request->type == VIRTIO_BLK_T_IN ? in : out;
		if ((request->type == VIRTIO_BLK_T_OUT && block->file.read_only) ||
		    request->left % SECTOR_SIZE || !is_inside(block, sector, request->left))
			return VIRTIO_BLK_S_IOERR;
		request->position = sector * SECTOR_SIZE;
		return VIRTIO_BLK_S_OK;
	case VIRTIO_BLK_T_FLUSH:
		return VIRTIO_BLK_S_OK;
	case VIRTIO_BLK_T_DISCARD:
	case VIRTIO_BLK_T_WRITE_ZEROES:
		request->left = out;
		if (block->file.read_only || !out ||
		    out % sizeof(struct virtio_blk_discard_write_zeroes) ||
		    out / sizeof(struct virtio_blk_discard_write_zeroes) > MOST_RANGES)
			return VIRTIO_BLK_S_IOERR;
		return VIRTIO_BLK_S_OK;
	default:
		return VIRTIO_BLK_S_UNSUPP;
	}
}

/* A new request: its chain is there, and nothing else. */
static void begin(struct virtio_queue *queue, struct request *request)
{
	struct iovec *out = request->chain.iov, *in = request->chain.iov + request->chain.out;
	unsigned int outs = request->chain.out, ins = request->chain.in;
	struct block *block = queue->device->private;
	struct virtio_blk_outhdr header;
	uint8_t status;

	if (iov_read(&out, &outs, &header, sizeof(header)) != sizeof(header) ||
	    !iov_cut_tail(in, &ins, (void **)&request->status)) {
		pthread_mutex_lock(&queue->device->lock);
		virtio_misuse(queue->device, "a request without header or status");
		pthread_mutex_unlock(&queue->device->lock);
		virtio_drop(queue);
		request->next_free = block->free;
		block->free = request;
		return;
	}
	request->type = le32toh(header.type);
	request->written = iov_size(in, ins);
	request->write_through = is_write_through(queue->device);
	request->synced = false;
	request->left = 0;
	request->piece.iov_len = 0;
	request->zero_left = 0;
	request->iov = request->type == VIRTIO_BLK_T_IN ? in : out;
	request->count = request->type == VIRTIO_BLK_T_IN ? ins : outs;
	if (request->type == VIRTIO_BLK_T_GET_ID) {
		iov_write(&in, &ins, block->serial, sizeof(block->serial));
		finish(queue, request, VIRTIO_BLK_S_OK);
		return;
	}
	status = check(block, request, le64toh(header.sector), iov_size(out, outs),
		       request->written);
	if (status == VIRTIO_BLK_S_OK)
		step(queue, request);
	else
		finish(queue, request, status);
}

/* All that has ended so far. */
static void see_ended(struct virtio_queue *queue)
{
	struct block *block = queue->device->private;
	struct disk_request *io;

	while ((io = disk_io_ended(&block->io)))
		ended(queue, container_of(io, struct request, io));
}

static void block_run(struct virtio_queue *queue)
{
	struct block *block = queue->device->private;
	struct disk_request *io;
	struct request *request;

	while (virtio_wait(queue, disk_io_descriptor(&block->io), -1) != VIRTIO_WAIT_STOP) {
		see_ended(queue);
		while (!queue->device->stopping && (request = block->free) &&
		       virtio_pop(queue, &request->chain)) {
			block->free = request->next_free;
			begin(queue, request);
			see_ended(queue);
		}
		disk_io_submit(&block->io);
	}
	/* The Host may still be using the Guest's memory. */
	while ((io = disk_io_wait(&block->io)))
		ended(queue, container_of(io, struct request, io));
}

/* 5.2.5.2: the driver chooses between write-back and write-through. */
static void block_write_config(struct virtio_device *device, uint64_t offset, unsigned int length,
			       uint64_t value)
{
	struct block *block = device->private;

	if (offset != WCE_OFFSET || length != 1 ||
	    !virtio_has_feature(device, VIRTIO_BLK_F_CONFIG_WCE))
		return;
	__atomic_store_n(&device->config[WCE_OFFSET], value & 1, __ATOMIC_RELAXED);
	/* What was written before is to be as safe as what will be. */
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

static int choose_cache(struct block *block, const char *word)
{
	static const char * const names[] = {
		[DISK_CACHE_NONE] = "none",
		[DISK_CACHE_WRITEBACK] = "writeback",
		[DISK_CACHE_WRITETHROUGH] = "writethrough",
	};
	unsigned int i;

	for (i = DISK_CACHE_NONE; word && i < ARRAY_SIZE(names); i++) {
		if (!strcmp(word, names[i])) {
			block->file.cache = i;
			return 0;
		}
	}
	if (!word)
		return 0;
	return misused("a disk has no cache=%s: say cache=none, cache=writeback or cache=writethrough",
		      word);
}

/* Open the disk that @value names. */
static int open_disk(struct block *block, const struct value *value)
{
	const char *serial = value_get(value, "serial");
	int error = value_refuse_others(value, "block", "ro", "snapshot", "serial=", "cache=", NULL);

	if (!error)
		error = choose_cache(block, value_get(value, "cache"));
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
		return refuse(-ENOMEM, "no memory");
	return disk_file_open(&block->file, block->path);
}

static void describe(struct virtio_device *device, const struct block *block)
{
	uint32_t block_size = block->file.block_size, physical = block->file.physical_block_size;
	struct virtio_blk_config config = {
		.capacity = htole64(block->file.size / SECTOR_SIZE),
		.seg_max = htole32(VIRTIO_QUEUE_SIZE - 2),	/* all but header and status */
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
		return refuse(-ENOMEM, "no memory");
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
