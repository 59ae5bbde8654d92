/* SPDX-License-Identifier: GPL-2.0-only */
/* The balloon: how much memory the guest is to give back, and what it says of its memory. */
#ifndef _LAUNCHER_BALLOON_H
#define _LAUNCHER_BALLOON_H

#include <linux/virtio_balloon.h>
#include <stdbool.h>
#include <stdint.h>

struct guest_memory;
struct virtio_device;

struct balloon_stats {
	uint64_t wanted;	/* bytes that the guest is to give back */
	uint64_t given;		/* bytes that the guest says it has given back */
	bool fresh;		/* the rest answers this question, not an older one */
	uint32_t known;		/* bit n: value[n] is there */
	uint64_t value[VIRTIO_BALLOON_S_NR];	/* as balloon_value_name(n) says */
};

int virtio_balloon_init(struct virtio_device *device, const struct guest_memory *memory,
			bool report_free);
void balloon_set(struct virtio_device *device, uint64_t bytes);
void balloon_stats(struct virtio_device *device, struct balloon_stats *stats,
		   unsigned int milliseconds);
const char *balloon_value_name(unsigned int number);

#endif /* _LAUNCHER_BALLOON_H */
