// SPDX-License-Identifier: GPL-2.0-only
/*
 * The balloon, with its threads.
 */
#include <linux/virtio_config.h>
#include <linux/virtio_mmio.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "driver.h"
#include "unit.h"
#include "virtio/balloon.h"

#define WRITE		VRING_DESC_F_WRITE
#define NEXT		VRING_DESC_F_NEXT
#define F_STATS		(1ULL << VIRTIO_BALLOON_F_STATS_VQ)
#define F_REPORTING	(1ULL << VIRTIO_BALLOON_F_REPORTING)

enum { INFLATE, DEFLATE, STATS, REPORT };

#define ACTUAL	(VIRTIO_MMIO_CONFIG + 4)
#define PAGES	(DRIVER_MEMORY / PAGE_SIZE)

/* These pages are filled, to see which ones are given back. */
#define FIRST	(DRIVER_BUFFERS / PAGE_SIZE + 16)
#define COUNT	512

static struct virtio_device device;
static struct driver driver;

static void start(bool report_free)
{
	driver_init(&driver);
	ck_assert_int_eq(virtio_balloon_init(&device, &driver.memory, report_free), 0);
	driver_run(&driver, &device, F_STATS | (report_free ? F_REPORTING : 0));
	memset(driver.memory.base + FIRST * PAGE_SIZE, 0x5a, COUNT * PAGE_SIZE);
}

static bool is_given_back(uint32_t page)
{
	static const uint8_t zero[PAGE_SIZE];
	const uint8_t *at = driver.memory.base + page * PAGE_SIZE;

	if (!memcmp(at, zero, PAGE_SIZE))
		return true;
	ck_assert(at[0] == 0x5a && at[PAGE_SIZE - 1] == 0x5a);
	return false;
}

/* Offer a buffer of that many page numbers. */
static void offer_pages(unsigned int queue, const uint32_t *page, unsigned int count, bool in_two)
{
	uint32_t size = count * sizeof(*page), first = in_two ? 6 : size;

	memcpy(driver.memory.base + DRIVER_BUFFERS, page, size);
	driver_put_desc(&driver, queue, 0, DRIVER_BUFFERS, first, in_two ? NEXT : 0, 1);
	driver_put_desc(&driver, queue, 1, DRIVER_BUFFERS + first, size - first, 0, 0);
	driver_offer(&driver, queue, 0);
	driver_kick(&driver, queue);
}

START_TEST(pages_of_the_balloon_are_given_back)
{
	uint32_t page[COUNT];
	unsigned int i, in_two;

	for (in_two = 0; in_two < 2; in_two++) {
		start(false);
		/* Pages in any order, alone and in runs. */
		for (i = 0; i < COUNT / 2; i++)
			page[i] = FIRST + COUNT - 1 - (i % 2 ? 2 * i : i);
		offer_pages(INFLATE, page, COUNT / 2, in_two);
		ck_assert(driver_wait(&driver, INFLATE, 1));
		for (i = 0; i < COUNT / 2; i++)
			ck_assert(is_given_back(page[i]));
		ck_assert(!is_given_back(FIRST));
		ck_assert(!is_given_back(FIRST + 3));
		/* The driver can use them again without telling the device. */
		memset(driver.memory.base + page[0] * PAGE_SIZE, 0x5a, PAGE_SIZE);
		offer_pages(DEFLATE, page, COUNT / 2, in_two);
		ck_assert(driver_wait(&driver, DEFLATE, 1));
		ck_assert(!is_given_back(page[0]));
		driver_stop(&driver);
	}
}
END_TEST

START_TEST(pages_that_are_no_memory_cost_the_device)
{
	static const uint32_t bad[] = { PAGES, 0xd0000, 0x100000, 0xffffffff };
	unsigned int i;
	uint32_t page[2];

	start(false);
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		page[0] = PAGES - 1;
		page[1] = bad[i];
		offer_pages(INFLATE, page, 2, false);
		driver_misuses(&driver, "a page that is not memory");
		driver_start(&driver, F_STATS);
	}
	/* A part of a page number is misuse. */
	driver_put_desc(&driver, INFLATE, 0, DRIVER_BUFFERS, 3, 0, 0);
	driver_offer(&driver, INFLATE, 0);
	driver_kick(&driver, INFLATE);
	ck_assert(driver_wait(&driver, INFLATE, 1));
	driver_stop(&driver);
}
END_TEST

/* A chain may name the same memory again and again: a reset does not wait for all of it. */
START_TEST(a_reset_does_not_wait_for_all_pages)
{
	const unsigned int times = 128;
	struct vring_desc *table;
	unsigned int i;
	time_t start_time;

	driver_init(&driver);
	ck_assert_int_eq(virtio_balloon_init(&device, &driver.memory, false), 0);
	driver_run(&driver, &device, F_STATS | 1ULL << VIRTIO_RING_F_INDIRECT_DESC);
	table = (struct vring_desc *)(driver.memory.base + DRIVER_INDIRECT(INFLATE));
	for (i = 0; i < times; i++)
		table[i] = (struct vring_desc) { DRIVER_BUFFERS, 3 << 20, NEXT, i + 1 };
	table[times - 1].flags = 0;
	driver_put_desc(&driver, INFLATE, 0, DRIVER_INDIRECT(INFLATE), times * sizeof(*table),
			VRING_DESC_F_INDIRECT, 0);
	driver_offer(&driver, INFLATE, 0);
	driver_kick(&driver, INFLATE);
	usleep(100000);
	start_time = time(NULL);
	driver_reset(&driver);
	ck_assert_int_lt(time(NULL) - start_time, 8);
	ck_assert_uint_eq(driver_done(&driver, INFLATE), 0);
	driver_stop(&driver);
}
END_TEST

START_TEST(wanted_and_given_are_told)
{
	struct balloon_stats stats;

	start(false);
	driver_interrupted(&driver);
	balloon_set(&device, 100 * PAGE_SIZE + 1);
	ck_assert_uint_eq(driver_read(&driver, VIRTIO_MMIO_CONFIG), 100);
	ck_assert(driver_read(&driver, VIRTIO_MMIO_INTERRUPT_STATUS) & VIRTIO_MMIO_INT_CONFIG);
	driver_write(&driver, ACTUAL, 40);
	/* The driver can't write the other fields. */
	driver_write(&driver, VIRTIO_MMIO_CONFIG, 7);
	virtio_mmio_write(&device, ACTUAL, 8, ~0ULL);
	virtio_mmio_write(&device, ACTUAL + 1, 1, 0xff);
	balloon_stats(&device, &stats, 10);
	ck_assert(!stats.fresh);
	ck_assert_uint_eq(stats.known, 0);
	ck_assert_uint_eq(stats.wanted, 100 * PAGE_SIZE);
	ck_assert_uint_eq(stats.given, 40 * PAGE_SIZE);
	/* What the old driver had given is forgotten; the size that we want stays. */
	driver_start(&driver, F_STATS);
	balloon_stats(&device, &stats, 10);
	ck_assert_uint_eq(stats.wanted, 100 * PAGE_SIZE);
	ck_assert_uint_eq(stats.given, 0);
	driver_stop(&driver);
}
END_TEST

/* The driver's side of the statistics queue: offer a buffer with one value. */
static void offer_stats(uint64_t value)
{
	struct virtio_balloon_stat stat[3] = {
		{ VIRTIO_BALLOON_S_MEMFREE, value },
		{ 4711, 1 },	/* of a newer version */
		{ VIRTIO_BALLOON_S_MEMTOT, DRIVER_MEMORY },
	};

	memcpy(driver.memory.base + DRIVER_BUFFERS, stat, sizeof(stat));
	driver_put_desc(&driver, STATS, 0, DRIVER_BUFFERS, sizeof(stat), 0, 0);
	driver_offer(&driver, STATS, 0);
	driver_kick(&driver, STATS);
}

static void *answer(void *unused)
{
	ck_assert(driver_wait(&driver, STATS, 1));
	offer_stats(2000);
	return unused;
}

START_TEST(guest_is_asked_for_statistics)
{
	struct balloon_stats stats;
	pthread_t thread;
	int tries;

	start(false);
	offer_stats(1000);
	for (tries = 0; tries < 10000; tries++) {
		balloon_stats(&device, &stats, 0);
		if (stats.known)
			break;
		/* We have not asked yet, so the device keeps the buffer. */
		usleep(1000);
	}
	ck_assert_uint_eq(stats.known, 1 << VIRTIO_BALLOON_S_MEMFREE | 1 << VIRTIO_BALLOON_S_MEMTOT);
	ck_assert_uint_eq(stats.value[VIRTIO_BALLOON_S_MEMFREE], 1000);
	ck_assert_str_eq(balloon_value_name(VIRTIO_BALLOON_S_MEMFREE), "free-memory");
	ck_assert_str_eq(balloon_value_name(1000), "");
	pthread_create(&thread, NULL, answer, NULL);
	balloon_stats(&device, &stats, 10000);
	pthread_join(thread, NULL);
	for (tries = 0; stats.value[VIRTIO_BALLOON_S_MEMFREE] != 2000 && tries < 10; tries++)
		balloon_stats(&device, &stats, 10);
	ck_assert_uint_eq(stats.value[VIRTIO_BALLOON_S_MEMFREE], 2000);
	/* A reset does not wait for the buffer that the device keeps, but drops it. */
	driver_start(&driver, F_STATS);
	balloon_stats(&device, &stats, 50);
	ck_assert(!stats.fresh);
	ck_assert_uint_eq(driver_done(&driver, STATS), 0);
	driver_stop(&driver);
}
END_TEST

START_TEST(free_memory_is_given_back_if_it_may_be)
{
	start(false);
	ck_assert(!(device.features & F_REPORTING));
	ck_assert_uint_eq(device.queues, REPORT);
	driver_stop(&driver);
	start(true);
	/* Only whole pages count: the guest has not reported the parts at both ends. */
	driver_put_desc(&driver, REPORT, 0, FIRST * PAGE_SIZE, 8 * PAGE_SIZE, WRITE | NEXT, 1);
	driver_put_desc(&driver, REPORT, 1, (FIRST + 20) * PAGE_SIZE - 1, 2 * PAGE_SIZE, WRITE, 0);
	driver_offer(&driver, REPORT, 0);
	driver_kick(&driver, REPORT);
	ck_assert(driver_wait(&driver, REPORT, 1));
	ck_assert(is_given_back(FIRST));
	ck_assert(is_given_back(FIRST + 7));
	ck_assert(!is_given_back(FIRST + 8));
	ck_assert(!is_given_back(FIRST + 19));
	ck_assert(is_given_back(FIRST + 20));
	ck_assert(!is_given_back(FIRST + 21));
	driver_stop(&driver);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("balloon");

	UNIT_ADD(suite, pages_of_the_balloon_are_given_back);
	UNIT_ADD(suite, pages_that_are_no_memory_cost_the_device);
	UNIT_ADD(suite, a_reset_does_not_wait_for_all_pages);
	UNIT_ADD(suite, wanted_and_given_are_told);
	UNIT_ADD(suite, guest_is_asked_for_statistics);
	UNIT_ADD(suite, free_memory_is_given_back_if_it_may_be);
	return unit_run(suite);
}
