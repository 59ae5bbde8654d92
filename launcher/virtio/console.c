// SPDX-License-Identifier: GPL-2.0-only
/*
 * The console (virtio 1.2, section 5.3): one port, on our standard input and
 * output.  Output is given back to the Guest only when it is written, and input
 * is read only when the Guest has room for it, so nothing is ever dropped.
 */
#include <errno.h>
#include <linux/virtio_console.h>
#include <linux/virtio_ids.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "../message.h"
#include "../terminal.h"
#include "virtio.h"

enum { INPUT_QUEUE, OUTPUT_QUEUE, QUEUES };

#define INPUT_SIZE	4096

/* All of it belongs to the input queue's thread. */
struct console {
	void (*leave)(void *argument);	/* the person typed Ctrl-A x */
	void *argument;
	bool is_tty;
	bool end_of_input;
	int resized;		/* signalfd: the window has a new size, or -1 */
	struct terminal_keys keys;
	/* Typed, but not yet the Guest's: */
	size_t size;
	uint8_t text[INPUT_SIZE];
};

static void write_config(struct virtio_device *device)
{
	struct virtio_console_config config = { 0 };
	uint16_t columns, rows;

	terminal_size(&columns, &rows);
	config.cols = htole16(columns);
	config.rows = htole16(rows);
	virtio_config_set(device, &config, sizeof(config));
}

static void run_output(struct virtio_queue *queue)
{
	struct virtio_chain chain;
	unsigned int i;
	int what;

	do {
		what = virtio_wait(queue, -1, -1);
		/* At the end, too: what a Guest said last must not be lost. */
		while (virtio_pop(queue, &chain)) {
			for (i = 0; i < chain.out; i++)
				terminal_write(chain.iov[i].iov_base, chain.iov[i].iov_len);
			virtio_push(queue, &chain, 0);
		}
	} while (what != VIRTIO_WAIT_STOP);
}

/* Standard input has something, or has ended. */
static void read_input(struct console *console)
{
	uint8_t *to = console->text + console->size;
	ssize_t got = read(STDIN_FILENO, to, INPUT_SIZE - console->size);

	if (got < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (got <= 0) {
		console->end_of_input = true;
		return;
	}
	if (console->is_tty)
		got = terminal_filter(&console->keys, to, got);
	console->size += got;
	if (console->keys.leave)
		console->leave(console->argument);
}

static void give_input(struct virtio_queue *queue, struct console *console)
{
	struct virtio_chain chain;

	while (console->size && virtio_pop(queue, &chain)) {
		struct iovec *iov = chain.iov + chain.out;
		size_t given = iov_write(&iov, &chain.in, console->text, console->size);

		console->size -= given;
		memmove(console->text, console->text + given, console->size);
		virtio_push(queue, &chain, given);
	}
}

/*
 * From a terminal we read ahead, so that Ctrl-A x works when the Guest does
 * not listen. From anything else we take only what the Guest takes: the rest
 * may be meant for whoever reads there after us.
 */
static bool wants_input(struct virtio_queue *queue, const struct console *console)
{
	if (console->end_of_input || console->size == INPUT_SIZE)
		return false;
	return console->is_tty || (!console->size && virtio_queue_waiting(queue));
}

static void run_input(struct virtio_queue *queue)
{
	struct console *console = queue->device->private;
	struct signalfd_siginfo info;
	int input, what;

	for (;;) {
		input = wants_input(queue, console) ? STDIN_FILENO : -1;
		what = virtio_wait(queue, input, console->resized);
		if (what & VIRTIO_WAIT_STOP)
			return;
		if ((what & VIRTIO_WAIT_INPUT2) &&
		    read(console->resized, &info, sizeof(info)) == sizeof(info))
			write_config(queue->device);
		if (what & VIRTIO_WAIT_INPUT)
			read_input(console);
		give_input(queue, console);
	}
}

static void console_run(struct virtio_queue *queue)
{
	if (queue->index == INPUT_QUEUE)
		run_input(queue);
	else
		run_output(queue);
}

static void console_exit(struct virtio_device *device)
{
	struct console *console = device->private;

	if (console && console->resized >= 0)
		close(console->resized);
	free(console);
}

static const struct virtio_ops console_ops = {
	.name = "console",
	.id = VIRTIO_ID_CONSOLE,
	.queues = QUEUES,
	.run = console_run,
	.exit = console_exit,
};

/**
 * virtio_console_init() - make the console
 * @device: filled in; virtio_device_exit() it, whatever is returned
 * @memory: the Guest's memory
 * @leave: called from a thread of the device's when the person wants to leave
 * @argument: for @leave
 *
 * Return: 0, or a negative errno after telling the person.
 */
int virtio_console_init(struct virtio_device *device, const struct guest_memory *memory,
			void (*leave)(void *), void *argument)
{
	struct console *console;
	sigset_t resize;
	int error;

	error = virtio_device_init(device, &console_ops, memory);
	if (error)
		return error;
	console = calloc(1, sizeof(*console));
	if (!console)
		return refuse(-ENOMEM, "no memory");
	device->private = console;
	device->features |= 1ULL << VIRTIO_CONSOLE_F_SIZE;
	console->leave = leave;
	console->argument = argument;
	console->end_of_input = !terminal_has_input();
	console->is_tty = isatty(STDIN_FILENO);
	/* Blocked in every thread, the signal can only be read. */
	sigemptyset(&resize);
	sigaddset(&resize, SIGWINCH);
	pthread_sigmask(SIG_BLOCK, &resize, NULL);
	console->resized = signalfd(-1, &resize, SFD_CLOEXEC | SFD_NONBLOCK);
	write_config(device);
	return 0;
}
