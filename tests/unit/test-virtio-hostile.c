// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rings and registers of virtio devices: a bad driver loses its device and nothing else.
 */
#include "bare_device.h"
#include "base/compiler.h"
#include "unit.h"

/* Check that the device gives up at the chain that starts at 0, with these words. */
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
	/* The device stays in that state, and prints nothing more. */
	driver_offer(&driver, 0, 0);
	ck_assert(!virtio_pop(queue, &chain));
	ck_assert(!virtio_queue_waiting(queue));
	ck_assert_int_eq(unit_messages, 0);
	/* When the driver begins anew, the device works again. */
	driver_start(&driver, driver.features);
	driver_put_desc(&driver, 0, 0, DRIVER_BUFFERS, 1, 0, 0);
	driver_offer(&driver, 0, 0);
	ck_assert(virtio_pop(queue, &chain));
	virtio_push(queue, &chain, 0);
	ck_assert_uint_eq(driver_used(&driver, 0)->idx, 1);
	driver_start(&driver, driver.features);
}

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
	/* An indirect table in an indirect table. */
	driver_put_desc(&driver, 0, 0, DRIVER_INDIRECT(0), 16, INDIRECT, 0);
	table[0] = (struct vring_desc){ DRIVER_INDIRECT(0), 16, INDIRECT, 0 };
	misused("an indirect table where none may be");
	/* The ring's own table as an indirect one of itself. */
	driver_put_desc(&driver, 0, 0, DRIVER_DESC(0), DRIVER_ENTRIES * 16, INDIRECT, 0);
	misused("an indirect table where none may be");
	/* A loop in an indirect table. */
	driver_put_desc(&driver, 0, 0, DRIVER_INDIRECT(0), 32, INDIRECT, 0);
	table[0] = (struct vring_desc){ DRIVER_BUFFERS, 1, NEXT, 1 };
	table[1] = (struct vring_desc){ DRIVER_BUFFERS, 1, NEXT, 0 };
	misused("a chain longer than the ring");
	driver_put_desc(&driver, 0, 0, DRIVER_INDIRECT(0), 32, INDIRECT, 0);
	table[0] = (struct vring_desc){ DRIVER_BUFFERS, 1, NEXT, 2 };
	misused("a descriptor outside its table");
	tear_down();
	/* An indirect table although the feature was not negotiated. */
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

/* Rings at impossible addresses, or of impossible sizes. */
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

/* Random rings: each pop ends, and all buffers that it returns lie in guest memory. */
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
	Suite *suite = suite_create("virtio-hostile");

	UNIT_ADD(suite, hostile_chains_cost_the_device);
	UNIT_ADD(suite, hostile_buffers_cost_the_device);
	UNIT_ADD(suite, hostile_indirect_tables_cost_the_device);
	UNIT_ADD(suite, hostile_avail_index_costs_the_device);
	UNIT_ADD(suite, hostile_queues_cost_the_device);
	UNIT_ADD(suite, random_rings_do_no_harm);
	return unit_run(suite);
}
