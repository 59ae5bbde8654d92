/* SPDX-License-Identifier: GPL-2.0-only */
/* Devices whose rings a thread of the host's kernel serves (vhost). */
#ifndef _LAUNCHER_VIRTIO_VHOST_H
#define _LAUNCHER_VIRTIO_VHOST_H

#include <stdint.h>

struct guest_memory;
struct virtio_queue;

int vhost_open(const char *path, const struct guest_memory *memory, uint64_t *features);
int vhost_start_queue(int fd, const struct virtio_queue *queue);

#endif /* _LAUNCHER_VIRTIO_VHOST_H */
