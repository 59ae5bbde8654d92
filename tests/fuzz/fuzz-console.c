// SPDX-License-Identifier: GPL-2.0-only
/* The console, with a port to a pipe and one to a socket, which come and go. */
#include <endian.h>
#include <fcntl.h>
#include <linux/virtio_console.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "guest.h"
#include "input.h"

static int typed = -1;		/* the other end of standard input */
static int peer = -1;		/* the other end of the port's socket */

static void leave(void *argument)
{
	(void)argument;
}

static void begin(void)
{
	int in[2];

	require(!pipe2(in, O_NONBLOCK));
	dup2(in[0], STDIN_FILENO);
	close(in[0]);
	typed = in[1];
}

static void end(void)
{
	close(typed);
	close(peer);
}

static int init(struct virtio_device *device, const struct guest_memory *memory)
{
	int error = virtio_console_init(device, memory, leave, NULL), pair[2];
	char value[32];

	require(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair));
	peer = pair[1];
	snprintf(value, sizeof(value), "socket,fd=%d", pair[0]);
	if (!error && virtio_console_add_port(device, value) < 0)
		error = -1;
	if (!error && virtio_console_add_port(device, "file:/dev/null") < 0)
		error = -1;
	close(pair[0]);
	return error;
}

/* A control message, for the driver's control queue; for the other queues it is just text. */
static size_t request(unsigned int queue, uint8_t *to, size_t room)
{
	struct virtio_console_control message;

	if (queue != 3)
		return input_bytes(to, input_byte() % room);
	message.id = htole32(input_below(4));
	message.event = htole16(input_below(9));
	message.value = htole16(input_below(3));
	memcpy(to, &message, sizeof(message));
	return sizeof(message) - (input_byte() == 0xff);
}

static void event(struct virtio_device *device)
{
	uint8_t bytes[256], how = input_byte();
	size_t size = input_bytes(bytes, input_byte());
	int fd = how & 1 ? typed : peer;

	(void)device;
	if (how & 2)
		size = recv(peer, bytes, sizeof(bytes), MSG_DONTWAIT) > 0;
	else if (how == 0xfc)
		shutdown(peer, SHUT_RDWR);
	else if (write(fd, bytes, size) < 0)
		return;
}

const struct guest_device guest_device = {
	.init = init, .request = request, .event = event, .begin = begin, .end = end,
};

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	int null = open("/dev/null", O_WRONLY);

	(void)argc;
	(void)argv;
	dup2(null, STDOUT_FILENO);
	launcher_begin();
	return 0;
}
