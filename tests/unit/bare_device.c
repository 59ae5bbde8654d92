// SPDX-License-Identifier: GPL-2.0-only
/* What the tests of rings and registers share. */
#include "bare_device.h"
#include "unit.h"

/* A device without threads: the test does what its threads would do. */
static const struct virtio_ops test_ops = { .name = "test device", .id = 42, .queues = 2 };

struct virtio_device device;
struct driver driver;
struct virtio_queue *queue;
struct virtio_chain chain;

void set_up(uint64_t features)
{
	driver_init(&driver);
	ck_assert_int_eq(virtio_device_init(&device, &test_ops, &driver.memory), 0);
	driver.device = &device;
	queue = &device.queue[0];
	driver_start(&driver, features);
}

void tear_down(void)
{
	virtio_device_exit(&device);
	guest_memory_exit(&driver.memory);
}

/* Pop one chain, which must have one buffer. */
void take_chain(void)
{
	driver_put_desc(&driver, 0, 0, DRIVER_BUFFERS, 1, WRITE, 0);
	driver_offer(&driver, 0, 0);
	ck_assert(virtio_pop(queue, &chain));
}
