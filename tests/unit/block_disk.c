// SPDX-License-Identifier: GPL-2.0-only
/* What the tests of the disk share. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "block_disk.h"
#include "unit.h"

struct virtio_device device;
struct driver driver;
uint8_t *data;	/* guest memory at DATA */
char path[64];	/* of the disk's file */

const char * const ways[3] = { "", ",cache=writeback", ",cache=writethrough" };

void make_disk_in(const char *directory, size_t size)
{
	int fd;

	snprintf(path, sizeof(path), "%s/lguest-unit.XXXXXX", directory);
	fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ftruncate(fd, size), 0);
	close(fd);
}

void make_disk(size_t size)
{
	make_disk_in("/tmp", size);
}

/* Return: a value for --block=. */
const char *value(const char *words)
{
	static char text[160];

	snprintf(text, sizeof(text), "%s%s", path, words);
	return text;
}

void start_made(const char *words, uint64_t features)
{
	driver_init(&driver);
	data = driver.memory.base + DATA;
	ck_assert_msg(!virtio_block_kind.init(&device, &driver.memory, value(words)), "%s",
		      unit_last_message);
	driver_run(&driver, &device, features);
}

void start(const char *words)
{
	make_disk(DISK_SECTORS * 512);
	start_made(words, F_FLUSH);
}

void stop(void)
{
	driver_stop(&driver);
	unlink(path);
}

/* Offer a request: header, data at @gpa, status, in descriptors from @first on. */
void offer(unsigned int first, uint32_t type, uint64_t sector, uint64_t gpa, uint32_t size)
{
	struct virtio_blk_outhdr header = { .type = type, .sector = sector };
	uint64_t head = DRIVER_BUFFERS + first * 32;
	bool out = type != VIRTIO_BLK_T_IN && type != VIRTIO_BLK_T_GET_ID;

	memcpy(driver.memory.base + head, &header, sizeof(header));
	driver.memory.base[head + 16] = 0xee;
	driver_put_desc(&driver, 0, first, head, sizeof(header), NEXT, first + (size ? 1 : 2));
	driver_put_desc(&driver, 0, first + 1, gpa, size, NEXT | (out ? 0 : WRITE), first + 2);
	driver_put_desc(&driver, 0, first + 2, head + 16, 1, WRITE, 0);
	driver_offer(&driver, 0, first);
}

int status(unsigned int first)
{
	return driver.memory.base[DRIVER_BUFFERS + first * 32 + 16];
}

/* Make a request and wait for its end. Return: the status. */
int request_at(uint32_t type, uint64_t sector, uint64_t gpa, uint32_t size)
{
	uint16_t done = driver_done(&driver, 0);

	offer(0, type, sector, gpa, size);
	driver_kick(&driver, 0);
	ck_assert(driver_wait(&driver, 0, done + 1));
	return status(0);
}

int request(uint32_t type, uint64_t sector, uint32_t size)
{
	return request_at(type, sector, DATA, size);
}

void fill_disk(void)
{
	memset(data, 0x5a, DISK_SECTORS * 512);
	ck_assert_int_eq(request(VIRTIO_BLK_T_OUT, 0, DISK_SECTORS * 512), VIRTIO_BLK_S_OK);
	ck_assert_int_eq(request(VIRTIO_BLK_T_FLUSH, 0, 0), VIRTIO_BLK_S_OK);
}
