// SPDX-License-Identifier: GPL-2.0-only
/* Random numbers (virtio 1.2, section 5.4), from the host, one chain at a time. */
#include <linux/virtio_ids.h>
#include <sys/random.h>

#include "virtio/virtio.h"

/* A driver that gets fewer bytes than it wants asks again. */
#define MOST_AT_ONCE	4096

static void rng_run(struct virtio_queue *queue)
{
	struct virtio_chain chain;
	uint8_t random[MOST_AT_ONCE];

	while (virtio_wait(queue, -1, -1) != VIRTIO_WAIT_STOP) {
		while (!queue->device->stopping && virtio_pop(queue, &chain)) {
			struct iovec *iov = chain.iov + chain.out;
			size_t size = iov_size(iov, chain.in);
			ssize_t got;

			got = getrandom(random, size < sizeof(random) ? size : sizeof(random), 0);
			if (got < 0)
				got = 0;	/* a signal: this thread must end */
			virtio_push(queue, &chain, iov_write(&iov, &chain.in, random, got));
		}
	}
}

static const struct virtio_ops rng_ops = {
	.name = "random number generator",
	.id = VIRTIO_ID_RNG,
	.queues = 1,
	.run = rng_run,
};

/**
 * virtio_rng_init() - make the random number generator
 * @device: filled in; virtio_device_exit() it, whatever is returned
 * @memory: the guest's memory
 *
 * Return: 0, or a negative errno after telling the person.
 */
int virtio_rng_init(struct virtio_device *device, const struct guest_memory *memory)
{
	return virtio_device_init(device, &rng_ops, memory);
}
