// SPDX-License-Identifier: GPL-2.0-only
/*
 * The balloon (virtio 1.2, section 5.5). The guest gives memory back when it is asked to, says
 * how much of its memory is free, and, if it is allowed to, gives back by itself what it does
 * not use.
 *
 * Memory that was given back reads as zero when the guest uses it again. The guest need not ask
 * before, so there is nothing to do when the balloon shrinks.
 */
#include <endian.h>
#include <errno.h>
#include <linux/virtio_ids.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/compiler.h"
#include "base/event.h"
#include "base/file.h"
#include "memory.h"
#include "base/message.h"
#include "virtio/balloon.h"
#include "virtio/virtio.h"

/* Linux numbers the queues that both sides have one after the other. */
enum { INFLATE_QUEUE, DEFLATE_QUEUE, STATS_QUEUE, REPORT_QUEUE, QUEUES };

/* Pages that are looked at in one piece. */
#define BATCH	1024

/* The device's lock protects all members but ask. */
struct balloon {
	int ask;		/* eventfd: ask the guest what it knows of its memory */
	pthread_cond_t answered;
	uint64_t answers;	/* how many answers have come */
	/* From the last answer: */
	uint32_t known;
	uint64_t value[VIRTIO_BALLOON_S_NR];
};

static int compare_pages(const void *one, const void *other)
{
	uint32_t a = *(const uint32_t *)one, b = *(const uint32_t *)other;

	return a < b ? -1 : a > b;
}

/* Give pages back to the host, with one call for those that lie side by side. */
static const char *discard_pages(const struct guest_memory *memory, uint32_t *page,
				 unsigned int count)
{
	unsigned int i, run;
	void *at;

	qsort(page, count, sizeof(*page), compare_pages);
	for (i = 0; i < count; i += run) {
		for (run = 1; i + run < count && page[i + run] == page[i] + run; run++)
			;
		at = guest_range(memory, (uint64_t)page[i] << VIRTIO_BALLOON_PFN_SHIFT,
				 (uint64_t)run << VIRTIO_BALLOON_PFN_SHIFT);
		if (!at)
			return "a page that is not memory";
		guest_memory_discard(memory, at, (uint64_t)run << VIRTIO_BALLOON_PFN_SHIFT);
	}
	return NULL;
}

/* Take the numbers of pages that the guest does not use any more. */
static void inflate(struct virtio_queue *queue, struct virtio_chain *chain)
{
	struct virtio_device *device = queue->device;
	struct iovec *iov = chain->iov;
	const char *wrong = NULL;
	uint32_t page[BATCH];
	unsigned int count, i;

	while (!wrong && !device->stopping && virtio_stop_time(queue)) {
		count = iov_read(&iov, &chain->out, page, sizeof(page)) / sizeof(*page);
		if (!count)
			break;
		for (i = 0; i < count; i++)
			page[i] = le32toh(page[i]);
		wrong = discard_pages(device->memory, page, count);
	}
	if (!wrong) {
		virtio_push(queue, chain, 0);
		return;
	}
	pthread_mutex_lock(&device->lock);
	virtio_misuse(device, wrong);
	pthread_mutex_unlock(&device->lock);
}

/* Give the buffers themselves back: the guest does not use that memory (5.5.6.7). */
static void report(struct virtio_queue *queue, struct virtio_chain *chain)
{
	unsigned int i;

	for (i = chain->out; i < chain->out + chain->in; i++)
		guest_memory_discard(queue->device->memory, chain->iov[i].iov_base,
				     chain->iov[i].iov_len);
	virtio_push(queue, chain, 0);
}

/* Read what the guest says of its memory. It may leave out what it does not know. */
static void read_answer(struct virtio_device *device, struct virtio_chain *chain)
{
	struct virtio_balloon_stat stat[2 * VIRTIO_BALLOON_S_NR];
	struct balloon *balloon = device->private;
	struct iovec *iov = chain->iov;
	unsigned int count, i, tag;

	count = iov_read(&iov, &chain->out, stat, sizeof(stat)) / sizeof(*stat);
	pthread_mutex_lock(&device->lock);
	balloon->known = 0;
	for (i = 0; i < count; i++) {
		tag = le16toh(stat[i].tag);
		if (tag >= VIRTIO_BALLOON_S_NR)
			continue;
		balloon->value[tag] = le64toh(stat[i].val);
		balloon->known |= 1U << tag;
	}
	balloon->answers++;
	pthread_cond_broadcast(&balloon->answered);
	pthread_mutex_unlock(&device->lock);
}

/*
 * The one buffer of this queue is the guest's answer, and giving it back asks the next question
 * (5.5.6.3). So keep it until somebody wants to know.
 */
static void run_stats(struct virtio_queue *queue)
{
	struct balloon *balloon = queue->device->private;
	struct virtio_chain chain, last;
	bool have_last = false;
	int what;

	for (;;) {
		what = virtio_wait(queue, balloon->ask, -1);
		if (what & VIRTIO_WAIT_STOP)
			return;
		while (virtio_pop(queue, &chain)) {
			read_answer(queue->device, &chain);
			if (have_last)
				virtio_push(queue, &last, 0);
			last = chain;
			have_last = true;
		}
		if ((what & VIRTIO_WAIT_INPUT) && event_take(balloon->ask) && have_last) {
			virtio_push(queue, &last, 0);
			have_last = false;
		}
	}
}

static void balloon_run(struct virtio_queue *queue)
{
	struct virtio_chain chain;

	if (queue->index == STATS_QUEUE) {
		run_stats(queue);
		return;
	}
	while (virtio_wait(queue, -1, -1) != VIRTIO_WAIT_STOP) {
		while (!queue->device->stopping && virtio_pop(queue, &chain)) {
			if (queue->index == INFLATE_QUEUE)
				inflate(queue, &chain);
			else if (queue->index == REPORT_QUEUE)
				report(queue, &chain);
			else
				virtio_push(queue, &chain, 0);
		}
	}
}

/* The driver writes how much it has given back, the one field that it may write. */
static void balloon_write_config(struct virtio_device *device, uint64_t offset,
				 unsigned int length, uint64_t value)
{
	uint32_t actual = value;

	if (offset == offsetof(struct virtio_balloon_config, actual) && length == sizeof(actual))
		memcpy(device->config + offset, &actual, sizeof(actual));
}

static void balloon_reset(struct virtio_device *device)
{
	struct balloon *balloon = device->private;

	balloon->known = 0;
	memset(device->config + offsetof(struct virtio_balloon_config, actual), 0,
	       sizeof(uint32_t));
}

static void balloon_exit(struct virtio_device *device)
{
	struct balloon *balloon = device->private;

	if (!balloon)
		return;
	file_close(&balloon->ask);
	pthread_cond_destroy(&balloon->answered);
	free(balloon);
}

static const struct virtio_ops balloon_ops = {
	.name = "balloon",
	.id = VIRTIO_ID_BALLOON,
	.queues = QUEUES,
	.run = balloon_run,
	.write_config = balloon_write_config,
	.reset = balloon_reset,
	.exit = balloon_exit,
};

/**
 * virtio_balloon_init() - make the balloon
 * @device: filled in; virtio_device_exit() it, whatever is returned
 * @memory: the guest's memory
 * @report_free: the guest may give back by itself what it does not use
 *
 * Return: 0, or a negative errno after telling the person.
 */
int virtio_balloon_init(struct virtio_device *device, const struct guest_memory *memory,
			bool report_free)
{
	struct balloon *balloon;
	int error;

	error = virtio_device_init(device, &balloon_ops, memory);
	if (error)
		return error;
	balloon = calloc(1, sizeof(*balloon));
	if (!balloon)
		return no_memory();
	pthread_cond_init(&balloon->answered, NULL);
	balloon->ask = event_new();
	device->private = balloon;	/* from here on balloon_exit() frees it */
	if (balloon->ask < 0)
		return balloon->ask;
	device->features |= 1ULL << VIRTIO_BALLOON_F_STATS_VQ |
			    1ULL << VIRTIO_BALLOON_F_DEFLATE_ON_OOM;
	if (report_free)
		device->features |= 1ULL << VIRTIO_BALLOON_F_REPORTING;
	else
		device->queues = REPORT_QUEUE;
	return 0;
}

/**
 * balloon_set() - say how much memory the guest is to give back
 * @device: the balloon
 * @bytes: altogether, not in addition; rounded down to pages
 *
 * The guest gives back what it can, and takes it back by itself before it runs out of memory.
 */
void balloon_set(struct virtio_device *device, uint64_t bytes)
{
	uint64_t pages = bytes >> VIRTIO_BALLOON_PFN_SHIFT;
	uint32_t wanted = htole32(pages > UINT32_MAX ? UINT32_MAX : pages);

	/* Keep the host from making a huge page of where one page was given back. */
	guest_memory_want_huge(device->memory, !pages);
	virtio_config_set(device, &wanted, sizeof(wanted));
}

static uint64_t config_bytes(const struct virtio_device *device, size_t offset)
{
	uint32_t pages;

	memcpy(&pages, device->config + offset, sizeof(pages));
	return (uint64_t)le32toh(pages) << VIRTIO_BALLOON_PFN_SHIFT;
}

/**
 * balloon_stats() - ask the guest about its memory
 * @device: the balloon
 * @stats: filled in
 * @milliseconds: how long to wait for an answer; without one, @stats has the last answer
 */
void balloon_stats(struct virtio_device *device, struct balloon_stats *stats,
		   unsigned int milliseconds)
{
	struct balloon *balloon = device->private;
	struct timespec until;
	uint64_t before;
	int error = 0;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += milliseconds / 1000;
	until.tv_nsec += milliseconds % 1000 * 1000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	pthread_mutex_lock(&device->lock);
	before = balloon->answers;
	event_set(balloon->ask);
	while (!error && balloon->answers == before)
		error = pthread_cond_timedwait(&balloon->answered, &device->lock, &until);
	stats->wanted = config_bytes(device, offsetof(struct virtio_balloon_config, num_pages));
	stats->given = config_bytes(device, offsetof(struct virtio_balloon_config, actual));
	stats->fresh = balloon->answers != before;
	stats->known = balloon->known;
	memcpy(stats->value, balloon->value, sizeof(stats->value));
	pthread_mutex_unlock(&device->lock);
}

/**
 * balloon_value_name() - the name of a value in struct balloon_stats
 * @number: its index, VIRTIO_BALLOON_S_*
 *
 * Return: words with "-" between them; a value about memory is in bytes, any other a number
 * of events.
 */
const char *balloon_value_name(unsigned int number)
{
	static const char * const names[] = VIRTIO_BALLOON_S_NAMES;

	return number < ARRAY_SIZE(names) ? names[number] : "";
}
