// SPDX-License-Identifier: GPL-2.0-only
/*
 * The disk, with its thread.
 */
#include <fcntl.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include <linux/virtio_mmio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "driver.h"
#include "unit.h"

#define WRITE		VRING_DESC_F_WRITE
#define NEXT		VRING_DESC_F_NEXT

static struct virtio_device device;
static struct driver driver;
static char path[64];	/* of the disk */

#define DISK_SECTORS	64

static void make_disk(size_t size)
{
	int fd;

	snprintf(path, sizeof(path), "/tmp/lguest-unit.XXXXXX");
	fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ftruncate(fd, size), 0);
	close(fd);
}

/* What --block= would say. */
static const char *disk_value(bool read_only)
{
	static char value[80];

	snprintf(value, sizeof(value), "%s%s", path, read_only ? ",ro" : "");
	return value;
}

static void start_disk(bool read_only)
{
	make_disk(DISK_SECTORS * 512 + 100);
	driver_init(&driver);
	ck_assert_int_eq(virtio_block_kind.init(&device, &driver.memory, disk_value(read_only)), 0);
	driver_run(&driver, &device, 0);
}

/* One request: header, data, status. Return: the status. */
static int request(uint32_t type, uint64_t sector, uint32_t size)
{
	struct virtio_blk_outhdr header = { .type = type, .sector = sector };
	uint16_t done = driver_done(&driver, 0);
	uint8_t *memory = driver.memory.base;

	memcpy(memory + DRIVER_BUFFERS, &header, sizeof(header));
	memory[DRIVER_BUFFERS + 16] = 0xee;
	driver_put_desc(&driver, 0, 0, DRIVER_BUFFERS, sizeof(header), NEXT, size ? 1 : 2);
	driver_put_desc(&driver, 0, 1, DRIVER_BUFFERS + 0x1000, size,
			NEXT | (type == VIRTIO_BLK_T_OUT ? 0 : WRITE), 2);
	driver_put_desc(&driver, 0, 2, DRIVER_BUFFERS + 16, 1, WRITE, 0);
	driver_offer(&driver, 0, 0);
	driver_kick(&driver, 0);
	ck_assert(driver_wait(&driver, 0, done + 1));
	return memory[DRIVER_BUFFERS + 16];
}

START_TEST(disk_keeps_what_is_written)
{
	uint8_t *data;

	start_disk(false);
	data = driver.memory.base + DRIVER_BUFFERS + 0x1000;
	ck_assert_uint_eq(driver_read(&driver, VIRTIO_MMIO_CONFIG), DISK_SECTORS);
	memset(data, 0x5a, 1024);
	ck_assert_int_eq(request(VIRTIO_BLK_T_OUT, DISK_SECTORS - 2, 1024), VIRTIO_BLK_S_OK);
	ck_assert_int_eq(request(VIRTIO_BLK_T_FLUSH, 0, 0), VIRTIO_BLK_S_OK);
	memset(data, 0, 1024);
	ck_assert_int_eq(request(VIRTIO_BLK_T_IN, DISK_SECTORS - 2, 1024), VIRTIO_BLK_S_OK);
	ck_assert_uint_eq(data[0], 0x5a);
	ck_assert_uint_eq(data[1023], 0x5a);
	ck_assert_uint_eq(driver_used(&driver, 0)->ring[2].len, 1025);
	ck_assert_int_eq(request(VIRTIO_BLK_T_GET_ID, 0, 20), VIRTIO_BLK_S_OK);
	ck_assert_str_eq((char *)data, "lguest");
	driver_stop(&driver);
	unlink(path);
}
END_TEST

START_TEST(disk_requests_outside_it_fail)
{
	start_disk(false);
	ck_assert_int_eq(request(VIRTIO_BLK_T_IN, DISK_SECTORS, 512), VIRTIO_BLK_S_IOERR);
	ck_assert_int_eq(request(VIRTIO_BLK_T_IN, DISK_SECTORS - 1, 1024), VIRTIO_BLK_S_IOERR);
	ck_assert_int_eq(request(VIRTIO_BLK_T_IN, ~0ULL, 512), VIRTIO_BLK_S_IOERR);
	ck_assert_int_eq(request(VIRTIO_BLK_T_OUT, ~0ULL / 512, 512), VIRTIO_BLK_S_IOERR);
	ck_assert_int_eq(request(VIRTIO_BLK_T_IN, 1ULL << 55, 512), VIRTIO_BLK_S_IOERR);
	ck_assert_int_eq(request(VIRTIO_BLK_T_IN, 0, 100), VIRTIO_BLK_S_IOERR);
	ck_assert_int_eq(request(VIRTIO_BLK_T_IN, 0, 2 << 20), VIRTIO_BLK_S_IOERR);
	ck_assert_int_eq(request(1234, 0, 512), VIRTIO_BLK_S_UNSUPP);
	ck_assert_int_eq(request(VIRTIO_BLK_T_IN, 0, 512), VIRTIO_BLK_S_OK);
	driver_stop(&driver);
	unlink(path);
}
END_TEST

START_TEST(disk_that_is_read_only_stays_as_it_is)
{
	uint8_t *data;

	start_disk(true);
	data = driver.memory.base + DRIVER_BUFFERS + 0x1000;
	ck_assert(driver_read(&driver, VIRTIO_MMIO_DEVICE_FEATURES) & 1 << VIRTIO_BLK_F_RO);
	memset(data, 0x5a, 512);
	ck_assert_int_eq(request(VIRTIO_BLK_T_OUT, 0, 512), VIRTIO_BLK_S_IOERR);
	ck_assert_int_eq(request(VIRTIO_BLK_T_IN, 0, 512), VIRTIO_BLK_S_OK);
	ck_assert_uint_eq(data[0], 0);
	driver_stop(&driver);
	unlink(path);
}
END_TEST

START_TEST(disk_requests_in_any_pieces_work)
{
	struct virtio_blk_outhdr header = { .type = VIRTIO_BLK_T_IN };
	uint8_t *memory;
	int i;

	start_disk(false);
	memory = driver.memory.base;
	memcpy(memory + DRIVER_BUFFERS, &header, sizeof(header));
	/* The header in two, the data in three, the status with the last of it. */
	driver_put_desc(&driver, 0, 0, DRIVER_BUFFERS, 7, NEXT, 1);
	driver_put_desc(&driver, 0, 1, DRIVER_BUFFERS + 7, 9, NEXT, 2);
	driver_put_desc(&driver, 0, 2, DRIVER_BUFFERS + 0x1000, 500, NEXT | WRITE, 3);
	driver_put_desc(&driver, 0, 3, DRIVER_BUFFERS + 0x1000 + 500, 12, NEXT | WRITE, 4);
	driver_put_desc(&driver, 0, 4, DRIVER_BUFFERS + 0x1200, 513, WRITE, 0);
	memset(memory + DRIVER_BUFFERS + 0x1000, 0xff, 1025);
	driver_offer(&driver, 0, 0);
	driver_kick(&driver, 0);
	ck_assert(driver_wait(&driver, 0, 1));
	for (i = 0; i < 1025; i++)
		ck_assert_uint_eq(memory[DRIVER_BUFFERS + 0x1000 + i], 0);
	/* And one without room for the status is no request. */
	driver_put_desc(&driver, 0, 0, DRIVER_BUFFERS, 16, 0, 0);
	driver_offer(&driver, 0, 0);
	driver_kick(&driver, 0);
	for (i = 0; i < 5000; i++) {
		if (driver_read(&driver, VIRTIO_MMIO_STATUS) & VIRTIO_CONFIG_S_NEEDS_RESET)
			break;
		usleep(1000);
	}
	unit_refused(-1, "a request without header or status");
	driver_stop(&driver);
	unlink(path);
}
END_TEST

START_TEST(disk_that_can_not_be_is_refused)
{
	struct virtio_device other;

	driver_init(&driver);
	unit_refused(virtio_block_kind.init(&device, &driver.memory, "/nonexistent"),
		     "can't open the disk");
	virtio_device_exit(&device);
	unit_refused(virtio_block_kind.init(&device, &driver.memory, "/dev/null"),
		     "no file or block device");
	virtio_device_exit(&device);
	make_disk(100);
	unit_refused(virtio_block_kind.init(&device, &driver.memory, path),
		     "at least 512 bytes");
	virtio_device_exit(&device);
	ck_assert_int_eq(truncate(path, 4096), 0);
	ck_assert_int_eq(virtio_block_kind.init(&device, &driver.memory, path), 0);
	unit_refused(virtio_block_kind.init(&other, &driver.memory, disk_value(true)), "in use by another");
	virtio_device_exit(&other);
	virtio_device_exit(&device);
	unlink(path);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("block");

	UNIT_ADD(suite, disk_keeps_what_is_written);
	UNIT_ADD(suite, disk_requests_outside_it_fail);
	UNIT_ADD(suite, disk_that_is_read_only_stays_as_it_is);
	UNIT_ADD(suite, disk_requests_in_any_pieces_work);
	UNIT_ADD(suite, disk_that_can_not_be_is_refused);
	return unit_run(suite);
}
