// SPDX-License-Identifier: GPL-2.0-only
/*
 * A disk that another program serves, when that program lies: in answer to each message, in
 * each way. The person or the driver is told, nothing waits for long, and no descriptor is
 * left open.
 */
#include <dirent.h>
#include <linux/virtio_config.h>
#include <linux/virtio_mmio.h>
#include <string.h>
#include <unistd.h>

#include "base/compiler.h"
#include "driver.h"
#include "unit.h"
#include "vhost_program.h"
#include "virtio/vhost_user.h"

static struct virtio_device device;
static struct driver driver;

static unsigned int open_descriptors(void)
{
	DIR *directory = opendir("/proc/self/fd");
	unsigned int count = 0;

	while (readdir(directory))
		count++;
	closedir(directory);
	return count;
}

static int begin(unsigned int request, enum program_lie lie)
{
	vhost_user_patience_ms = 1500;
	program_start(0);
	program_lies_at(request, lie);
	driver_init(&driver);
	guest_memory_exit(&driver.memory);
	ck_assert_int_eq(guest_memory_init_shared(&driver.memory, DRIVER_MEMORY), 0);
	driver.device = &device;
	return virtio_block_kind.init(&device, &driver.memory, program_value);
}

static void end(void)
{
	driver_stop(&driver);
	program_end();
	unit_forget();
}

/* Descriptors are not taken, and an answer sent twice is found by the next message. */
static bool is_harmless(enum program_lie lie)
{
	return lie == WITH_DESCRIPTORS || lie == TWICE;
}

static void fails_at_the_start(unsigned int request, enum program_lie lie)
{
	ck_assert_msg(begin(request, lie) < 0, "message %u, lie %d", request, lie);
	unit_refused(-1, "");
	end();
}

/* A number that the program offers may be anything; other answers are 0 or an error. */
START_TEST(lies_while_it_is_found)
{
	static const unsigned int requests[] = { 1, 15, 3, 24 };	/* features, owner, configuration */
	unsigned int before = open_descriptors(), i, lie;

	for (i = 0; i < ARRAY_SIZE(requests); i++) {
		for (lie = 0; lie < LIES; lie++) {
			if (is_harmless(lie) || (lie == REFUSES && requests[i] != 3))
				continue;
			fails_at_the_start(requests[i], lie);
			ck_assert_uint_eq(open_descriptors(), before);
		}
	}
}
END_TEST

static void fails_when_it_starts(unsigned int request, enum program_lie lie)
{
	int tries;

	ck_assert_msg(!begin(request, lie), "message %u, lie %d", request, lie);
	driver_run(&driver, &device, 0);
	for (tries = 0; tries < 10000 && !driver_needs_reset(&driver); tries++)
		usleep(1000);
	ck_assert_msg(driver_needs_reset(&driver), "message %u, lie %d", request, lie);
	ck_assert_int_ge(unit_messages, 1);
	driver_reset(&driver);
	ck_assert_uint_eq(driver_read(&driver, VIRTIO_MMIO_STATUS), 0);
	end();
}

/* Features, memory, the ring's parts. */
START_TEST(lies_when_the_driver_begins)
{
	static const unsigned int requests[] = { 2, 5, 8, 10, 9, 13, 12, 18 };
	unsigned int before = open_descriptors(), i, lie;

	for (i = 0; i < ARRAY_SIZE(requests); i++) {
		for (lie = 0; lie < LIES; lie++) {
			if (is_harmless(lie))
				continue;
			fails_when_it_starts(requests[i], lie);
			ck_assert_uint_eq(open_descriptors(), before);
		}
	}
}
END_TEST

/* The driver gets its memory back all the same, or is not told that it has it. */
START_TEST(lies_when_the_driver_ends)
{
	unsigned int before = open_descriptors(), lie;

	for (lie = 0; lie < LIES; lie++) {
		if (lie == REFUSES)
			continue;	/* the answer is the ring's position: any number */
		ck_assert_int_eq(begin(GET_VRING_BASE, lie), 0);
		driver_run(&driver, &device, 0);
		ck_assert(program_hears(SET_VRING_ENABLE, 1));
		driver_reset(&driver);
		end();
		ck_assert_uint_eq(open_descriptors(), before);
	}
}
END_TEST

START_TEST(descriptors_that_nobody_asked_for_are_not_kept)
{
	static const unsigned int requests[] = { 1, 15, 3, 24, 2, 5, 18, GET_VRING_BASE };
	unsigned int before = open_descriptors(), i;

	for (i = 0; i < ARRAY_SIZE(requests); i++) {
		ck_assert_int_eq(begin(requests[i], WITH_DESCRIPTORS), 0);
		driver_run(&driver, &device, 0);
		ck_assert(program_hears(SET_VRING_ENABLE, 1));
		driver_reset(&driver);
		ck_assert_int_eq(unit_messages, 0);
		end();
		ck_assert_uint_eq(open_descriptors(), before);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("vhost-user programs that lie");

	UNIT_ADD(suite, lies_while_it_is_found);
	UNIT_ADD(suite, lies_when_the_driver_begins);
	UNIT_ADD(suite, lies_when_the_driver_ends);
	UNIT_ADD(suite, descriptors_that_nobody_asked_for_are_not_kept);
	return unit_run(suite);
}
