/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A guest of two CPUs that does to a device what its input says: registers, rings, requests
 * that are good or damaged. tasks.h makes it and the device's threads take turns.
 */
#ifndef _FUZZ_GUEST_H
#define _FUZZ_GUEST_H

#include <stddef.h>
#include <stdint.h>

#include "memory.h"
#include "virtio/virtio.h"

#define GUEST_MEMORY	0x110000ULL	/* too little for a huge page, which takes time */
#define GUEST_ENTRIES	16

/* What one kind of device adds. */
struct guest_device {
	int (*init)(struct virtio_device *device, const struct guest_memory *memory);
	/* Optional: a request for queue, up to room bytes of it. Return: its size. */
	size_t (*request)(unsigned int queue, uint8_t *to, size_t room);
	/* Optional: something happens on the host. */
	void (*event)(struct virtio_device *device);
	/* Optional: the driver has this queue's memory back. */
	void (*is_stopped)(unsigned int queue);
	/* Optional: before and after each run; the device is gone. */
	void (*begin)(void);
	void (*end)(void);
	int (*memory_init)(struct guest_memory *memory, uint64_t size);	/* optional, too */
};

/* Each fuzzer that uses guest.c has one. */
extern const struct guest_device guest_device;

#endif /* _FUZZ_GUEST_H */
