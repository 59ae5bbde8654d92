// SPDX-License-Identifier: GPL-2.0-only
/* The second console of a guest of Xen's ABI, with a socket behind it. */
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/event.h"
#include "memory.h"
#include "unit.h"
#include "wrap.h"
#include "xen/area.h"
#include "xen/channel.h"
#include "xen/store.h"

#define MIB	(1ULL << 20)
#define VM	1000000		/* no descriptor: lg.ko's, for what is tested */
#define RING	0x10		/* a page, and its grant */
#define FRONT	XEN_STORE_HOME "/device/console/1"
#define BACK	"/local/domain/0/backend/console/1/1/state"

static struct guest_memory memory;
static struct xen_area area;
static struct xen_store store;
static struct xen_channel channel;
static struct xen_console_ring *ring;
static int ends[2];

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	va_list list;
	void *argument;

	va_start(list, request);
	argument = va_arg(list, void *);
	va_end(list);
	return fd == VM ? 0 : __real_ioctl(fd, request, argument);
}

static void say(const char *name, const char *value)
{
	char path[128];

	snprintf(path, sizeof(path), FRONT "/%s", name);
	ck_assert_int_eq(xen_store_set(&store, path, "%s", value), 0);
}

/* Return: what the back end comes to. */
static int come_to(const char *state)
{
	char text[8];

	say("state", state);
	xen_channel_changed(&channel, FRONT "/state");
	ck_assert(xen_store_get(&store, BACK, text, sizeof(text)));
	return text[0] - '0';
}

static void set_up(void)
{
	ck_assert_int_eq(guest_memory_init(&memory, 16 * MIB), 0);
	guest_memory_close_hole(&memory);
	ck_assert_int_eq(xen_area_init(&area, 16 * MIB), 0);
	xen_area_fill(&area);
	ck_assert_int_eq(xen_store_init(&store, NULL, NULL), 0);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	memset(&channel, 0, sizeof(channel));
	channel.memory = &memory;
	channel.area = &area;
	channel.device.store = &store;
	ck_assert_int_eq(xen_channel_init(&channel, ends[1]), 0);
	channel.vm = VM;
	xen_channel_describe(&channel);
	ring = (void *)(memory.base + RING * PAGE_SIZE);
	area.grants[RING] = (struct xen_grant_entry){ XEN_GRANT_ACCESS, XEN_BACKEND, RING };
	say("ring-ref", "16");
	say("port", "8");
}

static void tear_down(void)
{
	xen_channel_stop(&channel);
	ck_assert_uint_eq(area.grants[RING].flags, XEN_GRANT_ACCESS);
	xen_channel_exit(&channel);
	xen_store_stop(&store);
	xen_store_exit(&store);
	xen_area_exit(&area);
	guest_memory_exit(&memory);
	close(ends[0]);
	close(ends[1]);
}

static bool readable(int fd, int timeout)
{
	struct pollfd input = { .fd = fd, .events = POLLIN };

	return poll(&input, 1, timeout) == 1;
}

static void guest_says(const char *text, uint32_t size)
{
	uint32_t i;

	for (i = 0; i < size; i++)
		ring->out[(ring->out_prod + i) % sizeof(ring->out)] = text[i];
	set_index(&ring->out_prod, ring->out_prod + size);
	event_set(channel.port.kick);
}

static uint32_t guest_has(void)
{
	return index_of(&ring->in_prod) - ring->in_cons;
}

static void wait_until_guest_has(uint32_t size)
{
	int i;

	for (i = 0; i < 10000 && guest_has() != size; i++)
		usleep(1000);
	ck_assert_uint_eq(guest_has(), size);
}

/* Every byte, both ways, round the rings. */
START_TEST(bytes_go_both_ways)
{
	char text[256], got[256];
	unsigned int round, i;

	set_up();
	ck_assert_int_eq(come_to("3"), 4);
	for (i = 0; i < 256; i++)
		text[i] = i;
	for (round = 0; round < 50; round++) {
		guest_says(text, sizeof(text));
		for (i = 0; i < sizeof(got); i += read(ends[0], got + i, sizeof(got) - i))
			ck_assert(readable(ends[0], 10000));
		ck_assert_mem_eq(got, text, sizeof(got));
		ck_assert_int_eq(write(ends[0], text, 200), 200);
		wait_until_guest_has(200);
		for (i = 0; i < 200; i++)
			ck_assert_int_eq(ring->in[(ring->in_cons + i) % sizeof(ring->in)], text[i]);
		set_index(&ring->in_cons, ring->in_cons + 200);
		event_set(channel.port.kick);
	}
	tear_down();
}
END_TEST

START_TEST(guest_hears_nothing_before_it_has_spoken)
{
	set_up();
	ck_assert_int_eq(write(ends[0], "text", 4), 4);
	ck_assert_int_eq(come_to("3"), 4);
	usleep(50000);
	ck_assert_uint_eq(guest_has(), 0);
	guest_says("x", 1);
	wait_until_guest_has(4);
	tear_down();
}
END_TEST

START_TEST(what_has_no_room_waits)
{
	static char text[5000];
	int i;

	set_up();
	ck_assert_int_eq(come_to("3"), 4);
	guest_says("x", 1);
	ck_assert_int_eq(write(ends[0], text, sizeof(text)), sizeof(text));
	for (i = 0; i < 4; i++) {
		wait_until_guest_has(1024);
		set_index(&ring->in_cons, ring->in_cons + 1024);
		event_set(channel.port.kick);
	}
	wait_until_guest_has(sizeof(text) - 4 * 1024);
	tear_down();
}
END_TEST

START_TEST(indices_that_lie_move_nothing)
{
	char text[8];

	set_up();
	ck_assert_int_eq(come_to("3"), 4);
	set_index(&ring->out_prod, 0x80000000);
	set_index(&ring->in_cons, 0x12345678);
	event_set(channel.port.kick);
	ck_assert_int_eq(write(ends[0], "text", 4), 4);
	ck_assert(!readable(ends[0], 100));
	ck_assert_uint_eq(index_of(&ring->in_prod), 0);
	guest_says("abc", 3);
	ck_assert(readable(ends[0], 10000));
	ck_assert_int_eq(read(ends[0], text, sizeof(text)), 3);
	ck_assert_mem_eq(text, "abc", 3);
	tear_down();
}
END_TEST

/* The session is over; the guest may talk on. */
START_TEST(socket_that_is_closed_takes_all)
{
	int i;

	set_up();
	ck_assert_int_eq(come_to("3"), 4);
	close(ends[0]);
	for (i = 0; i < 10; i++) {
		int tries;

		guest_says("text", 4);
		for (tries = 0; tries < 10000 &&
		     index_of(&ring->out_cons) != ring->out_prod; tries++)
			usleep(1000);
		ck_assert_uint_eq(index_of(&ring->out_cons), ring->out_prod);
	}
	ends[0] = -1;
	tear_down();
}
END_TEST

START_TEST(hostile_front_end_is_refused)
{
	static const char * const hostile[][2] = {
		{ "ring-ref", "17" }, { "ring-ref", "4294967295" }, { "ring-ref", "" },
		{ "port", "2" }, { "port", "4096" }, { "port", "-1" },
	};
	size_t i;

	set_up();
	for (i = 0; i < sizeof(hostile) / sizeof(*hostile); i++) {
		say("ring-ref", "16");
		say("port", "8");
		say(hostile[i][0], hostile[i][1]);
		ck_assert_int_eq(come_to("3"), 5);
		ck_assert_int_eq(come_to("1"), 2);
	}
	ck_assert_uint_eq(unit_messages, sizeof(hostile) / sizeof(*hostile));
	unit_forget();
	tear_down();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("Xen's channel");

	UNIT_ADD(suite, bytes_go_both_ways);
	UNIT_ADD(suite, guest_hears_nothing_before_it_has_spoken);
	UNIT_ADD(suite, what_has_no_room_waits);
	UNIT_ADD(suite, indices_that_lie_move_nothing);
	UNIT_ADD(suite, socket_that_is_closed_takes_all);
	UNIT_ADD(suite, hostile_front_end_is_refused);
	return unit_run(suite);
}
