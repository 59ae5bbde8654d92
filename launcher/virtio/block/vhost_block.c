// SPDX-License-Identifier: GPL-2.0-only
/*
 * A disk that another program serves (vhost-user-blk): qcow2 images, and all else that
 * qemu-storage-daemon knows.
 */
#include <errno.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/message.h"
#include "base/value.h"
#include "virtio/block/vhost_block.h"
#include "virtio/vhost_user.h"
#include "virtio/virtio.h"

/* Features that the program may offer to the driver: no further queues, no other rings. */
#define FEATURES	(1ULL << VIRTIO_F_VERSION_1 | 1ULL << VIRTIO_RING_F_INDIRECT_DESC | \
			 1ULL << VIRTIO_RING_F_EVENT_IDX | 1ULL << VIRTIO_BLK_F_SIZE_MAX | \
			 1ULL << VIRTIO_BLK_F_SEG_MAX | 1ULL << VIRTIO_BLK_F_RO | \
			 1ULL << VIRTIO_BLK_F_BLK_SIZE | 1ULL << VIRTIO_BLK_F_FLUSH | \
			 1ULL << VIRTIO_BLK_F_TOPOLOGY | 1ULL << VIRTIO_BLK_F_CONFIG_WCE | \
			 1ULL << VIRTIO_BLK_F_DISCARD | 1ULL << VIRTIO_BLK_F_WRITE_ZEROES)

/* Up to write_zeroes_may_unmap and its padding: older programs know no more. */
#define CONFIG_SIZE	offsetof(struct virtio_blk_config, max_secure_erase_sectors)
#define WCE_OFFSET	offsetof(struct virtio_blk_config, wce)

static int vhost_block_start(struct virtio_device *device)
{
	vhost_user_start(device->private);
	return 0;
}

static void vhost_block_stop_queue(struct virtio_queue *queue)
{
	vhost_user_stop_queue(queue->device->private, queue->index);
}

static void vhost_block_write_config(struct virtio_device *device, uint64_t offset,
				     unsigned int length, uint64_t value)
{
	if (offset != WCE_OFFSET || length != 1 ||
	    !virtio_has_feature(device, VIRTIO_BLK_F_CONFIG_WCE))
		return;
	device->config[WCE_OFFSET] = value & 1;
	vhost_user_set_config(device->private, offset, value & 1);
}

static void vhost_block_exit(struct virtio_device *device)
{
	struct vhost_user *user = device->private;

	if (!user)
		return;
	vhost_user_exit(user);
	free(user);
}

static const struct virtio_ops vhost_block_ops = {
	.name = "disk",
	.id = VIRTIO_ID_BLOCK,
	.queues = 1,
	.remote = true,
	.start = vhost_block_start,
	.write_config = vhost_block_write_config,
	.stop_queue = vhost_block_stop_queue,
	.exit = vhost_block_exit,
};

/**
 * vhost_block_init() - make a disk that another program serves
 * @device: filled in; virtio_device_exit() it, whatever is returned
 * @memory: the guest's memory, shared
 * @text: VHOST_BLOCK_PREFIX, and the socket where the program listens
 *
 * Return: 0, or a negative errno after telling the person.
 */
int vhost_block_init(struct virtio_device *device, const struct guest_memory *memory,
		     const char *text)
{
	uint8_t config[CONFIG_SIZE];
	struct vhost_user *user;
	struct value value;
	int error;

	error = virtio_device_init(device, &vhost_block_ops, memory);
	if (error)
		return error;
	user = calloc(1, sizeof(*user));
	if (!user)
		return no_memory();
	user->fd = user->wake = -1;
	device->private = user;	/* from here on vhost_block_exit() frees it */
	error = value_parse(&value, "block", VHOST_BLOCK_PREFIX "SOCKET", text);
	if (!error)
		error = value_refuse_others(&value, "block=" VHOST_BLOCK_PREFIX "SOCKET", NULL);
	if (!error)
		error = vhost_user_connect(user, device,
					   value.first + strlen(VHOST_BLOCK_PREFIX));
	value_free(&value);
	if (!error)
		error = vhost_user_get_config(user, config, sizeof(config));
	if (error)
		return error;
	device->features = user->features & FEATURES;
	virtio_config_set(device, config, sizeof(config));
	return vhost_user_run(user);
}
