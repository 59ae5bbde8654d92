// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver for virtio devices, for tests: it does to registers and rings what
 * a guest does.
 */
#include <linux/virtio_config.h>
#include <linux/virtio_mmio.h>
#include <string.h>
#include <unistd.h>

#include "driver.h"
#include "base/thread.h"
#include "unit.h"

static void *part(struct driver *driver, uint64_t gpa)
{
	return driver->memory.base + gpa;
}

struct vring_desc *driver_desc(struct driver *driver, unsigned int queue)
{
	return part(driver, DRIVER_DESC(queue));
}

struct vring_avail *driver_avail(struct driver *driver, unsigned int queue)
{
	return part(driver, DRIVER_AVAIL(queue));
}

struct vring_used *driver_used(struct driver *driver, unsigned int queue)
{
	return part(driver, DRIVER_USED(queue));
}

/* Make the guest memory; devices are made after that. */
void driver_init(struct driver *driver)
{
	memset(driver, 0, sizeof(*driver));
	ck_assert_int_eq(guest_memory_init(&driver->memory, DRIVER_MEMORY), 0);
}

uint32_t driver_read(struct driver *driver, uint64_t offset)
{
	return virtio_mmio_read(driver->device, offset, 4);
}

void driver_write(struct driver *driver, uint64_t offset, uint32_t value)
{
	virtio_mmio_write(driver->device, offset, 4, value);
}

/* Virtio 1.2, 3.1.1, steps 1 to 6. Return: the status after that. */
uint32_t driver_negotiate(struct driver *driver, uint64_t features)
{
	driver_write(driver, VIRTIO_MMIO_STATUS, 0);
	driver_write(driver, VIRTIO_MMIO_STATUS, VIRTIO_CONFIG_S_ACKNOWLEDGE);
	driver_write(driver, VIRTIO_MMIO_STATUS,
		     VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER);
	driver_write(driver, VIRTIO_MMIO_DRIVER_FEATURES_SEL, 0);
	driver_write(driver, VIRTIO_MMIO_DRIVER_FEATURES, features);
	driver_write(driver, VIRTIO_MMIO_DRIVER_FEATURES_SEL, 1);
	driver_write(driver, VIRTIO_MMIO_DRIVER_FEATURES, features >> 32);
	driver->features = features;
	driver_write(driver, VIRTIO_MMIO_STATUS, driver_read(driver, VIRTIO_MMIO_STATUS) |
		     VIRTIO_CONFIG_S_FEATURES_OK);
	return driver_read(driver, VIRTIO_MMIO_STATUS);
}

void driver_set_queue(struct driver *driver, unsigned int queue)
{
	driver_write(driver, VIRTIO_MMIO_QUEUE_SEL, queue);
	driver_write(driver, VIRTIO_MMIO_QUEUE_NUM, DRIVER_ENTRIES);
	driver_write(driver, VIRTIO_MMIO_QUEUE_DESC_LOW, DRIVER_DESC(queue));
	driver_write(driver, VIRTIO_MMIO_QUEUE_DESC_HIGH, 0);
	driver_write(driver, VIRTIO_MMIO_QUEUE_AVAIL_LOW, DRIVER_AVAIL(queue));
	driver_write(driver, VIRTIO_MMIO_QUEUE_AVAIL_HIGH, 0);
	driver_write(driver, VIRTIO_MMIO_QUEUE_USED_LOW, DRIVER_USED(queue));
	driver_write(driver, VIRTIO_MMIO_QUEUE_USED_HIGH, 0);
	driver_write(driver, VIRTIO_MMIO_QUEUE_READY, 1);
}

/* Negotiate @features and VIRTIO_F_VERSION_1, set up the queues, and start the device. */
void driver_start(struct driver *driver, uint64_t features)
{
	unsigned int i;

	features |= 1ULL << VIRTIO_F_VERSION_1;
	ck_assert(driver_negotiate(driver, features) & VIRTIO_CONFIG_S_FEATURES_OK);
	for (i = 0; i < driver->device->queues; i++) {
		memset(driver_desc(driver, i), 0, 0x10000);
		driver_set_queue(driver, i);
		ck_assert_uint_eq(driver_read(driver, VIRTIO_MMIO_QUEUE_READY), 1);
	}
	driver_write(driver, VIRTIO_MMIO_STATUS, driver_read(driver, VIRTIO_MMIO_STATUS) |
		     VIRTIO_CONFIG_S_DRIVER_OK);
}

void driver_start_threads(struct driver *driver)
{
	thread_take_wake_ups();
	ck_assert_int_eq(virtio_device_start(driver->device), 0);
}

/* Start @device, which uses the memory of driver_init(), and its driver. */
void driver_run(struct driver *driver, struct virtio_device *device, uint64_t features)
{
	driver->device = device;
	driver_start(driver, features);
	driver_start_threads(driver);
}

/* End the device, and free the memory. */
void driver_stop(struct driver *driver)
{
	virtio_device_exit(driver->device);
	guest_memory_exit(&driver->memory);
}

void driver_reset(struct driver *driver)
{
	driver_write(driver, VIRTIO_MMIO_STATUS, 0);
}

void driver_put_desc(struct driver *driver, unsigned int queue, unsigned int index, uint64_t gpa,
		     uint32_t size, uint16_t flags, uint16_t next)
{
	driver_desc(driver, queue)[index] = (struct vring_desc){ gpa, size, flags, next };
}

/* Make a chain available, without a kick. */
void driver_offer(struct driver *driver, unsigned int queue, uint16_t head)
{
	struct vring_avail *avail = driver_avail(driver, queue);

	avail->ring[avail->idx % DRIVER_ENTRIES] = head;
	__atomic_store_n(&avail->idx, avail->idx + 1, __ATOMIC_RELEASE);
}

void driver_kick(struct driver *driver, unsigned int queue)
{
	driver_write(driver, VIRTIO_MMIO_QUEUE_NOTIFY, queue);
}

/* How many chains the device has used. */
uint16_t driver_done(struct driver *driver, unsigned int queue)
{
	return __atomic_load_n(&driver_used(driver, queue)->idx, __ATOMIC_ACQUIRE);
}

/* Wait up to 10 s for the device's thread to have used that many chains. */
bool driver_wait(struct driver *driver, unsigned int queue, uint16_t count)
{
	int tries;

	for (tries = 0; tries < 10000; tries++) {
		if (driver_done(driver, queue) == count)
			return true;
		usleep(1000);
	}
	return false;
}

bool driver_needs_reset(struct driver *driver)
{
	return driver_read(driver, VIRTIO_MMIO_STATUS) & VIRTIO_CONFIG_S_NEEDS_RESET;
}

/* Check that the device gives the driver up within 10 s, with these words in its message. */
void driver_misuses(struct driver *driver, const char *words)
{
	int tries;

	for (tries = 0; tries < 10000 && !driver_needs_reset(driver); tries++)
		usleep(1000);
	ck_assert(driver_needs_reset(driver));
	unit_refused(-1, words);
}

/* Was the interrupt raised since the last call? Acknowledges it. */
bool driver_interrupted(struct driver *driver)
{
	uint64_t count;
	bool raised = read(driver->device->interrupt, &count, sizeof(count)) > 0;

	driver_write(driver, VIRTIO_MMIO_INTERRUPT_ACK,
		     driver_read(driver, VIRTIO_MMIO_INTERRUPT_STATUS));
	return raised;
}
