// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a guest of Xen's ABI asks of a disk: requests in a ring of one page, each of up to 11
 * parts of pages. Each is copied out of the ring before anything of it is looked at.
 */
#include <errno.h>
#include <string.h>

#include "base/event.h"
#include "base/compiler.h"
#include "base/message.h"
#include "virtio/virtio.h"
#include "xen/block.h"
#include "xen/grant.h"

static void respond(struct xen_block *block, struct xen_block_request *request, int16_t status)
{
	struct blkif_response response = {
		.id = request->id, .operation = request->operation, .status = status,
	};
	uint32_t old = block->response_prod++, event;

	/* Of an entry whose request is done: there are no more under way than entries. */
	memcpy(&block->ring->entry[old % BLKIF_ENTRIES].response, &response, sizeof(response));
	__atomic_store_n(&block->ring->response_prod, block->response_prod, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	event = READ_ONCE(block->ring->response_event);
	if (block->response_prod - event < block->response_prod - old)
		event_set(block->port.raise);
	request->next_free = block->free;
	block->free = request;
}

/* The host could not do it: the guest hears of an error, the person why, once. */
static void fail(struct xen_block *block, struct xen_block_request *request, int error)
{
	if (block->told != error)
		message("the disk '%s': %s: the guest sees I/O errors", block->path, strerror(error));
	block->told = error;
	respond(block, request, BLKIF_ERROR);
}

/*
 * Linux takes an error here for a disk that can't flush: it reports success, and flushes no
 * more. So that the guest notices, no write succeeds from now on.
 */
static void fail_flush(struct xen_block *block, struct xen_block_request *request, int error)
{
	if (!block->flush_failed)
		message("the disk '%s': %s: what the guest has written to it may be lost, and it can write no more",
			block->path, strerror(error));
	block->flush_failed = true;
	respond(block, request, BLKIF_ERROR);
}

static void start(struct xen_block *block, struct xen_block_request *request)
{
	static const enum disk_operation operations[] = {
		[BLKIF_READ] = DISK_READ, [BLKIF_WRITE] = DISK_WRITE, [BLKIF_FLUSH] = DISK_SYNC,
	};

	request->io.operation = operations[request->operation];
	if (request->operation == BLKIF_WRITE && block->file.cache == DISK_CACHE_WRITETHROUGH)
		request->io.operation = DISK_WRITE_THROUGH;
	request->io.offset = request->position;
	request->io.iov = request->iov;
	request->io.count = request->count;
	disk_io_start(&block->io, &request->io);
}

/**
 * xen_block_ended() - what start() started has ended
 * @block: the disk
 * @io: of one of its requests
 */
void xen_block_ended(struct xen_block *block, struct disk_request *io)
{
	struct xen_block_request *request = container_of(io, struct xen_block_request, io);
	int64_t result = io->result;

	if (result == -EINTR || result == -EAGAIN) {
		disk_io_start(&block->io, io);
	} else if (request->operation == BLKIF_FLUSH) {
		if (result < 0)
			fail_flush(block, request, -result);
		else
			respond(block, request, BLKIF_OK);
	} else if (result <= 0) {
		/* Nothing: somebody has made the file shorter. */
		fail(block, request, result ? -result : EIO);
	} else {
		request->position += result;
		request->left -= result;
		iov_skip(&request->iov, &request->count, result);
		if (!request->left)
			respond(block, request, BLKIF_OK);
		else if (block->stopping)
			respond(block, request, BLKIF_ERROR);
		else
			start(block, request);
	}
}

/* The pages of a transfer. Return: false if they are not the guest's to give. */
static bool take_segments(struct xen_block *block, struct xen_block_request *request,
			  const struct blkif_request *wish)
{
	bool read = wish->operation == BLKIF_READ;
	unsigned int i;

	if (!wish->segments || wish->segments > BLKIF_SEGMENTS)
		return false;
	request->left = 0;
	for (i = 0; i < wish->segments; i++) {
		const struct blkif_segment *segment = &wish->segment[i];
		uint8_t *page;

		if (segment->first > segment->last || segment->last >= BLKIF_SECTORS)
			return false;
		page = xen_grant(block->area, block->memory, segment->grant, read);
		if (!page)
			return false;
		request->data[i].iov_base = page + segment->first * SECTOR_SIZE;
		request->data[i].iov_len = (segment->last - segment->first + 1) * SECTOR_SIZE;
		request->left += request->data[i].iov_len;
	}
	request->iov = request->data;
	request->count = wish->segments;
	return true;
}

static bool is_writable(const struct xen_block *block)
{
	return !block->file.read_only && !block->flush_failed;
}

static bool is_inside(const struct xen_block *block, uint64_t sector, uint64_t size)
{
	return sector <= block->file.size / SECTOR_SIZE &&
	       size <= block->file.size - sector * SECTOR_SIZE;
}

static void begin(struct xen_block *block, struct xen_block_request *request,
		  const struct blkif_request *wish)
{
	request->id = wish->id;
	request->operation = wish->operation;
	switch (wish->operation) {
	case BLKIF_READ:
	case BLKIF_WRITE:
		if ((wish->operation == BLKIF_WRITE && !is_writable(block)) ||
		    !take_segments(block, request, wish) ||
		    !is_inside(block, wish->sector, request->left)) {
			respond(block, request, BLKIF_ERROR);
			return;
		}
		request->position = wish->sector * SECTOR_SIZE;
		break;
	case BLKIF_FLUSH:
		/* All is flushed; Linux writes nothing with it. */
		if (wish->segments) {
			respond(block, request, BLKIF_UNSUPPORTED);
			return;
		}
		request->position = 0;
		request->count = 0;
		break;
	default:
		respond(block, request, BLKIF_UNSUPPORTED);
		return;
	}
	start(block, request);
}

/* Are there more requests in the ring? If not, the guest is to say when there are. */
static bool have_more(struct xen_block *block)
{
	uint32_t prod = READ_ONCE(block->ring->request_prod);

	if (prod == block->request_cons) {
		WRITE_ONCE(block->ring->request_event, prod + 1);
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		prod = READ_ONCE(block->ring->request_prod);
	}
	if (prod - block->request_cons <= BLKIF_ENTRIES) {
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		return prod != block->request_cons;
	}
	message("the guest misuses its disk '%s': it asks for more than there is room for",
		block->path);
	block->broken = true;
	return false;
}

/**
 * xen_block_take() - begin as many requests as there are, and as can be under way
 * @block: the disk, connected
 */
void xen_block_take(struct xen_block *block)
{
	struct xen_block_request *request;
	struct blkif_request wish;

	while (!block->broken && !block->stopping && (request = block->free) && have_more(block)) {
		memcpy(&wish, &block->ring->entry[block->request_cons % BLKIF_ENTRIES].request,
		       sizeof(wish));
		barrier();
		block->request_cons++;
		block->free = request->next_free;
		begin(block, request, &wish);
	}
}

/* Answer all requests that have ended by now. Return: were there any? */
static bool see_ended(struct xen_block *block)
{
	struct disk_request *io;
	bool any = false;

	while ((io = disk_io_ended(&block->io))) {
		xen_block_ended(block, io);
		any = true;
	}
	return any;
}

/**
 * xen_block_work() - all that can be done now
 * @block: the disk, connected
 *
 * The guest says that there are more requests only when xen_block_take() has seen the ring
 * empty. With all 32 under way xen_block_take() does not look: so look again after any has
 * ended, and without the host's ring they end at once.
 */
void xen_block_work(struct xen_block *block)
{
	do {
		see_ended(block);
		xen_block_take(block);
		disk_io_submit(&block->io);
	} while (see_ended(block));
}
