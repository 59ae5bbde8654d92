// SPDX-License-Identifier: GPL-2.0-only
/*
 * A disk of a guest of Xen's ABI, with a front end that may ask for anything.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/event.h"
#include "base/compiler.h"
#include "memory.h"
#include "unit.h"
#include "xen/area.h"
#include "xen/block.h"
#include "xen/grant.h"

#define MIB		(1ULL << 20)
#define DISK_SIZE	(1ULL << 20)
#define RING		0x5000ULL	/* guest physical */
#define PAGE(n)		(0x10000ULL + (n) * PAGE_SIZE)

static struct guest_memory memory;
static struct xen_area area;
static struct xen_block block;
static struct blkif_ring *ring;
static char path[64];
static uint32_t seen;		/* responses */

/* Grant @number is that page. */
static void grant(uint32_t number, uint16_t flags, uint16_t domain, uint32_t frame)
{
	area.grants[number] = (struct xen_grant_entry){ flags, domain, frame };
}

static void set_up(const char *words)
{
	char text[128];
	unsigned int i;
	FILE *file;

	ck_assert_int_eq(guest_memory_init(&memory, 16 * MIB), 0);
	guest_memory_close_hole(&memory);
	ck_assert_int_eq(xen_area_init(&area, 16 * MIB), 0);
	xen_area_fill(&area);
	snprintf(path, sizeof(path), "%s/disk", unit_directory());
	file = fopen(path, "w");
	for (i = 0; i < DISK_SIZE / 512; i++)
		fprintf(file, "%-511u\n", i);
	fclose(file);
	memset(&block, 0, sizeof(block));
	block.memory = &memory;
	block.area = &area;
	snprintf(text, sizeof(text), "%s%s", path, words);
	ck_assert_msg(!xen_block_init(&block, 0, text), "%s", unit_last_message);
	for (i = 0; i < BLKIF_ENTRIES; i++) {
		block.request[i].next_free = block.free;
		block.free = &block.request[i];
	}
	ring = block.ring = guest_range(&memory, RING, PAGE_SIZE);
	for (i = 0; i < BLKIF_SEGMENTS; i++)
		grant(8 + i, 1, 0, PAGE(i) / PAGE_SIZE);
	seen = 0;
}

static void tear_down(void)
{
	xen_block_exit(&block);
	xen_area_exit(&area);
	guest_memory_exit(&memory);
}

static struct blkif_request *put(uint8_t operation, uint64_t sector, uint8_t segments)
{
	struct blkif_request *request = &ring->entry[ring->request_prod++ % BLKIF_ENTRIES].request;
	unsigned int i;

	memset(request, 0, sizeof(*request));
	request->operation = operation;
	request->segments = segments;
	request->id = 0x1234567800000000 + ring->request_prod;
	request->sector = sector;
	for (i = 0; i < BLKIF_SEGMENTS; i++)
		request->segment[i] = (struct blkif_segment){ 8 + i, 0, 7, 0 };
	return request;
}

/* Do all there is. Return: status of the next response. */
static int run(void)
{
	const struct blkif_response *response = &ring->entry[seen % BLKIF_ENTRIES].response;
	struct disk_request *io;

	xen_block_take(&block);
	while ((io = disk_io_wait(&block.io)))
		xen_block_ended(&block, io);
	ck_assert_uint_gt(ring->response_prod - seen, 0);
	seen++;
	ck_assert_uint_eq(response->id, 0x1234567800000000 + seen);
	/* Nothing of ours is in between. */
	ck_assert_uint_eq(response->pad0, 0);
	ck_assert_uint_eq(((const uint32_t *)response)[3], 0);
	return response->status;
}

static bool interrupted(void)
{
	struct pollfd raise = { .fd = block.port.raise, .events = POLLIN };
	bool yes = poll(&raise, 1, 0) == 1;

	event_take(block.port.raise);
	return yes;
}

START_TEST(sectors_are_read_and_written)
{
	char text[16];
	FILE *file;

	set_up("");
	put(BLKIF_READ, 16, 2)->segment[1] = (struct blkif_segment){ 9, 2, 3, 0 };
	ring->response_event = 1;
	ck_assert_int_eq(run(), BLKIF_OK);
	ck_assert(interrupted());
	ck_assert_int_eq(atoi((char *)memory.base + PAGE(0)), 16);
	ck_assert_int_eq(atoi((char *)memory.base + PAGE(0) + 7 * 512), 23);
	ck_assert_uint_eq(memory.base[PAGE(1) + 511], 0);
	ck_assert_int_eq(atoi((char *)memory.base + PAGE(1) + 2 * 512), 24);
	ck_assert_int_eq(atoi((char *)memory.base + PAGE(1) + 3 * 512), 25);
	ck_assert_uint_eq(memory.base[PAGE(1) + 4 * 512], 0);
	memcpy(memory.base + PAGE(0), "written", 8);
	put(BLKIF_WRITE, 100, 1);
	ck_assert_int_eq(run(), BLKIF_OK);
	/* Nobody wants to hear of this one. */
	ck_assert(!interrupted());
	put(BLKIF_FLUSH, 0, 0);
	ck_assert_int_eq(run(), BLKIF_OK);
	file = fopen(path, "r");
	fseek(file, 100 * 512, SEEK_SET);
	ck_assert_uint_eq(fread(text, 1, 8, file), 8);
	fclose(file);
	ck_assert_str_eq(text, "written");
	tear_down();
}
END_TEST

START_TEST(snapshot_leaves_the_file_alone)
{
	char text[8] = "";
	FILE *file;

	set_up(",snapshot");
	memcpy(memory.base + PAGE(0), "written", 8);
	put(BLKIF_WRITE, 0, 1);
	ck_assert_int_eq(run(), BLKIF_OK);
	memset(memory.base + PAGE(0), 0, PAGE_SIZE);
	put(BLKIF_READ, 0, 1);
	ck_assert_int_eq(run(), BLKIF_OK);
	ck_assert_str_eq((char *)memory.base + PAGE(0), "written");
	file = fopen(path, "r");
	ck_assert_uint_eq(fread(text, 1, 1, file), 1);
	fclose(file);
	ck_assert_str_eq(text, "0");
	tear_down();
}
END_TEST

START_TEST(requests_outside_the_disk_fail)
{
	static const uint64_t hostile[] = {
		DISK_SIZE / 512 - 7, DISK_SIZE / 512, ~0ULL, 1ULL << 55,
		(1ULL << 55) - 8, ~0ULL >> 9,
	};
	size_t i;

	set_up("");
	for (i = 0; i < ARRAY_SIZE(hostile); i++) {
		put(BLKIF_WRITE, hostile[i], 1);
		ck_assert_int_eq(run(), BLKIF_ERROR);
		put(BLKIF_READ, hostile[i], 1);
		ck_assert_int_eq(run(), BLKIF_ERROR);
	}
	put(BLKIF_READ, DISK_SIZE / 512 - 8, 1);
	ck_assert_int_eq(run(), BLKIF_OK);
	tear_down();
}
END_TEST

START_TEST(hostile_segments_fail)
{
	static const struct blkif_segment hostile[] = {
		{ 8, 5, 4, 0 }, { 8, 0, 8, 0 }, { 8, 255, 255, 0 }, { 8, 0, 255, 0 },
		{ 7, 0, 7, 0 },			/* not granted */
		{ 0xffffffff, 0, 7, 0 }, { XEN_GRANT_FRAMES * 512, 0, 7, 0 },
		{ 20, 0, 7, 0 },		/* to another domain */
		{ 21, 0, 7, 0 },		/* a transfer */
		{ 22, 0, 7, 0 }, { 23, 0, 7, 0 },	/* no memory */
	};
	static const uint8_t counts[] = { 0, BLKIF_SEGMENTS + 1, 255 };
	size_t i;

	set_up("");
	grant(20, 1, 1, 0x10);
	grant(21, 2, 0, 0x10);
	grant(22, 1, 0, 16 * MIB / PAGE_SIZE);
	grant(23, 1, 0, 0xffffffff);
	for (i = 0; i < ARRAY_SIZE(hostile); i++) {
		put(BLKIF_WRITE, 0, 1)->segment[0] = hostile[i];
		ck_assert_int_eq(run(), BLKIF_ERROR);
		put(BLKIF_READ, 0, BLKIF_SEGMENTS)->segment[BLKIF_SEGMENTS - 1] = hostile[i];
		ck_assert_int_eq(run(), BLKIF_ERROR);
	}
	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		put(BLKIF_READ, 0, counts[i]);
		ck_assert_int_eq(run(), BLKIF_ERROR);
	}
	/* What is granted for reading alone can be written to the disk, and not read into. */
	grant(8, 1 | 4, 0, 0x10);
	put(BLKIF_READ, 0, 1);
	ck_assert_int_eq(run(), BLKIF_ERROR);
	put(BLKIF_WRITE, 0, 1);
	ck_assert_int_eq(run(), BLKIF_OK);
	tear_down();
}
END_TEST

START_TEST(what_a_disk_can_not_do_is_said)
{
	set_up(",ro");
	put(BLKIF_WRITE, 0, 1);
	ck_assert_int_eq(run(), BLKIF_ERROR);
	put(BLKIF_FLUSH, 0, 1);
	ck_assert_int_eq(run(), BLKIF_UNSUPPORTED);
	put(5, 0, 1);
	ck_assert_int_eq(run(), BLKIF_UNSUPPORTED);
	put(255, 0, 1);
	ck_assert_int_eq(run(), BLKIF_UNSUPPORTED);
	put(BLKIF_READ, 0, BLKIF_SEGMENTS);
	ck_assert_int_eq(run(), BLKIF_OK);
	tear_down();
}
END_TEST

/* In any order. */
START_TEST(full_ring_is_done)
{
	struct disk_request *io;
	unsigned int i, j;

	set_up("");
	for (j = 1; j <= 3; j++) {
		uint64_t ids = 0;

		for (i = 0; i < BLKIF_ENTRIES; i++)
			put(BLKIF_READ, i, BLKIF_SEGMENTS);
		xen_block_take(&block);
		while ((io = disk_io_wait(&block.io)))
			xen_block_ended(&block, io);
		ck_assert_uint_eq(ring->response_prod, j * BLKIF_ENTRIES);
		for (i = 0; i < BLKIF_ENTRIES; i++) {
			ck_assert_int_eq(ring->entry[i].response.status, BLKIF_OK);
			ids |= 1ULL << ring->entry[i].response.id % BLKIF_ENTRIES;
		}
		ck_assert_uint_eq(ids, 0xffffffff);
	}
	tear_down();
}
END_TEST

START_TEST(nothing_is_written_after_a_failed_flush)
{
	struct disk_request *io;
	int i;

	set_up("");
	for (i = 0; i < 2; i++) {
		put(BLKIF_FLUSH, 0, 0);
		xen_block_take(&block);
		io = disk_io_wait(&block.io);
		io->result = -EIO;
		xen_block_ended(&block, io);
		ck_assert_int_eq(ring->entry[seen++].response.status, BLKIF_ERROR);
		put(BLKIF_WRITE, 0, 1);
		ck_assert_int_eq(run(), BLKIF_ERROR);
		put(BLKIF_READ, 0, 1);
		ck_assert_int_eq(run(), BLKIF_OK);
	}
	ck_assert_int_eq(unit_messages, 1);
	ck_assert_ptr_nonnull(strstr(unit_last_message, "can write no more"));
	unit_forget();
	tear_down();
}
END_TEST

/* Each request ends at once, and the guest is to say when there are more. */
START_TEST(full_ring_is_done_without_io_uring)
{
	unsigned int i;

	set_up("");
	disk_io_exit(&block.io);
	for (i = 0; i < BLKIF_ENTRIES; i++)
		put(BLKIF_READ, i, 1);
	xen_block_work(&block);
	ck_assert_uint_eq(ring->response_prod, BLKIF_ENTRIES);
	ck_assert_uint_eq(ring->request_event, BLKIF_ENTRIES + 1);
	put(BLKIF_READ, 0, 1);
	xen_block_work(&block);
	ck_assert_uint_eq(ring->response_prod, BLKIF_ENTRIES + 1);
	ck_assert_uint_eq(ring->request_event, BLKIF_ENTRIES + 2);
	tear_down();
}
END_TEST

START_TEST(ring_that_lies_is_served_no_more)
{
	static const uint32_t hostile[] = { BLKIF_ENTRIES + 1, 0x80000000, 0xffffffff };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(hostile); i++) {
		set_up("");
		ring->request_prod = hostile[i];
		xen_block_take(&block);
		ck_assert_int_eq(unit_messages, 1);
		ck_assert_ptr_nonnull(strstr(unit_last_message, "misuses its disk"));
		unit_forget();
		ring->request_prod = 1;
		xen_block_take(&block);
		ck_assert_uint_eq(ring->response_prod, 0);
		tear_down();
	}
}
END_TEST

START_TEST(serial_number_is_refused)
{
	memset(&block, 0, sizeof(block));
	unit_refused(xen_block_init(&block, 0, "/disk,serial=1"), "has no serial number");
	xen_block_exit(&block);
}
END_TEST

START_TEST(grant_in_use_is_marked)
{
	set_up("");
	grant(20, 1, 1, 0x10);
	grant(21, 1 | 4, 0, 0x10);
	grant(22, 1, 0, 16 * MIB / PAGE_SIZE);
	ck_assert_ptr_null(xen_grant_hold(&area, &memory, 20));
	ck_assert_ptr_null(xen_grant_hold(&area, &memory, 21));
	ck_assert_ptr_null(xen_grant_hold(&area, &memory, 22));
	ck_assert_ptr_null(xen_grant_hold(&area, &memory, 7));
	ck_assert_ptr_null(xen_grant_hold(&area, &memory, XEN_GRANT_FRAMES * 512));
	ck_assert_ptr_null(xen_grant_hold(&area, &memory, ~0U));
	ck_assert_uint_eq(area.grants[20].flags | area.grants[22].flags, 1);
	ck_assert_uint_eq(area.grants[21].flags, 5);
	ck_assert_uint_eq(area.grants[7].flags, 0);
	ck_assert_ptr_eq(xen_grant_hold(&area, &memory, 9), memory.base + PAGE(1));
	ck_assert_uint_eq(area.grants[9].flags, 1 | 8 | 16);
	xen_grant_drop(&area, 9);
	ck_assert_uint_eq(area.grants[9].flags, 1);
	ck_assert_uint_eq(area.grants[9].frame, PAGE(1) / PAGE_SIZE);
	tear_down();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("Xen's disk");

	UNIT_ADD(suite, sectors_are_read_and_written);
	UNIT_ADD(suite, snapshot_leaves_the_file_alone);
	UNIT_ADD(suite, requests_outside_the_disk_fail);
	UNIT_ADD(suite, hostile_segments_fail);
	UNIT_ADD(suite, what_a_disk_can_not_do_is_said);
	UNIT_ADD(suite, full_ring_is_done);
	UNIT_ADD(suite, nothing_is_written_after_a_failed_flush);
	UNIT_ADD(suite, full_ring_is_done_without_io_uring);
	UNIT_ADD(suite, ring_that_lies_is_served_no_more);
	UNIT_ADD(suite, serial_number_is_refused);
	UNIT_ADD(suite, grant_in_use_is_marked);
	return unit_run(suite);
}
