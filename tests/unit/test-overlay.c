// SPDX-License-Identifier: GPL-2.0-only
/*
 * --block=FILE,snapshot: the guest sees what it wrote, and the file stays as it was.
 */
#include <fcntl.h>
#include <linux/virtio_blk.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/compiler.h"
#include "driver.h"
#include "unit.h"

#define SECTORS		4096
#define SIZE		(SECTORS * 512)
#define DATA		(DRIVER_BUFFERS + 0x10000)
#define STATUS		(DRIVER_BUFFERS + 0x100)
#define WRITE		VRING_DESC_F_WRITE
#define NEXT		VRING_DESC_F_NEXT

static struct virtio_device device;
static struct driver driver;
static char path[128];
static uint8_t *data;	/* guest memory at DATA */
static uint8_t disk[SIZE], model[SIZE], file[SIZE];

static void make_disk(void)
{
	unsigned int i;
	int fd;

	snprintf(path, sizeof(path), "%s/disk", unit_directory());
	for (i = 0; i < SIZE; i++)
		disk[i] = 1 + i / 512 % 251;
	memcpy(model, disk, SIZE);
	fd = open(path, O_RDWR | O_CREAT, 0600);
	ck_assert_int_eq(write(fd, disk, SIZE), SIZE);
	close(fd);
}

static int try_start(struct virtio_device *at, const char *words)
{
	char value[200];

	snprintf(value, sizeof(value), "%s%s", path, words);
	return virtio_block_kind.init(at, &driver.memory, value);
}

static void start(const char *words)
{
	make_disk();
	driver_init(&driver);
	data = driver.memory.base + DATA;
	ck_assert_msg(!try_start(&device, words), "%s", unit_last_message);
	driver_run(&driver, &device, 1ULL << VIRTIO_BLK_F_FLUSH);
}

/* End the device, and check that the file on the host has not changed. */
static void stop(void)
{
	int fd = open(path, O_RDONLY);

	driver_stop(&driver);
	ck_assert_int_eq(read(fd, file, SIZE), SIZE);
	ck_assert(!memcmp(file, disk, SIZE));
	close(fd);
}

/* Make a request with two buffers, the first of at most @first bytes. Return: the status. */
static int request(uint32_t type, uint64_t sector, uint32_t size, uint32_t first)
{
	struct virtio_blk_outhdr header = { .type = type, .sector = sector };
	unsigned int flags = NEXT | (type == VIRTIO_BLK_T_IN ? WRITE : 0);
	uint16_t done = driver_done(&driver, 0);

	memcpy(driver.memory.base + DRIVER_BUFFERS, &header, sizeof(header));
	driver_put_desc(&driver, 0, 0, DRIVER_BUFFERS, sizeof(header), NEXT, 1);
	driver_put_desc(&driver, 0, 1, DATA, first, flags, 2);
	driver_put_desc(&driver, 0, 2, DATA + first, size - first, flags, 3);
	driver_put_desc(&driver, 0, 3, STATUS, 1, WRITE, 0);
	driver.memory.base[STATUS] = 0xee;
	driver_offer(&driver, 0, 0);
	driver_kick(&driver, 0);
	ck_assert(driver_wait(&driver, 0, done + 1));
	return driver.memory.base[STATUS];
}

static void write_to(uint64_t sector, unsigned int sectors, uint8_t what, uint32_t first)
{
	memset(data, what, sectors * 512);
	memset(model + sector * 512, what, sectors * 512);
	ck_assert_int_eq(request(VIRTIO_BLK_T_OUT, sector, sectors * 512, first), VIRTIO_BLK_S_OK);
}

static void reads_right(uint64_t sector, unsigned int sectors, uint32_t first)
{
	memset(data, 0xee, sectors * 512);
	ck_assert_int_eq(request(VIRTIO_BLK_T_IN, sector, sectors * 512, first), VIRTIO_BLK_S_OK);
	ck_assert_msg(!memcmp(data, model + sector * 512, sectors * 512), "sectors %u to %u",
		      (unsigned int)sector, (unsigned int)sector + sectors - 1);
}

static void clear(uint32_t type, uint64_t sector, unsigned int sectors)
{
	struct virtio_blk_discard_write_zeroes range = { .sector = sector, .num_sectors = sectors };

	memcpy(data, &range, sizeof(range));
	memset(model + sector * 512, 0, sectors * 512);
	ck_assert_int_eq(request(type, 0, sizeof(range), 0), VIRTIO_BLK_S_OK);
}

static void leaves_the_disk(const char *words)
{
	start(words);
	reads_right(0, SECTORS, 0);
	write_to(10, 3, 0xaa, 512);
	reads_right(10, 3, 0);
	/* Parts from the file, from what was written, and from the file again. */
	reads_right(5, 20, 0);
	reads_right(5, 20, 7 * 512);
	reads_right(12, 2, 100);
	reads_right(0, SECTORS, 0);
	clear(VIRTIO_BLK_T_DISCARD, 100, 30);
	clear(VIRTIO_BLK_T_WRITE_ZEROES, 200, 70);
	write_to(110, 1, 0xbb, 0);
	reads_right(90, 200, 0);
	write_to(SECTORS - 1, 1, 0xcc, 0);
	ck_assert_int_eq(request(VIRTIO_BLK_T_FLUSH, 0, 0, 0), VIRTIO_BLK_S_OK);
	reads_right(SECTORS - 8, 8, 0);
	write_to(0, SECTORS, 0xdd, 512);
	reads_right(0, SECTORS, 0);
	ck_assert_int_eq(unit_messages, 0);
	stop();
}

START_TEST(the_disk_stays_as_it_is)
{
	leaves_the_disk(",snapshot");
	leaves_the_disk(",snapshot,cache=writeback");
	leaves_the_disk(",cache=writethrough,snapshot");
}
END_TEST

/* Compare with a copy in memory, over random ranges. */
START_TEST(any_requests_are_as_on_a_disk)
{
	unsigned int i, sectors;
	uint64_t sector;

	start(",snapshot");
	for (i = 0; i < 2000; i++) {
		sector = unit_random() % SECTORS;
		sectors = 1 + unit_random() % 64;
		if (sectors > SECTORS - sector)
			sectors = SECTORS - sector;
		switch (unit_random() % 6) {
		case 0:
			clear(unit_random() % 2 ? VIRTIO_BLK_T_DISCARD : VIRTIO_BLK_T_WRITE_ZEROES,
			      sector, sectors);
			break;
		case 1:
		case 2:
			write_to(sector, sectors, unit_random(), unit_random() % (sectors * 512));
			break;
		default:
			reads_right(sector, sectors, unit_random() % (sectors * 512));
		}
	}
	reads_right(0, SECTORS, 0);
	stop();
}
END_TEST

START_TEST(several_may_have_one_disk)
{
	static struct virtio_device other;

	start(",snapshot");
	write_to(0, 1, 0xaa, 0);
	ck_assert_int_eq(try_start(&other, ",snapshot"), 0);
	virtio_device_exit(&other);
	ck_assert_int_eq(try_start(&other, ",ro"), 0);
	virtio_device_exit(&other);
	unit_refused(try_start(&other, ""), "is in use by process");
	virtio_device_exit(&other);
	reads_right(0, 2, 0);
	stop();
}
END_TEST

START_TEST(nothing_is_left_where_it_was_written)
{
	char *directory = strdup(unit_directory()), command[128];

	setenv("TMPDIR", directory, 1);
	start(",snapshot");
	write_to(0, SECTORS, 0xaa, 0);
	snprintf(command, sizeof(command), "test -z \"$(ls -A %s)\"", directory);
	ck_assert_int_eq(system(command), 0);
	stop();
	free(directory);
}
END_TEST

START_TEST(no_place_to_write_to_is_told)
{
	make_disk();
	driver_init(&driver);
	setenv("TMPDIR", "/nowhere", 1);
	unit_refused(try_start(&device, ",snapshot"),
		     "can't make a file for snapshot in '/nowhere': No such file or directory: TMPDIR says where else");
	virtio_device_exit(&device);
}
END_TEST

START_TEST(a_disk_that_is_read_only_stays_so)
{
	start(",snapshot,ro");
	ck_assert_int_eq(request(VIRTIO_BLK_T_OUT, 0, 512, 0), VIRTIO_BLK_S_IOERR);
	reads_right(0, 10, 0);
	stop();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("overlay");

	UNIT_ADD(suite, the_disk_stays_as_it_is);
	UNIT_ADD(suite, any_requests_are_as_on_a_disk);
	UNIT_ADD(suite, several_may_have_one_disk);
	UNIT_ADD(suite, nothing_is_left_where_it_was_written);
	UNIT_ADD(suite, no_place_to_write_to_is_told);
	UNIT_ADD(suite, a_disk_that_is_read_only_stays_so);
	return unit_run(suite);
}
