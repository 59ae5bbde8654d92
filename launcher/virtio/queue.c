// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device's side of split virtqueues (virtio 1.2, section 2.7).
 *
 * The rings are in guest memory, and the guest may change them while we look: read each field
 * once into our own memory, then check it, then use it. A driver that breaks the rules loses
 * the device (virtio_misuse()), and nothing else happens.
 */
#include <limits.h>
#include <linux/virtio_config.h>
#include <linux/virtio_mmio.h>
#include <string.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "base/event.h"
#include "memory.h"
#include "base/message.h"
#include "virtio/virtio.h"

/* How long a driver that stops a queue waits for threads that could wait for ever. */
#define STOP_MS	5000
/* virtio_device_leave() can't take the lock to wake us, so look again after so long. */
#define LOOK_MS	100

/* The event indexes lie behind the rings (2.7.10, 2.7.7). */
#define used_event(queue)	((queue)->avail->ring[(queue)->size])
#define avail_event(queue)	(*(__virtio16 *)&(queue)->used->ring[(queue)->size])

/**
 * virtio_interrupt() - interrupt the driver
 * @device: the device
 * @reason: VIRTIO_MMIO_INT_*
 */
void virtio_interrupt(struct virtio_device *device, unsigned int reason)
{
	atomic_fetch_or(&device->interrupt_status, reason);
	event_set(device->interrupt);
}

/**
 * virtio_fails() - stop the device until the driver resets it
 * @device: the device; its lock is held; the person has been told why
 */
void virtio_fails(struct virtio_device *device)
{
	device->status |= VIRTIO_CONFIG_S_NEEDS_RESET;
	pthread_cond_broadcast(&device->idle);
	/* A driver that has set DRIVER_OK is told (2.1.2). */
	if (device->status & VIRTIO_CONFIG_S_DRIVER_OK)
		virtio_interrupt(device, VIRTIO_MMIO_INT_CONFIG);
}

/**
 * virtio_misuse() - stop the device until a reset, since the driver broke the rules
 * @device: the device; its lock is held
 * @how: what the driver did, for the person
 */
void virtio_misuse(struct virtio_device *device, const char *how)
{
	if (device->status & VIRTIO_CONFIG_S_NEEDS_RESET)
		return;
	message("the guest misuses its %s (%s): the device stops until the guest resets it",
		device->ops->name, how);
	virtio_fails(device);
}

/* Fewer chains are in use. */
static void set_in_use(struct virtio_queue *queue, unsigned int in_use)
{
	queue->in_use = in_use;
	if (!in_use)
		pthread_cond_broadcast(&queue->device->idle);
}

/**
 * virtio_stop_begin() - say that the driver resets the device
 * @device: the device; its lock is held
 *
 * Called by the thread of a virtual CPU, which then waits for the threads of the device.
 */
void virtio_stop_begin(struct virtio_device *device)
{
	if (!device->stops++)
		device->stop_deadline = now_ms() + STOP_MS;
}

/**
 * virtio_stop_end() - say that the reset is done
 * @device: the device; its lock is held
 */
void virtio_stop_end(struct virtio_device *device)
{
	device->stops--;
}

/**
 * virtio_stop_time() - how long may a queue's buffers still be in use?
 * @queue: the queue; its device's lock is not held
 *
 * Called by the thread of the queue. A driver that stops another queue does not hurry this one.
 *
 * Return: ms until the driver has waited long enough; INT_MAX if it does not wait.
 */
int virtio_stop_time(struct virtio_queue *queue)
{
	struct virtio_device *device = queue->device;
	int64_t deadline = INT64_MAX, left;

	pthread_mutex_lock(&device->lock);
	if (device->stops)
		deadline = device->stop_deadline;
	if (queue->stops && queue->stop_deadline < deadline)
		deadline = queue->stop_deadline;
	pthread_mutex_unlock(&device->lock);
	if (deadline == INT64_MAX)
		return INT_MAX;
	left = deadline - now_ms();
	return left > 0 ? left : 0;
}

/**
 * virtio_idle_wait() - wait until a queue may have no more chains in use
 * @device: the device; its lock is held, and given up meanwhile
 * @until: how long to wait, by now_ms(); INT64_MAX: without a limit
 *
 * Called by the thread of a virtual CPU, which then looks whether the queue has none.
 *
 * Return: false if no time is left, or if the guest ends (virtio_device_leave()) and so
 * can't use what it gets back.
 */
bool virtio_idle_wait(struct virtio_device *device, int64_t until)
{
	int64_t now = now_ms(), look = now + LOOK_MS < until ? now + LOOK_MS : until;
	struct timespec time = { .tv_sec = look / 1000, .tv_nsec = look % 1000 * 1000000 };

	if (now >= until || device->leaving)
		return false;
	pthread_cond_clockwait(&device->idle, &device->lock, CLOCK_MONOTONIC, &time);
	return true;
}

/**
 * virtio_queue_stop() - stop using a queue
 * @queue: the queue; its device's lock is held, and given up meanwhile
 *
 * When this returns, no thread reads or writes a buffer of the queue any more, and the
 * driver may use the memory for something else (2.6.1, 4.2.2.2). Meanwhile no other virtual
 * CPU can make the queue ready: the wait might never end.
 *
 * A read of the host's into a buffer can't be called back. So the wait has no limit but the
 * guest's end (virtio_device_leave()), after which no driver cares.
 */
void virtio_queue_stop(struct virtio_queue *queue)
{
	struct virtio_device *device = queue->device;

	queue->ready = false;
	queue->epoch++;
	if (!queue->stops++)
		queue->stop_deadline = now_ms() + STOP_MS;
	if (device->ops->stop_queue && device->begun)
		device->ops->stop_queue(queue);
	while (queue->in_use && virtio_idle_wait(device, INT64_MAX))
		;
	queue->stops--;
}

/**
 * virtio_queue_reset() - stop a queue, and forget all that the driver has said of it
 * @queue: the queue; its device's lock is held, and given up meanwhile
 */
void virtio_queue_reset(struct virtio_queue *queue)
{
	virtio_queue_stop(queue);
	queue->size = queue->max;
	queue->ready = false;
	queue->desc_gpa = 0;
	queue->avail_gpa = 0;
	queue->used_gpa = 0;
	queue->desc = NULL;
	queue->avail = NULL;
	queue->used = NULL;
	queue->next_avail = 0;
	queue->next_used = 0;
}

/**
 * virtio_queue_enable() - look up the rings where the driver says that they are
 * @queue: the queue, which no virtual CPU is stopping; its device's lock is held
 *
 * Return: false if they can't be there.
 */
bool virtio_queue_enable(struct virtio_queue *queue)
{
	const struct guest_memory *memory = queue->device->memory;
	uint64_t size = queue->size;

	/* A power of 2; alignment 16, 2, 4; two more bytes for the event index (2.7). */
	if (size == 0 || size > VIRTIO_QUEUE_SIZE || size & (size - 1) ||
	    queue->desc_gpa % VRING_DESC_ALIGN_SIZE || queue->avail_gpa % VRING_AVAIL_ALIGN_SIZE ||
	    queue->used_gpa % VRING_USED_ALIGN_SIZE)
		return false;
	queue->desc = guest_range(memory, queue->desc_gpa, size * sizeof(struct vring_desc));
	queue->avail = guest_range(memory, queue->avail_gpa, sizeof(struct vring_avail) +
				   size * sizeof(__virtio16) + sizeof(__virtio16));
	queue->used = guest_range(memory, queue->used_gpa, sizeof(struct vring_used) +
				  size * sizeof(struct vring_used_elem) + sizeof(__virtio16));
	queue->next_avail = 0;
	queue->next_used = 0;
	queue->ready = queue->desc && queue->avail && queue->used;
	return queue->ready;
}

/**
 * virtio_has_feature() - has the driver accepted a feature?
 * @device: the device; its lock is held, or the device runs
 * @bit: the feature
 */
bool virtio_has_feature(const struct virtio_device *device, unsigned int bit)
{
	return device->driver_features & 1ULL << bit;
}

/* Does this queue of the device run? */
static bool is_live(const struct virtio_queue *queue)
{
	uint32_t status = queue->device->status;

	return queue->ready && (status & VIRTIO_CONFIG_S_DRIVER_OK) &&
	       !(status & VIRTIO_CONFIG_S_NEEDS_RESET);
}

/*
 * Count the chains that wait for us. If there is none, and the driver uses event indexes, ask
 * for a kick with the next one, and look again: it may have come before the driver could see
 * that we ask (2.7.7.2). Return: false if the driver broke the rules.
 */
static bool count_waiting(struct virtio_queue *queue, uint16_t *waiting)
{
	uint16_t avail = __atomic_load_n(&queue->avail->idx, __ATOMIC_ACQUIRE);

	if (avail == queue->next_avail && virtio_has_feature(queue->device, VIRTIO_RING_F_EVENT_IDX)) {
		WRITE_ONCE(avail_event(queue), queue->next_avail);
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		avail = __atomic_load_n(&queue->avail->idx, __ATOMIC_ACQUIRE);
	}
	*waiting = avail - queue->next_avail;
	if (*waiting <= queue->size)
		return true;
	virtio_misuse(queue->device, "more chains than the ring has entries");
	return false;
}

/* A table of descriptors: the queue's own, or an indirect one, which may lie at any address. */
struct table {
	const uint8_t *desc;
	unsigned int size;
	bool indirect;
};

/* Add one descriptor's buffer to the chain. Return: NULL, or what is wrong. */
static const char *add_buffer(struct virtio_queue *queue, struct virtio_chain *chain,
			      const struct vring_desc *desc)
{
	struct iovec *iov = &chain->iov[chain->out + chain->in];

	if (chain->out + chain->in == VIRTIO_QUEUE_SIZE)
		return "a chain longer than the ring";
	iov->iov_base = guest_range(queue->device->memory, desc->addr, desc->len);
	iov->iov_len = desc->len;
	if (!iov->iov_base)
		return "a buffer that is not in memory";
	if (!(desc->flags & VRING_DESC_F_WRITE) && chain->in)
		return "a buffer to read after one to write";
	if (desc->flags & VRING_DESC_F_WRITE)
		chain->in++;
	else
		chain->out++;
	return NULL;
}

/* Go from the queue's table to an indirect one (2.7.5.3). */
static const char *enter_indirect(struct virtio_queue *queue, const struct vring_desc *desc,
				  struct table *table)
{
	const struct guest_memory *memory = queue->device->memory;

	if (!virtio_has_feature(queue->device, VIRTIO_RING_F_INDIRECT_DESC) || table->indirect)
		return "an indirect table where none may be";
	if (desc->flags & VRING_DESC_F_NEXT)
		return "a descriptor both indirect and not the last";
	if (!desc->len || desc->len % sizeof(struct vring_desc) ||
	    desc->len / sizeof(struct vring_desc) > VIRTIO_QUEUE_SIZE)
		return "an indirect table of impossible size";
	table->desc = guest_range(memory, desc->addr, desc->len);
	table->size = desc->len / sizeof(struct vring_desc);
	table->indirect = true;
	return table->desc ? NULL : "an indirect table that is not in memory";
}

/* Read a descriptor once: what the driver writes there later is not seen. */
static struct vring_desc read_desc(const struct table *table, unsigned int index)
{
	struct vring_desc desc;

	memcpy(&desc, table->desc + index * sizeof(desc), sizeof(desc));
	/* The compiler must not read it from guest memory again. */
	__asm__ volatile("" : "+m" (desc));
	return desc;
}

/*
 * Follow a chain from its head. Each step adds a buffer, of which there are at most
 * VIRTIO_QUEUE_SIZE, or enters the one indirect table that is allowed. So a chain that bites
 * its tail ends, too.
 */
static const char *walk_chain(struct virtio_queue *queue, struct virtio_chain *chain)
{
	struct table table = { (const uint8_t *)queue->desc, queue->size, false };
	uint16_t index = chain->head;
	struct vring_desc desc;
	const char *wrong;

	do {
		if (index >= table.size)
			return "a descriptor outside its table";
		desc = read_desc(&table, index);
		if (desc.flags & VRING_DESC_F_INDIRECT) {
			wrong = enter_indirect(queue, &desc, &table);
			index = 0;
		} else {
			wrong = add_buffer(queue, chain, &desc);
			index = desc.next;
		}
		if (wrong)
			return wrong;
	} while (desc.flags & (VRING_DESC_F_NEXT | VRING_DESC_F_INDIRECT));
	return NULL;
}

/**
 * virtio_queue_waiting() - would virtio_pop() give a chain now?
 * @queue: the queue
 *
 * If not, the driver will kick the queue with the next chain.
 *
 * Return: true if there is one.
 */
bool virtio_queue_waiting(struct virtio_queue *queue)
{
	uint16_t waiting = 0;
	bool is_one;

	pthread_mutex_lock(&queue->device->lock);
	is_one = is_live(queue) && count_waiting(queue, &waiting) && waiting;
	pthread_mutex_unlock(&queue->device->lock);
	return is_one;
}

/**
 * virtio_queue_drain() - let a queue's thread take what the driver has offered so far
 * @queue: the queue; its device's lock is held, and given up meanwhile
 *
 * Called between virtio_stop_begin() and virtio_stop_end(). Waits no longer than those allow.
 */
void virtio_queue_drain(struct virtio_queue *queue)
{
	struct virtio_device *device = queue->device;
	uint16_t last;

	if (!queue->thread.started || !is_live(queue))
		return;
	last = READ_ONCE(queue->avail->idx);
	virtio_kick(queue);
	/* The thread may have taken more than that by now. */
	while (is_live(queue) && (int16_t)(last - queue->next_avail) > 0 &&
	       virtio_idle_wait(device, device->stop_deadline))
		;
}

/**
 * virtio_pop() - take the next chain of buffers
 * @queue: the queue
 * @chain: filled in; give it back with virtio_push()
 *
 * Return: false if there is none; then the driver will kick the queue with the next one.
 */
bool virtio_pop(struct virtio_queue *queue, struct virtio_chain *chain)
{
	struct virtio_device *device = queue->device;
	const char *wrong = NULL;
	uint16_t waiting = 0;

	pthread_mutex_lock(&device->lock);
	if (!is_live(queue) || !count_waiting(queue, &waiting))
		waiting = 0;
	if (waiting) {
		chain->head = READ_ONCE(queue->avail->ring[queue->next_avail % queue->size]);
		chain->epoch = queue->epoch;
		chain->out = 0;
		chain->in = 0;
		queue->next_avail++;
		wrong = walk_chain(queue, chain);
		if (wrong)
			virtio_misuse(device, wrong);
		else
			queue->in_use++;
	}
	pthread_mutex_unlock(&device->lock);
	return waiting && !wrong;
}

/* Does the driver want an interrupt for the entries after @before? (2.7.7.2) */
static bool wants_interrupt(const struct virtio_queue *queue, uint16_t before)
{
	/* The driver must be able to see the index before we read whether it waits. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (virtio_has_feature(queue->device, VIRTIO_RING_F_EVENT_IDX))
		return vring_need_event(READ_ONCE(used_event(queue)), queue->next_used, before);
	return !(READ_ONCE(queue->avail->flags) & VRING_AVAIL_F_NO_INTERRUPT);
}

/**
 * virtio_push_all() - give chains back, so that the driver sees all of them or none
 * @queue: where virtio_pop() took them from
 * @epoch: their epoch; the chains are forgotten if the driver has stopped the queue since
 * @used: the chains, and how many bytes were written to the buffers of each, from the first
 *	    one on
 * @count: how many
 */
void virtio_push_all(struct virtio_queue *queue, uint32_t epoch, const struct virtio_used *used,
		     unsigned int count)
{
	struct virtio_device *device = queue->device;
	struct vring_used_elem *entry;
	unsigned int i;
	uint16_t before;

	pthread_mutex_lock(&device->lock);
	if (is_live(queue) && epoch == queue->epoch) {
		before = queue->next_used;
		for (i = 0; i < count; i++) {
			entry = &queue->used->ring[queue->next_used++ % queue->size];
			WRITE_ONCE(entry->id, used[i].head);
			WRITE_ONCE(entry->len, used[i].written);
		}
		__atomic_store_n(&queue->used->idx, queue->next_used, __ATOMIC_RELEASE);
		if (wants_interrupt(queue, before))
			virtio_interrupt(device, VIRTIO_MMIO_INT_VRING);
	}
	if (queue->in_use)
		set_in_use(queue, queue->in_use > count ? queue->in_use - count : 0);
	pthread_mutex_unlock(&device->lock);
}

/**
 * virtio_push() - give a chain back
 * @queue: where virtio_pop() took it from
 * @chain: the chain; forgotten if the driver has stopped the queue since
 * @written: bytes written to its buffers, from the first one on
 */
void virtio_push(struct virtio_queue *queue, const struct virtio_chain *chain, uint32_t written)
{
	struct virtio_used used = { chain->head, written };

	virtio_push_all(queue, chain->epoch, &used, 1);
}

/**
 * virtio_drop() - forget a chain that virtio_pop() took
 * @queue: where the chain is from; the device has stopped for misuse
 */
void virtio_drop(struct virtio_queue *queue)
{
	pthread_mutex_lock(&queue->device->lock);
	if (queue->in_use)
		set_in_use(queue, queue->in_use - 1);
	pthread_mutex_unlock(&queue->device->lock);
}

/**
 * virtio_queue_rest() - say that the thread of a queue uses no buffers now
 * @queue: the queue
 */
void virtio_queue_rest(struct virtio_queue *queue)
{
	pthread_mutex_lock(&queue->device->lock);
	set_in_use(queue, 0);
	pthread_mutex_unlock(&queue->device->lock);
}

/**
 * virtio_hold() - use a chain again after virtio_queue_rest()
 * @queue: where virtio_pop() took it from
 * @chain: the chain; give it back with virtio_push()
 *
 * Return: false if the driver has its buffers back: forget the chain.
 */
bool virtio_hold(struct virtio_queue *queue, const struct virtio_chain *chain)
{
	bool is_ours;

	pthread_mutex_lock(&queue->device->lock);
	is_ours = is_live(queue) && chain->epoch == queue->epoch;
	if (is_ours)
		queue->in_use++;
	pthread_mutex_unlock(&queue->device->lock);
	return is_ours;
}

/**
 * virtio_kick() - wake a queue's thread
 * @queue: the queue
 */
void virtio_kick(struct virtio_queue *queue)
{
	event_set(queue->kick);
}

/**
 * virtio_take_kick() - take the kicks that have come
 * @queue: the queue
 *
 * Return: true if there was one.
 */
bool virtio_take_kick(struct virtio_queue *queue)
{
	return event_take(queue->kick);
}
