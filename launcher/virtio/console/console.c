// SPDX-License-Identifier: GPL-2.0-only
/*
 * The console (virtio 1.2, section 5.3) and its ports. Port 0 is the console itself, on our
 * standard input and output. Each of the others has a name, and carries bytes both ways between
 * a program in the guest and a socket or file here.
 *
 * A port has two queues. Two more queues carry control messages (5.3.6.2): which ports there
 * are, what they are called, and whether each side has them open. A driver that does not know
 * these messages (VIRTIO_CONSOLE_F_MULTIPORT) has only the console.
 */
#include <errno.h>
#include <linux/virtio_console.h>
#include <linux/virtio_ids.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/file.h"
#include "base/message.h"
#include "virtio/console/console.h"

#define CONTROL_ENTRIES	32

/* Tell the driver about a port that it has just learnt of. */
static void introduce(struct port *port)
{
	if (port->number) {
		console_say(port, SAY_NAME);
	} else {
		console_say(port, SAY_CONSOLE);
		if (port->console->sized)
			console_say(port, SAY_SIZE);
	}
	console_say(port, SAY_OPEN);
	if (port_is_over(port))
		console_say(port, SAY_CLOSED);
}

static void hear_ready(struct console *console, bool ready)
{
	unsigned int i;

	/* The driver begins: messages from before are old. */
	for (i = 0; i < console->ports; i++)
		console->port[i]->to_say = 0;
	console->ready = ready;
	if (ready)
		console_say(console->port[0], SAY_ADD);
}

/* @which: INPUT_QUEUE or OUTPUT_QUEUE */
static struct virtio_queue *port_queue(const struct port *port, unsigned int which)
{
	unsigned int first = port->number ? QUEUES + 2 * (port->number - 1) : 0;

	return &port->console->device->queue[first + which];
}

static void set_open(struct port *port, bool open)
{
	port->guest_open = open;
	virtio_kick(port_queue(port, INPUT_QUEUE));
}

/* Take a message of the driver. */
static void hear(struct console *console, const struct virtio_console_control *message)
{
	uint32_t number = le32toh(message->id);

	if (message->event == htole16(VIRTIO_CONSOLE_DEVICE_READY)) {
		hear_ready(console, message->value);
		return;
	}
	if (number >= console->ports)
		return;
	switch (le16toh(message->event)) {
	case VIRTIO_CONSOLE_PORT_READY:
		/* After a suspend, Linux does not say again that the device is ready. */
		if (message->value)
			console->ready = true;
		if (message->value)
			introduce(console->port[number]);
		/*
		 * Add one port after the other, so that none delays the console, which is the
		 * first.
		 */
		if (number + 1 < console->ports)
			console_say(console->port[number + 1], SAY_ADD);
		break;
	case VIRTIO_CONSOLE_PORT_OPEN:
		set_open(console->port[number], message->value);
		break;
	}
}

/*
 * One thread serves both control queues. It answers a message before it gives the message back:
 * Linux waits for that, and then need not wait for us again.
 */
static void run_control(struct virtio_queue *to_driver)
{
	struct virtio_queue *from_driver = &to_driver->device->queue[FROM_DRIVER_QUEUE];
	struct console *console = to_driver->device->private;
	struct virtio_console_control message;
	struct virtio_chain chain;
	int what;

	do {
		what = virtio_wait(to_driver, from_driver->kick, -1);
		if (what & VIRTIO_WAIT_INPUT)
			virtio_take_kick(from_driver);
		while (virtio_pop(from_driver, &chain)) {
			struct iovec *iov = chain.iov;

			if (iov_read(&iov, &chain.out, &message, sizeof(message)) == sizeof(message))
				hear(console, &message);
			console_tell(console);
			virtio_push(from_driver, &chain, 0);
		}
		console_tell(console);
	} while (!(what & VIRTIO_WAIT_STOP));
}

static void console_run(struct virtio_queue *queue)
{
	struct console *console = queue->device->private;
	unsigned int number = queue->index < QUEUES ? 0 : (queue->index - QUEUES) / 2 + 1;

	if (queue->index == TO_DRIVER_QUEUE)
		run_control(queue);
	else if (queue->index == FROM_DRIVER_QUEUE)
		return;	/* the thread of the other queue does its work */
	else if (queue->index % 2 == OUTPUT_QUEUE)
		port_run_output(queue, console->port[number]);
	else
		port_run_input(queue, console->port[number]);
}

/* Without control messages, nothing says when the console is open. */
static void set_features(struct virtio_device *device, bool multiport, bool size)
{
	struct console *console = device->private;
	unsigned int i;

	console->ready = false;
	console->sized = size;
	for (i = 0; i < console->ports; i++)
		console->port[i]->guest_open = !i && !multiport;
}

static int console_start(struct virtio_device *device)
{
	set_features(device, virtio_has_feature(device, VIRTIO_CONSOLE_F_MULTIPORT),
		     virtio_has_feature(device, VIRTIO_CONSOLE_F_SIZE));
	return 0;
}

/*
 * A driver that resets the device gives up what it has offered. But the program that wrote it
 * takes it for written, and a guest's kernel resets all devices when it powers off. So write it
 * first.
 */
static void console_reset(struct virtio_device *device)
{
	struct console *console = device->private;
	unsigned int i;

	for (i = 0; i < console->ports; i++)
		virtio_queue_drain(port_queue(console->port[i], OUTPUT_QUEUE));
	set_features(device, true, false);
}

static void console_exit(struct virtio_device *device)
{
	struct console *console = device->private;
	unsigned int i;

	if (!console)
		return;
	file_close(&console->resized);
	for (i = 0; i < console->ports; i++) {
		if (i)
			port_close(console->port[i]);
		free(console->port[i]);
	}
	free(console);
}

static const struct virtio_ops console_ops = {
	.name = "console",
	.id = VIRTIO_ID_CONSOLE,
	.queues = QUEUES,
	.run = console_run,
	.start = console_start,
	.reset = console_reset,
	.exit = console_exit,
};

static struct port *new_port(struct console *console)
{
	struct port *port = calloc(1, sizeof(*port));

	if (!port)
		return NULL;
	port->console = console;
	port->number = console->ports;
	port->in = port->out = -1;
	console->port[console->ports++] = port;
	return port;
}

/**
 * virtio_console_init() - make the console
 * @device: filled in; virtio_device_exit() it, whatever is returned
 * @memory: the guest's memory
 * @leave: called by a thread of the device when the person types Ctrl-A x
 * @argument: for @leave
 *
 * Return: 0, or a negative errno after telling the person.
 */
int virtio_console_init(struct virtio_device *device, const struct guest_memory *memory,
			void (*leave)(void *), void *argument)
{
	struct console *console;
	struct port *port;
	sigset_t resize;
	int error;

	error = virtio_device_init(device, &console_ops, memory);
	if (error)
		return error;
	console = calloc(1, sizeof(*console));
	if (!console)
		return no_memory();
	device->private = console;	/* from here on console_exit() closes all */
	device->features |= 1ULL << VIRTIO_CONSOLE_F_SIZE | 1ULL << VIRTIO_CONSOLE_F_MULTIPORT;
	/* Linux fills the queue with a page for each entry. */
	device->queue[TO_DRIVER_QUEUE].max = CONTROL_ENTRIES;
	console->device = device;
	console->leave = leave;
	console->argument = argument;
	console->resized = -1;
	port = new_port(console);
	if (!port)
		return no_memory();
	port->in = STDIN_FILENO;
	port->out = STDOUT_FILENO;
	port->ended = !terminal_has_input();
	port->is_tty = isatty(STDIN_FILENO);
	/* In all threads the signal is blocked, so it can only be read. */
	sigemptyset(&resize);
	sigaddset(&resize, SIGWINCH);
	pthread_sigmask(SIG_BLOCK, &resize, NULL);
	console->resized = signalfd(-1, &resize, SFD_CLOEXEC | SFD_NONBLOCK);
	console_write_config(console);
	return 0;
}

/* Add a port with its queues, and nothing behind it yet. @port: it goes there. */
static int add_port(struct virtio_device *device, struct port **port)
{
	struct console *console = device->private;
	int error;

	if (console->ports == CONSOLE_MAX_PORTS)
		return misused("too many ports: %d is the most", CONSOLE_MAX_PORTS - 1);
	*port = new_port(console);
	if (!*port)
		return no_memory();
	error = virtio_device_add_queue(device);
	return error ? error : virtio_device_add_queue(device);
}

/**
 * virtio_console_add_port() - add a port
 * @device: a console that does not run yet
 * @value: the port's name, and what is behind it, as --port has it
 *
 * Return: the port's number, or a negative errno after telling the person.
 */
int virtio_console_add_port(struct virtio_device *device, const char *value)
{
	struct port *port;
	int error = add_port(device, &port);

	if (!error)
		error = port_open(port, value);
	if (error)
		return error;
	console_write_config(device->private);
	return port->number;
}

/**
 * virtio_console_add_socket() - add a port with an open socket behind it
 * @device: a console that does not run yet
 * @name: the port's name, shorter than PORT_NAME_SIZE
 * @fd: the socket, which stays the caller's
 *
 * Return: the port's number, or a negative errno after telling the person.
 */
int virtio_console_add_socket(struct virtio_device *device, const char *name, int fd)
{
	struct port *port;
	int error = add_port(device, &port);

	if (!error)
		error = port_use_descriptor(port, name, fd);
	if (error)
		return error;
	console_write_config(device->private);
	return port->number;
}

/**
 * virtio_console_port_is_open() - does a program in the guest listen?
 * @device: the console
 * @port: what virtio_console_add_port() returned
 *
 * Return: what the guest says of that.
 */
bool virtio_console_port_is_open(const struct virtio_device *device, unsigned int port)
{
	const struct console *console = device->private;

	return console->port[port]->guest_open;
}
