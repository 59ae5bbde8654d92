// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rings and registers of virtio devices: what good drivers rely on, and that a
 * bad one loses its device and nothing else.
 */
#include <linux/virtio_config.h>
#include <linux/virtio_mmio.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "compiler.h"
#include "driver.h"
#include "unit.h"

#define NEXT		VRING_DESC_F_NEXT
#define WRITE		VRING_DESC_F_WRITE
#define INDIRECT	VRING_DESC_F_INDIRECT
#define F_INDIRECT	(1ULL << VIRTIO_RING_F_INDIRECT_DESC)
#define F_EVENT_IDX	(1ULL << VIRTIO_RING_F_EVENT_IDX)
#define F_VERSION_1	(1ULL << VIRTIO_F_VERSION_1)
#define F_RING_RESET	(1ULL << VIRTIO_F_RING_RESET)
#define QUEUE_RESET	0x0c0

/* A device without threads: the test does what they do. */
static const struct virtio_ops test_ops = { .name = "test device", .id = 42, .queues = 2 };

static struct virtio_device device;
static struct driver driver;
static struct virtio_queue *queue;
static struct virtio_chain chain;

static void set_up(uint64_t features)
{
	driver_init(&driver);
	ck_assert_int_eq(virtio_device_init(&device, &test_ops, &driver.memory), 0);
	driver.device = &device;
	queue = &device.queue[0];
	driver_start(&driver, features);
}

static void tear_down(void)
{
	virtio_device_exit(&device);
	guest_memory_exit(&driver.memory);
}

/* The chain that starts at 0 costs the device, with these words. */
static void misused(const char *words)
{
	driver_offer(&driver, 0, 0);
	driver_interrupted(&driver);
	ck_assert(!virtio_pop(queue, &chain));
	unit_refused(-1, words);
	ck_assert(driver_needs_reset(&driver));
	ck_assert_uint_eq(driver_read(&driver, VIRTIO_MMIO_INTERRUPT_STATUS),
			  VIRTIO_MMIO_INT_CONFIG);
	ck_assert(driver_interrupted(&driver));
	/* It stays so, and nothing more is said. */
	driver_offer(&driver, 0, 0);
	ck_assert(!virtio_pop(queue, &chain));
	ck_assert(!virtio_queue_waiting(queue));
	ck_assert_int_eq(unit_messages, 0);
	/* Until the driver begins anew. */
	driver_start(&driver, driver.features);
	driver_put_desc(&driver, 0, 0, DRIVER_BUFFERS, 1, 0, 0);
	driver_offer(&driver, 0, 0);
	ck_assert(virtio_pop(queue, &chain));
	virtio_push(queue, &chain, 0);
	ck_assert_uint_eq(driver_used(&driver, 0)->idx, 1);
	driver_start(&driver, driver.features);
}

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
	/* Without that step the device does not start. */
	driver_write(&driver, VIRTIO_MMIO_STATUS, VIRTIO_CONFIG_S_DRIVER_OK);
	ck_assert(!(driver_read(&driver, VIRTIO_MMIO_STATUS) & VIRTIO_CONFIG_S_DRIVER_OK));
	/* And what was agreed on stays. */
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
		/* Behind the used ring: kick me with the next one. */
		ck_assert_uint_eq(*(uint16_t *)&driver_used(&driver, 0)->ring[DRIVER_ENTRIES], i + 1);
		virtio_push(queue, &chain, 0);
		ck_assert_int_eq(driver_interrupted(&driver), i == 2);
	}
	tear_down();
}
END_TEST

/* One chain is taken, which has one buffer. */
static void take_chain(void)
{
	driver_put_desc(&driver, 0, 0, DRIVER_BUFFERS, 1, WRITE, 0);
	driver_offer(&driver, 0, 0);
	ck_assert(virtio_pop(queue, &chain));
}

START_TEST(chain_from_before_a_reset_is_forgotten)
{
	set_up(0);
	take_chain();
	/* The device keeps it, but leaves its buffer alone. */
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

/* The driver wants its memory back, in one of three ways. */
static void *stop_queue(void *reg)
{
	uint64_t offset = (uintptr_t)reg;

	driver_write(&driver, VIRTIO_MMIO_QUEUE_SEL, 0);
	driver_write(&driver, offset, offset == QUEUE_RESET);
	stopped = true;
	return NULL;
}

/*
 * Whatever comes late, the driver's memory is its own when the register is written:
 * after a reset it has other things there.
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
		/* Other virtual CPUs do not wait for it. */
		while (driver_read(&driver, VIRTIO_MMIO_QUEUE_READY))
			usleep(100);
		/* Nor can they use it again, which would keep that one waiting. */
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

/* A chain that never comes back, such as a disk's that is gone, does not outlive the Guest. */
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
	/* Who did not accept the feature can't. */
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

START_TEST(hostile_chains_cost_the_device)
{
	int i;

	set_up(F_INDIRECT);
	/* A chain that bites its tail, of one and of all entries. */
	driver_put_desc(&driver, 0, 0, DRIVER_BUFFERS, 1, NEXT, 0);
	misused("a chain longer than the ring");
	for (i = 0; i < DRIVER_ENTRIES; i++)
		driver_put_desc(&driver, 0, i, DRIVER_BUFFERS, 1, NEXT, (i + 1) % DRIVER_ENTRIES);
	misused("a chain longer than the ring");
	driver_put_desc(&driver, 0, 0, DRIVER_BUFFERS, 1, NEXT, DRIVER_ENTRIES);
	misused("a descriptor outside its table");
	driver_put_desc(&driver, 0, 0, DRIVER_BUFFERS, 1, NEXT, 0xffff);
	misused("a descriptor outside its table");
	driver_put_desc(&driver, 0, 0, DRIVER_BUFFERS, 1, NEXT | WRITE, 1);
	driver_put_desc(&driver, 0, 1, DRIVER_BUFFERS, 1, 0, 0);
	misused("a buffer to read after one to write");
	tear_down();
}
END_TEST

START_TEST(hostile_buffers_cost_the_device)
{
	static const struct { uint64_t gpa; uint32_t size; } hostile[] = {
		{ DRIVER_MEMORY, 1 }, { DRIVER_MEMORY - 1, 2 }, { 0, DRIVER_MEMORY + 1 },
		{ ~0ULL, 1 }, { ~0ULL, 0xffffffff }, { ~0ULL - 4095, 4096 },
		{ 0xd0000000, 4 }, { 0x100000000, 1 }, { DRIVER_BUFFERS, 0xffffffff },
		{ 1ULL << 63, 0 },
	};
	size_t i;

	set_up(0);
	for (i = 0; i < ARRAY_SIZE(hostile); i++) {
		driver_put_desc(&driver, 0, 0, hostile[i].gpa, hostile[i].size, 0, 0);
		misused("a buffer that is not in memory");
	}
	tear_down();
}
END_TEST

START_TEST(hostile_indirect_tables_cost_the_device)
{
	static const uint32_t sizes[] = { 0, 1, 15, 17, 257 * 16, 0xfffffff0, 0xffffffff };
	struct vring_desc *table;
	size_t i;

	set_up(F_INDIRECT);
	table = (void *)(driver.memory.base + DRIVER_INDIRECT(0));
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		driver_put_desc(&driver, 0, 0, DRIVER_INDIRECT(0), sizes[i], INDIRECT, 0);
		misused("an indirect table of impossible size");
	}
	driver_put_desc(&driver, 0, 0, DRIVER_MEMORY, 16, INDIRECT, 0);
	misused("an indirect table that is not in memory");
	driver_put_desc(&driver, 0, 0, DRIVER_INDIRECT(0), 16, INDIRECT | NEXT, 1);
	misused("both indirect and not the last");
	/* One in another. */
	driver_put_desc(&driver, 0, 0, DRIVER_INDIRECT(0), 16, INDIRECT, 0);
	table[0] = (struct vring_desc){ DRIVER_INDIRECT(0), 16, INDIRECT, 0 };
	misused("an indirect table where none may be");
	/* The ring's own table as an indirect one of itself. */
	driver_put_desc(&driver, 0, 0, DRIVER_DESC(0), DRIVER_ENTRIES * 16, INDIRECT, 0);
	misused("an indirect table where none may be");
	/* A loop in it. */
	driver_put_desc(&driver, 0, 0, DRIVER_INDIRECT(0), 32, INDIRECT, 0);
	table[0] = (struct vring_desc){ DRIVER_BUFFERS, 1, NEXT, 1 };
	table[1] = (struct vring_desc){ DRIVER_BUFFERS, 1, NEXT, 0 };
	misused("a chain longer than the ring");
	driver_put_desc(&driver, 0, 0, DRIVER_INDIRECT(0), 32, INDIRECT, 0);
	table[0] = (struct vring_desc){ DRIVER_BUFFERS, 1, NEXT, 2 };
	misused("a descriptor outside its table");
	tear_down();
	/* And one that was never agreed on. */
	set_up(0);
	driver_put_desc(&driver, 0, 0, DRIVER_INDIRECT(0), 16, INDIRECT, 0);
	misused("an indirect table where none may be");
	tear_down();
}
END_TEST

START_TEST(hostile_avail_index_costs_the_device)
{
	set_up(0);
	driver_avail(&driver, 0)->idx = DRIVER_ENTRIES + 5;
	misused("more chains than the ring has entries");
	driver_avail(&driver, 0)->idx = 0xfff0;
	misused("more chains than the ring has entries");
	driver_avail(&driver, 0)->ring[0] = DRIVER_ENTRIES;
	driver_avail(&driver, 0)->idx = 1;
	ck_assert(!virtio_pop(queue, &chain));
	unit_refused(-1, "a descriptor outside its table");
	tear_down();
}
END_TEST

/* Rings that can't be where, or as large as, the driver says. */
START_TEST(hostile_queues_cost_the_device)
{
	static const struct { uint32_t reg, value; } hostile[] = {
		{ VIRTIO_MMIO_QUEUE_NUM, 0 }, { VIRTIO_MMIO_QUEUE_NUM, 3 },
		{ VIRTIO_MMIO_QUEUE_NUM, 512 }, { VIRTIO_MMIO_QUEUE_NUM, 0x10000 },
		{ VIRTIO_MMIO_QUEUE_NUM, 0x10010 }, { VIRTIO_MMIO_QUEUE_NUM, 0xffffffff },
		{ VIRTIO_MMIO_QUEUE_DESC_HIGH, 0xffffffff }, { VIRTIO_MMIO_QUEUE_DESC_HIGH, 1 },
		{ VIRTIO_MMIO_QUEUE_DESC_LOW, 8 }, { VIRTIO_MMIO_QUEUE_AVAIL_LOW, 1 },
		{ VIRTIO_MMIO_QUEUE_USED_LOW, 2 },
		{ VIRTIO_MMIO_QUEUE_DESC_LOW, DRIVER_MEMORY - DRIVER_ENTRIES * 16 + 16 },
		{ VIRTIO_MMIO_QUEUE_AVAIL_LOW, DRIVER_MEMORY - DRIVER_ENTRIES * 2 - 4 },
		{ VIRTIO_MMIO_QUEUE_USED_LOW, DRIVER_MEMORY - DRIVER_ENTRIES * 8 - 4 },
		{ VIRTIO_MMIO_QUEUE_USED_LOW, 0xd0000000 },
	};
	size_t i;

	set_up(0);
	for (i = 0; i < ARRAY_SIZE(hostile); i++) {
		driver_negotiate(&driver, F_VERSION_1);
		driver_set_queue(&driver, 0);
		driver_write(&driver, VIRTIO_MMIO_QUEUE_READY, 0);
		driver_write(&driver, hostile[i].reg, hostile[i].value);
		driver_write(&driver, VIRTIO_MMIO_QUEUE_READY, 1);
		ck_assert_uint_eq(driver_read(&driver, VIRTIO_MMIO_QUEUE_READY), 0);
		unit_refused(-1, "a queue that is not in memory");
		driver_write(&driver, VIRTIO_MMIO_STATUS, 15);
		ck_assert(!virtio_pop(queue, &chain));
	}
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

/* Rings full of bad luck: each pop ends, and what it gives is all in memory. */
START_TEST(random_rings_do_no_harm)
{
	static const uint64_t places[] = {
		DRIVER_BUFFERS, DRIVER_DESC(0), DRIVER_AVAIL(0), DRIVER_USED(0), DRIVER_INDIRECT(0),
		DRIVER_MEMORY - 16, DRIVER_MEMORY, ~0ULL - 15, 0,
	};
	int round, i, popped = 0;
	uint64_t *word;

	set_up(F_INDIRECT | F_EVENT_IDX);
	for (round = 0; round < 20000; round++) {
		if (driver_needs_reset(&driver))
			driver_start(&driver, F_INDIRECT | (unit_random() & F_EVENT_IDX));
		word = (void *)(driver.memory.base + DRIVER_INDIRECT(0));
		for (i = 0; i < DRIVER_ENTRIES; i++) {
			uint64_t r = unit_random();

			uint32_t size = r >> 60 ? 16U << (r >> 62) : r >> 32;

			driver_put_desc(&driver, 0, i, places[r % 9], size,
					r >> 8 & 7 & (r >> 12), r >> 16 & 15);
			word[2 * i] = places[(r >> 20) % 9];
			word[2 * i + 1] = (r >> 24 & 31) | (r >> 28 & 3) << 32 | (r >> 30 & 15) << 48;
		}
		driver_offer(&driver, 0, unit_random() % (DRIVER_ENTRIES + 1));
		if (!virtio_pop(queue, &chain))
			continue;
		popped++;
		for (i = 0; i < (int)(chain.out + chain.in); i++) {
			uint8_t *at = chain.iov[i].iov_base;

			ck_assert(at >= driver.memory.base);
			ck_assert(at + chain.iov[i].iov_len <= driver.memory.base + DRIVER_MEMORY);
		}
		virtio_push(queue, &chain, unit_random());
	}
	ck_assert_int_gt(popped, 1000);
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
	UNIT_ADD(suite, hostile_chains_cost_the_device);
	UNIT_ADD(suite, hostile_buffers_cost_the_device);
	UNIT_ADD(suite, hostile_indirect_tables_cost_the_device);
	UNIT_ADD(suite, hostile_avail_index_costs_the_device);
	UNIT_ADD(suite, hostile_queues_cost_the_device);
	UNIT_ADD(suite, config_change_is_told_and_counted);
	UNIT_ADD(suite, random_rings_do_no_harm);
	return unit_run(suite);
}
