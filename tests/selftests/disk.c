// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the tests of disks do in a guest, and look for afterwards in the host:
 *
 *   disk zero FILE OFFSET LENGTH   zero a range of a block device, by the device
 *   disk log FILE SECTORS          write records 0, 1, 2... for ever, round and round in
 *                                  the first SECTORS; when fsync says that one is on the
 *                                  disk, print its number
 *   disk check FILE SECTORS LAST   is each record up to LAST, which was printed, there?
 *   disk lock FILE SECONDS         lock it (flock), if nobody else has, for so long
 */
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define SECTOR		512
#define WORDS		(SECTOR / sizeof(uint64_t))

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void zero(int fd, uint64_t offset, uint64_t length)
{
	uint64_t range[2] = { offset, length };

	if (ioctl(fd, BLKZEROOUT, range) < 0)
		fail("BLKZEROOUT");
}

/* A record is its number, all over its sector. */
static void write_log(int fd, uint64_t sectors)
{
	uint64_t number, record[WORDS];
	char line[32];
	unsigned int i;
	int length;

	for (number = 0;; number++) {
		for (i = 0; i < WORDS; i++)
			record[i] = number;
		if (pwrite(fd, record, SECTOR, number % sectors * SECTOR) != SECTOR || fsync(fd))
			fail("record");
		length = snprintf(line, sizeof(line), "%" PRIu64 "\n", number);
		if (write(STDOUT_FILENO, line, length) != length)
			fail("line");
	}
}

/* The place of a record has it, or, whole, one that was written over it later. */
static void check_record(int fd, uint64_t sectors, uint64_t number)
{
	uint64_t record[WORDS];
	unsigned int i;

	if (pread(fd, record, SECTOR, number % sectors * SECTOR) != SECTOR)
		fail("read");
	for (i = 0; i < WORDS; i++) {
		if (record[i] == record[0] && record[0] >= number &&
		    record[0] % sectors == number % sectors)
			continue;
		printf("record %" PRIu64 " is missing: word %u of its sector is %" PRIx64 "\n",
		       number, i, record[i]);
		exit(1);
	}
}

int main(int argc, char **argv)
{
	uint64_t number[2] = { 0 }, i;
	int fd;

	if (argc < 4)
		return 2;
	fd = open(argv[2], strcmp(argv[1], "check") ? O_RDWR : O_RDONLY);
	if (fd < 0)
		fail(argv[2]);
	for (i = 0; i < 2 && 3 + i < (uint64_t)argc; i++)
		number[i] = strtoull(argv[3 + i], NULL, 0);
	if (!strcmp(argv[1], "zero"))
		zero(fd, number[0], number[1]);
	else if (!strcmp(argv[1], "log"))
		write_log(fd, number[0]);
	else if (!strcmp(argv[1], "lock"))
		return flock(fd, LOCK_EX | LOCK_NB) ? 3 : (int)sleep(number[0]);
	else
		for (i = number[1] < number[0] ? 0 : number[1] - number[0] + 1; i <= number[1]; i++)
			check_record(fd, number[0], i);
	return 0;
}
