/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A guest with two CPUs that does to a device what the input says: registers, rings, and
 * requests, good or damaged. By tasks.h the guest and the device's threads take turns.
 */
#ifndef _FUZZ_GUEST_H
#define _FUZZ_GUEST_H

#include <stddef.h>
#include <stdint.h>

#include "memory.h"
#include "virtio/virtio.h"

#define GUEST_MEMORY	0x110000ULL	/* too little for a huge page, which would take time */
#define GUEST_ENTRIES	16

/* What a fuzzer of one kind of device defines. */
struct guest_device {
	int (*init)(struct virtio_device *device, const struct guest_memory *memory);
	/* Optional: make a request for @queue, up to @room bytes. Return: its size. */
	size_t (*request)(unsigned int queue, uint8_t *to, size_t room);
	/* Optional: make something happen on the host. */
	void (*event)(struct virtio_device *device);
	/* Optional: check, when the driver has this queue's memory back. */
	void (*is_stopped)(unsigned int queue);
	/* Optional: called before and after each run, when there is no device. */
	void (*begin)(void);
	void (*end)(void);
	int (*memory_init)(struct guest_memory *memory, uint64_t size);	/* optional, too */
};

/* Each fuzzer that uses guest.c defines this. */
extern const struct guest_device guest_device;

#endif /* _FUZZ_GUEST_H */
