// SPDX-License-Identifier: GPL-2.0-only
/*
 * Xen's store, with a guest that may say anything. The test does the thread's work.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "base/event.h"
#include "unit.h"
#include "xen/store.h"

enum { DIRECTORY = 1, READ, GET_PERMS, WATCH, UNWATCH, START, END, RELEASE = 9, DOMAIN_PATH,
       WRITE, MKDIR, RM, SET_PERMS, EVENT, ERROR, RESET_WATCHES = 21 };

static struct xen_store store;
static struct xen_store_ring ring;
static char changed[XEN_STORE_PATH];
static unsigned int changes;

/* The last message from the store. */
static struct xen_store_header header;
static char payload[XEN_STORE_PAYLOAD + 1];

static void on_change(void *argument, const char *path)
{
	(void)argument;
	strcpy(changed, path);
	changes++;
}

static void set_up(void)
{
	ck_assert_int_eq(xen_store_init(&store, on_change, NULL), 0);
	memset(&ring, 0, sizeof(ring));
	store.ring = &ring;
	changes = 0;
	xen_store_set(&store, "/local/domain/1/name", "%s", "test");
	xen_store_set(&store, "/local/domain/0/secret", "%s", "x");
}

static void tear_down(void)
{
	xen_store_stop(&store);
	xen_store_exit(&store);
}

static void put(const void *from, size_t size)
{
	const char *bytes = from;

	for (; size; size--) {
		if (ring.request_prod - ring.request_cons == XEN_STORE_RING)
			xen_store_work(&store);
		ck_assert_uint_lt(ring.request_prod - ring.request_cons, XEN_STORE_RING);
		ring.request[ring.request_prod++ % XEN_STORE_RING] = *bytes++;
	}
}

static size_t get(void *to, size_t size)
{
	char *bytes = to;
	size_t done;

	for (done = 0; done < size; done++) {
		if (ring.answer_prod == ring.answer_cons)
			xen_store_work(&store);
		if (ring.answer_prod == ring.answer_cons)
			return done;
		ck_assert_uint_le(ring.answer_prod - ring.answer_cons, XEN_STORE_RING);
		bytes[done] = ring.answer[ring.answer_cons++ % XEN_STORE_RING];
	}
	return done;
}

/* Return: was there a message? */
static bool receive(void)
{
	size_t got = get(&header, sizeof(header));

	if (!got)
		return false;
	ck_assert_uint_eq(got, sizeof(header));
	ck_assert_uint_le(header.size, XEN_STORE_PAYLOAD);
	ck_assert_uint_eq(get(payload, header.size), header.size);
	payload[header.size] = '\0';
	return true;
}

static void send_bytes(uint32_t type, const void *bytes, uint32_t size)
{
	struct xen_store_header message = { type, 77, 5, size };

	put(&message, sizeof(message));
	put(bytes, size);
}

/* One or two texts, each with its end; of WRITE's second one without. */
static void ask(uint32_t type, const char *first, const char *second)
{
	char text[2 * XEN_STORE_PAYLOAD];
	size_t size = strlen(first) + 1;

	memcpy(text, first, size);
	if (second) {
		memcpy(text + size, second, strlen(second) + 1);
		size += strlen(second) + (type != WRITE);
	}
	send_bytes(type, text, size);
	ck_assert(receive());
	ck_assert_uint_eq(header.request, 77);
	ck_assert_uint_eq(header.transaction, 5);
}

static void succeeds(uint32_t type, const char *first, const char *second, const char *answer)
{
	ask(type, first, second);
	ck_assert_msg(header.type == type, "%s: %s", first, payload);
	ck_assert_str_eq(payload, answer);
}

static void fails(uint32_t type, const char *first, const char *second, const char *error)
{
	ask(type, first, second);
	ck_assert_msg(header.type == ERROR, "%s", first);
	ck_assert_str_eq(payload, error);
	ck_assert_uint_eq(header.size, strlen(error) + 1);
}

static void event(const char *path, const char *token)
{
	ck_assert(receive());
	ck_assert_uint_eq(header.type, EVENT);
	ck_assert_uint_eq(header.request, 0);
	ck_assert_str_eq(payload, path);
	ck_assert_str_eq(payload + strlen(path) + 1, token);
}

START_TEST(values_are_read_and_written)
{
	set_up();
	succeeds(READ, "name", NULL, "test");
	succeeds(READ, "/local/domain/1/name", NULL, "test");
	fails(READ, "nothing", NULL, "ENOENT");
	succeeds(WRITE, "device/vbd/1/state", "3", "OK");
	ck_assert_str_eq(changed, "/local/domain/1/device/vbd/1/state");
	succeeds(READ, "device/vbd/1/state", NULL, "3");
	succeeds(READ, "device/vbd", NULL, "");
	ask(DIRECTORY, "device/vbd/1", NULL);
	ck_assert_uint_eq(header.size, 6);
	succeeds(DIRECTORY, "device", NULL, "vbd");
	succeeds(DIRECTORY, "device/vbd/1/state", NULL, "");
	succeeds(MKDIR, "device/new", NULL, "OK");
	succeeds(READ, "device/new", NULL, "");
	succeeds(RM, "device/vbd", NULL, "OK");
	fails(READ, "device/vbd/1/state", NULL, "ENOENT");
	fails(RM, "device/vbd", NULL, "ENOENT");
	succeeds(DOMAIN_PATH, "1", NULL, "/local/domain/1");
	succeeds(START, "", NULL, "1");
	succeeds(END, "T", NULL, "OK");
	succeeds(RELEASE, "1", NULL, "OK");
	succeeds(GET_PERMS, "name", NULL, "n1");
	fails(99, "", NULL, "ENOSYS");
	fails(0xffffffff, "", NULL, "ENOSYS");
	tear_down();
}
END_TEST

START_TEST(guest_changes_only_its_own)
{
	set_up();
	succeeds(READ, "/local/domain/0/secret", NULL, "x");
	fails(WRITE, "/local/domain/0/secret", "y", "EACCES");
	fails(WRITE, "/local/domain/10/secret", "y", "EACCES");
	fails(WRITE, "/local/domain/1", "y", "EACCES");
	fails(RM, "/local/domain/0", NULL, "EACCES");
	fails(RM, "/", NULL, "EACCES");
	fails(RM, "/local/domain/1", NULL, "EACCES");
	fails(MKDIR, "/tool", NULL, "EACCES");
	succeeds(READ, "/local/domain/0/secret", NULL, "x");
	ck_assert_uint_eq(changes, 0);
	tear_down();
}
END_TEST

START_TEST(hostile_paths_are_refused)
{
	static const char * const hostile[] = {
		"", "//", "a//b", "a/", "/a/", "/local/domain/1/", "a b", "a\nb", "\x80", "a%sb", "a*",
	};
	char path[2 * XEN_STORE_PATH];
	size_t i;

	set_up();
	for (i = 0; i < ARRAY_SIZE(hostile); i++) {
		fails(READ, hostile[i], NULL, "EINVAL");
		fails(WRITE, hostile[i], "1", "EINVAL");
	}
	memset(path, 'a', sizeof(path));
	path[XEN_STORE_PATH] = '\0';
	fails(WRITE, path, "1", "EINVAL");
	path[XEN_STORE_PATH - 1 - strlen("/local/domain/1/")] = '\0';
	succeeds(WRITE, path, "1", "OK");
	/* No text at all, and one without its end. */
	send_bytes(READ, "", 0);
	ck_assert(receive());
	ck_assert_str_eq(payload, "EINVAL");
	send_bytes(READ, "name", 4);
	ck_assert(receive());
	ck_assert_str_eq(payload, "test");
	send_bytes(WATCH, "name\0token", 10);
	ck_assert(receive());
	ck_assert_str_eq(payload, "EINVAL");
	tear_down();
}
END_TEST

START_TEST(watches_fire)
{
	set_up();
	succeeds(WATCH, "control/shutdown", "t1", "OK");
	event("control/shutdown", "t1");
	succeeds(WATCH, "/local/domain/1/device", "t2", "OK");
	event("/local/domain/1/device", "t2");
	succeeds(WATCH, "@releaseDomain", "t3", "OK");
	event("@releaseDomain", "t3");
	fails(WATCH, "control/shutdown", "t1", "EEXIST");
	xen_store_set(&store, "/local/domain/1/control/shutdown", "%s", "poweroff");
	event("control/shutdown", "t1");
	xen_store_set(&store, "/local/domain/1/control/other", "%s", "");
	succeeds(WRITE, "device/vbd/state", "1", "OK");
	event("/local/domain/1/device/vbd/state", "t2");
	succeeds(RM, "device", NULL, "OK");
	event("/local/domain/1/device", "t2");
	succeeds(UNWATCH, "control/shutdown", "t1", "OK");
	fails(UNWATCH, "control/shutdown", "t1", "ENOENT");
	fails(UNWATCH, "", "", "EINVAL");
	xen_store_set(&store, "/local/domain/1/control/shutdown", "%s", "");
	ck_assert(!receive());
	tear_down();
}
END_TEST

START_TEST(guest_can_fill_only_its_share)
{
	char path[64], value[XEN_STORE_VALUE + 2];
	unsigned int i, refused = 0;

	set_up();
	memset(value, 'v', sizeof(value));
	value[XEN_STORE_VALUE + 1] = '\0';
	fails(WRITE, "long", value, "ENOSPC");
	value[XEN_STORE_VALUE] = '\0';
	for (i = 0; i < 2 * XEN_STORE_NODES; i++) {
		snprintf(path, sizeof(path), "node-with-a-name/%u", i);
		ask(WRITE, path, value);
		refused += header.type == ERROR;
	}
	ck_assert_uint_gt(refused, XEN_STORE_NODES);
	succeeds(READ, "name", NULL, "test");
	/* Their names do not fit into one answer, or just do. */
	ask(DIRECTORY, "node-with-a-name", NULL);
	for (i = 0; i < XEN_STORE_WATCHES; i++) {
		snprintf(path, sizeof(path), "%u", i);
		succeeds(WATCH, "name", path, "OK");
		event("name", path);
	}
	fails(WATCH, "name", "more", "ENOSPC");
	/* One that never reads: what is said to it stays within bounds. */
	for (i = 0; i < 100000; i++)
		xen_store_set(&store, "/local/domain/1/name", "%u", i);
	ck_assert_uint_le(store.out_to, sizeof(store.out));
	while (receive())
		ck_assert_uint_eq(header.type, EVENT);
	succeeds(RESET_WATCHES, "", NULL, "OK");
	tear_down();
}
END_TEST

START_TEST(messages_come_byte_by_byte)
{
	const struct xen_store_header message = { READ, 1, 0, 5 };
	const char *bytes = (const char *)&message;
	size_t i;

	set_up();
	for (i = 0; i < sizeof(message); i++) {
		put(bytes + i, 1);
		xen_store_work(&store);
		ck_assert_uint_eq(ring.answer_prod, 0);
	}
	put("na", 2);
	xen_store_work(&store);
	ck_assert_uint_eq(ring.answer_prod, 0);
	put("me", 3);
	ck_assert(receive());
	ck_assert_str_eq(payload, "test");
	tear_down();
}
END_TEST

static void is_heard_no_more(const char *words)
{
	xen_store_work(&store);
	ck_assert_int_eq(unit_messages, 1);
	ck_assert_msg(strstr(unit_last_message, words), "%s", unit_last_message);
	unit_forget();
	xen_store_work(&store);
	ck_assert_int_eq(unit_messages, 0);
	ck_assert_uint_eq(ring.answer_prod, 0);
	tear_down();
}

START_TEST(message_that_is_too_long_ends_it)
{
	struct xen_store_header message = { WRITE, 1, 0, XEN_STORE_PAYLOAD + 1 };

	set_up();
	put(&message, sizeof(message));
	is_heard_no_more("too long");
	set_up();
	message.size = 0xffffffff;
	put(&message, sizeof(message));
	is_heard_no_more("too long");
}
END_TEST

START_TEST(nobody_is_told_who_is_heard_no_more)
{
	char path[64];
	int i, error = 0;

	set_up();
	for (i = 0; !error && i <= XEN_STORE_NODES; i++) {
		snprintf(path, sizeof(path), "/local/domain/1/%d", i);
		error = xen_store_set(&store, path, "%d", i);
	}
	ck_assert_int_eq(error, -ENOSPC);
	/* What is there can be changed. */
	ck_assert_int_eq(xen_store_set(&store, "/local/domain/1/name", "%s", "other"), 0);
	ring.request_prod = XEN_STORE_RING + 1;
	xen_store_work(&store);
	unit_forget();
	ck_assert_int_eq(xen_store_set(&store, "/local/domain/1/name", "%s", "test"), -EPROTO);
	tear_down();
}
END_TEST

START_TEST(indices_that_lie_end_it)
{
	set_up();
	ring.request_prod = XEN_STORE_RING + 1;
	is_heard_no_more("more than there is room for");
	set_up();
	ring.request_prod = 0xffffffff;
	is_heard_no_more("more than there is room for");
	set_up();
	ring.answer_cons = 1;
	send_bytes(READ, "name", 5);
	is_heard_no_more("read more than was written");
}
END_TEST

/* Any bytes at all: ASan and UBSan watch. */
START_TEST(noise_does_no_harm)
{
	struct xen_store_header message;
	unsigned int i, j;
	char noise[64];

	set_up();
	for (i = 0; i < 20000 && !store.broken; i++) {
		message = (struct xen_store_header){ unit_random() % 24, 0, 0, unit_random() % 60 };
		for (j = 0; j < sizeof(noise); j++)
			noise[j] = "/na@m1d\0ev.0"[unit_random() % 12];
		put(&message, sizeof(message));
		put(noise, message.size);
		while (receive())
			continue;
	}
	ck_assert(!store.broken);
	tear_down();
}
END_TEST

static bool is_raised(int ms)
{
	struct pollfd raise = { .fd = store.port.raise, .events = POLLIN };
	bool yes = poll(&raise, 1, ms) == 1;

	event_take(store.port.raise);
	return yes;
}

/* A request without its notification, when the last one has just been answered. */
START_TEST(request_whose_notification_is_lost_is_seen)
{
	const struct xen_store_header message = { DOMAIN_PATH, 1, 0, 0 };
	bool seen = false;
	int tries;

	set_up();
	ck_assert_int_eq(xen_store_start(&store, &ring), 0);
	/* This machine may be slow: then the next one comes too late. */
	for (tries = 0; !seen && tries < 20; tries++) {
		memcpy(ring.request, &message, sizeof(message));
		memcpy(ring.request + sizeof(message), &message, sizeof(message));
		__atomic_store_n(&ring.request_prod, READ_ONCE(ring.request_prod) + sizeof(message),
				 __ATOMIC_SEQ_CST);
		event_set(store.port.kick);
		ck_assert(is_raised(5000));
		__atomic_store_n(&ring.request_prod, ring.request_prod + sizeof(message),
				 __ATOMIC_SEQ_CST);
		seen = is_raised(100);
		xen_store_stop(&store);
		memset(&ring, 0, sizeof(ring));
		ck_assert_int_eq(xen_store_start(&store, &ring), 0);
	}
	ck_assert(seen);
	tear_down();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("Xen's store");

	UNIT_ADD(suite, values_are_read_and_written);
	UNIT_ADD(suite, guest_changes_only_its_own);
	UNIT_ADD(suite, hostile_paths_are_refused);
	UNIT_ADD(suite, watches_fire);
	UNIT_ADD(suite, guest_can_fill_only_its_share);
	UNIT_ADD(suite, messages_come_byte_by_byte);
	UNIT_ADD(suite, message_that_is_too_long_ends_it);
	UNIT_ADD(suite, indices_that_lie_end_it);
	UNIT_ADD(suite, noise_does_no_harm);
	UNIT_ADD(suite, nobody_is_told_who_is_heard_no_more);
	UNIT_ADD(suite, request_whose_notification_is_lost_is_seen);
	return unit_run(suite);
}
