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

/* How often to look for room when there is something for the guest: see run_output(). */
#define LOOK_AGAIN_MS	100

#define IN_SIZE		(sizeof(((struct xen_console_ring *)0)->in))
#define OUT_SIZE	(sizeof(((struct xen_console_ring *)0)->out))

/* Bytes that the guest has for us; if it lies, none. */
static uint32_t bytes_out(struct xen_console *console)
{
	uint32_t prod = __atomic_load_n(&console->ring->out_prod, __ATOMIC_ACQUIRE);
	uint32_t size = prod - console->out_cons;

	if (size <= OUT_SIZE)
		return size;
	console->out_cons += size;
	return 0;
}

static void write_output(struct xen_console *console)
{
	uint8_t text[OUT_SIZE];
	uint32_t size, i;

	while ((size = bytes_out(console))) {
		for (i = 0; i < size; i++)
			text[i] = console->ring->out[(console->out_cons + i) % OUT_SIZE];
		console->out_cons += size;
		__atomic_store_n(&console->ring->out_cons, console->out_cons, __ATOMIC_RELEASE);
		/* The guest sees that before we look once more at where it is. */
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
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

/* Bytes that the guest has room for; if it lies, none. */
static uint32_t room_in(const struct xen_console *console)
{
	uint32_t cons = __atomic_load_n(&console->ring->in_cons, __ATOMIC_ACQUIRE);
	uint32_t used = console->in_prod - cons;

	return used <= IN_SIZE ? IN_SIZE - used : 0;
}

/* There is something to read, or input has ended. */
static void read_input(struct xen_console *console)
{
	size_t room = (console->is_tty ? XEN_CONSOLE_INPUT : IN_SIZE) - console->size;
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
	uint32_t room = room_in(console), size, i;

	size = console->size < room ? console->size : room;
	if (!size)
		return;
	for (i = 0; i < size; i++)
		console->ring->in[(console->in_prod + i) % IN_SIZE] = console->text[i];
	console->in_prod += size;
	__atomic_store_n(&console->ring->in_prod, console->in_prod, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);	/* as in write_output() */
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
	       (console->heard && !console->size && room_in(console) == IN_SIZE);
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
