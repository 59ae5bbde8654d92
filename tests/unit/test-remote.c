// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices whose queues another program serves. The program is told of each queue that the
 * driver takes back, by whichever register, and has stopped using it when the write to that
 * register returns.
 */
#include <errno.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include <linux/virtio_mmio.h>
#include <stddef.h>
#include <unistd.h>

#include "driver.h"
#include "unit.h"
#include "vhost_program.h"

#define QUEUE_RESET	0x0c0
#define F_RING_RESET	(1ULL << VIRTIO_F_RING_RESET)

static struct virtio_device device;
static struct driver driver;
static unsigned int stopped[2];
static int start_error;

static int start(struct virtio_device *of)
{
	(void)of;
	return start_error;
}

static void stop_queue(struct virtio_queue *queue)
{
	stopped[queue->index]++;
}

static const struct virtio_ops ops = {
	.name = "test device", .id = 42, .queues = 2, .remote = true,
	.start = start, .stop_queue = stop_queue,
};

static void set_up(uint64_t features)
{
	driver_init(&driver);
	stopped[0] = stopped[1] = 0;
	ck_assert_int_eq(virtio_device_init(&device, &ops, &driver.memory), 0);
	driver.device = &device;
	driver_start(&driver, features);
}

START_TEST(each_way_of_stopping_a_queue_is_told)
{
	set_up(F_RING_RESET);
	/* Before DRIVER_OK no queue runs, so none is stopped. */
	ck_assert_uint_eq(stopped[0] + stopped[1], 0);
	driver_write(&driver, VIRTIO_MMIO_QUEUE_SEL, 1);
	driver_write(&driver, VIRTIO_MMIO_QUEUE_READY, 0);
	ck_assert_uint_eq(stopped[0], 0);
	ck_assert_uint_eq(stopped[1], 1);
	driver_write(&driver, VIRTIO_MMIO_QUEUE_SEL, 0);
	driver_write(&driver, QUEUE_RESET, 1);
	ck_assert_uint_eq(stopped[0], 1);
	ck_assert_uint_eq(stopped[1], 1);
	/* A reset stops queues that are not ready, too: one may still be being stopped. */
	driver_reset(&driver);
	ck_assert_uint_eq(stopped[0], 2);
	ck_assert_uint_eq(stopped[1], 2);
	driver_stop(&driver);
}
END_TEST

START_TEST(start_that_fails_is_told_by_an_interrupt)
{
	start_error = -EIO;
	set_up(0);
	ck_assert(driver_needs_reset(&driver));
	ck_assert_uint_eq(driver_read(&driver, VIRTIO_MMIO_INTERRUPT_STATUS) &
			  VIRTIO_MMIO_INT_CONFIG, VIRTIO_MMIO_INT_CONFIG);
	ck_assert(driver_interrupted(&driver));
	driver_stop(&driver);
}
END_TEST

START_TEST(vhost_user_program_lets_go_of_each_queue)
{
	uint64_t wce = VIRTIO_MMIO_CONFIG + offsetof(struct virtio_blk_config, wce);
	unsigned int round;

	program_start(0);
	driver_init(&driver);
	guest_memory_exit(&driver.memory);
	ck_assert_int_eq(guest_memory_init_shared(&driver.memory, DRIVER_MEMORY), 0);
	ck_assert_int_eq(virtio_block_kind.init(&device, &driver.memory, program_value), 0);
	driver_run(&driver, &device, 1ULL << VIRTIO_BLK_F_CONFIG_WCE);
	for (round = 1; round <= 3; round++) {
		ck_assert(program_hears(SET_VRING_ENABLE, round));
		ck_assert_uint_eq(program_heard(GET_VRING_BASE), round - 1);
		virtio_mmio_write(&device, wce, 1, round & 1);
		ck_assert_uint_eq(virtio_mmio_read(&device, wce, 1), round & 1);
		ck_assert(program_hears(SET_CONFIG, round));
		driver_write(&driver, VIRTIO_MMIO_QUEUE_SEL, 0);
		if (round < 3)
			driver_write(&driver, VIRTIO_MMIO_QUEUE_READY, 0);
		else
			driver_reset(&driver);
		ck_assert_uint_eq(program_heard(GET_VRING_BASE), round);
		/* The program has stopped the queue, and is not asked again. */
		driver_reset(&driver);
		ck_assert_uint_eq(program_heard(GET_VRING_BASE), round);
		if (round < 3)
			driver_start(&driver, 1ULL << VIRTIO_BLK_F_CONFIG_WCE);
	}
	ck_assert_int_eq(unit_messages, 0);
	driver_stop(&driver);
	program_end();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("remote devices");

	UNIT_ADD(suite, each_way_of_stopping_a_queue_is_told);
	UNIT_ADD(suite, start_that_fails_is_told_by_an_interrupt);
	UNIT_ADD(suite, vhost_user_program_lets_go_of_each_queue);
	return unit_run(suite);
}
