// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtio-mmio, version 2: the registers of a device (virtio 1.2, section
 * 4.2.2).  All runs in the threads of virtual CPUs, each access on its own under
 * the device's lock: that a selector and what it selects are written together is
 * the driver's concern.
 */
#include <linux/virtio_config.h>
#include <linux/virtio_mmio.h>
#include <string.h>
#include <unistd.h>

#include "base/event.h"
#include "virtio/virtio.h"

#define MAGIC_VALUE	0x74726976	/* "virt" */
#define VENDOR		0x5354474c	/* "LGST" */
#define TRANSPORT_VERSION	2
#define QUEUE_RESET	0x0c0		/* of virtio 1.2; Linux has no name for it */

/* Without VERSION_1 a driver is a legacy one, which this transport is not for. */
static bool features_are_good(const struct virtio_device *device)
{
	return !(device->driver_features & ~device->features) &&
	       (device->driver_features & 1ULL << VIRTIO_F_VERSION_1);
}

static uint32_t high_or_low(uint64_t value, uint32_t select)
{
	return select > 1 ? 0 : value >> (32 * select);
}

static void set_part(uint64_t *value, uint32_t select, uint32_t part)
{
	if (select > 1)
		return;
	*value &= ~(0xffffffffULL << (32 * select));
	*value |= (uint64_t)part << (32 * select);
}

static struct virtio_queue *selected_queue(struct virtio_device *device)
{
	if (device->queue_select >= device->queues)
		return NULL;
	return &device->queue[device->queue_select];
}

/*
 * Forget all that the driver said, after the last buffer is left alone (2.4.2). Other
 * virtual CPUs may use registers while we wait: what they write is forgotten, too, or not
 * done at all, so that no queue is ready and nothing runs at the end.
 */
static void reset(struct virtio_device *device)
{
	unsigned int i;

	device->resets++;
	virtio_stop_begin(device);
	if (device->ops->reset)
		device->ops->reset(device);
	for (i = 0; i < device->queues; i++)
		device->queue[i].ready = false;
	for (i = 0; i < device->queues; i++)
		virtio_queue_reset(&device->queue[i]);
	virtio_stop_end(device);
	/* Whom we did not wait for as the Guest ended has to be asked again. */
	if (!device->leaving)
		device->begun = false;
	device->status = 0;
	device->driver_features = 0;
	device->features_select = 0;
	device->driver_features_select = 0;
	device->queue_select = 0;
	atomic_store(&device->interrupt_status, 0);
}

/* 2.1, 3.1: a driver sets bits one by one, and clears them all with 0. */
static void set_status(struct virtio_device *device, uint32_t status)
{
	uint32_t set = status & ~device->status & 0xff;
	unsigned int i;

	if (!status) {
		reset(device);
		return;
	}
	if (device->stops)
		return;
	if ((set & VIRTIO_CONFIG_S_FEATURES_OK) && !features_are_good(device))
		set &= ~VIRTIO_CONFIG_S_FEATURES_OK;
	if ((set & VIRTIO_CONFIG_S_DRIVER_OK) &&
	    !((device->status | set) & VIRTIO_CONFIG_S_FEATURES_OK))
		set &= ~VIRTIO_CONFIG_S_DRIVER_OK;
	device->status |= set & ~VIRTIO_CONFIG_S_NEEDS_RESET;
	if (!(set & VIRTIO_CONFIG_S_DRIVER_OK))
		return;
	device->begun = true;
	if (device->ops->start && device->ops->start(device))
		virtio_fails(device);
	else
		for (i = 0; i < device->queues; i++)
			virtio_kick(&device->queue[i]);
}

static void set_ready(struct virtio_queue *queue, uint32_t ready)
{
	if (!ready)
		virtio_queue_stop(queue);
	else if (!queue->ready && !queue->stops && !queue->device->stops &&
		 !virtio_queue_enable(queue))
		virtio_misuse(queue->device, "a queue that is not in memory");
}

/* Registers that are about the queue that QueueSel names. */
static void write_queue(struct virtio_queue *queue, uint64_t offset, uint32_t value)
{
	if (offset == VIRTIO_MMIO_QUEUE_READY) {
		set_ready(queue, value);
		return;
	}
	/* 2.6.1: when it has been, the register reads 0, as it always does. */
	if (offset == QUEUE_RESET) {
		if (value == 1 && virtio_has_feature(queue->device, VIRTIO_F_RING_RESET))
			virtio_queue_reset(queue);
		return;
	}
	if (queue->ready)	/* 4.2.2.2: not while the queue is in use */
		return;
	switch (offset) {
	case VIRTIO_MMIO_QUEUE_NUM:
		/* What does not fit in 16 bits must not come out as something that does. */
		queue->size = value > queue->max ? 0 : value;
		break;
	case VIRTIO_MMIO_QUEUE_DESC_LOW:
	case VIRTIO_MMIO_QUEUE_DESC_HIGH:
		set_part(&queue->desc_gpa, offset == VIRTIO_MMIO_QUEUE_DESC_HIGH, value);
		break;
	case VIRTIO_MMIO_QUEUE_AVAIL_LOW:
	case VIRTIO_MMIO_QUEUE_AVAIL_HIGH:
		set_part(&queue->avail_gpa, offset == VIRTIO_MMIO_QUEUE_AVAIL_HIGH, value);
		break;
	case VIRTIO_MMIO_QUEUE_USED_LOW:
	case VIRTIO_MMIO_QUEUE_USED_HIGH:
		set_part(&queue->used_gpa, offset == VIRTIO_MMIO_QUEUE_USED_HIGH, value);
		break;
	}
}

/* Under the device's lock. */
static void write_register(struct virtio_device *device, uint64_t offset, uint32_t value)
{
	struct virtio_queue *queue = selected_queue(device);

	switch (offset) {
	case VIRTIO_MMIO_DEVICE_FEATURES_SEL:
		device->features_select = value;
		break;
	case VIRTIO_MMIO_DRIVER_FEATURES_SEL:
		device->driver_features_select = value;
		break;
	case VIRTIO_MMIO_DRIVER_FEATURES:
		if (!(device->status & VIRTIO_CONFIG_S_FEATURES_OK))
			set_part(&device->driver_features, device->driver_features_select, value);
		break;
	case VIRTIO_MMIO_QUEUE_SEL:
		device->queue_select = value;
		break;
	case VIRTIO_MMIO_STATUS:
		set_status(device, value);
		break;
	default:
		if (queue)
			write_queue(queue, offset, value);
	}
}

/* Under the device's lock. */
static uint32_t read_register(struct virtio_device *device, uint64_t offset)
{
	const struct virtio_queue *queue = selected_queue(device);

	switch (offset) {
	case VIRTIO_MMIO_MAGIC_VALUE:
		return MAGIC_VALUE;
	case VIRTIO_MMIO_VERSION:
		return TRANSPORT_VERSION;
	case VIRTIO_MMIO_DEVICE_ID:
		return device->ops->id;
	case VIRTIO_MMIO_VENDOR_ID:
		return VENDOR;
	case VIRTIO_MMIO_DEVICE_FEATURES:
		return high_or_low(device->features, device->features_select);
	case VIRTIO_MMIO_QUEUE_NUM_MAX:
		return queue ? queue->max : 0;
	case VIRTIO_MMIO_QUEUE_READY:
		return queue ? queue->ready : 0;
	case VIRTIO_MMIO_STATUS:
		return device->status;
	case VIRTIO_MMIO_CONFIG_GENERATION:
		return device->config_generation;
	case VIRTIO_MMIO_SHM_LEN_LOW:
	case VIRTIO_MMIO_SHM_LEN_HIGH:
	case VIRTIO_MMIO_SHM_BASE_LOW:
	case VIRTIO_MMIO_SHM_BASE_HIGH:
		return ~0;	/* 4.2.2.1: there is no such region */
	default:
		return 0;
	}
}

static uint64_t read_config(struct virtio_device *device, uint64_t offset, unsigned int length)
{
	uint64_t value = 0;

	if (length > sizeof(value) || offset > VIRTIO_CONFIG_SIZE ||
	    length > VIRTIO_CONFIG_SIZE - offset)
		return 0;
	memcpy(&value, device->config + offset, length);
	return value;
}

static void write_config(struct virtio_device *device, uint64_t offset, unsigned int length,
			 uint64_t value)
{
	if (!device->ops->write_config || length > sizeof(value) || offset > VIRTIO_CONFIG_SIZE ||
	    length > VIRTIO_CONFIG_SIZE - offset)
		return;
	pthread_mutex_lock(&device->lock);
	device->ops->write_config(device, offset, length, value);
	pthread_mutex_unlock(&device->lock);
}

/* Who serves the queues instead of us raises the line without telling us why. */
static uint32_t interrupt_status(struct virtio_device *device)
{
	return atomic_load(&device->interrupt_status) |
	       (device->ops->remote ? VIRTIO_MMIO_INT_VRING : 0);
}

/**
 * virtio_mmio_read() - the Guest reads a register
 * @device: whose
 * @offset: from the start of the device's registers
 * @length: bytes
 *
 * Return: what it reads.
 */
uint64_t virtio_mmio_read(struct virtio_device *device, uint64_t offset, unsigned int length)
{
	uint64_t value = 0;

	/* The one register of the interrupt path, which must not wait. */
	if (offset == VIRTIO_MMIO_INTERRUPT_STATUS)
		return interrupt_status(device);
	pthread_mutex_lock(&device->lock);
	if (offset >= VIRTIO_MMIO_CONFIG)
		value = read_config(device, offset - VIRTIO_MMIO_CONFIG, length);
	else if (length == sizeof(uint32_t))
		value = read_register(device, offset);
	pthread_mutex_unlock(&device->lock);
	return value;
}

/**
 * virtio_mmio_write() - the Guest writes a register
 * @device: whose
 * @offset: from the start of the device's registers
 * @length: bytes
 * @value: what it writes
 */
void virtio_mmio_write(struct virtio_device *device, uint64_t offset, unsigned int length,
		       uint64_t value)
{
	if (offset >= VIRTIO_MMIO_CONFIG) {
		write_config(device, offset - VIRTIO_MMIO_CONFIG, length, value);
		return;
	}
	if (length != sizeof(uint32_t))
		return;
	switch (offset) {
	case VIRTIO_MMIO_INTERRUPT_ACK:
		atomic_fetch_and(&device->interrupt_status, ~(uint32_t)value);
		break;
	case VIRTIO_MMIO_QUEUE_NOTIFY:
		/* lg.ko does this for us, with an eventfd, for queues that exist. */
		if ((uint32_t)value < device->queues)
			virtio_kick(&device->queue[(uint32_t)value]);
		break;
	default:
		pthread_mutex_lock(&device->lock);
		write_register(device, offset, value);
		pthread_mutex_unlock(&device->lock);
	}
}

/**
 * virtio_device_reset() - the Guest starts anew, and its devices with it
 * @device: whatever its driver has made of it; no virtual CPU runs
 */
void virtio_device_reset(struct virtio_device *device)
{
	pthread_mutex_lock(&device->lock);
	/* Its threads go on, in memory that is another Guest's soon: this has to wait. */
	device->leaving = false;
	reset(device);
	pthread_mutex_unlock(&device->lock);
	/* An interrupt that nobody has taken was for the Guest that has gone. */
	event_take(device->interrupt);
}
