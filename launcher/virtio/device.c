// SPDX-License-Identifier: GPL-2.0-only
/* The life of a virtio device: its descriptors, and a thread for each queue. */
#include <errno.h>
#include <linux/virtio_config.h>
#include <linux/virtio_mmio.h>
#include <poll.h>
#include <string.h>

#include "base/event.h"
#include "base/file.h"
#include "base/message.h"
#include "base/thread.h"
#include "virtio/virtio.h"

/**
 * virtio_device_add_queue() - one more queue
 * @device: a device that does not run yet
 *
 * Return: 0, or a negative errno after telling the person.
 */
int virtio_device_add_queue(struct virtio_device *device)
{
	struct virtio_queue *queue = &device->queue[device->queues];

	queue->kick = event_new();
	if (queue->kick < 0)
		return -EMFILE;
	queue->device = device;
	queue->index = device->queues++;
	queue->max = VIRTIO_QUEUE_SIZE;
	virtio_queue_reset(queue);
	return 0;
}

/**
 * virtio_device_init() - make a device; its threads do not run yet
 * @device: filled in; virtio_device_exit() it, whatever is returned
 * @ops: what kind it is
 * @memory: the guest's memory
 *
 * Return: 0, or a negative errno after telling the person.
 */
int virtio_device_init(struct virtio_device *device, const struct virtio_ops *ops,
		       const struct guest_memory *memory)
{
	int error = 0;

	memset(device, 0, sizeof(*device));
	pthread_mutex_init(&device->lock, NULL);
	pthread_cond_init(&device->idle, NULL);
	device->ops = ops;
	device->memory = memory;
	device->features = VIRTIO_COMMON_FEATURES;
	device->interrupt = -1;
	device->stop = -1;
	device->interrupt = event_new();
	device->stop = event_new();
	if (device->interrupt < 0 || device->stop < 0)
		return -EMFILE;
	while (!error && device->queues < ops->queues)
		error = virtio_device_add_queue(device);
	return error;
}

static void *run_queue(void *argument)
{
	struct virtio_queue *queue = argument;

	queue->device->ops->run(queue);
	return NULL;
}

/**
 * virtio_device_start() - start the device's threads
 * @device: as its init function left it
 *
 * Return: 0, or a negative errno after telling the person.
 */
int virtio_device_start(struct virtio_device *device)
{
	unsigned int i;
	int error = 0;

	for (i = 0; !device->ops->remote && !error && i < device->queues; i++) {
		struct virtio_queue *queue = &device->queue[i];

		error = thread_start(&queue->thread, run_queue, queue);
	}
	return error;
}

/**
 * virtio_device_leave() - let virtual CPUs go on that wait in a register, since the guest ends
 * @device: the device; its lock is not taken: its holder may be waiting
 */
void virtio_device_leave(struct virtio_device *device)
{
	device->leaving = true;
	pthread_cond_broadcast(&device->idle);
}

/**
 * virtio_device_exit() - end the device's threads, and free all that it has
 * @device: as virtio_device_init() left it
 */
void virtio_device_exit(struct virtio_device *device)
{
	unsigned int i;

	if (!device->ops)
		return;
	device->stopping = true;
	if (device->stop >= 0)
		event_set(device->stop);
	for (i = 0; i < device->queues; i++)
		thread_join(&device->queue[i].thread);
	if (device->ops->exit)
		device->ops->exit(device);
	for (i = 0; i < device->queues; i++)
		file_close(&device->queue[i].kick);
	file_close(&device->stop);
	file_close(&device->interrupt);
	pthread_cond_destroy(&device->idle);
	pthread_mutex_destroy(&device->lock);
	device->ops = NULL;
}

/**
 * virtio_config_set() - change the device's configuration, and tell the driver
 * @device: the device
 * @config: the new configuration
 * @size: its bytes
 */
void virtio_config_set(struct virtio_device *device, const void *config, size_t size)
{
	pthread_mutex_lock(&device->lock);
	if (memcmp(device->config, config, size)) {
		memcpy(device->config, config, size);
		device->config_generation++;
		if (device->status & VIRTIO_CONFIG_S_DRIVER_OK)
			virtio_interrupt(device, VIRTIO_MMIO_INT_CONFIG);
	}
	pthread_mutex_unlock(&device->lock);
}

/**
 * virtio_wait() - sleep until a queue's thread has something to do
 * @queue: the thread's queue
 * @input: another descriptor to wait for, or -1
 * @input2: one more, or -1
 *
 * Return: VIRTIO_WAIT_*, at least one of them.
 */
int virtio_wait(struct virtio_queue *queue, int input, int input2)
{
	struct pollfd poll_fd[] = {
		{ .fd = queue->device->stop, .events = POLLIN },
		{ .fd = queue->kick, .events = POLLIN },
		{ .fd = input, .events = POLLIN },
		{ .fd = input2, .events = POLLIN },
	};
	int i, what = 0;

	if (!queue->device->ops->async && queue->in_use)
		virtio_queue_rest(queue);
	while (!what) {
		if (queue->device->stopping)
			return VIRTIO_WAIT_STOP;
		if (poll(poll_fd, 4, -1) < 0)
			continue;	/* EINTR */
		for (i = 0; i < 4; i++)
			if (poll_fd[i].revents)
				what |= 1 << i;
	}
	if (what & VIRTIO_WAIT_STOP)
		return VIRTIO_WAIT_STOP;
	if ((what & VIRTIO_WAIT_KICK) && !virtio_take_kick(queue))
		what &= ~VIRTIO_WAIT_KICK;	/* cannot happen: no other thread reads it */
	return what;
}
