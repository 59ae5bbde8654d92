// SPDX-License-Identifier: GPL-2.0-only
/*
 * A disk that another program serves (vhost-user). That program is a fake in this process: it
 * answers as it should or lies as the input wants, and checks what it is told.
 */
#include <errno.h>
#include <linux/virtio_config.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/file.h"
#include "guest.h"
#include "input.h"
#include "tasks.h"
#include "wrapped.h"

/* The messages that have their own answer, or that start or stop a ring. */
enum {
	GET_FEATURES = 1, GET_VRING_BASE = 11, SET_VRING_KICK = 12, SET_VRING_CALL = 13,
	GET_PROTOCOL_FEATURES = 15, SET_VRING_ENABLE = 18, GET_CONFIG = 24,
};

#define F_PROTOCOL_FEATURES	(1ULL << 30)
#define PROTOCOL_FEATURES	0x208ULL	/* answers to all, configuration */
#define REPLY			5U
#define NEED_REPLY		8U
#define MOST_PAYLOAD		512

struct header {
	uint32_t request, flags, size;
};

static struct {
	int listener, fd, over;
	bool honest;		/* so far */
	bool runs;		/* its ring */
	struct header header;
	uint8_t payload[MOST_PAYLOAD];
} program = { .listener = -1, .fd = -1, .over = -1 };

static struct sockaddr_un address = { .sun_family = AF_UNIX };
static char value[160];

static void hang_up(void)
{
	file_close(&program.fd);
	program.honest = false;
}

static void say(const void *bytes, size_t size)
{
	if (program.fd >= 0 && send(program.fd, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		hang_up();
}

/* Send bytes with a descriptor that nobody asked for. */
static void say_with_descriptor(const void *bytes, size_t size)
{
	union {
		struct cmsghdr first;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec iov = { (void *)bytes, size };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
				  .msg_controllen = sizeof(control) };
	struct cmsghdr *rights = CMSG_FIRSTHDR(&message);

	rights->cmsg_level = SOL_SOCKET;
	rights->cmsg_type = SCM_RIGHTS;
	rights->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(rights), &program.over, sizeof(int));
	if (sendmsg(program.fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		hang_up();
}

/* Send something else instead of the right answer. */
static void lie(struct header *header, uint8_t *payload)
{
	uint8_t bytes[sizeof(*header) + MOST_PAYLOAD];

	program.honest = false;
	switch (input_below(9)) {
	case 0:
		return;		/* no answer */
	case 1:
		hang_up();
		return;
	case 2:
		header->request = input_nasty();
		break;
	case 3:
		header->flags = input_nasty();
		break;
	case 4:
		header->size = input_nasty();
		break;
	case 5:
		input_bytes(payload, header->size);
		break;
	}
	memcpy(bytes, header, sizeof(*header));
	memcpy(bytes + sizeof(*header), payload, MOST_PAYLOAD);
	switch (input_below(4)) {
	case 0:		/* too little, or too much */
		say(bytes, input_16() % sizeof(bytes));
		break;
	case 1:
		say_with_descriptor(bytes, sizeof(*header) + header->size % MOST_PAYLOAD);
		break;
	case 2:		/* twice */
		say(bytes, sizeof(*header) + header->size % MOST_PAYLOAD);
		/* fall through */
	default:
		say(bytes, sizeof(*header) + header->size % MOST_PAYLOAD);
	}
}

static void answer(const void *payload, size_t size)
{
	struct header header = { program.header.request, REPLY, size };
	uint8_t bytes[MOST_PAYLOAD] = { 0 };

	memcpy(bytes, payload, size);
	if (input_byte() >= 0xf0) {
		lie(&header, bytes);
		return;
	}
	say(&header, sizeof(header));
	say(bytes, size);
}

/* A message starts or stops the only ring. */
static void start_or_stop(void)
{
	uint32_t state[2];

	memcpy(state, program.payload, sizeof(state));
	require(state[0] == 0);
	program.runs = program.header.request == SET_VRING_ENABLE ? state[1] : false;
}

static void serve(void)
{
	uint64_t number = 0;

	switch (program.header.request) {
	case GET_FEATURES:
		number = input_byte() ? ~0ULL : input_64() | F_PROTOCOL_FEATURES | 1ULL << VIRTIO_F_VERSION_1;
		answer(&number, sizeof(number));
		return;
	case GET_PROTOCOL_FEATURES:
		number = input_byte() ? PROTOCOL_FEATURES : 0x200;
		answer(&number, sizeof(number));
		return;
	case GET_VRING_BASE:
		start_or_stop();
		answer(program.payload, 8);
		return;
	case GET_CONFIG:
		answer(program.payload, program.header.size);
		return;
	case SET_VRING_ENABLE:
		start_or_stop();
		break;
	}
	if (program.header.flags & NEED_REPLY)
		answer(&number, sizeof(number));
}

/* Read a whole message, which was sent at once. Ignore its descriptors. */
static void hear(void)
{
	ssize_t got = __real_recv(program.fd, &program.header, sizeof(program.header), MSG_DONTWAIT);

	if (got <= 0) {
		hang_up();
		return;
	}
	require(got == sizeof(program.header) && (program.header.flags & 3) == 1);
	require(program.header.size <= MOST_PAYLOAD);
	if (program.header.size) {
		got = __real_recv(program.fd, program.payload, program.header.size, MSG_DONTWAIT);
		require(got == (ssize_t)program.header.size);
	}
	serve();
}

static void *run_program(void *argument)
{
	struct pollfd on[3] = {
		{ .fd = program.over, .events = POLLIN },
		{ .fd = program.listener, .events = POLLIN },
	};

	for (;;) {
		on[2] = (struct pollfd){ .fd = program.fd, .events = POLLIN };
		__wrap_poll(on, 3, -1);
		if (on[0].revents)
			break;
		if (on[1].revents && program.fd < 0)
			program.fd = accept(program.listener, NULL, NULL);
		else if (on[1].revents)
			close(accept(program.listener, NULL, NULL));
		if (on[2].revents)
			hear();
	}
	file_close(&program.fd);
	return argument;
}

static void begin(void)
{
	program.honest = true;
	program.runs = false;
	program.over = eventfd(0, EFD_NONBLOCK);
	unlink(address.sun_path);
	program.listener = socket(AF_UNIX, SOCK_STREAM, 0);
	require(!bind(program.listener, (struct sockaddr *)&address, sizeof(address)));
	require(!listen(program.listener, 4));
	tasks_start(run_program, NULL);
}

static void end(void)
{
	uint64_t one = 1;

	require(write(program.over, &one, sizeof(one)) > 0);
	tasks_settle();
	file_close(&program.over);
	file_close(&program.listener);
}

static int init(struct virtio_device *device, const struct guest_memory *memory)
{
	return virtio_block_kind.init(device, memory, value);
}

/* A program that has always told the truth must not serve a ring that the driver has back. */
static void is_stopped(unsigned int queue)
{
	(void)queue;
	require(!program.honest || !program.runs);
}

const struct guest_device guest_device = {
	.init = init, .is_stopped = is_stopped, .begin = begin, .end = end,
	.memory_init = guest_memory_init_shared,
};

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	launcher_begin();
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", scratch_directory());
	snprintf(value, sizeof(value), "vhost-user:%s", address.sun_path);
	return 0;
}
