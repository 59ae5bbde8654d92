/* SPDX-License-Identifier: GPL-2.0-only */
/* A driver for virtio devices, for tests: good, or as bad as a test wants. */
#ifndef _DRIVER_H
#define _DRIVER_H

#include <stdbool.h>
#include <stdint.h>

#include "memory.h"
#include "virtio/virtio.h"

#define DRIVER_MEMORY	(4ULL << 20)
#define DRIVER_ENTRIES	16	/* of each ring */

/* The addresses of a queue's parts in guest memory; buffers start at DRIVER_BUFFERS. */
#define DRIVER_DESC(n)	(0x10000 + (n) * 0x10000ULL)
#define DRIVER_AVAIL(n)	(DRIVER_DESC(n) + 0x1000)
#define DRIVER_USED(n)	(DRIVER_DESC(n) + 0x2000)
#define DRIVER_INDIRECT(n)	(DRIVER_DESC(n) + 0x3000)
#define DRIVER_BUFFERS	0x100000ULL

struct driver {
	struct virtio_device *device;
	struct guest_memory memory;
	uint64_t features;
};

/* Pointers to a queue's parts. */
struct vring_desc *driver_desc(struct driver *driver, unsigned int queue);
struct vring_avail *driver_avail(struct driver *driver, unsigned int queue);
struct vring_used *driver_used(struct driver *driver, unsigned int queue);

void driver_init(struct driver *driver);
uint32_t driver_read(struct driver *driver, uint64_t offset);
void driver_write(struct driver *driver, uint64_t offset, uint32_t value);
uint32_t driver_negotiate(struct driver *driver, uint64_t features);
void driver_set_queue(struct driver *driver, unsigned int queue);
void driver_start(struct driver *driver, uint64_t features);
void driver_start_threads(struct driver *driver);
void driver_run(struct driver *driver, struct virtio_device *device, uint64_t features);
void driver_stop(struct driver *driver);
void driver_reset(struct driver *driver);
void driver_put_desc(struct driver *driver, unsigned int queue, unsigned int index, uint64_t gpa,
		     uint32_t size, uint16_t flags, uint16_t next);
void driver_offer(struct driver *driver, unsigned int queue, uint16_t head);
void driver_kick(struct driver *driver, unsigned int queue);
uint16_t driver_done(struct driver *driver, unsigned int queue);
bool driver_wait(struct driver *driver, unsigned int queue, uint16_t count);
bool driver_needs_reset(struct driver *driver);
void driver_misuses(struct driver *driver, const char *words);
bool driver_interrupted(struct driver *driver);

#endif /* _DRIVER_H */
