// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading and writing a file: by io_uring, with many requests under way; or, on a host that
 * does not allow that, by one system call after the other.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/compiler.h"
#include "base/message.h"
#include "disk/disk_io.h"
#include "disk/disk_overlay.h"

/* liburing of Debian 12 has these two functions in its header, but not in the library. */
static int ring_register(struct io_uring *ring, unsigned int what, void *argument, unsigned int count)
{
	return syscall(SYS_io_uring_register, ring->ring_fd, what, argument, count) < 0 ? -errno : 0;
}

/*
 * A ring can do what system calls do, and no seccomp filter sees it. So restrict the ring:
 * whoever fills it can only do with the disk and its overlay what disks need.
 */
static int restrict_ring(struct io_uring *ring, int fd, const struct disk_overlay *overlay)
{
	const int files[] = { fd, overlay ? overlay->fd : -1 };
	struct io_uring_restriction restrictions[] = {
		{ .opcode = IORING_RESTRICTION_SQE_OP, .sqe_op = IORING_OP_READV },
		{ .opcode = IORING_RESTRICTION_SQE_OP, .sqe_op = IORING_OP_WRITEV },
		{ .opcode = IORING_RESTRICTION_SQE_OP, .sqe_op = IORING_OP_FSYNC },
		{ .opcode = IORING_RESTRICTION_SQE_OP, .sqe_op = IORING_OP_FALLOCATE },
		{ .opcode = IORING_RESTRICTION_SQE_OP, .sqe_op = IORING_OP_NOP },
		{ .opcode = IORING_RESTRICTION_SQE_FLAGS_REQUIRED, .sqe_flags = IOSQE_FIXED_FILE },
		{ .opcode = IORING_RESTRICTION_REGISTER_OP, .register_op = IORING_UNREGISTER_FILES },
	};
	int error = io_uring_register_files(ring, files, ARRAY_SIZE(files));

	if (!error)
		error = ring_register(ring, IORING_REGISTER_RESTRICTIONS, restrictions,
				      ARRAY_SIZE(restrictions));
	return error ? error : ring_register(ring, IORING_REGISTER_ENABLE_RINGS, NULL, 0);
}

/**
 * disk_io_init() - prepare for requests
 * @io: filled in; disk_io_exit() it
 * @fd: the file, which stays the caller's
 * @overlay: the overlay over the file, or NULL
 * @requests: how many can be under way at most
 */
void disk_io_init(struct disk_io *io, int fd, struct disk_overlay *overlay,
		  unsigned int requests)
{
	int error;

	memset(io, 0, sizeof(*io));
	io->fd = fd;
	io->overlay = overlay;
	error = io_uring_queue_init(requests, &io->ring, IORING_SETUP_R_DISABLED);
	if (!error) {
		error = restrict_ring(&io->ring, fd, overlay);
		if (error)
			io_uring_queue_exit(&io->ring);
	}
	io->has_ring = !error;
	if (error)
		detail("the host has no io_uring for us (%s): the disk does one thing at a time",
		       strerror(-error));
}

/**
 * disk_io_exit() - give back what disk_io_init() took
 * @io: as it left it; no request is under way
 */
void disk_io_exit(struct disk_io *io)
{
	/*
	 * A ring that is closed keeps its files open for a while, and with them the lock of the
	 * disk.
	 */
	if (io->has_ring) {
		io_uring_unregister_files(&io->ring);
		io_uring_queue_exit(&io->ring);
	}
	io->has_ring = false;
}

/**
 * disk_io_descriptor() - the descriptor to wait for
 * @io: from disk_io_init()
 *
 * Return: a descriptor that is readable while requests have ended, or -1.
 */
int disk_io_descriptor(const struct disk_io *io)
{
	return io->has_ring ? io->ring.ring_fd : -1;
}

static int fallocate_mode(const struct disk_request *request)
{
	return FALLOC_FL_KEEP_SIZE | (request->operation == DISK_DISCARD ? FALLOC_FL_PUNCH_HOLE
									 : FALLOC_FL_ZERO_RANGE);
}

static int64_t do_now(const struct disk_request *request)
{
	int64_t result;
	int fd = request->fd;

	switch (request->operation) {
	case DISK_READ:
		result = preadv(fd, request->iov, request->count, request->offset);
		break;
	case DISK_WRITE:
	case DISK_WRITE_THROUGH:
		result = pwritev2(fd, request->iov, request->count, request->offset,
				  request->operation == DISK_WRITE_THROUGH ? RWF_DSYNC : 0);
		break;
	case DISK_SYNC:
		result = fdatasync(fd);
		break;
	case DISK_NOTHING:
		result = 0;
		break;
	default:
		result = fallocate(fd, fallocate_mode(request), request->offset, request->size);
	}
	return result < 0 ? -errno : result;
}

static void prepare(const struct disk_io *io, struct io_uring_sqe *entry,
		    struct disk_request *request)
{
	const int fd = request->fd != io->fd;	/* of the ring's files: the disk, and what lies over it */

	switch (request->operation) {
	case DISK_READ:
		io_uring_prep_readv(entry, fd, request->iov, request->count, request->offset);
		break;
	case DISK_WRITE:
	case DISK_WRITE_THROUGH:
		io_uring_prep_writev2(entry, fd, request->iov, request->count, request->offset,
				      request->operation == DISK_WRITE_THROUGH ? RWF_DSYNC : 0);
		break;
	case DISK_SYNC:
		io_uring_prep_fsync(entry, fd, IORING_FSYNC_DATASYNC);
		break;
	case DISK_NOTHING:
		io_uring_prep_nop(entry);
		break;
	default:
		io_uring_prep_fallocate(entry, fd, fallocate_mode(request), request->offset,
					request->size);
	}
	entry->flags |= IOSQE_FIXED_FILE;
	io_uring_sqe_set_data(entry, request);
}

/**
 * disk_io_start() - start a request
 * @io: from disk_io_init()
 * @request: what to do; the caller leaves it alone until disk_io_ended() returns it
 *
 * The request may begin only at disk_io_submit().
 */
void disk_io_start(struct disk_io *io, struct disk_request *request)
{
	struct io_uring_sqe *entry;

	io->under_way++;
	request->fd = io->fd;
	if (io->overlay)
		disk_overlay_aim(io->overlay, io->fd, request);
	if (!io->has_ring) {
		request->result = do_now(request);
		request->next = io->ended;
		io->ended = request;
		return;
	}
	/* The ring has as many entries as there are requests, so one is free after a submit. */
	while (!(entry = io_uring_get_sqe(&io->ring)))
		disk_io_submit(io);
	prepare(io, entry, request);
}

/**
 * disk_io_submit() - begin all requests that were started
 * @io: from disk_io_init()
 */
void disk_io_submit(struct disk_io *io)
{
	int error;

	if (!io->has_ring || !io_uring_sq_ready(&io->ring))
		return;
	do
		error = io_uring_submit(&io->ring);
	while (error == -EINTR || error == -EAGAIN);
	if (error < 0)
		message("the host does not take disk requests: %s", strerror(-error));
}

/**
 * disk_io_ended() - get the next request that has ended
 * @io: from disk_io_init()
 *
 * Return: a request with its result, or NULL if none has.
 */
struct disk_request *disk_io_ended(struct disk_io *io)
{
	struct disk_request *request = io->ended;
	struct io_uring_cqe *entry;

	if (io->has_ring) {
		if (io_uring_peek_cqe(&io->ring, &entry))
			return NULL;
		request = io_uring_cqe_get_data(entry);
		request->result = entry->res;
		io_uring_cqe_seen(&io->ring, entry);
	} else if (request) {
		io->ended = request->next;
	}
	io->under_way -= request != NULL;
	if (request && io->overlay)
		disk_overlay_ended(io->overlay, request);
	return request;
}

/**
 * disk_io_wait() - wait for a request to end
 * @io: from disk_io_init()
 *
 * Return: one that has, or NULL if none is under way.
 */
struct disk_request *disk_io_wait(struct disk_io *io)
{
	struct disk_request *request = NULL;
	struct io_uring_cqe *entry;

	while (io->under_way && !(request = disk_io_ended(io))) {
		disk_io_submit(io);
		io_uring_wait_cqe(&io->ring, &entry);	/* or a signal */
	}
	return request;
}
