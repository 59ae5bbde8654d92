// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the console tells its driver: which ports there are, what they are called, whether
 * each is open (virtio 1.2, section 5.3.6.2), and how large the window is.
 */
#include <linux/virtio_console.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "virtio/console/console.h"

/**
 * console_say() - have the driver told something
 * @port: of which port
 * @what: SAY_*
 */
void console_say(struct port *port, unsigned int what)
{
	atomic_fetch_or(&port->to_say, 1U << what);
	virtio_kick(&port->console->device->queue[TO_DRIVER_QUEUE]);
}

/**
 * console_write_config() - write how many ports there are, and the window's size
 * @console: the console
 */
void console_write_config(struct console *console)
{
	struct virtio_console_config config = { .max_nr_ports = htole32(console->ports) };
	uint16_t columns, rows;

	terminal_size(&columns, &rows);
	config.cols = htole16(columns);
	config.rows = htole16(rows);
	virtio_config_set(console->device, &config, sizeof(config));
}

/**
 * console_resized() - tell the driver if the window has a new size
 * @console: the console; only its first port has a window
 */
void console_resized(struct console *console)
{
	struct signalfd_siginfo info;

	if (read(console->resized, &info, sizeof(info)) != sizeof(info))
		return;
	console_write_config(console);
	/* A driver that knows of ports looks for the size here, not in the configuration. */
	if (console->sized)
		console_say(console->port[0], SAY_SIZE);
}

/* Return: bytes written to the chain. */
static size_t write_message(const struct port *port, unsigned int what, struct virtio_chain *chain)
{
	static const uint16_t events[MESSAGES] = {
		[SAY_ADD] = VIRTIO_CONSOLE_PORT_ADD,
		[SAY_CONSOLE] = VIRTIO_CONSOLE_CONSOLE_PORT,
		[SAY_NAME] = VIRTIO_CONSOLE_PORT_NAME,
		[SAY_SIZE] = VIRTIO_CONSOLE_RESIZE,
		[SAY_OPEN] = VIRTIO_CONSOLE_PORT_OPEN,
		[SAY_CLOSED] = VIRTIO_CONSOLE_PORT_OPEN,
	};
	struct virtio_console_control message = {
		.id = htole32(port->number),
		.event = htole16(events[what]),
		.value = htole16(what != SAY_CLOSED),
	};
	struct iovec *iov = chain->iov + chain->out;
	size_t size = iov_write(&iov, &chain->in, &message, sizeof(message));
	uint16_t window[2];

	if (what == SAY_NAME)
		size += iov_write(&iov, &chain->in, port->name, strlen(port->name));
	if (what == SAY_SIZE) {	/* columns first; old Linux has it the other way round */
		terminal_size(&window[0], &window[1]);
		window[0] = htole16(window[0]);
		window[1] = htole16(window[1]);
		size += iov_write(&iov, &chain->in, window, sizeof(window));
	}
	return size;
}

static struct port *port_with_message(const struct console *console)
{
	unsigned int i;

	for (i = 0; i < console->ports; i++)
		if (console->port[i]->to_say)
			return console->port[i];
	return NULL;
}

/**
 * console_tell() - tell the driver all that waits, as far as it has room
 * @console: the console; the caller is the thread of the control messages, which alone
 *	    clears bits of to_say
 */
void console_tell(struct console *console)
{
	struct virtio_queue *queue = &console->device->queue[TO_DRIVER_QUEUE];
	struct virtio_chain chain;
	struct port *port;
	unsigned int what;

	while (console->ready && (port = port_with_message(console)) && virtio_pop(queue, &chain)) {
		what = __builtin_ctz(port->to_say);
		atomic_fetch_and(&port->to_say, ~(1U << what));
		virtio_push(queue, &chain, write_message(port, what, &chain));
	}
}
