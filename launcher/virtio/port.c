// SPDX-License-Identifier: GPL-2.0-only
/*
 * A named port (virtio 1.2, section 5.3, with VIRTIO_CONSOLE_F_MULTIPORT): a stream
 * of bytes each way between a program in the Guest and a socket or file here.  The
 * console stays a device of its own; each port is one, too, with number 0 its only
 * port.
 *
 * Two queues carry the bytes, two control messages (5.3.6.2): what there is, what it
 * is called, and whether each side has it open.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/virtio_console.h>
#include <linux/virtio_ids.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "../message.h"
#include "../value.h"
#include "virtio.h"

enum { INPUT_QUEUE, OUTPUT_QUEUE, TO_DRIVER_QUEUE, FROM_DRIVER_QUEUE, QUEUES };

#define INPUT_SIZE	4096
#define NAME_SIZE	64

/* Messages to the driver, in the order in which it gets them. */
enum { SAY_ADD, SAY_NAME, SAY_OPEN, SAY_CLOSED, MESSAGES };

struct port {
	char name[NAME_SIZE];
	int in, out;		/* -1: there is none; may be the same */
	int said;		/* eventfd: there are messages to be sent, or input is wanted */
	atomic_uint to_say;	/* bits of SAY_* */
	atomic_bool guest_open;	/* a program in the Guest listens */
	atomic_bool ended;	/* there will be no more input */
	bool gone;		/* nobody reads our output; of the output queue's thread */
	/* Of the input queue's thread: */
	int opened;		/* eventfd: guest_open may have changed */
	size_t size;		/* read, but not yet the Guest's */
	uint8_t text[INPUT_SIZE];
};

static void signal_event(int fd)
{
	uint64_t one = 1;

	if (write(fd, &one, sizeof(one)) < 0)
		return;	/* it is signalled already, more than enough */
}

static void clear_event(int fd)
{
	uint64_t count;

	if (read(fd, &count, sizeof(count)) < 0)
		return;	/* it was clear */
}

static void say(struct port *port, unsigned int what)
{
	atomic_fetch_or(&port->to_say, 1U << what);
	signal_event(port->said);
}

/*
 * The end of a stream is told by closing the port, which the driver takes for both
 * ways: while there is somewhere to write to, it stays open.
 */
static bool is_over(const struct port *port)
{
	return port->ended && (port->out < 0 || port->out == port->in);
}

static void fill_message(unsigned int what, struct virtio_console_control *message)
{
	static const uint16_t events[MESSAGES] = {
		[SAY_ADD] = VIRTIO_CONSOLE_PORT_ADD,
		[SAY_NAME] = VIRTIO_CONSOLE_PORT_NAME,
		[SAY_OPEN] = VIRTIO_CONSOLE_PORT_OPEN,
		[SAY_CLOSED] = VIRTIO_CONSOLE_PORT_OPEN,
	};

	message->id = 0;
	message->event = htole16(events[what]);
	message->value = htole16(what != SAY_CLOSED);
}

static void run_to_driver(struct virtio_queue *queue)
{
	struct port *port = queue->device->private;
	struct virtio_console_control message;
	struct virtio_chain chain;
	unsigned int what;
	struct iovec *iov;
	size_t size;

	while (!(virtio_wait(queue, port->said, -1) & VIRTIO_WAIT_STOP)) {
		clear_event(port->said);
		while (port->to_say && virtio_pop(queue, &chain)) {
			what = __builtin_ctz(port->to_say);
			atomic_fetch_and(&port->to_say, ~(1U << what));
			fill_message(what, &message);
			iov = chain.iov + chain.out;
			size = iov_write(&iov, &chain.in, &message, sizeof(message));
			if (what == SAY_NAME)
				size += iov_write(&iov, &chain.in, port->name, strlen(port->name));
			virtio_push(queue, &chain, size);
		}
	}
}

/* The driver says something. */
static void hear(struct port *port, const struct virtio_console_control *message)
{
	switch (le16toh(message->event)) {
	case VIRTIO_CONSOLE_DEVICE_READY:
		/* It begins: whatever was to be said before is old. */
		port->guest_open = false;
		port->to_say = 0;
		if (message->value)
			say(port, SAY_ADD);
		break;
	case VIRTIO_CONSOLE_PORT_READY:
		if (!message->value)
			break;
		say(port, SAY_NAME);
		say(port, SAY_OPEN);
		if (is_over(port) && !port->size)
			say(port, SAY_CLOSED);
		break;
	case VIRTIO_CONSOLE_PORT_OPEN:
		port->guest_open = message->value;
		signal_event(port->opened);
		break;
	}
}

static void run_from_driver(struct virtio_queue *queue)
{
	struct virtio_console_control message;
	struct virtio_chain chain;

	while (!(virtio_wait(queue, -1, -1) & VIRTIO_WAIT_STOP)) {
		while (virtio_pop(queue, &chain)) {
			struct iovec *iov = chain.iov;

			if (iov_read(&iov, &chain.out, &message, sizeof(message)) == sizeof(message))
				hear(queue->device->private, &message);
			virtio_push(queue, &chain, 0);
		}
	}
}

/*
 * As on the console: output is the Guest's until it is written. At the end what can
 * be written at once is.
 */
static void write_all(struct virtio_device *device, struct port *port, const char *from,
		      size_t size)
{
	struct pollfd output = { .fd = port->out, .events = POLLOUT };

	while (size && !port->gone) {
		ssize_t done;

		if (poll(&output, 1, device->stopping ? 0 : -1) <= 0) {
			if (device->stopping)
				return;
			continue;
		}
		done = write(port->out, from, size);
		if (done > 0) {
			from += done;
			size -= done;
		} else if (done < 0 && errno != EINTR && errno != EAGAIN) {
			port->gone = true;
		}
	}
}

static void run_output(struct virtio_queue *queue)
{
	struct port *port = queue->device->private;
	struct virtio_chain chain;
	unsigned int i;
	int what;

	do {
		what = virtio_wait(queue, -1, -1);
		while (virtio_pop(queue, &chain)) {
			for (i = 0; port->out >= 0 && i < chain.out; i++)
				write_all(queue->device, port, chain.iov[i].iov_base,
					  chain.iov[i].iov_len);
			virtio_push(queue, &chain, 0);
		}
	} while (!(what & VIRTIO_WAIT_STOP));
}

static void read_input(struct port *port)
{
	ssize_t got = read(port->in, port->text + port->size, INPUT_SIZE - port->size);

	if (got > 0)
		port->size += got;
	else if (!got || (errno != EINTR && errno != EAGAIN))
		port->ended = true;
}

static void give_input(struct virtio_queue *queue, struct port *port)
{
	struct virtio_chain chain;

	while (port->guest_open && port->size && virtio_pop(queue, &chain)) {
		struct iovec *iov = chain.iov + chain.out;
		size_t given = iov_write(&iov, &chain.in, port->text, port->size);

		port->size -= given;
		memmove(port->text, port->text + given, port->size);
		virtio_push(queue, &chain, given);
	}
}

/* What comes while nobody has the port open the driver would throw away. */
static void run_input(struct virtio_queue *queue)
{
	struct port *port = queue->device->private;
	bool told = false;
	int what, input;

	do {
		input = port->guest_open && !port->ended && !port->size ? port->in : -1;
		what = virtio_wait(queue, input, port->opened);
		if (what & VIRTIO_WAIT_INPUT2)
			clear_event(port->opened);
		if (what & VIRTIO_WAIT_INPUT)
			read_input(port);
		give_input(queue, port);
		if (is_over(port) && !port->size && !told) {
			say(port, SAY_CLOSED);
			told = true;
		}
	} while (!(what & VIRTIO_WAIT_STOP));
}

static void port_run(struct virtio_queue *queue)
{
	static void (*const run[QUEUES])(struct virtio_queue *) = {
		[INPUT_QUEUE] = run_input,
		[OUTPUT_QUEUE] = run_output,
		[TO_DRIVER_QUEUE] = run_to_driver,
		[FROM_DRIVER_QUEUE] = run_from_driver,
	};

	run[queue->index](queue);
}

static void port_reset(struct virtio_device *device)
{
	struct port *port = device->private;

	port->guest_open = false;
}

static void port_exit(struct virtio_device *device)
{
	struct port *port = device->private;

	if (!port)
		return;
	if (port->in >= 0)
		close(port->in);
	if (port->out >= 0 && port->out != port->in)
		close(port->out);
	if (port->said >= 0)
		close(port->said);
	if (port->opened >= 0)
		close(port->opened);
	free(port);
}

static const struct virtio_ops port_ops = {
	.name = "port",
	.id = VIRTIO_ID_CONSOLE,
	.queues = QUEUES,
	.run = port_run,
	.reset = port_reset,
	.exit = port_exit,
};

static int connect_to(struct port *port, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(address.sun_path))
		return refuse(-ENAMETOOLONG, "the socket's name '%s' is too long", path);
	strcpy(address.sun_path, path);
	port->in = port->out = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (port->in < 0 || connect(port->in, (struct sockaddr *)&address, sizeof(address)) < 0)
		return refuse(-errno, "can't connect the port '%s' to the socket '%s': %s",
			      port->name, path, strerror(errno));
	return 0;
}

/* A socket is both ways; anything else is written to. */
static int open_output(struct port *port, const char *path)
{
	struct stat status;

	if (!stat(path, &status) && S_ISSOCK(status.st_mode))
		return connect_to(port, path);
	/* O_RDWR: a pipe is opened at once, whether or not anybody reads it yet. */
	port->out = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0666);
	if (port->out < 0)
		return refuse(-errno, "can't open '%s' for the port '%s': %s", path, port->name,
			      strerror(errno));
	return 0;
}

static int open_input(struct port *port, const char *path)
{
	if (port->in >= 0)
		return refuse(-EINVAL, "the port '%s' has a socket: in= is for files", port->name);
	/* O_NONBLOCK: a pipe that nobody writes to yet is no end, nor is it waited for. */
	port->in = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (port->in < 0)
		return refuse(-errno, "can't open '%s' for the port '%s': %s", path, port->name,
			      strerror(errno));
	return 0;
}

/* A descriptor that whoever started us has opened. */
static int use_descriptor(struct port *port, const char *number)
{
	char *end;
	long fd = strtol(number, &end, 10);

	if (end == number || *end || fd < 0 || fd > INT_MAX || fcntl(fd, F_GETFD) < 0)
		return refuse(-EBADF, "the port '%s': fd=%s is no open descriptor", port->name,
			      number);
	port->in = port->out = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	return port->in < 0 ? refuse(-errno, "can't use descriptor %s: %s", number, strerror(errno)) : 0;
}

static int open_port(struct port *port, const struct value *value)
{
	char *colon = strchr(value->text, ':');
	const char *fd = value_get(value, "fd"), *in = value_get(value, "in");
	int error = value_refuse_others(value, "port", "in=", "fd=", NULL);

	if (error)
		return error;
	if (colon)
		*colon++ = '\0';
	if (!*value->first || strlen(value->first) >= sizeof(port->name) || !colon == !fd ||
	    (colon && !*colon))
		return refuse(-EINVAL, "a port has a name of 1 to %d characters, and a file: --port=NAME:PATH",
			      NAME_SIZE - 1);
	strcpy(port->name, value->first);
	error = fd ? use_descriptor(port, fd) : open_output(port, colon);
	return error || !in ? error : open_input(port, in);
}

static int port_init(struct virtio_device *device, const struct guest_memory *memory,
		     const char *text)
{
	struct virtio_console_config config = { .max_nr_ports = htole32(1) };
	struct port *port;
	struct value value;
	int error;

	error = virtio_device_init(device, &port_ops, memory);
	if (error)
		return error;
	port = calloc(1, sizeof(*port));
	if (!port)
		return refuse(-ENOMEM, "no memory");
	port->in = port->out = -1;
	port->said = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	port->opened = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	device->private = port;	/* from here on port_exit() closes all */
	if (port->said < 0 || port->opened < 0)
		return refuse(-errno, "can't make an eventfd: %s", strerror(errno));
	error = value_parse(&value, "port", "NAME:PATH", text);
	if (!error)
		error = open_port(port, &value);
	value_free(&value);
	if (error)
		return error;
	port->ended = port->in < 0;
	device->features |= 1ULL << VIRTIO_CONSOLE_F_MULTIPORT;
	virtio_config_set(device, &config, sizeof(config));
	return 0;
}

/**
 * virtio_port_is_open() - does a program in the Guest listen?
 * @device: a port that virtio_port_kind has made
 *
 * Return: what the Guest says of that.
 */
bool virtio_port_is_open(const struct virtio_device *device)
{
	const struct port *port = device->private;

	return port->guest_open;
}

const struct virtio_kind virtio_port_kind = {
	.option = "port",
	.value = "NAME:PATH[,in=PATH]",
	.help = "a stream to a program in the guest, which finds it by NAME in\n"
		"/dev/virtio-ports or /sys/class/virtio-ports: a socket to\n"
		"connect to, or a file for output (and another for input)",
	.init = port_init,
};
