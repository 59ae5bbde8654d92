// SPDX-License-Identifier: GPL-2.0-only
/* The other end of vhost-user, for tests: answers each message, up to one that a test chooses. */
#include <linux/virtio_config.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "unit.h"
#include "vhost_program.h"

#define GET_PROTOCOL_FEATURES	15
#define GET_CONFIG		24
#define NEED_REPLY		8U

char program_value[160];

static char path[128];
static int listener, connection = -1;
static pthread_t thread;
static atomic_uint silent_from, heard[64];
static unsigned int lies_at;
static enum program_lie lie;

struct message {
	uint32_t request, flags, size;
	uint8_t payload[512];
} __attribute__((packed));

static bool receive(struct message *message)
{
	union {
		struct cmsghdr first;
		char bytes[CMSG_SPACE(8 * sizeof(int))];
	} control;
	struct iovec iov = { message, 12 };
	struct msghdr header = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
				 .msg_controllen = sizeof(control) };
	struct cmsghdr *rights;

	if (recvmsg(connection, &header, MSG_WAITALL) != 12 ||
	    message->size > sizeof(message->payload))
		return false;
	rights = CMSG_FIRSTHDR(&header);
	if (rights) {
		int *fd = (int *)CMSG_DATA(rights);
		size_t i, count = (rights->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		for (i = 0; i < count; i++)
			close(fd[i]);
	}
	return !message->size ||
	       recv(connection, message->payload, message->size, MSG_WAITALL) == message->size;
}

static void say(const struct message *message, size_t size)
{
	send(connection, message, 12 + size, MSG_NOSIGNAL);
}

static void say_with_descriptors(struct message *message)
{
	union {
		struct cmsghdr first;
		char bytes[CMSG_SPACE(2 * sizeof(int))];
	} control = { 0 };
	struct iovec iov = { message, 12 + message->size };
	struct msghdr header = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
				 .msg_controllen = sizeof(control) };
	struct cmsghdr *rights = CMSG_FIRSTHDR(&header);
	int fds[] = { listener, connection };

	rights->cmsg_level = SOL_SOCKET;
	rights->cmsg_type = SCM_RIGHTS;
	rights->cmsg_len = CMSG_LEN(sizeof(fds));
	memcpy(CMSG_DATA(rights), fds, sizeof(fds));
	sendmsg(connection, &header, MSG_NOSIGNAL);
}

/* Send something else than the answer that is ready. */
static void say_a_lie(struct message *message)
{
	size_t size = message->size;

	switch (lie) {
	case OTHER_REQUEST:
		message->request++;
		break;
	case NO_REPLY_FLAG:
		message->flags = 1;
		break;
	case TOO_SMALL:
		message->size = size -= 4;
		break;
	case TOO_LARGE:
		message->size = size += 4;
		break;
	case CUT_SHORT:
		size -= 4;
		break;
	case REFUSES:
		message->payload[0] ^= 1;
		break;
	case TWICE:
		say(message, size);
		break;
	case WITH_DESCRIPTORS:
		say_with_descriptors(message);
		return;
	default:
		size = 0;
	}
	if (lie != ENDS)
		say(message, size);
	if (lie == ENDS || lie == CUT_SHORT)
		shutdown(connection, SHUT_RDWR);
}

static void answer(struct message *message)
{
	uint64_t number = 0;
	bool has_number = true;

	switch (message->request) {
	case GET_FEATURES:
		number = 1ULL << 30 | 1ULL << VIRTIO_F_VERSION_1 | 1ULL << 11;	/* CONFIG_WCE */
		break;
	case GET_PROTOCOL_FEATURES:
		number = 1ULL << 9 | 1ULL << 3;		/* CONFIG, REPLY_ACK */
		break;
	case GET_CONFIG:
	case GET_VRING_BASE:
		has_number = false;
		break;
	default:
		if (!(message->flags & NEED_REPLY))
			return;
	}
	if (has_number) {
		memcpy(message->payload, &number, sizeof(number));
		message->size = sizeof(number);
	}
	message->flags = 5;
	if (lies_at && message->request == lies_at)
		say_a_lie(message);
	else
		say(message, message->size);
}

static void *run(void *argument)
{
	struct message message;

	connection = accept(listener, NULL, NULL);
	while (receive(&message)) {
		unsigned int request = message.request % 64;

		heard[request]++;
		if (!silent_from || silent_from != request)
			answer(&message);
	}
	return argument;
}

/* Start the program. It is silent from the message @silent on; 0: it answers all. */
void program_start(unsigned int silent)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };

	silent_from = silent;
	lies_at = 0;
	memset(heard, 0, sizeof(heard));
	snprintf(path, sizeof(path), "%s/program", unit_directory());
	snprintf(program_value, sizeof(program_value), "vhost-user:%s", path);
	strcpy(name.sun_path, path);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&name, sizeof(name)), 0);
	ck_assert_int_eq(listen(listener, 1), 0);
	pthread_create(&thread, NULL, run, NULL);
}

/* Make the program tell this lie whenever it answers this message. */
void program_lies_at(unsigned int request, enum program_lie which)
{
	lies_at = request;
	lie = which;
}

/* Return: how often it got a message. */
unsigned int program_heard(unsigned int request)
{
	return heard[request];
}

/* Wait up to 10 s until it has got a message @times times. */
bool program_hears(unsigned int request, unsigned int times)
{
	int tries;

	for (tries = 0; heard[request] < times && tries < 10000; tries++)
		usleep(1000);
	return heard[request] == times;
}

/* End the program, after its client has gone. */
void program_end(void)
{
	pthread_join(thread, NULL);
	close(connection);
	close(listener);
	unlink(path);
}
