// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device of a shared directory: messages in any pieces, and servers that have ended or
 * that lie.
 */
#include <linux/virtio_9p.h>
#include <linux/virtio_mmio.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "driver.h"
#include "p9/ring.h"
#include "p9_client.h"
#include "sandbox/sandbox.h"
#include "unit.h"

static struct virtio_device device;
static struct driver driver;

static void start_share(const char *value)
{
	driver_init(&driver);
	ck_assert_int_eq(virtio_p9_kind.init(&device, &driver.memory, value), 0);
	driver_run(&driver, &device, 1ULL << VIRTIO_9P_MOUNT_TAG);
}

static void offer(size_t size, size_t room)
{
	driver_put_desc(&driver, 0, 0, DRIVER_BUFFERS, 5, VRING_DESC_F_NEXT, 1);
	driver_put_desc(&driver, 0, 1, DRIVER_BUFFERS + 5, size - 5, VRING_DESC_F_NEXT, 2);
	driver_put_desc(&driver, 0, 2, DRIVER_BUFFERS + 4096, 9, VRING_DESC_F_WRITE |
			VRING_DESC_F_NEXT, 3);
	driver_put_desc(&driver, 0, 3, DRIVER_BUFFERS + 4096 + 9, room - 9, VRING_DESC_F_WRITE, 0);
	driver_offer(&driver, 0, 0);
	driver_kick(&driver, 0);
}

static size_t make(uint8_t *message, unsigned int type, const char *fields, ...)
{
	va_list list;
	size_t size;

	va_start(list, fields);
	size = make_message(message, type, fields, list);
	va_end(list);
	return size;
}

START_TEST(the_device_carries_messages_in_any_pieces)
{
	uint8_t *memory;
	size_t size;

	begin_sharing(false);
	start_share(path("shared:some-tag"));
	memory = driver.memory.base + DRIVER_BUFFERS;
	ck_assert_uint_eq(driver_read(&driver, VIRTIO_MMIO_CONFIG) & 0xffff, 8);
	ck_assert_mem_eq(device.config + 2, "some-tag", 8);
	size = make(memory, P9_TVERSION, "4s", N(8192), "9P2000.L");
	offer(size, 100);
	ck_assert(driver_wait(&driver, 0, 1));
	ck_assert_uint_eq(driver_used(&driver, 0)->ring[0].len, size);
	ck_assert_uint_eq(memory[4096 + 4], P9_TVERSION + 1);
	/* A driver that leaves no room even for an error misuses the device. */
	offer(size, 10);
	driver_misuses(&driver, "no message of 9P");
	driver_stop(&driver);
	end_sharing();
}
END_TEST

static void die(void)
{
	_exit(1);
}

/* The device prints one message, the guest's programs get errors, and nothing hangs. */
START_TEST(a_server_that_has_ended_is_an_error_for_the_guest)
{
	uint8_t *memory;
	int i;

	begin_sharing(false);
	sandbox_intruder = die;
	start_share(path("shared"));
	memory = driver.memory.base + DRIVER_BUFFERS;
	for (i = 1; i <= 3; i++) {
		memcpy(memory, "\x0b\0\0\0\x78\x34\x12\0\0\0\0", 11);	/* Tclunk */
		offer(11, 100);
		ck_assert(driver_wait(&driver, 0, i));
		ck_assert_uint_eq(driver_used(&driver, 0)->ring[i - 1].len, 11);
		ck_assert_mem_eq(memory + 4096, "\x0b\0\0\0\x07\x34\x12\x05\0\0\0", 11);
	}
	ck_assert_int_eq(unit_messages, 1);
	ck_assert_ptr_nonnull(strstr(unit_last_message, "has ended"));
	driver_stop(&driver);
	end_sharing();
}
END_TEST

static void sleep_long(void)
{
	sleep(100);
}

/* A server that answers nothing, and claims to have answered more than it was asked. */
static void lie(void)
{
	struct p9_process *server = device.private;
	uint64_t one = 1;
	int replies, i;

	usleep(200000);		/* until the device sleeps */
	/* The device may see the lie at once and close its descriptor: use a copy. */
	replies = dup(server->replies);
	atomic_store(&server->ring->answered, 100);
	ck_assert_int_eq(write(replies, &one, sizeof(one)), sizeof(one));
	close(replies);
	for (i = 0; i < 500 && !unit_messages; i++)
		usleep(10000);
	ck_assert_int_eq(unit_messages, 1);
	ck_assert_ptr_nonnull(strstr(unit_last_message, "has ended"));
}

static void offer_something(void)
{
	memcpy(driver.memory.base + DRIVER_BUFFERS, "\x0b\0\0\0\x78\x34\x12\0\0\0\0", 11);	/* Tclunk */
	offer(11, 100);
}

/* The device may wait for the server's answer, or for anything, when the server lies. */
static void use_a_liar(bool asked)
{
	uint16_t done = 0;

	begin_sharing(false);
	sandbox_intruder = sleep_long;
	start_share(path("shared"));
	if (asked)
		offer_something();
	lie();
	if (asked)
		ck_assert(driver_wait(&driver, 0, ++done));
	offer_something();
	ck_assert(driver_wait(&driver, 0, ++done));
	ck_assert_mem_eq(driver.memory.base + DRIVER_BUFFERS + 4096,
			 "\x0b\0\0\0\x07\x34\x12\x05\0\0\0", 11);
	driver_stop(&driver);
	end_sharing();
}

START_TEST(a_server_that_lies_is_an_error_for_the_guest)
{
	use_a_liar(true);
}
END_TEST

START_TEST(a_server_that_lies_unasked_is_an_error_for_the_guest)
{
	use_a_liar(false);
}
END_TEST

static uint8_t answer_type(const char *request)
{
	uint8_t *at = driver.memory.base + DRIVER_BUFFERS;
	uint16_t done = driver_done(&driver, 0);

	offer(*request == 'v' ? make(at, P9_TVERSION, "4s", N(8192), "9P2000.L") :
				make(at, P9_TATTACH, "44ss4", N(0), N(P9_NOFID), "", "", N(0)), 100);
	ck_assert(driver_wait(&driver, 0, done + 1));
	return at[4096 + 4];
}

/* After a reset the client is gone, perhaps with its guest: the fid's number is free again. */
START_TEST(a_reset_closes_what_the_client_had_open)
{
	begin_sharing(false);
	start_share(path("shared:some-tag"));
	ck_assert_uint_eq(answer_type("version"), P9_TVERSION + 1);
	ck_assert_uint_eq(answer_type("attach"), P9_TATTACH + 1);
	ck_assert_uint_eq(answer_type("attach"), P9_RLERROR);
	driver_reset(&driver);
	driver_start(&driver, 1ULL << VIRTIO_9P_MOUNT_TAG);
	ck_assert_uint_eq(answer_type("attach"), P9_TATTACH + 1);
	driver_stop(&driver);
	end_sharing();
}
END_TEST

static void refused(const char *value, const char *words)
{
	unit_refused(virtio_p9_kind.init(&device, &driver.memory, value), words);
	virtio_device_exit(&device);
}

START_TEST(shares_that_can_not_be_are_refused)
{
	struct virtio_device second;

	begin_sharing(false);
	driver_init(&driver);
	refused("/nowhere", "can't share '/nowhere': No such file");
	refused(path("secret"), "Not a directory");
	refused("", "needs a value: --share=DIR[:TAG]");
	refused(path("shared,rw"), "does not know 'rw'");
	refused(path("shared:"), "is no tag");
	refused(path("shared:a/b"), "is no tag");
	/* Shares without a tag= get numbers, which start from 0 in each run. */
	ck_assert_int_eq(virtio_p9_kind.init(&device, &driver.memory, path("shared,ro")), 0);
	ck_assert_mem_eq(device.config + 2, "share0", 7);
	ck_assert_int_eq(virtio_p9_kind.init(&second, &driver.memory, shared), 0);
	ck_assert_mem_eq(second.config + 2, "share1", 7);
	virtio_device_exit(&second);
	virtio_device_exit(&device);
	guest_memory_exit(&driver.memory);
	end_sharing();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("9P-device");

	UNIT_ADD(suite, the_device_carries_messages_in_any_pieces);
	UNIT_ADD(suite, a_server_that_has_ended_is_an_error_for_the_guest);
	UNIT_ADD(suite, a_server_that_lies_is_an_error_for_the_guest);
	UNIT_ADD(suite, a_server_that_lies_unasked_is_an_error_for_the_guest);
	UNIT_ADD(suite, a_reset_closes_what_the_client_had_open);
	UNIT_ADD(suite, shares_that_can_not_be_are_refused);
	return unit_run(suite);
}
