/* SPDX-License-Identifier: GPL-2.0-only */
/* A disk that another program serves. */
#ifndef _LAUNCHER_VHOST_BLOCK_H
#define _LAUNCHER_VHOST_BLOCK_H

struct guest_memory;
struct virtio_device;

#define VHOST_BLOCK_PREFIX	"vhost-user:"

int vhost_block_init(struct virtio_device *device, const struct guest_memory *memory,
		     const char *text);

#endif /* _LAUNCHER_VHOST_BLOCK_H */
