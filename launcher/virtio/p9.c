// SPDX-License-Identifier: GPL-2.0-only
/*
 * A shared directory. Virtio 1.2 gives 9P its device number and leaves the rest to
 * Linux's driver: each chain is a message of 9P2000.L to read, and room for its
 * answer.
 */
#include <errno.h>
#include <linux/virtio_9p.h>
#include <linux/virtio_ids.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../message.h"
#include "../p9/p9.h"
#include "../value.h"
#include "virtio.h"

#define TAG_SIZE	32

struct share {
	struct p9_server server;
	unsigned int resets;		/* of the device, that the server knows of */
	uint8_t request[P9_MAX_MESSAGE];
	uint8_t reply[P9_MAX_MESSAGE];
};

/* How many there are, for the tags of those that have none: share0, share1... */
static unsigned int shares;

/*
 * The whole message is copied first: the Guest can't change it under us. And so its buffers
 * need not be held while the Host's file system works, which may take any time, or for ever
 * (a network's, or another program's): a driver that wants them back does not wait for that.
 */
static void serve(struct virtio_queue *queue, struct share *share, struct virtio_chain *chain)
{
	struct iovec *out = chain->iov, *in = chain->iov + chain->out;
	size_t size = iov_size(out, chain->out), room = iov_size(in, chain->in);

	if (room > sizeof(share->reply))
		room = sizeof(share->reply);
	if (size <= sizeof(share->request)) {
		iov_read(&out, &chain->out, share->request, size);
		virtio_queue_rest(queue);
		size = p9_serve(&share->server, share->request, size, share->reply, room);
	} else {
		size = 0;
	}
	if (!virtio_hold(queue, chain))
		return;
	if (!size) {
		pthread_mutex_lock(&queue->device->lock);
		virtio_misuse(queue->device, "no message of 9P");
		pthread_mutex_unlock(&queue->device->lock);
		return;
	}
	virtio_push(queue, chain, iov_write(&in, &chain->in, share->reply, size));
}

/* The client that had those files open is gone. */
static void see_reset(struct virtio_device *device, struct share *share)
{
	unsigned int resets = device->resets;

	if (share->resets != resets)
		p9_fid_drop_all(&share->server);
	share->resets = resets;
}

static void p9_run(struct virtio_queue *queue)
{
	struct share *share = queue->device->private;
	struct virtio_chain chain;

	p9_thread_init();
	while (virtio_wait(queue, -1, -1) != VIRTIO_WAIT_STOP) {
		see_reset(queue->device, share);
		while (!queue->device->stopping && virtio_pop(queue, &chain)) {
			see_reset(queue->device, share);
			serve(queue, share, &chain);
		}
	}
}

/* Files are closed in the thread that has opened them: that may take its time. */
static void p9_reset(struct virtio_device *device)
{
	virtio_kick(&device->queue[0]);
}

static void p9_exit(struct virtio_device *device)
{
	struct share *share = device->private;

	if (!share)
		return;
	p9_server_exit(&share->server);
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

/* The directory's name ends at the last colon, if there is one. */
static int set_tag(struct virtio_device *device, char *directory, unsigned int number)
{
	char *colon = strrchr(directory, ':'), tag[TAG_SIZE];
	struct {
		struct virtio_9p_config config;
		char tag[TAG_SIZE];
	} config = { 0 };

	if (colon)
		*colon++ = '\0';
	else
		snprintf(tag, sizeof(tag), "share%u", number);
	if (colon && (!*colon || strlen(colon) >= sizeof(tag) || strchr(colon, '/')))
		return misused("'%s' is no tag: 1 to %d characters, no '/'; a ':' in the directory's name needs a tag behind it",
			      colon, TAG_SIZE - 1);
	if (colon)
		strcpy(tag, colon);
	config.config.tag_len = htole16(strlen(tag));
	memcpy(config.config.tag, tag, strlen(tag));
	virtio_config_set(device, &config, sizeof(config));
	return 0;
}

static int p9_init(struct virtio_device *device, const struct guest_memory *memory,
		   const char *text)
{
	struct share *share;
	struct value value;
	int error;

	error = virtio_device_init(device, &p9_ops, memory);
	if (error)
		return error;
	share = calloc(1, sizeof(*share));
	if (!share)
		return refuse(-ENOMEM, "no memory");
	share->server.root = share->server.self = -1;
	device->private = share;	/* from here on p9_exit() frees it */
	device->features |= 1ULL << VIRTIO_9P_MOUNT_TAG;
	error = value_parse(&value, "share", "DIR[:TAG]", text);
	if (!error)
		error = value_refuse_others(&value, "share", "ro", NULL);
	if (!error)
		error = set_tag(device, value.text, shares);
	shares++;
	if (!error)
		error = p9_server_init(&share->server, value.first, value_flag(&value, "ro"));
	value_free(&value);
	return error;
}

const struct virtio_kind virtio_p9_kind = {
	.option = "share",
	.value = "DIR[:TAG][,ro]",
	.help = "a directory of the host; in the guest:\n"
		"mount -t 9p -o trans=virtio,msize=512000 TAG /mnt\n"
		"(TAG: share0, the next one share1)",
	.init = p9_init,
};
