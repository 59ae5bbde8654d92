// SPDX-License-Identifier: GPL-2.0-only
/*
 * vhost-net and vhost-vsock. The host's kernel is a fake: it refuses what the input wants it
 * to refuse, and checks what it is told. Its rings must always lie in the guest's memory, and
 * none may run when the driver has its memory back.
 */
#include <errno.h>
#include <linux/vhost.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/compiler.h"
#include "guest.h"
#include "input.h"
#include "virtio/net/net.h"
#include "wrapped.h"

#define FAKE_FD	900
#define RINGS	3

static struct {
	const struct guest_memory *memory;
	bool open;
	bool has_memory;
	bool running;			/* vsock: all rings together */
	struct {
		unsigned int size;
		bool has_address;
		bool has_backend;	/* net: this ring alone */
	} ring[RINGS];
} fake;

static bool is_inside(uint64_t address, uint64_t size)
{
	uint64_t offset = address - (uintptr_t)fake.memory->base;

	return offset <= fake.memory->size && size <= fake.memory->size - offset;
}

static void check_memory(const struct vhost_memory *table)
{
	unsigned int i;

	require(table->nregions >= 1 && table->nregions <= 2);
	for (i = 0; i < table->nregions; i++)
		require(is_inside(table->regions[i].userspace_addr, table->regions[i].memory_size));
	fake.has_memory = true;
}

static void check_address(const struct vhost_vring_addr *address)
{
	unsigned int size;

	require(address->index < RINGS);
	size = fake.ring[address->index].size;
	require(size && is_inside(address->desc_user_addr, 16ULL * size) &&
		is_inside(address->avail_user_addr, 6 + 2ULL * size) &&
		is_inside(address->used_user_addr, 6 + 8ULL * size));
	fake.ring[address->index].has_address = true;
}

static void set_size(const struct vhost_vring_state *state)
{
	require(state->index < RINGS && state->num && state->num <= 256);
	require(!fake.running && !fake.ring[state->index].has_backend);
	fake.ring[state->index].size = state->num;
}

static void set_backend(const struct vhost_vring_file *file)
{
	require(file->index < RINGS);
	require(file->fd < 0 || (fake.has_memory && fake.ring[file->index].has_address));
	fake.ring[file->index].has_backend = file->fd >= 0;
}

static void set_running(int running)
{
	require(!running || (fake.has_memory && fake.ring[0].has_address && fake.ring[1].has_address));
	fake.running = running;
}

static void take(unsigned long request, void *argument)
{
	switch (request) {
	case VHOST_GET_FEATURES:
		*(uint64_t *)argument = input_byte() ? ~0ULL : input_64();
		break;
	case VHOST_SET_MEM_TABLE:
		check_memory(argument);
		break;
	case VHOST_SET_VRING_NUM:
		set_size(argument);
		break;
	case VHOST_SET_VRING_ADDR:
		check_address(argument);
		break;
	case VHOST_NET_SET_BACKEND:
		set_backend(argument);
		break;
	case VHOST_VSOCK_SET_RUNNING:
		set_running(*(int *)argument);
		break;
	}
}

/* A request that takes rings away from the host's kernel never fails. */
static bool may_fail(unsigned long request, const void *argument)
{
	if (request == VHOST_NET_SET_BACKEND)
		return ((const struct vhost_vring_file *)argument)->fd >= 0;
	return request != VHOST_VSOCK_SET_RUNNING || *(const int *)argument;
}

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	static const int errors[] = { EFAULT, EBUSY, ENOBUFS, EADDRINUSE, EINVAL, EPERM, ENOMEM };
	va_list list;
	void *argument;

	va_start(list, request);
	argument = va_arg(list, void *);
	va_end(list);
	if (fd != FAKE_FD)
		return __real_ioctl(fd, request, argument);
	require(fake.open);
	if (input_byte() >= 0xf8 && may_fail(request, argument)) {
		errno = errors[input_below(ARRAY_SIZE(errors))];
		return -1;
	}
	take(request, argument);
	return 0;
}

int __wrap_open(const char *path, int flags, ...)
{
	int fd;

	if (strncmp(path, "/dev/vhost-", strlen("/dev/vhost-")))
		return __real_open(path, flags, 0600);
	memset(&fake.ring, 0, sizeof(fake.ring));
	fake.has_memory = fake.running = false;
	fake.open = true;
	fd = memfd_create("vhost", 0);
	dup2(fd, FAKE_FD);
	close(fd);
	return FAKE_FD;
}

/* The same as in net/tap.c, but without a tap device. */
static int tap_init(struct net *net, const struct net_request *request)
{
	(void)request;
	net->tap = 0;
	return 0;
}

static const struct net_ops tap_ops = {
	.features = NET_OFFLOADS,
	.init = tap_init,
};

static int init(struct virtio_device *device, const struct guest_memory *memory)
{
	struct net_request request = { .ops = &tap_ops, .mac = { 2, 0, 0, 0, 0, 1 } };

	int error;

	fake.memory = memory;
	error = input_byte() & 1 ? virtio_net_init(device, memory, &request) :
				   virtio_vsock_kind.init(device, memory, "5");
	/* Without the host's kernel the card would do the work: not here. */
	return error || device->ops->remote ? error : -ENODEV;
}

static void is_stopped(unsigned int queue)
{
	/* vsock: one state for all rings but the third, which nobody serves. */
	require(!fake.running || queue == RINGS - 1);
	require(!fake.ring[queue].has_backend);
}

static void end(void)
{
	fake.open = false;
	close(FAKE_FD);
}

const struct guest_device guest_device = { .init = init, .is_stopped = is_stopped, .end = end };

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	launcher_begin();
	return 0;
}
