// SPDX-License-Identifier: GPL-2.0-only
/*
 * A disk of a guest of Xen's ABI: the back end of Linux's xen-blkfront. While the two are
 * connected, a thread does the requests.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "base/event.h"
#include "base/file.h"
#include "base/message.h"
#include "base/thread.h"
#include "base/value.h"
#include "xen/abi.h"
#include "xen/block.h"
#include "xen/device.h"
#include "xen/grant.h"

/* xvda, by its device number, and the next one: 202 << 8. */
#define DEVICE(number)	(51712 + 16 * (number))

/**
 * xen_block_describe() - let a guest that starts find the disk
 * @block: as xen_block_init() left it, with memory, area and store
 */
void xen_block_describe(struct xen_block *block)
{
	const struct xen_device *device = &block->device;
	const struct disk_file *file = &block->file;

	xen_device_set(device, XEN_BACK, "mode", "%s", file->read_only ? "r" : "w");
	xen_device_set(device, XEN_BACK, "info", "%d", file->read_only ? BLKIF_INFO_READ_ONLY : 0);
	xen_device_set(device, XEN_BACK, "sectors", "%llu",
		       (unsigned long long)file->size / SECTOR_SIZE);
	xen_device_set(device, XEN_BACK, "sector-size", "%u", file->block_size);
	xen_device_set(device, XEN_BACK, "physical-sector-size", "%u", file->physical_block_size);
	xen_device_set(device, XEN_BACK, "feature-flush-cache", "1");
	xen_device_set(device, XEN_FRONT, "virtual-device", "%u", device->number);
	xen_device_set(device, XEN_FRONT, "device-type", "disk");
	xen_device_describe(device);
}

static void *run_block(void *argument)
{
	struct xen_block *block = argument;
	struct pollfd poll_fd[] = {
		{ .fd = block->stop, .events = POLLIN },
		{ .fd = block->port.kick, .events = POLLIN },
		{ .fd = disk_io_descriptor(&block->io), .events = POLLIN },
	};
	struct disk_request *io;

	while (!block->stopping) {
		event_take(block->port.kick);
		xen_block_work(block);
		poll(poll_fd, ARRAY_SIZE(poll_fd), -1);	/* or a signal */
	}
	/* The host may still be using the guest's memory. */
	while ((io = disk_io_wait(&block->io)))
		xen_block_ended(block, io);
	return NULL;
}

static void prepare_requests(struct xen_block *block)
{
	unsigned int i;

	block->request_cons = block->response_prod = 0;
	block->broken = block->flush_failed = false;
	block->free = NULL;
	for (i = 0; i < BLKIF_ENTRIES; i++) {
		block->request[i].next_free = block->free;
		block->free = &block->request[i];
	}
}

/* From now on the guest's requests are heard. */
static int start_block(struct xen_block *block)
{
	int error = xen_port_connect(&block->port, block->vm, block->port_number);

	if (error)
		return error;
	event_take(block->stop);
	block->stopping = false;
	error = thread_start(&block->thread, run_block, block);
	if (error)
		xen_port_disconnect(&block->port, block->vm, block->port_number);
	return error;
}

/* The front end is ready. */
static int connect_block(struct xen_block *block)
{
	uint64_t grant, port;
	int error;

	if (!xen_device_get(&block->device, "ring-ref", UINT32_MAX, &grant) ||
	    !xen_device_get(&block->device, "event-channel", XEN_PORTS - 1, &port) ||
	    port < XEN_FIRST_FREE_PORT)
		return -EINVAL;
	block->ring_grant = grant;
	block->port_number = port;
	block->ring = xen_grant_hold(block->area, block->memory, grant);
	if (!block->ring)
		return -EFAULT;
	prepare_requests(block);
	error = start_block(block);
	if (error)
		xen_grant_drop(block->area, block->ring_grant);
	return error;
}

/*
 * Waits for what is under way, so that the guest, which may then take its pages for something
 * else, hears of the end only when the host uses them no more. That is as long as the host's
 * disk takes; the store answers nothing meanwhile.
 */
static void disconnect_block(struct xen_device *device)
{
	struct xen_block *block = container_of(device, struct xen_block, device);

	block->stopping = true;
	event_set(block->stop);
	thread_join(&block->thread);
	xen_port_disconnect(&block->port, block->vm, block->port_number);
	xen_grant_drop(block->area, block->ring_grant);
}

static int try_connect(struct xen_device *device)
{
	struct xen_block *block = container_of(device, struct xen_block, device);
	int error = connect_block(block);

	if (error)
		message("the guest does not get its disk '%s': %s", block->path,
			xen_device_problem(error));
	else
		detail("the guest uses its disk '%s', port %u", block->path, block->port_number);
	return error;
}

static const struct xen_device_ops ops = {
	.kind = "vbd", .attach = try_connect, .detach = disconnect_block,
};

/**
 * xen_block_changed() - the guest has changed something in the store
 * @block: the disk; this is the store's thread
 * @path: what it has changed
 */
void xen_block_changed(struct xen_block *block, const char *path)
{
	unsigned int state;

	if (xen_device_changed(&block->device, path, &state))
		xen_device_follow(&block->device, state);
}

/* Open the disk that @value names. */
static int open_disk(struct xen_block *block, const struct value *value)
{
	int error;

	if (value_get(value, "serial"))
		return misused("a disk of a guest of Xen's ABI has no serial number: leave 'serial=' out");
	error = value_refuse_others(value, "block", "ro", "snapshot", "cache=", NULL);
	if (!error)
		error = disk_file_choose_cache(&block->file, value_get(value, "cache"));
	if (error)
		return error;
	/* The pieces of a request are sectors of pages, whatever /sector-size says. */
	block->file.only_sectors = true;
	block->file.read_only = value_flag(value, "ro");
	block->file.snapshot = value_flag(value, "snapshot");
	block->path = strdup(value->first);
	if (!block->path)
		return refuse(-ENOMEM, "no memory");
	return disk_file_open(&block->file, block->path);
}

/**
 * xen_block_init() - open a disk
 * @block: filled in, but for memory, area and the store; xen_block_exit() it, whatever is
 *	   returned
 * @number: 0: xvda
 * @text: as --block has it
 *
 * Return: 0, or a negative errno after telling the person.
 */
int xen_block_init(struct xen_block *block, unsigned int number, const char *text)
{
	struct value value;
	int error;

	block->device.ops = &ops;
	block->device.number = DEVICE(number);
	block->file.fd = block->file.overlay.fd = -1;
	block->vm = block->stop = -1;
	error = xen_port_init(&block->port);
	if (error)
		return error;
	block->stop = event_new();
	if (block->stop < 0)
		return -EMFILE;
	error = value_parse(&value, "block", "FILE", text);
	if (!error)
		error = open_disk(block, &value);
	value_free(&value);
	if (!error)
		disk_io_init(&block->io, block->file.fd,
			     block->file.snapshot ? &block->file.overlay : NULL, BLKIF_ENTRIES);
	return error;
}

/**
 * xen_block_stop() - the guest has ended
 * @block: as the others left it; the store's thread has ended
 */
void xen_block_stop(struct xen_block *block)
{
	xen_device_disconnect(&block->device);
	block->vm = -1;
}

/**
 * xen_block_exit() - close the disk
 * @block: stopped
 */
void xen_block_exit(struct xen_block *block)
{
	disk_io_exit(&block->io);
	disk_file_close(&block->file);
	file_close(&block->stop);
	xen_port_exit(&block->port);
	free(block->path);
}
