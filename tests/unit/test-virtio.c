// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rings and registers of virtio devices: what good drivers rely on. test-virtio-hostile.c
 * has the bad drivers.
 */
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "bare_device.h"
#include "base/compiler.h"
#include "unit.h"

START_TEST(registers_say_what_the_device_is)
{
	set_up(0);
	ck_assert_uint_eq(driver_read(&driver, 0), 0x74726976);
	ck_assert_uint_eq(driver_read(&driver, 4), 2);
	ck_assert_uint_eq(driver_read(&driver, 8), 42);
	driver_write(&driver, VIRTIO_MMIO_DEVICE_FEATURES_SEL, 1);
	ck_assert_uint_eq(driver_read(&driver, VIRTIO_MMIO_DEVICE_FEATURES),
			  (F_VERSION_1 | F_RING_RESET) >> 32);
	driver_write(&driver, VIRTIO_MMIO_DEVICE_FEATURES_SEL, 0);
	ck_assert_uint_eq(driver_read(&driver, VIRTIO_MMIO_DEVICE_FEATURES),
			  F_INDIRECT | F_EVENT_IDX);
	driver_write(&driver, VIRTIO_MMIO_DEVICE_FEATURES_SEL, 2);
	ck_assert_uint_eq(driver_read(&driver, VIRTIO_MMIO_DEVICE_FEATURES), 0);
	driver_write(&driver, VIRTIO_MMIO_QUEUE_SEL, 1);
	ck_assert_uint_eq(driver_read(&driver, VIRTIO_MMIO_QUEUE_NUM_MAX), VIRTIO_QUEUE_SIZE);
	driver_write(&driver, VIRTIO_MMIO_QUEUE_SEL, 2);
	ck_assert_uint_eq(driver_read(&driver, VIRTIO_MMIO_QUEUE_NUM_MAX), 0);
	ck_assert_uint_eq(driver_read(&driver, VIRTIO_MMIO_SHM_LEN_LOW), 0xffffffff);
	tear_down();
}
END_TEST

START_TEST(features_that_were_not_offered_are_not_accepted)
{
	set_up(0);
	ck_assert(!(driver_negotiate(&driver, F_VERSION_1 | 1ULL << 50) &
		    VIRTIO_CONFIG_S_FEATURES_OK));
	ck_assert(!(driver_negotiate(&driver, F_INDIRECT) & VIRTIO_CONFIG_S_FEATURES_OK));
	/* The device does not start without FEATURES_OK. */
	driver_write(&driver, VIRTIO_MMIO_STATUS, VIRTIO_CONFIG_S_DRIVER_OK);
	ck_assert(!(driver_read(&driver, VIRTIO_MMIO_STATUS) & VIRTIO_CONFIG_S_DRIVER_OK));
	/* The negotiated features stay. */
	ck_assert(driver_negotiate(&driver, F_VERSION_1) & VIRTIO_CONFIG_S_FEATURES_OK);
	driver_write(&driver, VIRTIO_MMIO_DRIVER_FEATURES_SEL, 0);
	driver_write(&driver, VIRTIO_MMIO_DRIVER_FEATURES, 0xffffffff);
	ck_assert_uint_eq(device.driver_features, F_VERSION_1);
	tear_down();
}
END_TEST

START_TEST(any_register_with_any_value_does_no_harm)
{
	static const uint64_t values[] = { 0, 1, 2, 0xff, 0x100, 0xffff, 0x80000000, ~0ULL };
	uint64_t offset, i;
	unsigned int length;

	set_up(0);
	for (offset = 0; offset < 0x300; offset++) {
		for (length = 1; length <= 8; length *= 2) {
			virtio_mmio_read(&device, offset, length);
			for (i = 0; i < ARRAY_SIZE(values); i++)
				virtio_mmio_write(&device, offset, length, values[i]);
			virtio_mmio_read(&device, offset, length);
		}
	}
	ck_assert_uint_eq(virtio_mmio_read(&device, VIRTIO_MMIO_CONFIG + 0xff, 2), 0);
	ck_assert_uint_eq(virtio_mmio_read(&device, ~0ULL, 4), 0);
	driver_start(&driver, 0);
	tear_down();
}
END_TEST

START_TEST(chain_comes_out_in_order_and_goes_back)
{
	struct vring_used *used;

	set_up(0);
	driver_put_desc(&driver, 0, 3, DRIVER_BUFFERS, 10, NEXT, 7);
	driver_put_desc(&driver, 0, 7, DRIVER_BUFFERS + 100, 20, NEXT | WRITE, 1);
	driver_put_desc(&driver, 0, 1, DRIVER_BUFFERS + 200, 30, WRITE, 0);
	ck_assert(!virtio_queue_waiting(queue));
	driver_offer(&driver, 0, 3);
	ck_assert(virtio_queue_waiting(queue));
	ck_assert(virtio_pop(queue, &chain));
	ck_assert_uint_eq(chain.out, 1);
	ck_assert_uint_eq(chain.in, 2);
	ck_assert_ptr_eq(chain.iov[0].iov_base, driver.memory.base + DRIVER_BUFFERS);
	ck_assert_uint_eq(chain.iov[0].iov_len, 10);
	ck_assert_ptr_eq(chain.iov[2].iov_base, driver.memory.base + DRIVER_BUFFERS + 200);
	ck_assert(!virtio_pop(queue, &chain));
	used = driver_used(&driver, 0);
	ck_assert_uint_eq(used->idx, 0);
	virtio_push(queue, &chain, 44);
	ck_assert_uint_eq(used->idx, 1);
	ck_assert_uint_eq(used->ring[0].id, 3);
	ck_assert_uint_eq(used->ring[0].len, 44);
	ck_assert_uint_eq(driver_read(&driver, VIRTIO_MMIO_INTERRUPT_STATUS), VIRTIO_MMIO_INT_VRING);
	ck_assert(driver_interrupted(&driver));
	ck_assert_uint_eq(driver_read(&driver, VIRTIO_MMIO_INTERRUPT_STATUS), 0);
	tear_down();
}
END_TEST

/* 16-bit indexes wrap; 70000 chains through 16 entries. */
START_TEST(indexes_wrap)
{
	int i;

	set_up(F_EVENT_IDX);
	for (i = 0; i < 70000; i++) {
		driver_put_desc(&driver, 0, i % DRIVER_ENTRIES, DRIVER_BUFFERS, i % 100, WRITE, 0);
		driver_offer(&driver, 0, i % DRIVER_ENTRIES);
		ck_assert(virtio_pop(queue, &chain));
		ck_assert_uint_eq(chain.head, i % DRIVER_ENTRIES);
		virtio_push(queue, &chain, i % 100);
		ck_assert_uint_eq(driver_used(&driver, 0)->idx, (uint16_t)(i + 1));
	}
	tear_down();
}
END_TEST

START_TEST(indirect_table_is_followed)
{
	struct vring_desc *table;
	int i;

	set_up(F_INDIRECT);
	table = (void *)(driver.memory.base + DRIVER_INDIRECT(0));
	for (i = 0; i < VIRTIO_QUEUE_SIZE; i++)
		table[i] = (struct vring_desc){ DRIVER_BUFFERS + i, 1,
			i + 1 < VIRTIO_QUEUE_SIZE ? NEXT : 0, i + 1 };
	driver_put_desc(&driver, 0, 0, DRIVER_INDIRECT(0), VIRTIO_QUEUE_SIZE * 16, INDIRECT, 0);
	driver_offer(&driver, 0, 0);
	ck_assert_msg(virtio_pop(queue, &chain), "%s", unit_last_message);
	ck_assert_uint_eq(chain.out, VIRTIO_QUEUE_SIZE);
	ck_assert_ptr_eq(chain.iov[255].iov_base, driver.memory.base + DRIVER_BUFFERS + 255);
	tear_down();
}
END_TEST

/* 2.7.5.3 asks for no alignment. */
START_TEST(indirect_table_may_lie_at_any_address)
{
	struct vring_desc desc = { DRIVER_BUFFERS, 5, 0, 0 };
	int offset;

	for (offset = 1; offset < 8; offset++) {
		set_up(F_INDIRECT);
		memcpy(driver.memory.base + DRIVER_INDIRECT(0) + offset, &desc, sizeof(desc));
		driver_put_desc(&driver, 0, 0, DRIVER_INDIRECT(0) + offset, sizeof(desc), INDIRECT, 0);
		driver_offer(&driver, 0, 0);
		ck_assert(virtio_pop(queue, &chain));
		ck_assert_ptr_eq(chain.iov[0].iov_base, driver.memory.base + DRIVER_BUFFERS);
		ck_assert_uint_eq(chain.iov[0].iov_len, 5);
		tear_down();
	}
}
END_TEST

START_TEST(driver_that_wants_no_interrupt_gets_none)
{
	set_up(0);
	driver_put_desc(&driver, 0, 0, DRIVER_BUFFERS, 1, 0, 0);
	driver_avail(&driver, 0)->flags = VRING_AVAIL_F_NO_INTERRUPT;
	driver_offer(&driver, 0, 0);
	ck_assert(virtio_pop(queue, &chain));
	virtio_push(queue, &chain, 0);
	ck_assert(!driver_interrupted(&driver));
	tear_down();
}
END_TEST

START_TEST(event_indexes_are_kept)
{
	struct vring_avail *avail;
	int i;

	set_up(F_EVENT_IDX);
	avail = driver_avail(&driver, 0);
	driver_put_desc(&driver, 0, 0, DRIVER_BUFFERS, 1, 0, 0);
	avail->ring[DRIVER_ENTRIES] = 2;	/* interrupt with the third one */
	for (i = 0; i < 4; i++) {
		driver_offer(&driver, 0, 0);
		ck_assert(virtio_pop(queue, &chain));
		ck_assert(!virtio_pop(queue, &chain));
		/* avail_event, behind the used ring: kick with the next one. */
		ck_assert_uint_eq(*(uint16_t *)&driver_used(&driver, 0)->ring[DRIVER_ENTRIES], i + 1);
		virtio_push(queue, &chain, 0);
		ck_assert_int_eq(driver_interrupted(&driver), i == 2);
	}
	tear_down();
}
END_TEST

START_TEST(chain_from_before_a_reset_is_forgotten)
{
	set_up(0);
	take_chain();
	/* The device keeps the chain, but does not touch its buffer. */
	virtio_queue_rest(queue);
	driver_start(&driver, 0);
	driver_interrupted(&driver);
	virtio_push(queue, &chain, 0);
	ck_assert_uint_eq(driver_used(&driver, 0)->idx, 0);
	ck_assert(!driver_interrupted(&driver));
	tear_down();
}
END_TEST

static atomic_bool stopped;

/* The driver takes its memory back in one of three ways. */
static void *stop_queue(void *reg)
{
	uint64_t offset = (uintptr_t)reg;

	driver_write(&driver, VIRTIO_MMIO_QUEUE_SEL, 0);
	driver_write(&driver, offset, offset == QUEUE_RESET);
	stopped = true;
	return NULL;
}

/*
 * Whatever is late: once the write to the register returns, the device does not touch the
 * memory, which the driver uses for other things.
 */
START_TEST(queue_stops_when_its_buffers_are_left_alone)
{
	static const uint64_t ways[] = { VIRTIO_MMIO_STATUS, VIRTIO_MMIO_QUEUE_READY, QUEUE_RESET };
	struct virtio_chain other;
	pthread_t thread;
	unsigned int i;

	for (i = 0; i < 2 * ARRAY_SIZE(ways); i++) {
		set_up(F_RING_RESET);
		take_chain();
		driver_offer(&driver, 0, 0);
		stopped = false;
		pthread_create(&thread, NULL, stop_queue, (void *)(uintptr_t)ways[i / 2]);
		/* Other virtual CPUs do not wait for the queue. */
		while (driver_read(&driver, VIRTIO_MMIO_QUEUE_READY))
			usleep(100);
		/* Nor can they use the queue again, which would keep the first one waiting. */
		driver_write(&driver, VIRTIO_MMIO_QUEUE_READY, 1);
		ck_assert_uint_eq(driver_read(&driver, VIRTIO_MMIO_QUEUE_READY), 0);
		ck_assert(!virtio_pop(queue, &other));
		usleep(50000);
		ck_assert(!stopped);
		if (i % 2)
			virtio_push(queue, &chain, 1);
		else
			virtio_drop(queue);
		pthread_join(thread, NULL);
		ck_assert_uint_eq(driver_used(&driver, 0)->idx, 0);
		ck_assert(!queue->ready);
		tear_down();
	}
}
END_TEST

/* A reset waits for the last queue, when the first one has been reset already. */
START_TEST(nothing_runs_when_a_reset_is_over)
{
	pthread_t thread;

	set_up(0);
	queue = &device.queue[1];
	driver_put_desc(&driver, 1, 0, DRIVER_BUFFERS, 1, 0, 0);
	driver_offer(&driver, 1, 0);
	ck_assert(virtio_pop(queue, &chain));
	stopped = false;
	pthread_create(&thread, NULL, stop_queue, (void *)VIRTIO_MMIO_STATUS);
	while (driver_read(&driver, VIRTIO_MMIO_QUEUE_READY))
		usleep(100);
	driver_set_queue(&driver, 0);
	ck_assert_uint_eq(driver_read(&driver, VIRTIO_MMIO_QUEUE_READY), 0);
	driver_write(&driver, VIRTIO_MMIO_STATUS, 0xff);
	virtio_drop(queue);
	pthread_join(thread, NULL);
	ck_assert_uint_eq(driver_read(&driver, VIRTIO_MMIO_STATUS), 0);
	ck_assert(!device.queue[0].ready && !device.queue[1].ready);
	tear_down();
}
END_TEST

/* A chain that never comes back, of a disk that is gone, does not delay the guest's end. */
START_TEST(a_virtual_cpu_does_not_wait_beyond_the_end)
{
	pthread_t thread;
	int tries;

	set_up(0);
	take_chain();
	stopped = false;
	pthread_create(&thread, NULL, stop_queue, (void *)VIRTIO_MMIO_STATUS);
	usleep(50000);
	ck_assert(!stopped);
	virtio_device_leave(&device);
	for (tries = 0; !stopped && tries < 5000; tries++)
		usleep(1000);
	ck_assert(stopped);
	pthread_join(thread, NULL);
	tear_down();
}
END_TEST

START_TEST(queue_is_reset_alone)
{
	set_up(F_RING_RESET);
	driver_write(&driver, VIRTIO_MMIO_QUEUE_SEL, 0);
	driver_write(&driver, QUEUE_RESET, 1);
	ck_assert_uint_eq(driver_read(&driver, QUEUE_RESET), 0);
	ck_assert_uint_eq(driver_read(&driver, VIRTIO_MMIO_QUEUE_READY), 0);
	ck_assert(device.queue[1].ready);
	memset(driver_avail(&driver, 0), 0, 64);
	driver_set_queue(&driver, 0);
	take_chain();
	virtio_push(queue, &chain, 0);
	ck_assert_uint_eq(driver_used(&driver, 0)->idx, 1);
	tear_down();
	/* A driver that did not accept the feature can't reset a queue. */
	set_up(0);
	driver_write(&driver, VIRTIO_MMIO_QUEUE_SEL, 0);
	driver_write(&driver, QUEUE_RESET, 1);
	ck_assert_uint_eq(driver_read(&driver, VIRTIO_MMIO_QUEUE_READY), 1);
	tear_down();
}
END_TEST

START_TEST(nothing_happens_before_driver_ok)
{
	set_up(0);
	driver_negotiate(&driver, F_VERSION_1);
	memset(driver_avail(&driver, 0), 0, 64);
	driver_set_queue(&driver, 0);
	driver_put_desc(&driver, 0, 0, DRIVER_BUFFERS, 1, 0, 0);
	driver_offer(&driver, 0, 0);
	ck_assert(!virtio_pop(queue, &chain));
	driver_write(&driver, VIRTIO_MMIO_STATUS, 15);
	ck_assert(virtio_pop(queue, &chain));
	tear_down();
}
END_TEST

START_TEST(config_change_is_told_and_counted)
{
	uint32_t generation;

	set_up(0);
	generation = driver_read(&driver, VIRTIO_MMIO_CONFIG_GENERATION);
	virtio_config_set(&device, "\x11\x22\x33\x44", 4);
	ck_assert_uint_ne(driver_read(&driver, VIRTIO_MMIO_CONFIG_GENERATION), generation);
	ck_assert_uint_eq(driver_read(&driver, VIRTIO_MMIO_INTERRUPT_STATUS),
			  VIRTIO_MMIO_INT_CONFIG);
	ck_assert(driver_interrupted(&driver));
	ck_assert_uint_eq(driver_read(&driver, VIRTIO_MMIO_CONFIG), 0x44332211);
	ck_assert_uint_eq(virtio_mmio_read(&device, VIRTIO_MMIO_CONFIG + 1, 2), 0x3322);
	ck_assert_uint_eq(virtio_mmio_read(&device, VIRTIO_MMIO_CONFIG + 3, 1), 0x44);
	virtio_config_set(&device, "\x11\x22\x33\x44", 4);
	ck_assert(!driver_interrupted(&driver));
	tear_down();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("virtio");

	UNIT_ADD(suite, registers_say_what_the_device_is);
	UNIT_ADD(suite, features_that_were_not_offered_are_not_accepted);
	UNIT_ADD(suite, any_register_with_any_value_does_no_harm);
	UNIT_ADD(suite, chain_comes_out_in_order_and_goes_back);
	UNIT_ADD(suite, indexes_wrap);
	UNIT_ADD(suite, indirect_table_is_followed);
	UNIT_ADD(suite, indirect_table_may_lie_at_any_address);
	UNIT_ADD(suite, driver_that_wants_no_interrupt_gets_none);
	UNIT_ADD(suite, event_indexes_are_kept);
	UNIT_ADD(suite, chain_from_before_a_reset_is_forgotten);
	UNIT_ADD(suite, queue_stops_when_its_buffers_are_left_alone);
	UNIT_ADD(suite, nothing_runs_when_a_reset_is_over);
	UNIT_ADD(suite, a_virtual_cpu_does_not_wait_beyond_the_end);
	UNIT_ADD(suite, queue_is_reset_alone);
	UNIT_ADD(suite, nothing_happens_before_driver_ok);
	UNIT_ADD(suite, config_change_is_told_and_counted);
	return unit_run(suite);
}
