// SPDX-License-Identifier: GPL-2.0-only
/*
 * The disk, with its thread, on each way to its file: past the page cache, through the page
 * cache, and without io_uring. test-block-open.c tests which files can be disks.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "block_disk.h"
#include "base/compiler.h"
#include "base/message.h"
#include "unit.h"

static void keeps_what_is_written(const char *words)
{
	start(words);
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
	stop();
}

START_TEST(disk_keeps_what_is_written)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ways); i++)
		keeps_what_is_written(ways[i]);
}
END_TEST

/* Forbid io_uring, as an administrator or a container may. */
static void forbid_io_uring(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { .len = ARRAY_SIZE(code), .filter = code };

	ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	ck_assert_int_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

START_TEST(disk_requests_outside_it_fail)
{
	start("");
	ck_assert_int_eq(request(VIRTIO_BLK_T_IN, DISK_SECTORS, 512), VIRTIO_BLK_S_IOERR);
	ck_assert_int_eq(request(VIRTIO_BLK_T_IN, DISK_SECTORS - 1, 1024), VIRTIO_BLK_S_IOERR);
	ck_assert_int_eq(request(VIRTIO_BLK_T_IN, ~0ULL, 512), VIRTIO_BLK_S_IOERR);
	ck_assert_int_eq(request(VIRTIO_BLK_T_OUT, ~0ULL / 512, 512), VIRTIO_BLK_S_IOERR);
	ck_assert_int_eq(request(VIRTIO_BLK_T_IN, 1ULL << 55, 512), VIRTIO_BLK_S_IOERR);
	ck_assert_int_eq(request(VIRTIO_BLK_T_IN, 0, 100), VIRTIO_BLK_S_IOERR);
	ck_assert_int_eq(request(VIRTIO_BLK_T_IN, 0, 2 << 20), VIRTIO_BLK_S_IOERR);
	ck_assert_int_eq(request(1234, 0, 512), VIRTIO_BLK_S_UNSUPP);
	ck_assert_int_eq(request(VIRTIO_BLK_T_IN, 0, 512), VIRTIO_BLK_S_OK);
	ck_assert_int_eq(unit_messages, 0);
	stop();
}
END_TEST

START_TEST(disk_that_is_read_only_stays_as_it_is)
{
	struct virtio_blk_discard_write_zeroes range = { .num_sectors = 8 };

	start(",ro");
	ck_assert(driver_read(&driver, VIRTIO_MMIO_DEVICE_FEATURES) & 1 << VIRTIO_BLK_F_RO);
	memset(data, 0x5a, 512);
	ck_assert_int_eq(request(VIRTIO_BLK_T_OUT, 0, 512), VIRTIO_BLK_S_IOERR);
	ck_assert_int_eq(request(VIRTIO_BLK_T_IN, 0, 512), VIRTIO_BLK_S_OK);
	ck_assert_uint_eq(data[0], 0);
	memcpy(data, &range, sizeof(range));
	ck_assert_int_eq(request(VIRTIO_BLK_T_DISCARD, 0, 16), VIRTIO_BLK_S_IOERR);
	ck_assert_int_eq(request(VIRTIO_BLK_T_WRITE_ZEROES, 0, 16), VIRTIO_BLK_S_IOERR);
	stop();
}
END_TEST

/* The header in two, the data in three at odd places, the status with the last of it. */
static void works_in_pieces(const char *words)
{
	struct virtio_blk_outhdr header = { .type = VIRTIO_BLK_T_IN };
	uint8_t *memory;
	int i;

	start(words);
	memory = driver.memory.base;
	/* Larger than our bounce buffer, and at an odd address. */
	for (i = 0; i < 100 * 1024; i++)
		data[1 + i] = i * 7 + (i >> 8);
	ck_assert_int_eq(request_at(VIRTIO_BLK_T_OUT, 0, DATA + 1, 100 * 1024), VIRTIO_BLK_S_OK);
	memcpy(memory + DRIVER_BUFFERS, &header, sizeof(header));
	driver_put_desc(&driver, 0, 0, DRIVER_BUFFERS, 7, NEXT, 1);
	driver_put_desc(&driver, 0, 1, DRIVER_BUFFERS + 7, 9, NEXT, 2);
	driver_put_desc(&driver, 0, 2, DRIVER_BUFFERS + 0x1000, 500, NEXT | WRITE, 3);
	driver_put_desc(&driver, 0, 3, DRIVER_BUFFERS + 0x1000 + 500, 12, NEXT | WRITE, 4);
	driver_put_desc(&driver, 0, 4, DRIVER_BUFFERS + 0x1200, 513, WRITE, 0);
	memset(memory + DRIVER_BUFFERS + 0x1000, 0xff, 1025);
	driver_offer(&driver, 0, 0);
	driver_kick(&driver, 0);
	ck_assert(driver_wait(&driver, 0, 2));
	for (i = 0; i < 1024; i++)
		ck_assert_uint_eq(memory[DRIVER_BUFFERS + 0x1000 + i], (uint8_t)(i * 7 + (i >> 8)));
	ck_assert_uint_eq(memory[DRIVER_BUFFERS + 0x1000 + i], VIRTIO_BLK_S_OK);
	memset(data, 0, 200 * 1024);
	ck_assert_int_eq(request_at(VIRTIO_BLK_T_IN, 1, DATA + 3, 99 * 1024), VIRTIO_BLK_S_OK);
	for (i = 512; i < 512 + 99 * 1024; i++)
		ck_assert_uint_eq(data[3 + i - 512], (uint8_t)(i * 7 + (i >> 8)));
	stop();
}

START_TEST(disk_requests_in_any_pieces_work)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ways); i++)
		works_in_pieces(ways[i]);
}
END_TEST

/* More than one step can do, and with an empty buffer at the beginning. */
static void works_at_large(const char *words)
{
	struct virtio_blk_outhdr header = { .type = VIRTIO_BLK_T_OUT };
	const unsigned int size = 3 << 20;
	uint8_t *memory, *there = malloc(size);
	int fd, i;

	make_disk(8 << 20);
	start_made(words, F_FLUSH);
	memory = driver.memory.base;
	for (i = 0; i < (int)size; i++)
		memory[DRIVER_BUFFERS + i] = i * 7 + (i >> 8);
	memcpy(memory, &header, sizeof(header));
	driver_put_desc(&driver, 0, 0, 0, sizeof(header), NEXT, 1);
	driver_put_desc(&driver, 0, 1, DRIVER_BUFFERS, 0, NEXT, 2);
	driver_put_desc(&driver, 0, 2, DRIVER_BUFFERS, size, NEXT, 3);
	driver_put_desc(&driver, 0, 3, DRIVER_BUFFERS, size, NEXT, 4);
	driver_put_desc(&driver, 0, 4, sizeof(header), 1, WRITE, 0);
	memory[sizeof(header)] = 0xee;
	driver_offer(&driver, 0, 0);
	driver_kick(&driver, 0);
	ck_assert(driver_wait(&driver, 0, 1));
	ck_assert_int_eq(memory[sizeof(header)], VIRTIO_BLK_S_OK);
	fd = open(path, O_RDONLY);
	for (i = 0; i < 2; i++) {
		ck_assert_int_eq(pread(fd, there, size, i * size), size);
		ck_assert(!memcmp(there, memory + DRIVER_BUFFERS, size));
	}
	close(fd);
	free(there);
	stop();
}

START_TEST(disk_requests_may_be_large)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ways); i++)
		works_at_large(ways[i]);
}
END_TEST

START_TEST(disk_works_without_io_uring)
{
	unsigned int i;

	forbid_io_uring();
	message_verbose = true;
	for (i = 0; i < ARRAY_SIZE(ways); i++) {
		unit_forget();
		keeps_what_is_written(ways[i]);
		ck_assert_str_eq(unit_last_message,
				 "the host has no io_uring for us (Operation not permitted): the disk does one thing at a time");
		works_in_pieces(ways[i]);
	}
}
END_TEST

START_TEST(disk_requests_without_a_status_cost_the_device)
{
	start("");
	driver_put_desc(&driver, 0, 0, DRIVER_BUFFERS, 16, 0, 0);
	driver_offer(&driver, 0, 0);
	driver_kick(&driver, 0);
	driver_misuses(&driver, "a request without header or status");
	/* The device works again for the next driver. */
	driver_start(&driver, F_FLUSH);
	ck_assert_int_eq(request(VIRTIO_BLK_T_IN, 0, 512), VIRTIO_BLK_S_OK);
	stop();
}
END_TEST

/* Five at a time, again and again, with one kick; each sector has its own content. */
static void many_at_once(const char *words)
{
	unsigned int round, i;

	make_disk(DISK_SECTORS * 512);
	start_made(words, F_FLUSH | F_EVENT_IDX);
	for (round = 0; round < 2 * 51; round++) {
		bool write = round < 51;

		for (i = 0; i < 5; i++) {
			memset(data + i * 512, write ? round * 5 + i : 0xff, 512);
			offer(3 * i, write ? VIRTIO_BLK_T_OUT : VIRTIO_BLK_T_IN, round % 51 * 5 + i,
			      DATA + i * 512, 512);
		}
		driver_kick(&driver, 0);
		ck_assert(driver_wait(&driver, 0, (round + 1) * 5));
		for (i = 0; i < 5; i++) {
			ck_assert_int_eq(status(3 * i), VIRTIO_BLK_S_OK);
			ck_assert_uint_eq(data[i * 512 + 511], round % 51 * 5 + i);
		}
	}
	stop();
}

START_TEST(disk_does_many_requests_at_once)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ways); i++)
		many_at_once(ways[i]);
}
END_TEST

/* A guest's last requests may read all of a large disk, again and again. */
START_TEST(the_end_does_not_wait_for_all_requests)
{
	const unsigned int requests = 15, buffers = 250, size = 3 << 20;
	struct virtio_blk_outhdr header = { .type = VIRTIO_BLK_T_OUT };
	struct vring_desc *table;
	unsigned int i;
	time_t start_time;

	make_disk(1 << 30);
	start_made("", F_FLUSH | F_INDIRECT);
	memcpy(driver.memory.base, &header, sizeof(header));
	table = (struct vring_desc *)(driver.memory.base + DRIVER_INDIRECT(0));
	table[0] = (struct vring_desc) { 0, sizeof(header), NEXT, 1 };
	for (i = 1; i <= buffers; i++)
		table[i] = (struct vring_desc) { DRIVER_BUFFERS - 1, size, NEXT, i + 1 };
	table[i] = (struct vring_desc) { sizeof(header), 1, WRITE, 0 };
	for (i = 0; i < requests; i++) {
		driver_put_desc(&driver, 0, i, DRIVER_INDIRECT(0), (buffers + 2) * sizeof(*table),
				VRING_DESC_F_INDIRECT, 0);
		driver_offer(&driver, 0, i);
	}
	driver_kick(&driver, 0);
	usleep(200000);
	start_time = time(NULL);
	stop();
	ck_assert_int_lt(time(NULL) - start_time, 5);
}
END_TEST

/* Whatever is under way: after the reset the device leaves the buffers alone. */
START_TEST(reset_waits_for_the_disk)
{
	int round, i;

	make_disk(8 << 20);
	start_made("", F_FLUSH);
	/* Data that is really there takes time to read. */
	memset(data, 0x5a, 1 << 20);
	for (i = 0; i < 8; i++)
		ck_assert_int_eq(request(VIRTIO_BLK_T_OUT, i << 11, 1 << 20), VIRTIO_BLK_S_OK);
	driver_start(&driver, F_FLUSH);
	for (round = 0; round < 50; round++) {
		for (i = 0; i < 5; i++)
			offer(3 * i, VIRTIO_BLK_T_IN, 3000 * i, DATA + (i << 18), 1 << 18);
		driver_kick(&driver, 0);
		usleep(unit_random() % 500);
		driver_reset(&driver);
		memset(data, 0x77, 5 << 18);
		usleep(1000);
		for (i = 0; i < 5 << 18; i += 512)
			ck_assert_uint_eq(data[i], 0x77);
		driver_start(&driver, F_FLUSH);
	}
	stop();
}
END_TEST

static blkcnt_t blocks(void)
{
	struct stat state;

	ck_assert_int_eq(stat(path, &state), 0);
	return state.st_blocks;
}

static int ranges(uint32_t type, uint32_t flags, unsigned int count, uint64_t sector, uint32_t sectors)
{
	struct virtio_blk_discard_write_zeroes *range = (void *)data;
	unsigned int i;

	for (i = 0; i < count; i++)
		range[i] = (struct virtio_blk_discard_write_zeroes) {
			.sector = sector + i * sectors,
			.num_sectors = sectors,
			.flags = flags,
		};
	return request(type, 0, count * sizeof(*range));
}

static void expect(uint64_t sector, uint8_t what)
{
	unsigned int i;

	memset(data, 0xee, 512);
	ck_assert_int_eq(request(VIRTIO_BLK_T_IN, sector, 512), VIRTIO_BLK_S_OK);
	for (i = 0; i < 512; i++)
		ck_assert_uint_eq(data[i], what);
}

static void discards_and_zeroes(const char *directory, const char *words, uint64_t features)
{
	blkcnt_t full;

	make_disk_in(directory, DISK_SECTORS * 512);
	start_made(words, features);
	fill_disk();
	full = blocks();
	ck_assert_int_ge(full, DISK_SECTORS);
	ck_assert_int_eq(ranges(VIRTIO_BLK_T_DISCARD, 0, 2, 16, 32), VIRTIO_BLK_S_OK);
	ck_assert_int_le(blocks(), full - 64);
	expect(15, 0x5a);
	expect(16, 0);
	expect(79, 0);
	expect(80, 0x5a);
	/* These zeroes keep their blocks in the file. */
	full = blocks();
	ck_assert_int_eq(ranges(VIRTIO_BLK_T_WRITE_ZEROES, 0, 3, 101, 50), VIRTIO_BLK_S_OK);
	ck_assert_int_ge(blocks(), full);
	expect(100, 0x5a);
	expect(101, 0);
	expect(250, 0);
	expect(251, 0x5a);
	/* These may free theirs. */
	fill_disk();
	full = blocks();
	ck_assert_int_eq(ranges(VIRTIO_BLK_T_WRITE_ZEROES, 1, 1, 0, 64), VIRTIO_BLK_S_OK);
	ck_assert_int_le(blocks(), full - 64);
	expect(63, 0);
	expect(64, 0x5a);
	ck_assert_int_eq(unit_messages, 0);
	stop();
}

START_TEST(discards_make_holes_and_zeroes_are_zero)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ways); i++)
		discards_and_zeroes("/tmp", ways[i], F_FLUSH);
	/* Without FLUSH, each request must be on the disk when it completes. */
	discards_and_zeroes("/tmp", "", 0);
	/* On /dev/shm zeroes must be written: its file system can't zero a range itself. */
	discards_and_zeroes("/dev/shm", "", F_FLUSH);
	forbid_io_uring();
	discards_and_zeroes("/tmp", "", F_FLUSH);
	discards_and_zeroes("/dev/shm", "", 0);
}
END_TEST

START_TEST(ranges_that_can_not_be_fail)
{
	static const uint32_t types[] = { VIRTIO_BLK_T_DISCARD, VIRTIO_BLK_T_WRITE_ZEROES };
	unsigned int i;

	start("");
	fill_disk();
	for (i = 0; i < 2; i++) {
		ck_assert_int_eq(ranges(types[i], 2, 1, 0, 8), VIRTIO_BLK_S_UNSUPP);
		ck_assert_int_eq(ranges(types[i], 0, 1, DISK_SECTORS, 1), VIRTIO_BLK_S_IOERR);
		ck_assert_int_eq(ranges(types[i], 0, 1, DISK_SECTORS - 1, 2), VIRTIO_BLK_S_IOERR);
		ck_assert_int_eq(ranges(types[i], 0, 1, ~0ULL, 1), VIRTIO_BLK_S_IOERR);
		ck_assert_int_eq(ranges(types[i], 0, 1, 0, ~0U), VIRTIO_BLK_S_IOERR);
		ck_assert_int_eq(ranges(types[i], 0, 33, 0, 1), VIRTIO_BLK_S_IOERR);
		ck_assert_int_eq(request(types[i], 0, 15), VIRTIO_BLK_S_IOERR);
		ck_assert_int_eq(request(types[i], 0, 0), VIRTIO_BLK_S_IOERR);
		ck_assert_int_eq(ranges(types[i], 0, 32, 0, 0), VIRTIO_BLK_S_OK);
	}
	ck_assert_int_eq(ranges(VIRTIO_BLK_T_DISCARD, 1, 1, 0, 8), VIRTIO_BLK_S_UNSUPP);
	expect(0, 0x5a);
	ck_assert_int_eq(unit_messages, 0);
	stop();
}
END_TEST

/* The file can't grow, as on a host whose disk is full. */
START_TEST(host_that_can_not_write_is_an_io_error_told_once)
{
	struct rlimit limit = { 64 * 512, RLIM_INFINITY };
	int i;

	make_disk(DISK_SECTORS * 512);
	start_made("", F_FLUSH);
	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	memset(data, 0x5a, 512);
	for (i = 0; i < 3; i++)
		ck_assert_int_eq(request(VIRTIO_BLK_T_OUT, 100, 512), VIRTIO_BLK_S_IOERR);
	unit_refused(-1, "File too large: the guest sees I/O errors");
	ck_assert_int_eq(request(VIRTIO_BLK_T_OUT, 10, 512), VIRTIO_BLK_S_OK);
	/* And if the file gets shorter: */
	ck_assert_int_eq(truncate(path, 512), 0);
	ck_assert_int_eq(request(VIRTIO_BLK_T_IN, 100, 512), VIRTIO_BLK_S_IOERR);
	unit_refused(-1, "Input/output error");
	ck_assert_int_eq(request(VIRTIO_BLK_T_IN, 0, 512), VIRTIO_BLK_S_OK);
	stop();
}
END_TEST

START_TEST(driver_chooses_the_cache)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ways); i++) {
		unsigned int before = i != 2;

		make_disk(DISK_SECTORS * 512);
		start_made(ways[i], F_FLUSH | F_CONFIG_WCE);
		ck_assert_uint_eq(virtio_mmio_read(&device, WCE, 1), before);
		virtio_mmio_write(&device, WCE, 1, 0);
		ck_assert_uint_eq(virtio_mmio_read(&device, WCE, 1), 0);
		fill_disk();
		virtio_mmio_write(&device, WCE, 1, 1);
		ck_assert_uint_eq(virtio_mmio_read(&device, WCE, 1), 1);
		fill_disk();
		/* The driver can't write the rest of the configuration. */
		virtio_mmio_write(&device, VIRTIO_MMIO_CONFIG, 4, 7);
		virtio_mmio_write(&device, WCE - 1, 4, 0);
		ck_assert_uint_eq(driver_read(&driver, VIRTIO_MMIO_CONFIG), DISK_SECTORS);
		ck_assert_uint_eq(virtio_mmio_read(&device, WCE, 1), 1);
		/* The next driver finds the value that the person wanted. */
		driver_start(&driver, F_FLUSH);
		ck_assert_uint_eq(virtio_mmio_read(&device, WCE, 1), before);
		virtio_mmio_write(&device, WCE, 1, !before);
		ck_assert_uint_eq(virtio_mmio_read(&device, WCE, 1), before);
		stop();
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("block");

	UNIT_ADD(suite, disk_keeps_what_is_written);
	UNIT_ADD(suite, disk_requests_outside_it_fail);
	UNIT_ADD(suite, disk_that_is_read_only_stays_as_it_is);
	UNIT_ADD(suite, disk_requests_in_any_pieces_work);
	UNIT_ADD(suite, disk_requests_may_be_large);
	UNIT_ADD(suite, disk_works_without_io_uring);
	UNIT_ADD(suite, disk_requests_without_a_status_cost_the_device);
	UNIT_ADD(suite, disk_does_many_requests_at_once);
	UNIT_ADD(suite, the_end_does_not_wait_for_all_requests);
	UNIT_ADD(suite, reset_waits_for_the_disk);
	UNIT_ADD(suite, discards_make_holes_and_zeroes_are_zero);
	UNIT_ADD(suite, ranges_that_can_not_be_fail);
	UNIT_ADD(suite, host_that_can_not_write_is_an_io_error_told_once);
	UNIT_ADD(suite, driver_chooses_the_cache);
	return unit_run(suite);
}
