// SPDX-License-Identifier: GPL-2.0-only
/*
 * A shared directory. Virtio 1.2 gives 9P its device number, and Linux's driver settles the
 * rest: each chain has a message of 9P2000.L to read, and room for its answer.
 */
#include <errno.h>
#include <linux/virtio_9p.h>
#include <linux/virtio_ids.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/compiler.h"
#include "base/event.h"
#include "base/message.h"
#include "p9/ring.h"
#include "base/value.h"
#include "virtio/virtio.h"

#define TAG_SIZE	32

/* A message that the server works on. */
struct request {
	bool is_message;		/* false: there is nothing to answer */
	uint16_t tag;
	uint32_t room;			/* bytes for the answer */
	struct virtio_chain chain;
};

struct share {
	struct p9_process server;
	bool broken;			/* the server is gone */
	unsigned int resets;		/* resets of the device that we know of */
	bool forget;			/* the server does not know of the last reset yet */
	struct request request[P9_SLOTS];	/* one for each slot of the server */
};

/* How many shares there are, for the tags of those without one: share0, share1... */
static unsigned int shares;

static void misuse(struct virtio_queue *queue)
{
	pthread_mutex_lock(&queue->device->lock);
	virtio_misuse(queue->device, "no message of 9P");
	pthread_mutex_unlock(&queue->device->lock);
}

/*
 * Give an answer to the guest; @size 0: there is none. The driver may have taken its buffers
 * back while the server was at work.
 */
static void answer(struct virtio_queue *queue, const struct request *request, const void *reply,
		   size_t size)
{
	const struct virtio_chain *chain = &request->chain;
	struct iovec iov[VIRTIO_QUEUE_SIZE], *in = iov;
	unsigned int count = chain->in;

	if (!virtio_hold(queue, chain))
		return;
	if (!size || size > request->room) {
		misuse(queue);
		return;
	}
	memcpy(iov, chain->iov + chain->out, count * sizeof(*iov));
	virtio_push(queue, chain, iov_write(&in, &count, reply, size));
}

/* Answer with an I/O error, without a server. */
static void answer_error(struct virtio_queue *queue, const struct request *request)
{
	const uint8_t reply[] = { 11, 0, 0, 0, P9_RLERROR, request->tag, request->tag >> 8, EIO, 0, 0, 0 };

	answer(queue, request, reply, sizeof(reply));
}

/* Give up the server, once. Requests that it has are lost. */
static void lose_server(struct virtio_queue *queue, struct share *share)
{
	struct p9_process *server = &share->server;
	uint32_t number;

	if (share->broken)
		return;
	message("the process that serves a shared directory has ended: the guest can't use it any more");
	share->broken = true;
	for (number = server->done; number != server->asked; number++)
		if (share->request[number % P9_SLOTS].is_message)
			answer_error(queue, &share->request[number % P9_SLOTS]);
	p9_process_stop(server);
}

/* Take the answers that the server has ready. */
static void take_answers(struct virtio_queue *queue, struct share *share)
{
	struct p9_slot *slot;

	while (!share->broken) {
		const struct request *request = &share->request[share->server.done % P9_SLOTS];

		if (!p9_process_answer(&share->server, &slot))
			lose_server(queue, share);
		if (!slot)
			return;
		if (request->is_message)
			answer(queue, request, slot->reply, READ_ONCE(slot->replied));
	}
}

/* Copy the whole message, so that the guest can't change it under the server. */
static void ask(struct virtio_queue *queue, struct share *share, struct request *request,
		struct p9_slot *slot)
{
	struct virtio_chain *chain = &request->chain;
	struct iovec *iov = chain->iov;
	size_t size = iov_size(chain->iov, chain->out);
	size_t room = iov_size(chain->iov + chain->out, chain->in);
	unsigned int count = chain->out;

	if (size < P9_HEADER || size > sizeof(slot->request)) {
		misuse(queue);
		return;
	}
	iov_read(&iov, &count, slot->request, size);
	request->is_message = true;
	request->tag = slot->request[5] | slot->request[6] << 8;
	request->room = room < sizeof(slot->reply) ? room : sizeof(slot->reply);
	slot->room = request->room;
	slot->size = size;
	slot->forget = share->forget;
	share->forget = false;
	p9_process_ask(&share->server);
}

/* Ask for nothing but to forget the files of the client before. */
static void ask_nothing(struct share *share, struct request *request, struct p9_slot *slot)
{
	request->is_message = false;
	slot->size = 0;
	slot->forget = true;
	share->forget = false;
	p9_process_ask(&share->server);
}

/* After a reset, the client that had files open is gone. */
static void see_reset(struct virtio_device *device, struct share *share)
{
	unsigned int resets = device->resets;

	share->forget |= share->resets != resets;
	share->resets = resets;
}

/* Pass on as many messages of the guest as the server takes. */
static void ask_more(struct virtio_queue *queue, struct share *share)
{
	struct p9_slot *slot;

	while (!queue->device->stopping && (slot = p9_process_slot(&share->server))) {
		struct request *request = &share->request[share->server.asked % P9_SLOTS];

		if (!virtio_pop(queue, &request->chain))
			break;
		see_reset(queue->device, share);
		ask(queue, share, request, slot);
	}
	see_reset(queue->device, share);
	slot = share->forget ? p9_process_slot(&share->server) : NULL;
	if (slot)
		ask_nothing(share, &share->request[share->server.asked % P9_SLOTS], slot);
}

/* Answer all requests with an error: there is no server. */
static void refuse_more(struct virtio_queue *queue, struct share *share)
{
	struct request *request = &share->request[0];
	uint8_t head[P9_HEADER] = { 0 };

	while (!queue->device->stopping && virtio_pop(queue, &request->chain)) {
		struct iovec *iov = request->chain.iov;
		unsigned int count = request->chain.out;

		iov_read(&iov, &count, head, sizeof(head));
		request->tag = head[5] | head[6] << 8;
		request->room = iov_size(request->chain.iov + request->chain.out, request->chain.in);
		answer_error(queue, request);
	}
}

/* Sleep until the guest, the server or this launcher has something for us. */
static int sleep_on_all(struct virtio_queue *queue, struct share *share)
{
	struct p9_process *server = &share->server;
	int what;

	if (share->broken)
		return virtio_wait(queue, -1, -1);
	p9_process_poll(server, true);
	take_answers(queue, share);
	/* The server may have lied: then it was ended, and its memory is gone. */
	if (share->broken)
		return virtio_wait(queue, -1, -1);
	what = virtio_wait(queue, server->replies, server->process.pidfd);
	p9_process_poll(server, false);
	if ((what & VIRTIO_WAIT_INPUT) && !event_take(server->replies))
		what &= ~VIRTIO_WAIT_INPUT;
	if (what & VIRTIO_WAIT_INPUT2) {
		take_answers(queue, share);
		lose_server(queue, share);
	}
	return what;
}

/*
 * While the server works on something, its answer usually comes next, and waiting for that
 * alone is cheaper. The guest can have its buffers back meanwhile (virtio_queue_rest()): a file
 * system of a network or of another program may take any time, or for ever.
 */
static void p9_run(struct virtio_queue *queue)
{
	struct share *share = queue->device->private;

	do {
		if (share->broken)
			refuse_more(queue, share);
		else
			ask_more(queue, share);
		virtio_queue_rest(queue);
		while (!share->broken && !queue->device->stopping && p9_process_wait(&share->server)) {
			take_answers(queue, share);
			if (!share->broken)
				ask_more(queue, share);
			virtio_queue_rest(queue);
		}
	} while (sleep_on_all(queue, share) != VIRTIO_WAIT_STOP);
}

/* The thread that has opened files closes them, since that may take time. */
static void p9_reset(struct virtio_device *device)
{
	virtio_kick(&device->queue[0]);
}

static void p9_exit(struct virtio_device *device)
{
	struct share *share = device->private;

	if (!share)
		return;
	p9_process_stop(&share->server);
	free(share);
	shares--;
}

static const struct virtio_ops p9_ops = {
	.name = "shared directory",
	.id = VIRTIO_ID_9P,
	.queues = 1,
	.run = p9_run,
	.reset = p9_reset,
	.exit = p9_exit,
};

static void set_tag(struct virtio_device *device, const char *tag)
{
	struct {
		struct virtio_9p_config config;
		char tag[TAG_SIZE];
	} config = { 0 };

	config.config.tag_len = htole16(strlen(tag));
	memcpy(config.config.tag, tag, strlen(tag));
	virtio_config_set(device, &config, sizeof(config));
}

/**
 * virtio_p9_init() - share a directory
 * @device: filled in; virtio_device_exit() it, whatever is returned
 * @memory: the guest's memory
 * @directory: the directory
 * @tag: what the guest mounts it by, shorter than TAG_SIZE; NULL: share0, the next one share1
 * @read_only: the guest may not change anything
 *
 * Return: 0, or a negative errno after telling the person.
 */
int virtio_p9_init(struct virtio_device *device, const struct guest_memory *memory,
		   const char *directory, const char *tag, bool read_only)
{
	char numbered[TAG_SIZE];
	struct share *share;
	int error;

	error = virtio_device_init(device, &p9_ops, memory);
	if (error)
		return error;
	share = calloc(1, sizeof(*share));
	if (!share)
		return no_memory();
	share->server.replies = -1;
	device->private = share;	/* from here on p9_exit() frees it */
	device->features |= 1ULL << VIRTIO_9P_MOUNT_TAG;
	snprintf(numbered, sizeof(numbered), "share%u", shares++);
	set_tag(device, tag ? tag : numbered);
	return p9_process_start(&share->server, directory, read_only);
}

/* The name of the directory ends at the last colon, if there is one. The tag follows it. */
static int cut_tag(char *directory, char **tag)
{
	*tag = strrchr(directory, ':');
	if (!*tag)
		return 0;
	*(*tag)++ = '\0';
	if (**tag && strlen(*tag) < TAG_SIZE && !strchr(*tag, '/'))
		return 0;
	return misused("'%s' is no tag: 1 to %d characters, no '/'; a ':' in the directory's name needs a tag behind it",
		      *tag, TAG_SIZE - 1);
}

/**
 * virtio_p9_parse() - understand what --share says
 * @value: its first word is the directory; value_free() it, whatever is returned
 * @text: the option's value
 * @tag: goes there, a part of @value; NULL if there is none
 *
 * Return: 0, or a negative errno after telling the person.
 */
int virtio_p9_parse(struct value *value, const char *text, char **tag)
{
	int error = value_parse(value, "share", "DIR[:TAG]", text);

	if (!error)
		error = value_refuse_others(value, "share", "ro", NULL);
	return error ? error : cut_tag(value->text, tag);
}

static int init_kind(struct virtio_device *device, const struct guest_memory *memory,
		     const char *text)
{
	struct value value;
	char *tag;
	int error;

	error = virtio_p9_parse(&value, text, &tag);
	if (!error)
		error = virtio_p9_init(device, memory, value.first, tag, value_flag(&value, "ro"));
	value_free(&value);
	return error;
}

const struct virtio_kind virtio_p9_kind = {
	.option = "share",
	.value = "DIR[:TAG][,ro]",
	.help = "a directory of the host; in the guest:\n"
		"mount -t 9p -o trans=virtio,msize=512000 TAG /mnt\n"
		"(TAG: share0, the next one share1; Xen's ABI: trans=xen)",
	.init = init_kind,
};
