// SPDX-License-Identifier: GPL-2.0-only
/* A guest with two CPUs that does to a device what the input says. */
#include <linux/virtio_config.h>
#include <linux/virtio_mmio.h>
#include <string.h>
#include <sys/mman.h>

#include "base/compiler.h"
#include "guest.h"
#include "input.h"
#include "tasks.h"

#define CPUS		2
/* The addresses of a queue's parts; buffers start behind those of the last queue. */
#define QUEUES		12
#define DESC(n)		(0x10000 + (n) * 0x4000ULL)
#define AVAIL(n)	(DESC(n) + 0x1000)
#define USED(n)		(DESC(n) + 0x2000)
#define INDIRECT(n)	(DESC(n) + 0x3000)
#define BUFFERS		0x80000ULL
#define BUFFER_APART	0x2000ULL
#define MOST_OUT	512
#define QUEUE_RESET	0x0c0

static struct guest_memory memory;
static struct virtio_device device;
/* For each queue: descriptors and buffers are used one after the other. */
static unsigned int next_desc[QUEUES];
static unsigned int next_buffer;
static unsigned int cpus;	/* how many still have something to do */

static void *at(uint64_t gpa)
{
	return memory.base + gpa;
}

static void put(uint64_t offset, uint32_t value)
{
	virtio_mmio_write(&device, offset, 4, value);
}

static unsigned int some_queue(void)
{
	unsigned int queues = device.queues < QUEUES ? device.queues : QUEUES;

	return input_below(queues);
}

static uint64_t some_address(void)
{
	switch (input_below(8)) {
	case 0:
		return input_64();
	case 1:
		return GUEST_MEMORY - input_byte();
	case 2:
		return 0x10000 + 16ULL * input_16();	/* the rings, mostly */
	default:
		return BUFFERS + 8ULL * input_16();
	}
}

static void set_queue(unsigned int queue)
{
	put(VIRTIO_MMIO_QUEUE_SEL, queue);
	put(VIRTIO_MMIO_QUEUE_NUM, GUEST_ENTRIES);
	put(VIRTIO_MMIO_QUEUE_DESC_LOW, DESC(queue));
	put(VIRTIO_MMIO_QUEUE_DESC_HIGH, 0);
	put(VIRTIO_MMIO_QUEUE_AVAIL_LOW, AVAIL(queue));
	put(VIRTIO_MMIO_QUEUE_AVAIL_HIGH, 0);
	put(VIRTIO_MMIO_QUEUE_USED_LOW, USED(queue));
	put(VIRTIO_MMIO_QUEUE_USED_HIGH, 0);
	put(VIRTIO_MMIO_QUEUE_READY, 1);
}

static void reset(void)
{
	put(VIRTIO_MMIO_STATUS, 0);
}

/* Check queues that are stopped, unless the other CPU is just about to stop them, too. */
static void check_queues(void)
{
	unsigned int i;

	if (!guest_device.is_stopped || device.stops)
		return;
	for (i = 0; i < device.queues; i++)
		if (!device.queue[i].ready && !device.queue[i].stops)
			guest_device.is_stopped(i);
}

/* Start the device with all steps of virtio 1.2, 3.1.1. */
static void start(uint64_t features)
{
	unsigned int queue;

	reset();
	put(VIRTIO_MMIO_STATUS, VIRTIO_CONFIG_S_ACKNOWLEDGE);
	put(VIRTIO_MMIO_STATUS, VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER);
	put(VIRTIO_MMIO_DRIVER_FEATURES_SEL, 0);
	put(VIRTIO_MMIO_DRIVER_FEATURES, features);
	put(VIRTIO_MMIO_DRIVER_FEATURES_SEL, 1);
	put(VIRTIO_MMIO_DRIVER_FEATURES, features >> 32);
	put(VIRTIO_MMIO_STATUS, 11);
	for (queue = 0; queue < device.queues && queue < QUEUES; queue++) {
		memset(at(AVAIL(queue)), 0, 0x2000);
		next_desc[queue] = 0;
		set_queue(queue);
	}
	put(VIRTIO_MMIO_STATUS, 15);
}

static void start_somehow(void)
{
	uint8_t how = input_byte();
	uint64_t features = device.features;

	if (how & 1)
		features &= input_64() | 1ULL << VIRTIO_F_VERSION_1;
	start(features);
}

static void write_some_register(void)
{
	static const uint16_t offsets[] = {
		VIRTIO_MMIO_DEVICE_FEATURES_SEL, VIRTIO_MMIO_DRIVER_FEATURES,
		VIRTIO_MMIO_DRIVER_FEATURES_SEL, VIRTIO_MMIO_QUEUE_SEL, VIRTIO_MMIO_QUEUE_NUM,
		VIRTIO_MMIO_QUEUE_READY, VIRTIO_MMIO_QUEUE_NOTIFY, VIRTIO_MMIO_INTERRUPT_ACK,
		VIRTIO_MMIO_STATUS, VIRTIO_MMIO_QUEUE_DESC_LOW, VIRTIO_MMIO_QUEUE_AVAIL_LOW,
		VIRTIO_MMIO_QUEUE_USED_LOW, VIRTIO_MMIO_QUEUE_USED_HIGH, QUEUE_RESET,
	};
	unsigned int which = input_below(2 * ARRAY_SIZE(offsets));

	if (which < ARRAY_SIZE(offsets))
		put(offsets[which], input_nasty());
	else
		virtio_mmio_write(&device, VIRTIO_MMIO_CONFIG + input_byte(), 1 << input_below(4),
				  input_nasty());
}

static void read_some_register(void)
{
	uint64_t offset = input_16() % 0x220;

	virtio_mmio_read(&device, offset, 1 << input_below(4));
}

static void stop_some_queue(void)
{
	put(VIRTIO_MMIO_QUEUE_SEL, some_queue());
	if (input_byte() & 1)
		put(QUEUE_RESET, 1);
	else
		put(VIRTIO_MMIO_QUEUE_READY, 0);
}

static void start_some_queue(void)
{
	unsigned int queue = some_queue();

	memset(at(AVAIL(queue)), 0, 0x2000);
	next_desc[queue] = 0;
	set_queue(queue);
}

/* Damage guest memory: rings, and tables of descriptors. */
static void poke(void)
{
	unsigned int queue = some_queue();
	uint64_t gpa = DESC(queue) + (input_16() & 0x3fff);
	uint8_t bytes[16];
	size_t size = input_below(sizeof(bytes)) + 1;

	input_bytes(bytes, size);
	memcpy(at(gpa), bytes, size);
}

static void put_desc(uint64_t table, unsigned int index, uint64_t gpa, uint32_t size,
		     uint16_t flags, uint16_t next)
{
	*((struct vring_desc *)at(table) + index) = (struct vring_desc){ gpa, size, flags, next };
}

static void bad_desc(void)
{
	unsigned int queue = some_queue();

	put_desc(DESC(queue), input_below(GUEST_ENTRIES), some_address(), input_nasty(),
		 input_byte() & 7, input_below(GUEST_ENTRIES + 2));
}

static void offer(unsigned int queue, uint16_t head)
{
	struct vring_avail *avail = at(AVAIL(queue));

	avail->ring[avail->idx % GUEST_ENTRIES] = head;
	__atomic_store_n(&avail->idx, (uint16_t)(avail->idx + 1), __ATOMIC_RELEASE);
	/* Event indexes: interrupt with each one. */
	avail->ring[GUEST_ENTRIES] = avail->idx - 1;
}

static void kick(unsigned int queue)
{
	put(VIRTIO_MMIO_QUEUE_NOTIFY, queue);
}

static uint64_t new_buffer(void)
{
	return BUFFERS + BUFFER_APART * (next_buffer++ % 64);
}

static uint32_t size_to_write(void)
{
	static const uint32_t sizes[] = { 1, 0, 12, 13, 16, 512, 513, 1526, 4096, 0x10000 };

	return sizes[input_below(ARRAY_SIZE(sizes))];
}

/* The place for the next descriptor of a chain: in the ring's table or an indirect one. */
struct place {
	uint64_t table;
	unsigned int first;
	unsigned int used;
};

static void add(struct place *place, uint64_t gpa, uint32_t size, uint16_t flags)
{
	unsigned int index = (place->first + place->used++) % GUEST_ENTRIES;

	put_desc(place->table, index, gpa, size, flags | VRING_DESC_F_NEXT,
		 (index + 1) % GUEST_ENTRIES);
}

static void end_chain(const struct place *place)
{
	unsigned int last = (place->first + place->used - 1) % GUEST_ENTRIES;

	((struct vring_desc *)at(place->table))[last].flags &= ~VRING_DESC_F_NEXT;
}

/* Offer a request in one or two pieces, and room for an answer in some more. */
static void chain(unsigned int queue)
{
	uint8_t how = input_byte(), bytes[MOST_OUT];
	struct place place = { DESC(queue), next_desc[queue], 0 };
	unsigned int head = place.first, pieces = how >> 6;
	uint64_t gpa = new_buffer();
	size_t size = 0, cut;

	if (how & 1)
		place = (struct place){ INDIRECT(queue), 0, 0 };
	if (how & 2) {
		size = guest_device.request ? guest_device.request(queue, bytes, sizeof(bytes)) :
		       input_bytes(bytes, input_below(128) + 1);
		memcpy(at(gpa), bytes, size);
		cut = how & 4 ? input_byte() % (size + 1) : 0;
		if (cut)
			add(&place, gpa, cut, 0);
		add(&place, gpa + cut, size - cut, 0);
	}
	if (!pieces && !place.used)
		pieces = 1;
	while (pieces--)
		add(&place, new_buffer(), size_to_write(), VRING_DESC_F_WRITE);
	end_chain(&place);
	if (how & 1)
		put_desc(DESC(queue), head, INDIRECT(queue),
			 place.used * sizeof(struct vring_desc), VRING_DESC_F_INDIRECT, 0);
	next_desc[queue] = (head + (how & 1 ? 1 : place.used)) % GUEST_ENTRIES;
	offer(queue, head);
	if (!(how & 8))
		kick(queue);
}

static void step(void)
{
	unsigned int queue;

	switch (input_below(16)) {
	case 0:
		start_somehow();
		break;
	case 1:
		reset();
		break;
	case 2:
		write_some_register();
		break;
	case 3:
		read_some_register();
		break;
	case 4:
		stop_some_queue();
		break;
	case 5:
		start_some_queue();
		break;
	case 6:
		poke();
		break;
	case 7:
		bad_desc();
		break;
	case 8:
		queue = some_queue();
		offer(queue, input_below(GUEST_ENTRIES + 1));
		kick(queue);
		break;
	case 9:
		if (guest_device.event)
			guest_device.event(&device);
		break;
	case 10:
		tasks_yield();
		break;
	default:
		chain(some_queue());
	}
}

static void *cpu(void *argument)
{
	while (!input_over()) {
		step();
		check_queues();
		tasks_yield();
	}
	cpus--;
	return argument;
}

static bool cpus_are_done(void)
{
	return !cpus;
}

/* After a reset nobody may use the guest's memory: unmap it to see that. */
static void end(void)
{
	tasks_until(cpus_are_done);
	tasks_settle();
	reset();
	check_queues();
	mprotect(memory.base, memory.size, PROT_NONE);
	tasks_settle();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int error;

	input_begin(data, size);
	tasks_begin(input_byte());
	if (guest_device.begin)
		guest_device.begin();
	next_buffer = 0;
	memset(next_desc, 0, sizeof(next_desc));
	error = guest_device.memory_init ? guest_device.memory_init(&memory, GUEST_MEMORY) :
					   guest_memory_init(&memory, GUEST_MEMORY);
	require(!error);
	error = guest_device.init(&device, &memory);
	if (!error)
		error = virtio_device_start(&device);
	if (!error) {
		start(device.features);
		for (cpus = 0; cpus < CPUS; cpus++)
			tasks_start(cpu, NULL);
		end();
	}
	virtio_device_exit(&device);
	if (guest_device.end)
		guest_device.end();
	require(!tasks_settle());
	guest_memory_exit(&memory);
	return 0;
}
