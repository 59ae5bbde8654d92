// SPDX-License-Identifier: GPL-2.0-only
/* What the tests of the network card share. */
#include "net_card.h"
#include "unit.h"

struct virtio_device device;
struct driver driver;

void run_card(uint64_t features)
{
	driver.device = &device;
	driver_start_threads(&driver);
	driver_start(&driver, features);
}

void start_net(const char *value, uint64_t features)
{
	driver_init(&driver);
	ck_assert_int_eq(virtio_net_kind.init(&device, &driver.memory, value), 0);
	run_card(features);
}

void stop(void)
{
	driver_stop(&driver);
}

uint8_t *memory(uint64_t gpa)
{
	return driver.memory.base + gpa;
}

void offer(unsigned int number, uint32_t size)
{
	unsigned int i = number % DRIVER_ENTRIES;

	driver_put_desc(&driver, RECEIVE, i, RECEIVED(i), size, WRITE, 0);
	driver_offer(&driver, RECEIVE, i);
	driver_kick(&driver, RECEIVE);
}

struct vring_used_elem *used(unsigned int queue, unsigned int number)
{
	return &driver_used(&driver, queue)->ring[number % DRIVER_ENTRIES];
}
