// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests to Xen's store (Xen: docs/misc/xenstore.txt), whole in store->payload, each with
 * one answer, and what happens to those who watch. There is one guest, so transactions never
 * conflict, and are done as they come. All is under the store's lock.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/compiler.h"
#include "xen/store.h"
#include "xen/store_request.h"

enum {
	DIRECTORY = 1, READ = 2, GET_PERMS = 3, WATCH = 4, UNWATCH = 5, TRANSACTION_START = 6,
	TRANSACTION_END = 7, RELEASE = 9, GET_DOMAIN_PATH = 10, WRITE = 11, MKDIR = 12, RM = 13,
	SET_PERMS = 14, WATCH_EVENT = 15, ERROR = 16, RESET_WATCHES = 21, REQUESTS
};

/* A request, taken apart. */
struct request {
	char path[XEN_STORE_PATH];	/* absolute */
	const char *first;		/* the first text in it */
	struct bytes rest;		/* what follows that, and its end */
	char *changed;			/* a path that it changes goes there */
};

/* Room is there for an answer, whatever it is: none is begun before the last one has gone. */
static void put_message(struct xen_store *store, uint32_t type, const void *payload, size_t size)
{
	struct xen_store_header header = { .type = type, .size = size };
	size_t whole = sizeof(header) + size;

	if (type != WATCH_EVENT) {
		header.request = store->header.request;
		header.transaction = store->header.transaction;
	}
	if (whole > sizeof(store->out) - store->out_to)
		return;
	memcpy(store->out + store->out_to, &header, sizeof(header));
	memcpy(store->out + store->out_to + sizeof(header), payload, size);
	store->out_to += whole;
}

static int answer(struct xen_store *store, const void *payload, size_t size)
{
	put_message(store, store->header.type, payload, size);
	return 0;
}

static int answer_ok(struct xen_store *store)
{
	return answer(store, "OK", 3);
}

static void answer_error(struct xen_store *store, int error)
{
	static const struct { int error; const char *name; } names[] = {
		{ EINVAL, "EINVAL" }, { EACCES, "EACCES" }, { EEXIST, "EEXIST" },
		{ ENOENT, "ENOENT" }, { ENOMEM, "ENOMEM" }, { ENOSPC, "ENOSPC" },
		{ ENOSYS, "ENOSYS" }, { E2BIG, "E2BIG" },
	};
	const char *name = "EIO";
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].error == -error)
			name = names[i].name;
	put_message(store, ERROR, name, strlen(name) + 1);
}

/* Relative paths begin at the guest's home. Return: false if it is no path. */
static bool make_absolute(const char *given, char *path)
{
	int length = snprintf(path, XEN_STORE_PATH, "%s%s",
			      *given == '/' ? "" : XEN_STORE_HOME "/", given);

	return length < XEN_STORE_PATH && xen_path_is_good(path);
}

/* --- Watches. --- */

static bool watch_is_special(const char *path)
{
	return path[0] == '@';
}

static void send_event(struct xen_store *store, const struct xen_store_watch *watch,
		       const char *path)
{
	char text[XEN_STORE_PATH + XEN_STORE_TOKEN];
	size_t size;

	/* Whoever watches a relative path hears of relative paths. */
	if (watch->path[0] != '/' && xen_path_is_below(path, XEN_STORE_HOME) &&
	    path[sizeof(XEN_STORE_HOME) - 1])
		path += sizeof(XEN_STORE_HOME);
	size = strlen(path) + 1;
	memcpy(text, path, size);
	strcpy(text + size, watch->token);
	put_message(store, WATCH_EVENT, text, size + strlen(watch->token) + 1);
}

/**
 * xen_store_fire() - tell the guest of a change that it watches
 * @store: the store, locked
 * @path: what has changed
 * @removed: it is gone, with all below it
 */
void xen_store_fire(struct xen_store *store, const char *path, bool removed)
{
	char absolute[XEN_STORE_PATH];
	unsigned int i;

	for (i = 0; i < XEN_STORE_WATCHES; i++) {
		const struct xen_store_watch *watch = &store->watch[i];

		if (!watch->path[0] || watch_is_special(watch->path) ||
		    !make_absolute(watch->path, absolute))
			continue;
		if (xen_path_is_below(path, absolute))
			send_event(store, watch, path);
		else if (removed && xen_path_is_below(absolute, path))
			send_event(store, watch, absolute);
	}
}

static struct xen_store_watch *find_watch(struct xen_store *store, const char *path,
					  const char *token)
{
	unsigned int i;

	for (i = 0; i < XEN_STORE_WATCHES; i++)
		if (!strcmp(store->watch[i].path, path) && !strcmp(store->watch[i].token, token))
			return &store->watch[i];
	return NULL;
}

/* Path and token, each with its end. Return: the token, or NULL. */
static const char *token_of(const struct request *request)
{
	const char *token = (const char *)request->rest.at;

	if (!request->rest.size || strnlen(token, request->rest.size) == request->rest.size ||
	    strlen(token) >= XEN_STORE_TOKEN || strlen(request->first) >= XEN_STORE_PATH)
		return NULL;
	return token;
}

static int do_watch(struct xen_store *store, const struct request *request)
{
	const char *token = token_of(request);
	struct xen_store_watch *watch;

	if (!token || !request->first[0] ||
	    (!request->path[0] && !watch_is_special(request->first)))
		return -EINVAL;
	if (find_watch(store, request->first, token))
		return -EEXIST;
	watch = find_watch(store, "", "");
	if (!watch)
		return -ENOSPC;
	strcpy(watch->path, request->first);
	strcpy(watch->token, token);
	answer_ok(store);
	/* Once at the beginning: whoever watches looks what is there. */
	send_event(store, watch, request->path[0] ? request->path : request->first);
	return 0;
}

static int do_unwatch(struct xen_store *store, const struct request *request)
{
	const char *token = token_of(request);
	struct xen_store_watch *watch;

	if (!token || !request->first[0])
		return -EINVAL;
	watch = find_watch(store, request->first, token);
	if (!watch)
		return -ENOENT;
	memset(watch, 0, sizeof(*watch));
	return answer_ok(store);
}

static int do_reset_watches(struct xen_store *store, const struct request *request)
{
	(void)request;
	memset(store->watch, 0, sizeof(store->watch));
	return answer_ok(store);
}

/* --- Values. --- */

static int do_directory(struct xen_store *store, const struct request *request)
{
	char names[XEN_STORE_PAYLOAD];
	size_t size;
	int error = xen_tree_list(&store->tree, request->path, names, sizeof(names), &size);

	return error ? error : answer(store, names, size);
}

static int do_read(struct xen_store *store, const struct request *request)
{
	const struct bytes *value = xen_tree_read(&store->tree, request->path);

	return value ? answer(store, value->size ? (const void *)value->at : "", value->size) : -ENOENT;
}

/* The guest may change what is below its home. */
static bool may_change(const struct request *request)
{
	return xen_path_is_below(request->path, XEN_STORE_HOME) &&
	       strcmp(request->path, XEN_STORE_HOME);
}

static int change(struct xen_store *store, const struct request *request, int error, bool removed)
{
	if (error)
		return error;
	answer_ok(store);
	xen_store_fire(store, request->path, removed);
	strcpy(request->changed, request->path);
	return 0;
}

static int do_write(struct xen_store *store, const struct request *request)
{
	if (!may_change(request))
		return -EACCES;
	return change(store, request, xen_tree_write(&store->tree, request->path, request->rest),
		      false);
}

static int do_mkdir(struct xen_store *store, const struct request *request)
{
	if (!may_change(request))
		return -EACCES;
	if (xen_tree_read(&store->tree, request->path))
		return answer_ok(store);
	return change(store, request, xen_tree_make(&store->tree, request->path), false);
}

static int do_rm(struct xen_store *store, const struct request *request)
{
	if (!may_change(request))
		return -EACCES;
	return change(store, request, xen_tree_remove(&store->tree, request->path), true);
}

static int do_get_perms(struct xen_store *store, const struct request *request)
{
	return xen_tree_read(&store->tree, request->path) ? answer(store, "n1", 3) : -ENOENT;
}

/* --- What has the same answer always. --- */

static int do_transaction(struct xen_store *store, const struct request *request)
{
	char number[16];

	(void)request;
	/* 0 is for none. */
	if (!++store->transactions)
		store->transactions++;
	return answer(store, number, snprintf(number, sizeof(number), "%u", store->transactions) + 1);
}

static int do_domain_path(struct xen_store *store, const struct request *request)
{
	char path[32];

	if (strlen(request->first) > 5 || !request->first[0] ||
	    strspn(request->first, "0123456789") != strlen(request->first))
		return -EINVAL;
	return answer(store, path, snprintf(path, sizeof(path), "/local/domain/%s", request->first) + 1);
}

static int do_nothing(struct xen_store *store, const struct request *request)
{
	(void)request;
	return answer_ok(store);
}

static const struct {
	int (*run)(struct xen_store *store, const struct request *request);
	bool takes_path;
} requests[REQUESTS] = {
	[DIRECTORY] = { do_directory, true },
	[READ] = { do_read, true },
	[GET_PERMS] = { do_get_perms, true },
	[WATCH] = { do_watch, false },
	[UNWATCH] = { do_unwatch, false },
	[TRANSACTION_START] = { do_transaction, false },
	[TRANSACTION_END] = { do_nothing, false },
	[RELEASE] = { do_nothing, false },
	[GET_DOMAIN_PATH] = { do_domain_path, false },
	[WRITE] = { do_write, true },
	[MKDIR] = { do_mkdir, true },
	[RM] = { do_rm, true },
	[SET_PERMS] = { do_nothing, true },
	[RESET_WATCHES] = { do_reset_watches, false },
};

/**
 * xen_store_request() - do what a message asks for, and answer
 * @store: the store, locked, with the message in header and payload
 * @changed: XEN_STORE_PATH bytes: the path that the guest has changed goes there
 *
 * Return: has it changed any?
 */
bool xen_store_request(struct xen_store *store, char *changed)
{
	uint32_t type = store->header.type, size = store->header.size;
	struct request request = { .first = (const char *)store->payload, .changed = changed };
	size_t first;
	int error;

	changed[0] = '\0';
	store->payload[size] = '\0';
	first = strlen(request.first);
	if (first + 1 < size)
		request.rest = (struct bytes){ store->payload + first + 1, size - first - 1 };
	if (!make_absolute(request.first, request.path))
		request.path[0] = '\0';
	if (type >= REQUESTS || !requests[type].run)
		error = -ENOSYS;
	else if (requests[type].takes_path && !request.path[0])
		error = -EINVAL;
	else
		error = requests[type].run(store, &request);
	if (error)
		answer_error(store, error);
	return changed[0];
}
