// SPDX-License-Identifier: GPL-2.0-only
/*
 * The console of a guest of Xen's ABI: a page with two rings of bytes, one each way, which
 * are connected with the launcher's terminal as virtio's console is (virtio/console/port.c).
 * Each way has a thread: a terminal that takes nothing must not keep the person from leaving.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/compiler.h"
#include "base/event.h"
#include "base/file.h"
#include "base/thread.h"
#include "xen/console.h"
#include "xen/console_ring.h"

/* How often to look for room when there is something for the guest: see run_output(). */
#define LOOK_AGAIN_MS	100

static void write_output(struct xen_console *console)
{
	uint8_t text[XEN_CONSOLE_OUT];
	uint32_t size;

	while ((size = xen_console_take(console->ring, &console->out_cons, text))) {
		event_set(console->port.raise);
		terminal_write(text, size);
		/* When the guest has ended, there is no more than the ring held. */
		if (console->stopping)
			return;
	}
}

/*
 * The guest's one port is for both ways: this thread hears of it, and wakes the other. While
 * whoever reads our output takes nothing, this thread hears nothing.
 */
static void *run_output(void *argument)
{
	struct xen_console *console = argument;
	struct pollfd poll_fd[] = {
		{ .fd = console->stop, .events = POLLIN },
		{ .fd = console->port.kick, .events = POLLIN },
	};

	while (!console->stopping) {
		if (poll(poll_fd, ARRAY_SIZE(poll_fd), -1) < 0)
			continue;	/* EINTR */
		if (event_take(console->port.kick))
			console->heard = true;
		event_set(console->room);
		write_output(console);
	}
	/* What a guest said last must not be lost. */
	write_output(console);
	return NULL;
}

/* There is something to read, or input has ended. */
static void read_input(struct xen_console *console)
{
	size_t room = (console->is_tty ? XEN_CONSOLE_INPUT : XEN_CONSOLE_IN) - console->size;
	uint8_t lost[64], *to = room ? console->text + console->size : lost;
	ssize_t got = read(console->in, to, room ? room : sizeof(lost));

	if (got < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (got <= 0) {
		console->ended = true;
		return;
	}
	if (console->is_tty)
		got = terminal_filter(&console->keys, to, got);
	if (room)
		console->size += got;
	if (console->keys.leave)
		console->leave(console->argument);
}

static void give_input(struct xen_console *console)
{
	uint32_t size = xen_console_room(console->ring, console->in_prod);

	if (size > console->size)
		size = console->size;
	if (!size)
		return;
	xen_console_give(console->ring, &console->in_prod, console->text, size);
	console->size -= size;
	memmove(console->text, console->text + size, console->size);
	event_set(console->port.raise);
}

/*
 * From a terminal we read ahead, so that Ctrl-A x works when the guest does not listen. From
 * anything else we take only what the guest takes, and nothing before it has been heard of:
 * the rest may be meant for its next start, or for whoever reads there after us.
 */
static bool wants_input(const struct xen_console *console)
{
	if (console->ended)
		return false;
	return console->is_tty ||
	       (console->heard && !console->size &&
		xen_console_room(console->ring, console->in_prod) == XEN_CONSOLE_IN);
}

/* Is there something that goes on when the guest takes what it has? */
static bool waits_for_room(const struct xen_console *console)
{
	if (console->is_tty)
		return console->size;
	return console->heard && !console->ended && !wants_input(console);
}

static void *run_input(void *argument)
{
	struct xen_console *console = argument;

	while (!console->stopping) {
		struct pollfd poll_fd[] = {
			{ .fd = console->stop, .events = POLLIN },
			{ .fd = console->room, .events = POLLIN },
			{ .fd = wants_input(console) ? console->in : -1, .events = POLLIN },
		};

		if (poll(poll_fd, ARRAY_SIZE(poll_fd),
			 waits_for_room(console) ? LOOK_AGAIN_MS : -1) < 0)
			continue;	/* EINTR */
		if (poll_fd[1].revents)
			event_take(console->room);
		if (poll_fd[2].revents)
			read_input(console);
		give_input(console);
	}
	return NULL;
}

/**
 * xen_console_init() - make the console
 * @console: filled in; xen_console_exit() it, whatever is returned
 * @leave: called from a thread of the console's when the person wants to leave
 * @argument: for @leave
 *
 * Return: 0, or a negative errno after telling the person.
 */
int xen_console_init(struct xen_console *console, void (*leave)(void *), void *argument)
{
	int error;

	memset(console, 0, sizeof(*console));
	console->leave = leave;
	console->argument = argument;
	console->room = console->stop = -1;
	console->in = STDIN_FILENO;
	console->ended = !terminal_has_input();
	console->is_tty = isatty(STDIN_FILENO);
	error = xen_port_init(&console->port);
	if (!error) {
		console->room = event_new();
		console->stop = event_new();
	}
	return console->stop < 0 || console->room < 0 ? -EMFILE : error;
}

/**
 * xen_console_start() - a guest starts
 * @console: as xen_console_init() or xen_console_stop() left it
 * @ring: the guest's
 *
 * Return: 0, or a negative errno after telling the person.
 */
int xen_console_start(struct xen_console *console, struct xen_console_ring *ring)
{
	int error;

	console->ring = ring;
	console->out_cons = console->in_prod = 0;
	console->stopping = console->heard = false;
	event_take(console->stop);
	event_take(console->port.kick);	/* the last guest's */
	error = thread_start(&console->output_thread, run_output, console);
	return error ? error : thread_start(&console->input_thread, run_input, console);
}

/**
 * xen_console_stop() - the guest has ended
 * @console: as xen_console_start() left it, if it came to that
 */
void xen_console_stop(struct xen_console *console)
{
	console->stopping = true;
	if (console->stop >= 0)
		event_set(console->stop);
	thread_join(&console->output_thread);
	thread_join(&console->input_thread);
}

/**
 * xen_console_exit() - give back what xen_console_init() took
 * @console: stopped
 */
void xen_console_exit(struct xen_console *console)
{
	file_close(&console->room);
	file_close(&console->stop);
	xen_port_exit(&console->port);
}
