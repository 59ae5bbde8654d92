/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Virtio devices, version 1.2, over virtio-mmio: what the transport (mmio.c), the rings
 * (queue.c) and the devices know of each other.
 *
 * A device has a thread for each of its queues. The thread takes chains of buffers from the
 * queue, works on them without a lock, and puts them back. A reset waits until no thread works
 * on any: see struct virtio_ops. The transport runs in the threads of virtual CPUs, perhaps
 * several at once. The device's lock protects all that two threads touch. Each access to a
 * register takes it, except for the two registers of the interrupt, which are atomic, and for
 * kicks.
 */
#ifndef _LAUNCHER_VIRTIO_H
#define _LAUNCHER_VIRTIO_H

#include <linux/virtio_ring.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/thread.h"

struct guest_memory;
struct value;
struct virtio_device;

#define VIRTIO_MAX_QUEUES	50	/* the console's, with all its ports */
#define VIRTIO_QUEUE_SIZE	256	/* entries that we offer, at most */
#define VIRTIO_CONFIG_SIZE	0x100	/* the half of VIRTIO_MMIO_SIZE after the registers */
#define VIRTIO_MMIO_SIZE	0x200ULL	/* registers of one device */

struct virtio_queue {
	struct virtio_device *device;
	unsigned int index;
	int kick;		/* eventfd: the guest has something for us */
	uint16_t max;		/* entries that we offer, a power of 2 up to VIRTIO_QUEUE_SIZE */
	struct thread thread;

	/* The rest is under the device's lock. First what the guest sets up: */
	uint16_t size;
	bool ready;
	uint64_t desc_gpa, avail_gpa, used_gpa;
	/* and what it is while ready: pointers into guest memory, */
	struct vring_desc *desc;
	struct vring_avail *avail;
	struct vring_used *used;
	/* and our place in the rings, never read back from the guest. */
	uint16_t next_avail;
	uint16_t next_used;
	/* How many of the chains taken have buffers that we may still read or write. */
	unsigned int in_use;
	uint32_t epoch;		/* how often the queue was stopped */
	unsigned int stops;	/* how many virtual CPUs are stopping it now, alone or */
	int64_t stop_deadline;	/* with the device; by when the first wants to have done; now_ms() */
};

/* Buffers that belong together, of one request. */
struct virtio_chain {
	uint16_t head;			/* its name in the ring */
	uint32_t epoch;			/* of the queue when it was taken */
	unsigned int out;		/* iov[0] and following: for us to read */
	unsigned int in;		/* iov[out] and following: to write */
	struct iovec iov[VIRTIO_QUEUE_SIZE];
};

/* A chain that is given back together with others. */
struct virtio_used {
	uint16_t head;
	uint32_t written;
};

/* What one kind of device is. */
struct virtio_ops {
	const char *name;
	uint32_t id;			/* VIRTIO_ID_* */
	unsigned int queues;
	/*
	 * The device works on chains even while its thread is in virtio_wait(), and gives each
	 * one back by virtio_push() or virtio_drop(). Of any other device, a thread that waits
	 * is taken to leave alone the buffers of the chains that it keeps.
	 */
	bool async;
	/* Another program serves the queues, by their descriptors; they have no threads. */
	bool remote;
	/* The body of the thread of a queue; returns when virtio_wait() says so. */
	void (*run)(struct virtio_queue *queue);
	/*
	 * Optional, under the device's lock. start(): the driver has set DRIVER_OK. Return 0,
	 * or a negative errno after telling the person: then the device does not start.
	 * reset(): the driver resets the device, whose queues still work, for
	 * virtio_queue_drain().
	 */
	int (*start)(struct virtio_device *device);
	void (*reset)(struct virtio_device *device);
	/*
	 * Optional, for a remote device: the driver takes a queue back, perhaps more than once.
	 * When this returns, the other program does not use the queue any more, or has broken
	 * the protocol for good. Under the device's lock, which this may give up meanwhile.
	 */
	void (*stop_queue)(struct virtio_queue *queue);
	/*
	 * Optional: the driver writes @length bytes at @offset of the configuration, under the
	 * device's lock. Without this the configuration is read-only.
	 */
	void (*write_config)(struct virtio_device *device, uint64_t offset, unsigned int length,
			     uint64_t value);
	/* Optional: free device->private; the threads are gone. */
	void (*exit)(struct virtio_device *device);
};

/*
 * A kind of device that the person asks for by an option --NAME=VALUE, once for each device.
 * virtio/kinds.c lists them.
 */
struct virtio_kind {
	const char *option;		/* NAME */
	const char *value;		/* how VALUE is written, for --help */
	const char *help;		/* what it is; all lines but the first are indented there */
	/* Make the device: 0, or a negative errno after telling the person. */
	int (*init)(struct virtio_device *device, const struct guest_memory *memory,
		    const char *value);
	/* Instead of init: make it a port of the console. Its number, or a negative errno. */
	int (*add_port)(struct virtio_device *console, const char *value);
	/* Optional: does another program serve it, and need the guest's memory? */
	bool (*shares_memory)(const char *value);
};

extern const struct virtio_kind * const virtio_kinds[];
extern const unsigned int virtio_nr_kinds;

struct virtio_device {
	const struct virtio_ops *ops;
	const struct guest_memory *memory;
	unsigned int queues;		/* how many it has: ops->queues, or fewer, or more */
	void *private;			/* the device's own */
	uint64_t features;		/* that we offer */
	int interrupt;			/* eventfd: raises its line */
	int stop;			/* eventfd: readable for good when threads must end */
	atomic_bool stopping;
	atomic_uint resets;		/* how often the driver, or a new start, began anew */
	atomic_uint interrupt_status;	/* VIRTIO_MMIO_INT_* */

	atomic_bool leaving;		/* the guest ends: no virtual CPU waits for anything */

	pthread_mutex_t lock;		/* protects all below */
	pthread_cond_t idle;		/* a queue may have no chains in use, or misuse */
	unsigned int stops;		/* resets that wait; no queue becomes ready */
	int64_t stop_deadline;		/* by when these want to be done; now_ms() */
	uint32_t status;		/* VIRTIO_CONFIG_S_* */
	bool begun;			/* DRIVER_OK was set since the last reset that was waited for */
	uint64_t driver_features;
	uint32_t features_select;
	uint32_t driver_features_select;
	uint32_t queue_select;
	uint32_t config_generation;
	uint8_t config[VIRTIO_CONFIG_SIZE];
	struct virtio_queue queue[VIRTIO_MAX_QUEUES];
};

/* Features that all our devices have. */
#define VIRTIO_COMMON_FEATURES	(1ULL << VIRTIO_F_VERSION_1 | \
				 1ULL << VIRTIO_RING_F_INDIRECT_DESC | \
				 1ULL << VIRTIO_RING_F_EVENT_IDX | \
				 1ULL << VIRTIO_F_RING_RESET)

/* device.c: life of a device */
int virtio_device_init(struct virtio_device *device, const struct virtio_ops *ops,
		       const struct guest_memory *memory);
int virtio_device_add_queue(struct virtio_device *device);
int virtio_device_start(struct virtio_device *device);
void virtio_device_leave(struct virtio_device *device);
void virtio_device_exit(struct virtio_device *device);
void virtio_config_set(struct virtio_device *device, const void *config, size_t size);

#define VIRTIO_WAIT_STOP	1	/* the thread must end */
#define VIRTIO_WAIT_KICK	2
#define VIRTIO_WAIT_INPUT	4	/* the other descriptor is readable */
#define VIRTIO_WAIT_INPUT2	8	/* the third one */
int virtio_wait(struct virtio_queue *queue, int input, int input2);

/* queue.c: rings */
bool virtio_queue_enable(struct virtio_queue *queue);
void virtio_stop_begin(struct virtio_device *device);
void virtio_stop_end(struct virtio_device *device);
int virtio_stop_time(struct virtio_queue *queue);
bool virtio_idle_wait(struct virtio_device *device, int64_t until);
void virtio_queue_stop(struct virtio_queue *queue);
void virtio_queue_drain(struct virtio_queue *queue);
void virtio_queue_reset(struct virtio_queue *queue);
bool virtio_queue_waiting(struct virtio_queue *queue);
bool virtio_pop(struct virtio_queue *queue, struct virtio_chain *chain);
void virtio_push(struct virtio_queue *queue, const struct virtio_chain *chain, uint32_t written);
void virtio_drop(struct virtio_queue *queue);
void virtio_queue_rest(struct virtio_queue *queue);
void virtio_kick(struct virtio_queue *queue);
bool virtio_take_kick(struct virtio_queue *queue);
bool virtio_hold(struct virtio_queue *queue, const struct virtio_chain *chain);
bool virtio_has_feature(const struct virtio_device *device, unsigned int bit);
void virtio_push_all(struct virtio_queue *queue, uint32_t epoch, const struct virtio_used *used,
		     unsigned int count);
void virtio_fails(struct virtio_device *device);
void virtio_misuse(struct virtio_device *device, const char *how);
void virtio_interrupt(struct virtio_device *device, unsigned int reason);

/* iov.c: walking over buffers */
size_t iov_size(const struct iovec *iov, unsigned int count);
size_t iov_read(struct iovec **iov, unsigned int *count, void *to, size_t size);
size_t iov_write(struct iovec **iov, unsigned int *count, const void *from, size_t size);
void iov_skip(struct iovec **iov, unsigned int *count, size_t size);
size_t iov_cut_tail(struct iovec *iov, unsigned int *count, void **tail);

/* mmio.c: registers; called by any virtual CPU's thread */
uint64_t virtio_mmio_read(struct virtio_device *device, uint64_t offset, unsigned int length);
void virtio_mmio_write(struct virtio_device *device, uint64_t offset, unsigned int length,
		       uint64_t value);
void virtio_device_reset(struct virtio_device *device);

/* The devices. */
int virtio_console_init(struct virtio_device *device, const struct guest_memory *memory,
			void (*leave)(void *), void *argument);
int virtio_console_add_port(struct virtio_device *device, const char *value);
int virtio_console_add_socket(struct virtio_device *device, const char *name, int fd);
bool virtio_console_port_is_open(const struct virtio_device *device, unsigned int port);
int virtio_rng_init(struct virtio_device *device, const struct guest_memory *memory);
int virtio_p9_init(struct virtio_device *device, const struct guest_memory *memory,
		   const char *directory, const char *tag, bool read_only);
int virtio_p9_parse(struct value *value, const char *text, char **tag);
extern const struct virtio_kind virtio_block_kind;
extern const struct virtio_kind virtio_net_kind, virtio_tunnet_kind;
extern const struct virtio_kind virtio_p9_kind;
extern const struct virtio_kind virtio_vsock_kind;
extern const struct virtio_kind virtio_port_kind;

#endif /* _LAUNCHER_VIRTIO_H */
