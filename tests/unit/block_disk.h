/* SPDX-License-Identifier: GPL-2.0-only */
/* What the tests of the disk share: a disk in a new file, and its driver. */
#ifndef _BLOCK_DISK_H
#define _BLOCK_DISK_H

#include <linux/virtio_blk.h>
#include <linux/virtio_mmio.h>
#include <stddef.h>

#include "driver.h"

#define WRITE		VRING_DESC_F_WRITE
#define NEXT		VRING_DESC_F_NEXT
#define F_FLUSH		(1ULL << VIRTIO_BLK_F_FLUSH)
#define F_CONFIG_WCE	(1ULL << VIRTIO_BLK_F_CONFIG_WCE)
#define F_EVENT_IDX	(1ULL << VIRTIO_RING_F_EVENT_IDX)

#define F_INDIRECT	(1ULL << VIRTIO_RING_F_INDIRECT_DESC)

#define DISK_SECTORS	256
#define DATA		(DRIVER_BUFFERS + 0x10000)
#define WCE		(VIRTIO_MMIO_CONFIG + offsetof(struct virtio_blk_config, wce))

extern struct virtio_device device;
extern struct driver driver;
extern uint8_t *data;	/* guest memory at DATA */
extern char path[64];	/* of the disk's file */

/* cache=none is the default where the file system allows it; that of /tmp may not. */
extern const char * const ways[3];

void make_disk_in(const char *directory, size_t size);
void make_disk(size_t size);
const char *value(const char *words);
void start_made(const char *words, uint64_t features);
void start(const char *words);
void stop(void);
void offer(unsigned int first, uint32_t type, uint64_t sector, uint64_t gpa, uint32_t size);
int status(unsigned int first);
int request_at(uint32_t type, uint64_t sector, uint64_t gpa, uint32_t size);
int request(uint32_t type, uint64_t sector, uint32_t size);
void fill_disk(void);

#endif /* _BLOCK_DISK_H */
