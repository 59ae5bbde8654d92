// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the guest asks of a disk (virtio 1.2, section 5.2.6).
 *
 * A request of the guest's is done in steps, and each step starts one request to the host: a
 * read or write may come back short, buffers that the host can't use as they are go through one
 * of ours, and a discard may have several ranges. step() starts the next step, and ended() sees
 * how it went.
 */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "base/message.h"
#include "virtio/block/block.h"

/* The most bytes of one step: a step that has begun can't be stopped. */
#define MOST_AT_ONCE	(4U << 20)

/*
 * The size of our own buffer for a request that needs one, and of the zeroes that are written.
 */
#define BOUNCE_SIZE	(64 * 1024)
#define BOUNCE_ALIGN	4096
static const uint8_t zeroes[BOUNCE_SIZE] __attribute__((aligned(BOUNCE_ALIGN)));

static void step(struct virtio_queue *queue, struct request *request);

static void finish(struct virtio_queue *queue, struct request *request, uint8_t status)
{
	struct block *block = queue->device->private;

	*request->status = status;
	/*
	 * All bytes below this length must have been written (2.7.8.2), which a failed read has
	 * not done.
	 */
	virtio_push(queue, &request->chain,
		    status == VIRTIO_BLK_S_OK || !request->written ? request->written + 1 : 0);
	free(request->bounce);
	request->bounce = NULL;
	request->next_free = block->free;
	block->free = request;
}

/* The host could not do it: give the guest an I/O error, and tell the person why, once. */
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

/*
 * Past the page cache each piece must be whole blocks, at addresses that are multiples of a
 * block.
 */
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

/* Put the next piece into our own buffer. Return: false if there is no memory. */
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

/* Cut the piece: large data is done a buffer, or a part of one, at a time. */
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

/* A discard is a hint; to write zeroes is not (5.2.6). */
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
		step_range(queue, request);	/* calls us again, MOST_RANGES times at most */
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

/* Start the next step, or finish. */
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

/* The step that step() started has ended. */
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
		good = result > 0;	/* 0: somebody has made the file shorter */
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
	/* Cut a long request off when the device stops: nobody wants the rest. */
	if (good && (queue->device->stopping || !virtio_stop_time(queue)))
		finish(queue, request, VIRTIO_BLK_S_IOERR);
	else if (good)
		step(queue, request);
	else
		fail(queue, request, result ? -result : EIO);
}

/*
 * A driver that has not accepted FLUSH expects a write that has ended to be on the disk
 * (5.2.6.2). Otherwise the driver decides if it may, or the person.
 */
static bool is_write_through(struct virtio_device *device)
{
	return !virtio_has_feature(device, VIRTIO_BLK_F_FLUSH) ||
	       !__atomic_load_n(&device->config[WCE_OFFSET], __ATOMIC_RELAXED);
}

/* Return: VIRTIO_BLK_S_OK if the request can be done in steps; else what is wrong. */
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

/* Begin a new request, which has nothing but its chain. */
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

/* Look at all requests that have ended by now. */
static void see_ended(struct virtio_queue *queue)
{
	struct block *block = queue->device->private;
	struct disk_request *io;

	while ((io = disk_io_ended(&block->io)))
		ended(queue, container_of(io, struct request, io));
}

/**
 * block_run() - serve the guest's requests until the device must stop
 * @queue: the disk's only queue
 */
void block_run(struct virtio_queue *queue)
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
	/* The host may still be using the guest's memory. */
	while ((io = disk_io_wait(&block->io)))
		ended(queue, container_of(io, struct request, io));
}
