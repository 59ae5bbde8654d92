// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtio-mmio, version 2: the registers of a device (virtio 1.2, section 4.2.2). The threads of
 * virtual CPUs run all this, each access alone under the device's lock. It is up to the driver
 * to write a selector and what it selects without another access in between.
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

/* A driver that does not accept VERSION_1 is a legacy driver, and needs another transport. */
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
 * Forget all that the driver has said, once no buffer is used any more (2.4.2). While we wait,
 * other virtual CPUs may write registers: that is ignored or forgotten, too, so that in the end
 * no queue is ready and nothing runs.
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
	/*
	 * A program that we did not wait for, since the guest ends, is asked again next time.
	 */
	if (!device->leaving)
		device->begun = false;
	device->status = 0;
	device->driver_features = 0;
	device->features_select = 0;
	device->driver_features_select = 0;
	device->queue_select = 0;
	atomic_store(&device->interrupt_status, 0);
}

/* A driver sets the bits one by one, and clears them all by writing 0 (2.1, 3.1). */
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

/* Write a register of the queue that QueueSel names. */
static void write_queue(struct virtio_queue *queue, uint64_t offset, uint32_t value)
{
	if (offset == VIRTIO_MMIO_QUEUE_READY) {
		set_ready(queue, value);
		return;
	}
	/*
	 * The register reads 0 when the queue has been reset (2.6.1), and so at any time here.
	 */
	if (offset == QUEUE_RESET) {
		if (value == 1 && virtio_has_feature(queue->device, VIRTIO_F_RING_RESET))
			virtio_queue_reset(queue);
		return;
	}
	if (queue->ready)	/* 4.2.2.2: not while the queue is in use */
		return;
	switch (offset) {
	case VIRTIO_MMIO_QUEUE_NUM:
		/* A number that is too large must not come out as one that is not. */
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

/* Another program that serves the queues raises the line without telling us why. */
static uint32_t interrupt_status(struct virtio_device *device)
{
	return atomic_load(&device->interrupt_status) |
	       (device->ops->remote ? VIRTIO_MMIO_INT_VRING : 0);
}

/**
 * virtio_mmio_read() - the guest reads a register
 * @device: the device
 * @offset: from the start of the device's registers
 * @length: bytes
 *
 * Return: what it reads.
 */
uint64_t virtio_mmio_read(struct virtio_device *device, uint64_t offset, unsigned int length)
{
	uint64_t value = 0;

	/* This one register is on the way of an interrupt, and must not wait for the lock. */
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
 * virtio_mmio_write() - the guest writes a register
 * @device: the device
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
		/* For queues that exist, lg.ko does this by an eventfd. */
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
 * virtio_device_reset() - reset a device for another start of the guest
 * @device: in any state; no virtual CPU runs
 */
void virtio_device_reset(struct virtio_device *device)
{
	pthread_mutex_lock(&device->lock);
	/*
	 * The threads go on, and the memory will be that of another start: reset() must wait
	 * now.
	 */
	device->leaving = false;
	reset(device);
	pthread_mutex_unlock(&device->lock);
	/* An interrupt that was not taken belongs to the last start. */
	event_take(device->interrupt);
}
