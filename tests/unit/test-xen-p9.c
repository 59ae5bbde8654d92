// SPDX-License-Identifier: GPL-2.0-only
/*
 * A shared directory of a guest of Xen's ABI, with a front end that may say anything in the
 * store and write anything to its rings.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/compiler.h"
#include "base/event.h"
#include "memory.h"
#include "p9/fields.h"
#include "sandbox/sandbox.h"
#include "unit.h"
#include "wrap.h"
#include "xen/area.h"
#include "xen/p9.h"
#include "xen/store.h"

#define MIB		(1ULL << 20)
#define VM		1000000		/* no descriptor: lg.ko's, for what is tested */
#define ORDER		2
#define SIZE		((1U << ORDER) * PAGE_SIZE / 2)	/* bytes each way */
#define INDICES(n)	(0x10 + (n))		/* page numbers, and grants */
#define PAGES(n)	(0x20 + 0x10 * (n))
#define FRONT		XEN_STORE_HOME "/device/9pfs/3"
#define BACK		"/local/domain/0/backend/9pfs/1/3"

static struct guest_memory memory;
static struct xen_area area;
static struct xen_store store;
static struct xen_p9 share;
static uint8_t answer[SIZE];
static int connections;

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	va_list list;
	void *argument;

	va_start(list, request);
	argument = va_arg(list, void *);
	va_end(list);
	if (fd != VM)
		return __real_ioctl(fd, request, argument);
	connections++;
	return 0;
}

static struct p9if_indices *indices(unsigned int ring)
{
	return (void *)(memory.base + INDICES(ring) * PAGE_SIZE);
}

static void grant(uint32_t number, uint16_t flags)
{
	area.grants[number] = (struct xen_grant_entry){ flags, 0, number };
}

static void say(const char *name, const char *value)
{
	char path[128];

	snprintf(path, sizeof(path), FRONT "/%s", name);
	ck_assert_int_eq(xen_store_set(&store, path, "%s", value), 0);
}

static const char *back(const char *name)
{
	static char text[64];
	char path[128];

	snprintf(path, sizeof(path), BACK "/%s", name);
	ck_assert(xen_store_get(&store, path, text, sizeof(text)));
	return text;
}

static void come_to(const char *state)
{
	say("state", state);
	xen_p9_changed(&share, FRONT "/state");
}

/* All that an honest front end says and grants. */
static void prepare_front(void)
{
	unsigned int ring, i;

	say("version", "1");
	say("num-rings", "2");
	say("ring-ref0", "16");
	say("ring-ref1", "17");
	say("event-channel-0", "8");
	say("event-channel-1", "9");
	for (ring = 0; ring < 2; ring++) {
		memset(indices(ring), 0, PAGE_SIZE);
		indices(ring)->order = ORDER;
		grant(INDICES(ring), 1);
		for (i = 0; i < 1U << ORDER; i++) {
			indices(ring)->grant[i] = PAGES(ring) + i;
			grant(PAGES(ring) + i, 1);
		}
	}
}

static void set_up(bool read_only)
{
	char path[64], file[80];
	FILE *out;

	ck_assert_int_eq(guest_memory_init(&memory, 16 * MIB), 0);
	guest_memory_close_hole(&memory);
	ck_assert_int_eq(xen_area_init(&area, 16 * MIB), 0);
	xen_area_fill(&area);
	ck_assert_int_eq(xen_store_init(&store, NULL, NULL), 0);
	snprintf(path, sizeof(path), "%s/shared", unit_directory());
	ck_assert_int_eq(mkdir(path, 0755), 0);
	snprintf(file, sizeof(file), "%s/file", path);
	out = fopen(file, "w");
	fputs("text", out);
	fclose(out);
	memset(&share, 0, sizeof(share));
	share.memory = &memory;
	share.area = &area;
	share.device.store = &store;
	ck_assert_int_eq(xen_p9_init(&share, 3, path, "tag", read_only), 0);
	share.vm = VM;
	xen_p9_describe(&share);
	prepare_front();
	connections = 0;
}

static void tear_down(void)
{
	xen_p9_stop(&share);
	/* Each port is disconnected, and no page is in use. */
	ck_assert_int_eq(connections % 4, 0);
	ck_assert_uint_eq(area.grants[INDICES(0)].flags & ~4, 1);
	ck_assert_uint_eq(area.grants[PAGES(1) + 3].flags & ~5, 0);
	xen_p9_exit(&share);
	xen_store_stop(&store);
	xen_store_exit(&store);
	xen_area_exit(&area);
	guest_memory_exit(&memory);
}

/* Where byte @at of one half of a ring is. */
static uint8_t *byte(unsigned int ring, bool out, uint32_t at)
{
	return memory.base + PAGES(ring) * PAGE_SIZE + (out ? SIZE : 0) + at % SIZE;
}

static void kick(unsigned int ring)
{
	event_set(share.ring[ring].port.kick);
}

static void send_bytes(unsigned int ring, const void *bytes, uint32_t size)
{
	uint32_t prod = indices(ring)->out_prod, i;

	for (i = 0; i < size; i++)
		*byte(ring, true, prod + i) = ((const uint8_t *)bytes)[i];
	set_index(&indices(ring)->out_prod, prod + size);
	kick(ring);
}

/* A message of numbers, each of so many bytes as @fields says, and texts. */
static void send_message(unsigned int ring, unsigned int type, uint16_t tag, const char *fields, ...)
{
	uint8_t message[512];
	struct p9_out out = { .start = message, .room = sizeof(message) };
	va_list list;

	p9_put(&out, 4, 0);
	p9_put(&out, 1, type);
	p9_put(&out, 2, tag);
	va_start(list, fields);
	for (; *fields; fields++) {
		if (*fields == 's')
			p9_put_text(&out, va_arg(list, const char *));
		else
			p9_put(&out, *fields - '0', va_arg(list, unsigned int));
	}
	va_end(list);
	p9_put_at(&out, 0, 4, out.size);
	send_bytes(ring, message, out.size);
}

static bool there_is_more(unsigned int ring, uint32_t than)
{
	int i;

	for (i = 0; i < 100000; i++) {
		if (index_of(&indices(ring)->in_prod) -
		    indices(ring)->in_cons > than)
			return true;
		usleep(100);
	}
	return false;
}

/* Take the next answer. Return: its type. */
static unsigned int receive(unsigned int ring, uint16_t tag)
{
	uint32_t cons = indices(ring)->in_cons, size, i;

	ck_assert(there_is_more(ring, P9_HEADER - 1));
	size = *byte(ring, false, cons) | *byte(ring, false, cons + 1) << 8;
	ck_assert_uint_le(size, index_of(&indices(ring)->in_prod) - cons);
	for (i = 0; i < size; i++)
		answer[i] = *byte(ring, false, cons + i);
	set_index(&indices(ring)->in_cons, cons + size);
	kick(ring);
	ck_assert_uint_eq(answer[5] | answer[6] << 8, tag);
	return answer[4];
}

/* The share's root is fid 0. */
static void mount_it(void)
{
	come_to("3");
	ck_assert_msg(!strcmp(back("state"), "4"), "%s", unit_last_message);
	send_message(1, P9_TVERSION, P9_NOTAG, "4s", SIZE, "9P2000.L");
	ck_assert_uint_eq(receive(1, P9_NOTAG), P9_TVERSION + 1);
	send_message(0, P9_TATTACH, 0, "44ss4", 0, P9_NOFID, "", "", 0);
	ck_assert_uint_eq(receive(0, 0), P9_TATTACH + 1);
}

START_TEST(files_are_read_by_both_rings)
{
	unsigned int i;

	set_up(false);
	ck_assert_str_eq(back("versions"), "1");
	ck_assert_str_eq(back("max-rings"), "2");
	ck_assert_str_eq(back("state"), "2");
	mount_it();
	send_message(1, P9_TWALK, 1, "442s", 0, 1, 1, "file");
	ck_assert_uint_eq(receive(1, 1), P9_TWALK + 1);
	send_message(0, P9_TLOPEN, 2, "44", 1, 0);
	ck_assert_uint_eq(receive(0, 2), P9_TLOPEN + 1);
	/* So often that the rings wrap, at any place. */
	for (i = 0; i < 3000; i++) {
		send_message(i % 2, P9_TREAD, i, "4444", 1, 0, 0, 100);
		ck_assert_uint_eq(receive(i % 2, i), P9_TREAD + 1);
		ck_assert_mem_eq(answer + P9_HEADER, "\4\0\0\0text", 8);
	}
	ck_assert_uint_eq(index_of(&indices(0)->out_cons), indices(0)->out_prod);
	tear_down();
}
END_TEST

START_TEST(message_may_come_in_pieces)
{
	uint8_t message[] = { 11, 0, 0, 0, P9_TCLUNK, 5, 0, 0, 0, 0, 0 };
	unsigned int i;

	set_up(false);
	mount_it();
	for (i = 0; i < sizeof(message); i++) {
		usleep(2000);
		send_bytes(0, message + i, 1);
	}
	ck_assert_uint_eq(receive(0, 5), P9_TCLUNK + 1);
	tear_down();
}
END_TEST

/* A guest that takes no answers gets them when it does; the other ring goes on then, too. */
START_TEST(answers_wait_for_room)
{
	unsigned int i, sent;

	set_up(false);
	mount_it();
	for (sent = 0; sent < SIZE / 11 + 20; sent++) {
		send_message(0, P9_TCLUNK, sent, "4", 9);
		if (sent % 50 == 49)	/* so that there is room for requests */
			usleep(20000);
	}
	ck_assert(there_is_more(0, SIZE - 11));
	usleep(20000);
	ck_assert_uint_le(index_of(&indices(0)->in_prod) - indices(0)->in_cons, SIZE);
	for (i = 0; i < sent; i++)
		ck_assert_uint_eq(receive(0, i), P9_RLERROR);
	send_message(1, P9_TCLUNK, 1, "4", 0);
	ck_assert_uint_eq(receive(1, 1), P9_TCLUNK + 1);
	tear_down();
}
END_TEST

START_TEST(read_only_share_is_not_written)
{
	set_up(true);
	mount_it();
	send_message(0, P9_TMKDIR, 1, "4s44", 0, "directory", 0755, 0);
	ck_assert_uint_eq(receive(0, 1), P9_RLERROR);
	ck_assert_uint_eq(answer[P9_HEADER], EROFS);
	tear_down();
}
END_TEST

static void wait_for_misuse(void)
{
	int i;

	for (i = 0; i < 1000 && !unit_messages; i++)
		usleep(10000);
	ck_assert_int_eq(unit_messages, 1);
	ck_assert_ptr_nonnull(strstr(unit_last_message, "misuses a shared directory"));
}

/* Then the other one is served all the same. */
static void misuses_ring_0(void)
{
	wait_for_misuse();
	unit_forget();
	send_message(1, P9_TCLUNK, 1, "4", 0);
	ck_assert_uint_eq(receive(1, 1), P9_TCLUNK + 1);
	ck_assert_int_eq(unit_messages, 0);
	tear_down();
}

START_TEST(indices_that_lie_end_a_ring)
{
	static const uint32_t hostile[] = { SIZE + 1, 0x80000000, 0xffffffff };
	uint32_t cons;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(hostile); i++) {
		set_up(false);
		mount_it();
		cons = index_of(&indices(0)->out_cons);
		*byte(0, true, cons) = 11;	/* as if there were a message */
		set_index(&indices(0)->out_prod, indices(0)->out_prod + hostile[i]);
		kick(0);
		wait_for_misuse();
		ck_assert_uint_eq(index_of(&indices(0)->out_cons), cons);
		misuses_ring_0();
		set_up(false);
		mount_it();
		set_index(&indices(0)->in_cons, indices(0)->in_cons - hostile[i]);
		send_message(0, P9_TCLUNK, 1, "4", 9);
		misuses_ring_0();
	}
}
END_TEST

START_TEST(sizes_that_lie_end_a_ring)
{
	static const uint32_t hostile[] = { 0, 6, SIZE + 1, P9_MAX_MESSAGE + 1, 0x80000000, ~0U };
	uint8_t message[P9_HEADER] = { 0 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(hostile); i++) {
		set_up(false);
		mount_it();
		memcpy(message, &hostile[i], 4);
		send_bytes(0, message, sizeof(message));
		misuses_ring_0();
	}
}
END_TEST

START_TEST(hostile_front_end_is_refused)
{
	static const char * const hostile[][2] = {
		{ "version", "2" }, { "version", "" }, { "num-rings", "0" }, { "num-rings", "3" },
		{ "num-rings", "4294967297" }, { "ring-ref0", "x" }, { "ring-ref1", "4294967296" },
		{ "ring-ref1", "4294967295" }, { "ring-ref0", "7" }, { "event-channel-0", "0" },
		{ "event-channel-1", "2" }, { "event-channel-1", "4096" },
	};
	static const uint32_t orders[] = { 0, P9IF_MAX_ORDER + 1, 31, 32, ~0U };
	size_t i;

	set_up(false);
	for (i = 0; i < ARRAY_SIZE(hostile); i++) {
		prepare_front();
		say(hostile[i][0], hostile[i][1]);
		come_to("3");
		ck_assert_str_eq(back("state"), "5");
		come_to("1");
	}
	for (i = 0; i < ARRAY_SIZE(orders); i++) {
		prepare_front();
		indices(1)->order = orders[i];
		come_to("3");
		ck_assert_str_eq(back("state"), "5");
	}
	prepare_front();
	grant(PAGES(1) + 3, 1 | 4);	/* for reading alone */
	come_to("3");
	ck_assert_str_eq(back("state"), "5");
	ck_assert_int_eq(unit_messages, ARRAY_SIZE(hostile) + ARRAY_SIZE(orders) + 1);
	unit_forget();
	ck_assert_uint_eq(area.grants[PAGES(0)].flags, 1);
	ck_assert_uint_eq(area.grants[INDICES(1)].flags, 1);
	grant(PAGES(1) + 3, 1);
	mount_it();
	tear_down();
}
END_TEST

/* The files of a client that went without a word are closed, and its answers are nobody's. */
START_TEST(new_client_begins_anew)
{
	unsigned int i;

	set_up(false);
	for (i = 0; i < 20; i++) {
		mount_it();
		send_message(0, P9_TWALK, 1, "442s", 0, 1, 1, "file");
		if (i % 2)
			ck_assert_uint_eq(receive(0, 1), P9_TWALK + 1);
		if (i % 3)
			come_to("6");
		come_to("1");
		ck_assert_str_eq(back("state"), "2");
		prepare_front();
	}
	tear_down();
}
END_TEST

static void die(void)
{
	_exit(1);
}

START_TEST(server_that_has_ended_is_an_error_for_the_guest)
{
	unsigned int i;

	sandbox_intruder = die;
	set_up(false);
	come_to("3");
	for (i = 1; i <= 3; i++) {
		send_message(i % 2, P9_TCLUNK, i, "4", 0);
		ck_assert_uint_eq(receive(i % 2, i), P9_RLERROR);
		ck_assert_uint_eq(answer[P9_HEADER], EIO);
	}
	ck_assert_int_eq(unit_messages, 1);
	ck_assert_ptr_nonnull(strstr(unit_last_message, "has ended"));
	unit_forget();
	tear_down();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("Xen's shared directory");

	UNIT_ADD(suite, files_are_read_by_both_rings);
	UNIT_ADD(suite, message_may_come_in_pieces);
	UNIT_ADD(suite, answers_wait_for_room);
	UNIT_ADD(suite, read_only_share_is_not_written);
	UNIT_ADD(suite, indices_that_lie_end_a_ring);
	UNIT_ADD(suite, sizes_that_lie_end_a_ring);
	UNIT_ADD(suite, hostile_front_end_is_refused);
	UNIT_ADD(suite, new_client_begins_anew);
	UNIT_ADD(suite, server_that_has_ended_is_an_error_for_the_guest);
	return unit_run(suite);
}
