// SPDX-License-Identifier: GPL-2.0-only
/*
 * vhost: a thread of the host's kernel serves the rings of a device, with its eventfds for
 * kicks and interrupts. This file has what all such devices tell vhost.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/vhost.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "memory.h"
#include "lguest_abi.h"
#include "virtio/vhost.h"
#include "virtio/virtio.h"

/* Tell vhost where guest physical memory is in this process. */
static int set_memory(int fd, const struct guest_memory *memory)
{
	struct {
		struct vhost_memory head;
		struct vhost_memory_region region[2];
	} table = {
		.head.nregions = memory->size > memory->low ? 2 : 1,
		.region = {
			{
				.memory_size = memory->low,
				.userspace_addr = (uintptr_t)memory->base,
			}, {
				.guest_phys_addr = LGUEST_HOLE_END,
				.memory_size = memory->size - memory->low,
				.userspace_addr = (uintptr_t)memory->base + memory->low,
			},
		},
	};

	return ioctl(fd, VHOST_SET_MEM_TABLE, &table);
}

/**
 * vhost_open() - open a device of the host's kernel for a guest
 * @path: its device file
 * @memory: the guest's memory
 * @features: the features that it knows go there
 *
 * Return: a descriptor, or a negative errno; nobody is told.
 */
int vhost_open(const char *path, const struct guest_memory *memory, uint64_t *features)
{
	int fd, error;

	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (!ioctl(fd, VHOST_SET_OWNER) && !ioctl(fd, VHOST_GET_FEATURES, features) &&
	    !set_memory(fd, memory))
		return fd;
	error = -errno;
	close(fd);
	return error;
}

/**
 * vhost_start_queue() - tell vhost where a queue is
 * @fd: from vhost_open()
 * @queue: is ready; under its device's lock
 *
 * Return: 0, or a negative errno; nobody is told.
 */
int vhost_start_queue(int fd, const struct virtio_queue *queue)
{
	struct vhost_vring_state size = { queue->index, queue->size };
	struct vhost_vring_state base = { queue->index, 0 };
	struct vhost_vring_addr address = {
		.index = queue->index,
		.desc_user_addr = (uintptr_t)queue->desc,
		.avail_user_addr = (uintptr_t)queue->avail,
		.used_user_addr = (uintptr_t)queue->used,
	};
	struct vhost_vring_file kick = { queue->index, queue->kick };
	struct vhost_vring_file call = { queue->index, queue->device->interrupt };

	if (ioctl(fd, VHOST_SET_VRING_NUM, &size) < 0 ||
	    ioctl(fd, VHOST_SET_VRING_BASE, &base) < 0 ||
	    ioctl(fd, VHOST_SET_VRING_ADDR, &address) < 0 ||
	    ioctl(fd, VHOST_SET_VRING_KICK, &kick) < 0 ||
	    ioctl(fd, VHOST_SET_VRING_CALL, &call) < 0)
		return -errno;
	return 0;
}
