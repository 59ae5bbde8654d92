// SPDX-License-Identifier: GPL-2.0-only
/*
 * A disk (virtio 1.2, section 5.2) in a file or block device of the Host, one
 * request at a time.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_ids.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../message.h"
#include "../value.h"
#include "virtio.h"

#define SECTOR_SIZE	512

struct block {
	int fd;
	bool read_only;
	uint64_t size;	/* bytes, whole sectors */
};

/* Move all of the buffers' bytes to or from the file. */
static int transfer(const struct block *block, struct iovec *iov, unsigned int count,
		    uint64_t sector, bool write)
{
	size_t size = iov_size(iov, count);
	uint64_t position = sector * SECTOR_SIZE;

	if (size % SECTOR_SIZE || sector > block->size / SECTOR_SIZE ||
	    size > block->size - position)
		return VIRTIO_BLK_S_IOERR;
	for (; count; iov++, count--) {
		char *at = iov->iov_base;
		size_t left = iov->iov_len;

		while (left) {
			ssize_t done = write ? pwrite(block->fd, at, left, position)
					     : pread(block->fd, at, left, position);

			if (done < 0 && errno == EINTR)
				continue;
			if (done <= 0)
				return VIRTIO_BLK_S_IOERR;
			at += done;
			left -= done;
			position += done;
		}
	}
	return VIRTIO_BLK_S_OK;
}

/* in and out: the request's buffers without its header and its status. */
static int do_request(const struct block *block, const struct virtio_blk_outhdr *header,
		      struct iovec *out, unsigned int outs, struct iovec *in, unsigned int ins)
{
	static const char serial[VIRTIO_BLK_ID_BYTES] = "lguest";

	switch (le32toh(header->type)) {
	case VIRTIO_BLK_T_IN:
		return transfer(block, in, ins, le64toh(header->sector), false);
	case VIRTIO_BLK_T_OUT:
		if (block->read_only)
			return VIRTIO_BLK_S_IOERR;
		return transfer(block, out, outs, le64toh(header->sector), true);
	case VIRTIO_BLK_T_FLUSH:
		return fdatasync(block->fd) ? VIRTIO_BLK_S_IOERR : VIRTIO_BLK_S_OK;
	case VIRTIO_BLK_T_GET_ID:
		iov_write(&in, &ins, serial, sizeof(serial));
		return VIRTIO_BLK_S_OK;
	default:
		return VIRTIO_BLK_S_UNSUPP;
	}
}

static void serve(struct virtio_queue *queue, struct virtio_chain *chain)
{
	struct iovec *out = chain->iov, *in = chain->iov + chain->out;
	unsigned int outs = chain->out, ins = chain->in;
	struct virtio_blk_outhdr header;
	uint32_t written;
	void *status;
	int result;

	if (iov_read(&out, &outs, &header, sizeof(header)) != sizeof(header) ||
	    !iov_cut_tail(in, &ins, &status)) {
		pthread_mutex_lock(&queue->device->lock);
		virtio_misuse(queue->device, "a request without header or status");
		pthread_mutex_unlock(&queue->device->lock);
		virtio_drop(queue);
		return;
	}
	written = iov_size(in, ins);
	result = do_request(queue->device->private, &header, out, outs, in, ins);
	*(uint8_t *)status = result;
	/* 2.7.8.2: all that is below this length is written. A failed read is not. */
	virtio_push(queue, chain, result == VIRTIO_BLK_S_OK || !written ? written + 1 : 0);
}

static void block_run(struct virtio_queue *queue)
{
	struct virtio_chain chain;

	while (virtio_wait(queue, -1, -1) != VIRTIO_WAIT_STOP)
		while (!queue->device->stopping && virtio_pop(queue, &chain))
			serve(queue, &chain);
}

static void block_exit(struct virtio_device *device)
{
	struct block *block = device->private;

	if (block && block->fd >= 0)
		close(block->fd);
	free(block);
}

static const struct virtio_ops block_ops = {
	.name = "disk",
	.id = VIRTIO_ID_BLOCK,
	.queues = 1,
	.run = block_run,
	.exit = block_exit,
};

/* The file's size, if it is one that a disk can be in. */
static int check_file(const char *path, struct block *block)
{
	struct stat status;
	off_t end;

	if (fstat(block->fd, &status) < 0)
		return refuse(-errno, "can't use the disk '%s': %s", path, strerror(errno));
	end = lseek(block->fd, 0, SEEK_END);
	if ((!S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode)) || end < SECTOR_SIZE)
		return refuse(-EINVAL, "the disk '%s' is no file or block device of at least %d bytes",
			      path, SECTOR_SIZE);
	/* Two Guests that write to one disk destroy what is on it. */
	if (flock(block->fd, (block->read_only ? LOCK_SH : LOCK_EX) | LOCK_NB) < 0)
		return refuse(-EBUSY, "the disk '%s' is in use by another guest", path);
	block->size = end / SECTOR_SIZE * SECTOR_SIZE;
	return 0;
}

/* Open the disk that @value names. */
static int open_disk(struct block *block, const struct value *value)
{
	const char *path = value->first;
	int error = value_refuse_others(value, "block", "ro", NULL);

	if (error)
		return error;
	block->read_only = value_flag(value, "ro");
	block->fd = open(path, (block->read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NONBLOCK);
	if (block->fd < 0)
		return refuse(-errno, "can't open the disk '%s': %s", path, strerror(errno));
	return check_file(path, block);
}

static int block_init(struct virtio_device *device, const struct guest_memory *memory,
		      const char *text)
{
	struct virtio_blk_config config = { 0 };
	struct block *block;
	struct value value;
	int error;

	error = virtio_device_init(device, &block_ops, memory);
	if (error)
		return error;
	block = calloc(1, sizeof(*block));
	if (!block)
		return refuse(-ENOMEM, "no memory");
	block->fd = -1;
	device->private = block;	/* from here on block_exit() closes it */
	error = value_parse(&value, "block", "FILE", text);
	if (!error)
		error = open_disk(block, &value);
	value_free(&value);
	if (error)
		return error;
	config.capacity = htole64(block->size / SECTOR_SIZE);
	config.seg_max = htole32(VIRTIO_QUEUE_SIZE - 2);	/* all but header and status */
	device->features |= 1ULL << VIRTIO_BLK_F_SEG_MAX | 1ULL << VIRTIO_BLK_F_FLUSH;
	if (block->read_only)
		device->features |= 1ULL << VIRTIO_BLK_F_RO;
	_Static_assert(sizeof(config) <= VIRTIO_CONFIG_SIZE, "the configuration fits");
	virtio_config_set(device, &config, sizeof(config));
	return 0;
}

const struct virtio_kind virtio_block_kind = {
	.option = "block",
	.value = "FILE[,ro]",
	.help = "a disk: /dev/vda in the guest, the next one /dev/vdb",
	.init = block_init,
};
