// SPDX-License-Identifier: GPL-2.0-only
/*
 * Xen's store: a page with two rings of bytes, messages to us in one and from us in the
 * other, and a thread that serves them. The guest may say anything: a message is taken byte
 * by byte as it comes, the next one only when all that was said before has gone out, and one
 * that is too long ends the conversation.
 */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/event.h"
#include "base/file.h"
#include "base/message.h"
#include "base/number.h"
#include "base/thread.h"
#include "xen/store.h"
#include "xen/store_request.h"

/*
 * Linux writes its index and reads ours without a barrier between them, and so may not send
 * when it has to: after there was something to do, look once more so much later.
 */
#define LOOK_AGAIN_MS	10

/* One that does not keep to the rules is heard no more. */
static void misuse(struct xen_store *store, const char *how)
{
	if (!store->broken)
		message("the guest misuses Xen's store: %s", how);
	store->broken = true;
}

/* As much of what is to be said as the guest has room for. Return: was there any? */
static bool put_bytes(struct xen_store *store)
{
	uint32_t cons = __atomic_load_n(&store->ring->answer_cons, __ATOMIC_ACQUIRE);
	uint32_t used = store->answer_prod - cons, i;
	size_t size = store->out_to - store->out_from;

	if (!size || store->broken)
		return false;
	if (used > XEN_STORE_RING) {
		misuse(store, "it has read more than was written");
		return false;
	}
	if (size > XEN_STORE_RING - used)
		size = XEN_STORE_RING - used;
	for (i = 0; i < size; i++)
		store->ring->answer[(store->answer_prod + i) % XEN_STORE_RING] =
			store->out[store->out_from + i];
	store->answer_prod += size;
	__atomic_store_n(&store->ring->answer_prod, store->answer_prod, __ATOMIC_RELEASE);
	/* The guest sees that before we look once more at where it is. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	store->out_from += size;
	if (store->out_from == store->out_to)
		store->out_from = store->out_to = 0;
	return size;
}

/* Where the next byte of the message goes. */
static uint8_t *next_byte(struct xen_store *store)
{
	if (store->have < sizeof(store->header))
		return (uint8_t *)&store->header + store->have;
	return store->payload + (store->have - sizeof(store->header));
}

static bool is_whole(const struct xen_store *store)
{
	return store->have >= sizeof(store->header) &&
	       store->have == sizeof(store->header) + store->header.size;
}

/* Bytes of the message that comes in, up to its end. Return: were there any? */
static bool take_bytes(struct xen_store *store)
{
	uint32_t prod = __atomic_load_n(&store->ring->request_prod, __ATOMIC_ACQUIRE);
	uint32_t size = prod - store->request_cons, taken = 0;

	if (!size || store->broken)
		return false;
	if (size > XEN_STORE_RING) {
		misuse(store, "it has written more than there is room for");
		return false;
	}
	while (taken < size && !is_whole(store) && !store->broken) {
		uint32_t at = (store->request_cons + taken) % XEN_STORE_RING;

		*next_byte(store) = store->ring->request[at];
		store->have++;
		taken++;
		if (store->have == sizeof(store->header) && store->header.size > XEN_STORE_PAYLOAD)
			misuse(store, "a message is too long");
	}
	store->request_cons += taken;
	__atomic_store_n(&store->ring->request_cons, store->request_cons, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);	/* as in put_bytes() */
	return taken;
}

/* One step. Return: has anything changed? */
static bool step(struct xen_store *store, char *changed)
{
	bool done;

	changed[0] = '\0';
	pthread_mutex_lock(&store->lock);
	done = put_bytes(store);
	if (!store->out_to && take_bytes(store)) {
		done = true;
		if (!store->broken && is_whole(store)) {
			store->have = 0;
			xen_store_request(store, changed);
		}
	}
	pthread_mutex_unlock(&store->lock);
	return done;
}

/**
 * xen_store_work() - all that can be done now
 * @store: with the guest's ring
 *
 * Return: was there anything to do? The guest is to hear of that.
 */
bool xen_store_work(struct xen_store *store)
{
	char changed[XEN_STORE_PATH];
	bool any = false;

	while (!store->stopping && step(store, changed)) {
		any = true;
		if (changed[0] && store->changed)
			store->changed(store->argument, changed);
	}
	return any;
}

static void *run_store(void *argument)
{
	struct xen_store *store = argument;
	struct pollfd poll_fd[] = {
		{ .fd = store->wake, .events = POLLIN },
		{ .fd = store->port.kick, .events = POLLIN },
	};

	bool any = false;

	while (!store->stopping) {
		if (poll(poll_fd, ARRAY_SIZE(poll_fd), any ? LOOK_AGAIN_MS : -1) < 0)
			continue;	/* EINTR */
		event_take(store->wake);
		event_take(store->port.kick);
		any = xen_store_work(store);
		if (any)
			event_set(store->port.raise);
	}
	return NULL;
}

/**
 * xen_store_set() - change what is in the store, and tell the guest if it watches
 * @store: as xen_store_init() left it
 * @path: a good path, anywhere
 * @format: of the value, as printf() has it
 *
 * Return: 0, or a negative errno after telling a person who wants to know much: -EPROTO: the
 * guest is heard no more, and does not hear of this either.
 */
int xen_store_set(struct xen_store *store, const char *path, const char *format, ...)
{
	char text[XEN_STORE_VALUE];
	va_list list;
	int error;

	va_start(list, format);
	vsnprintf(text, sizeof(text), format, list);
	va_end(list);
	pthread_mutex_lock(&store->lock);
	error = xen_tree_write(&store->tree, path,
			       (struct bytes){ (const uint8_t *)text, strlen(text) });
	if (!error)
		xen_store_fire(store, path, false);
	if (!error && store->broken)
		error = -EPROTO;
	pthread_mutex_unlock(&store->lock);
	if (error)
		detail("%s can't be written to Xen's store: %s", path, strerror(-error));
	event_set(store->wake);
	return error;
}

/**
 * xen_store_get() - what is in the store, as text
 * @store: as xen_store_init() left it
 * @path: a good path
 * @to: the value goes there
 * @room: bytes there; what is longer is cut off
 *
 * Return: false if there is nothing.
 */
bool xen_store_get(struct xen_store *store, const char *path, char *to, size_t room)
{
	const struct bytes *value;

	pthread_mutex_lock(&store->lock);
	value = xen_tree_read(&store->tree, path);
	if (value)
		snprintf(to, room, "%s", value->size ? (const char *)value->at : "");
	pthread_mutex_unlock(&store->lock);
	return value;
}

/**
 * xen_store_number() - a number that the guest has written
 * @store: as xen_store_init() left it
 * @path: a good path
 * @most: a larger one is none
 * @number: goes there
 *
 * Return: false if there is none.
 */
bool xen_store_number(struct xen_store *store, const char *path, uint64_t most, uint64_t *number)
{
	char text[24];

	return xen_store_get(store, path, text, sizeof(text)) &&
	       number_parse(text, 0, most, number);
}

/**
 * xen_store_init() - make the store; it is empty
 * @store: filled in; xen_store_exit() it, whatever is returned
 * @changed: called by its thread when the guest has changed something, or NULL
 * @argument: for @changed
 *
 * Return: 0, or a negative errno after telling the person.
 */
int xen_store_init(struct xen_store *store, void (*changed)(void *, const char *), void *argument)
{
	int error;

	memset(store, 0, sizeof(*store));
	pthread_mutex_init(&store->lock, NULL);
	store->changed = changed;
	store->argument = argument;
	store->wake = -1;
	error = xen_port_init(&store->port);
	if (!error)
		store->wake = event_new();
	return store->wake < 0 ? -EMFILE : error;
}

/**
 * xen_store_start() - a guest starts
 * @store: filled for it by xen_store_set()
 * @ring: the guest's
 *
 * Return: 0, or a negative errno after telling the person.
 */
int xen_store_start(struct xen_store *store, struct xen_store_ring *ring)
{
	store->ring = ring;
	store->stopping = false;
	return thread_start(&store->thread, run_store, store);
}

/**
 * xen_store_stop() - the guest has ended: nothing of it is left
 * @store: as xen_store_start() left it, if it came to that
 */
void xen_store_stop(struct xen_store *store)
{
	store->stopping = true;
	if (store->wake >= 0)
		event_set(store->wake);
	thread_join(&store->thread);
	pthread_mutex_lock(&store->lock);
	xen_tree_clear(&store->tree);
	memset(store->watch, 0, sizeof(store->watch));
	store->request_cons = store->answer_prod = 0;
	store->broken = false;
	store->have = store->out_from = store->out_to = 0;
	pthread_mutex_unlock(&store->lock);
}

/**
 * xen_store_exit() - give back what xen_store_init() took
 * @store: stopped
 */
void xen_store_exit(struct xen_store *store)
{
	file_close(&store->wake);
	xen_port_exit(&store->port);
	pthread_mutex_destroy(&store->lock);
}
