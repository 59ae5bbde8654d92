// SPDX-License-Identifier: GPL-2.0-only
/*
 * The bytes of a port. Each way has a queue and a thread. A thread gives output back to the
 * guest only when that output is written. It reads input only when the guest has room for it,
 * and a program that takes it. So nothing is dropped.
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "virtio/console/console.h"

/* The most that one chain may write: nothing else limits what a chain has. */
#define MOST_OUTPUT	(4U << 20)

/* The most that is written to the terminal after the guest has ended. */
#define MOST_AT_END	(256U << 10)

/* How long a reader may read nothing while the driver waits, in tenths of a second. */
#define PATIENCE	10

/*
 * As terminal_write(), with two differences. At the end, write only what can be written at
 * once. If the driver stops the queue, wait for a slow reader, but not for one that reads
 * nothing. A pipe or socket that poll() calls writable takes PIPE_BUF bytes without waiting.
 *
 * Return: false if the rest need not be written.
 */
static bool write_all(struct virtio_queue *queue, struct port *port, const struct iovec *iov)
{
	struct pollfd output = { .fd = port->out, .events = POLLOUT };
	const char *from = iov->iov_base;
	size_t size = iov->iov_len;

	while (size && port->out >= 0 && !port->gone) {
		int left = virtio_stop_time(queue);
		bool waits;
		ssize_t done;

		if (!left)
			return false;
		if (left == INT_MAX)
			port->waited = 0;
		waits = !queue->device->stopping && port->waited < PATIENCE;
		if (poll(&output, 1, waits ? 100 : 0) <= 0) {
			if (!waits)
				return false;
			port->waited++;
			continue;
		}
		port->waited = 0;
		done = write(port->out, from, size < PIPE_BUF ? size : PIPE_BUF);
		if (done > 0) {
			from += done;
			size -= done;
		} else if (done < 0 && errno != EINTR && errno != EAGAIN) {
			port->gone = true;
		}
	}
	return true;
}

/*
 * Write to the terminal, which may be slow. After the guest's end there is a limit: a good
 * driver has next to nothing on its way then, a bad one very much.
 */
static void write_terminal(struct virtio_device *device, struct port *port,
			   const struct iovec *iov)
{
	const char *from = iov->iov_base;
	size_t part, size = iov->iov_len;

	for (; size && port->at_end < MOST_AT_END; from += part, size -= part) {
		part = size < PIPE_BUF ? size : PIPE_BUF;
		if (device->stopping)
			port->at_end += part;
		terminal_write(from, part);
	}
}

static void write_chain(struct virtio_queue *queue, struct port *port, struct virtio_chain *chain)
{
	size_t left = MOST_OUTPUT;
	unsigned int i;

	for (i = 0; i < chain->out; i++) {
		const struct iovec *iov = &chain->iov[i];

		if (iov->iov_len > left) {
			pthread_mutex_lock(&queue->device->lock);
			virtio_misuse(queue->device, "it writes more than 4 MiB at once");
			pthread_mutex_unlock(&queue->device->lock);
			return;
		}
		left -= iov->iov_len;
		if (!port->number)
			write_terminal(queue->device, port, iov);
		else if (!write_all(queue, port, iov))
			return;
	}
}

/**
 * port_run_output() - the body of the thread of an output queue
 * @queue: the queue
 * @port: its port
 */
void port_run_output(struct virtio_queue *queue, struct port *port)
{
	struct virtio_chain chain;
	int what;

	do {
		what = virtio_wait(queue, -1, -1);
		/* At the end, too: the last words of a guest must not be lost. */
		while (virtio_pop(queue, &chain)) {
			write_chain(queue, port, &chain);
			virtio_push(queue, &chain, 0);
		}
	} while (!(what & VIRTIO_WAIT_STOP));
}

/* Read input, or see that it has ended. */
static void read_input(struct port *port)
{
	size_t room = PORT_INPUT_SIZE - port->size;
	struct console *console = port->console;
	uint8_t *to = port->text + port->size, lost[64];
	ssize_t got = room ? read(port->in, to, room) : read(port->in, to = lost, sizeof(lost));

	if (got < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (got <= 0) {
		port->ended = true;
		return;
	}
	if (port->is_tty)
		got = terminal_filter(&console->keys, to, got);
	if (room)
		port->size += got;
	if (console->keys.leave)
		console->leave(console->argument);
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

/*
 * Read ahead from a terminal, so that Ctrl-A x works when the guest does not listen. What is
 * too much for the buffer is lost, as on any terminal. From anything else, read only what the
 * guest takes. Its driver would throw away what comes while no program has the port open, and
 * the rest of standard input may be meant for another program after us.
 */
static bool wants_input(struct virtio_queue *queue, const struct port *port)
{
	if (port->ended)
		return false;
	if (port->is_tty)
		return true;
	return port->guest_open && !port->size && (port->number || virtio_queue_waiting(queue));
}

/**
 * port_is_over() - has the port ended both ways?
 * @port: the port
 *
 * The driver is told of the end by a closed port, which it takes for the end of both ways.
 * So a port stays open while there is somewhere to write to.
 *
 * Return: true if nothing can come or go any more.
 */
bool port_is_over(const struct port *port)
{
	return port->ended && !port->size && (port->out < 0 || port->out == port->in);
}

/**
 * port_run_input() - the body of the thread of an input queue
 * @queue: the queue
 * @port: its port
 */
void port_run_input(struct virtio_queue *queue, struct port *port)
{
	int resized = port->number ? -1 : port->console->resized;
	bool told = false;
	int what, input;

	do {
		input = wants_input(queue, port) ? port->in : -1;
		what = virtio_wait(queue, input, resized);
		if (what & VIRTIO_WAIT_INPUT2)
			console_resized(port->console);
		if (what & VIRTIO_WAIT_INPUT)
			read_input(port);
		give_input(queue, port);
		if (port_is_over(port) && !told) {
			console_say(port, SAY_CLOSED);
			told = true;
		}
	} while (!(what & VIRTIO_WAIT_STOP));
}
