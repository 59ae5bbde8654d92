// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sockets between the guest and the host (virtio 1.2, section 5.10; vsock(7)). The host's
 * kernel is the other end (vhost-vsock), so programs of the host use AF_VSOCK, too. We give the
 * guest its address, and the rings to the host's kernel.
 *
 * The third queue tells of addresses that change. Ours never change, so nobody serves it.
 */
#include <errno.h>
#include <linux/vhost.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_vsock.h>
#include <linux/vm_sockets.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/file.h"
#include "base/message.h"
#include "base/number.h"
#include "virtio/vhost.h"
#include "virtio/virtio.h"

#define DEVICE		"/dev/vhost-vsock"

enum { RECEIVE_QUEUE, SEND_QUEUE, EVENT_QUEUE, QUEUES };

/* The features that the host's kernel may offer. It can't reset one queue alone. */
#define FEATURES	(1ULL << VIRTIO_F_VERSION_1 | 1ULL << VIRTIO_RING_F_INDIRECT_DESC | \
			 1ULL << VIRTIO_RING_F_EVENT_IDX | 1ULL << VIRTIO_VSOCK_F_SEQPACKET)

struct vsock {
	int fd;			/* /dev/vhost-vsock */
};

static int set_running(struct vsock *vsock, int running)
{
	return ioctl(vsock->fd, VHOST_VSOCK_SET_RUNNING, &running) < 0 ? -errno : 0;
}

/* The driver begins. This and all that follows is under the device's lock. */
static int vsock_start(struct virtio_device *device)
{
	uint64_t features = device->driver_features & FEATURES;
	struct vsock *vsock = device->private;
	unsigned int i;
	int error = 0;

	if (ioctl(vsock->fd, VHOST_SET_FEATURES, &features) < 0)
		error = -errno;
	for (i = 0; !error && i < EVENT_QUEUE; i++)
		error = device->queue[i].ready ? vhost_start_queue(vsock->fd, &device->queue[i])
					       : -EINVAL;
	if (!error)
		error = set_running(vsock, true);
	return error ? refuse(error, "vhost-vsock does not take the guest's rings: %s",
			      strerror(-error)) : 0;
}

/*
 * When this returns, the host's thread is done with all rings: it can't be told of one alone.
 */
static void vsock_stop_queue(struct virtio_queue *queue)
{
	if (queue->index < EVENT_QUEUE)
		set_running(queue->device->private, false);
}

static void vsock_exit(struct virtio_device *device)
{
	struct vsock *vsock = device->private;

	if (!vsock)
		return;
	file_close(&vsock->fd);
	free(vsock);
}

static const struct virtio_ops vsock_ops = {
	.name = "vsock",
	.id = VIRTIO_ID_VSOCK,
	.queues = QUEUES,
	.remote = true,
	.start = vsock_start,
	.stop_queue = vsock_stop_queue,
	.exit = vsock_exit,
};

/* Addresses up to 2 and the largest one have special meanings. */
static int parse_address(const char *text, uint64_t *cid)
{
	if (!number_parse(text, VMADDR_CID_HOST + 1, VMADDR_CID_ANY - 1, cid))
		return misused("'%s' is no address of a guest: --vsock takes a number from 3 to %u",
			      text, VMADDR_CID_ANY - 1);
	return 0;
}

static int refuse_device(int error)
{
	switch (error) {
	case -ENOENT:
	case -ENXIO:
	case -ENODEV:
		return refuse(error, "there is no " DEVICE " for --vsock: sudo modprobe vhost_vsock");
	case -EACCES:
	case -EPERM:
		return refuse(error, "no permission to open " DEVICE " for --vsock");
	default:
		return refuse(error, "can't use " DEVICE ": %s", strerror(-error));
	}
}

static int connect_to_host(struct vsock *vsock, struct virtio_device *device, uint64_t cid)
{
	uint64_t features;

	vsock->fd = vhost_open(DEVICE, device->memory, &features);
	if (vsock->fd < 0)
		return refuse_device(vsock->fd);
	if (!(features & 1ULL << VIRTIO_F_VERSION_1))
		return refuse(-ENOSYS, "this host's vhost-vsock is too old");
	device->features = features & FEATURES;
	if (!ioctl(vsock->fd, VHOST_VSOCK_SET_GUEST_CID, &cid))
		return 0;
	if (errno == EADDRINUSE)
		return refuse(-errno, "another guest has the address %u: --vsock takes one that is free",
			      (unsigned int)cid);
	return refuse(-errno, "vhost-vsock does not take the address %u: %s", (unsigned int)cid,
		      strerror(errno));
}

static int vsock_init(struct virtio_device *device, const struct guest_memory *memory,
		      const char *text)
{
	struct virtio_vsock_config config;
	struct vsock *vsock;
	uint64_t cid;
	int error;

	error = virtio_device_init(device, &vsock_ops, memory);
	if (!error)
		error = parse_address(text, &cid);
	if (error)
		return error;
	vsock = calloc(1, sizeof(*vsock));
	if (!vsock)
		return no_memory();
	vsock->fd = -1;
	device->private = vsock;	/* from here on vsock_exit() frees it */
	error = connect_to_host(vsock, device, cid);
	if (error)
		return error;
	config.guest_cid = htole64(cid);
	virtio_config_set(device, &config, sizeof(config));
	return 0;
}

const struct virtio_kind virtio_vsock_kind = {
	.option = "vsock",
	.value = "CID",
	.help = "sockets to the host and from it (AF_VSOCK), where the guest's\n"
		"address is CID, a number from 3",
	.init = vsock_init,
};
