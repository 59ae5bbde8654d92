// SPDX-License-Identifier: GPL-2.0-only
/*
 * The random number generator, with its thread.
 */
#include "driver.h"
#include "unit.h"

#define WRITE		VRING_DESC_F_WRITE
#define NEXT		VRING_DESC_F_NEXT
#define F_EVENT_IDX	(1ULL << VIRTIO_RING_F_EVENT_IDX)

static struct virtio_device device;
static struct driver driver;

START_TEST(random_numbers_come)
{
	static const uint8_t zero[64];
	unsigned int i;

	driver_init(&driver);
	ck_assert_int_eq(virtio_rng_init(&device, &driver.memory), 0);
	driver_run(&driver, &device, F_EVENT_IDX);
	for (i = 0; i < 100; i++) {
		driver_put_desc(&driver, 0, 0, DRIVER_BUFFERS, 32, WRITE | NEXT, 1);
		driver_put_desc(&driver, 0, 1, DRIVER_BUFFERS + 32, 32, WRITE, 0);
		driver_offer(&driver, 0, 0);
		driver_kick(&driver, 0);
		ck_assert(driver_wait(&driver, 0, i + 1));
		ck_assert_uint_eq(driver_used(&driver, 0)->ring[i % DRIVER_ENTRIES].len, 64);
	}
	ck_assert_mem_ne(driver.memory.base + DRIVER_BUFFERS, zero, 32);
	ck_assert_mem_ne(driver.memory.base + DRIVER_BUFFERS + 32, zero, 32);
	driver_stop(&driver);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("rng");

	UNIT_ADD(suite, random_numbers_come);
	return unit_run(suite);
}
