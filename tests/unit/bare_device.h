/* SPDX-License-Identifier: GPL-2.0-only */
/* What the tests of rings and registers share: a device without threads, and its driver. */
#ifndef _BARE_DEVICE_H
#define _BARE_DEVICE_H

#include <linux/virtio_config.h>
#include <linux/virtio_mmio.h>

#include "driver.h"

#define NEXT		VRING_DESC_F_NEXT
#define WRITE		VRING_DESC_F_WRITE
#define INDIRECT	VRING_DESC_F_INDIRECT
#define F_INDIRECT	(1ULL << VIRTIO_RING_F_INDIRECT_DESC)
#define F_EVENT_IDX	(1ULL << VIRTIO_RING_F_EVENT_IDX)
#define F_VERSION_1	(1ULL << VIRTIO_F_VERSION_1)
#define F_RING_RESET	(1ULL << VIRTIO_F_RING_RESET)
#define QUEUE_RESET	0x0c0

extern struct virtio_device device;
extern struct driver driver;
extern struct virtio_queue *queue;	/* the first of the device's two */
extern struct virtio_chain chain;	/* the one popped last */

void set_up(uint64_t features);
void tear_down(void);
void take_chain(void);

#endif /* _BARE_DEVICE_H */
