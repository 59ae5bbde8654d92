// SPDX-License-Identifier: GPL-2.0-only
/*
 * The console of a guest that has no terminal: for one client at a time.
 *
 * Our standard input and output are one end of a pseudo terminal, so terminal.c works as
 * always. A thread moves bytes between the other end and the client. Without a client the
 * guest's output is dropped, except the last lines, which the next client gets first, and
 * what console_log.c writes to a file. A client that does not read blocks the guest's console
 * for a while, as a stopped terminal would; then the thread drops the client.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "terminal/console_log.h"
#include "base/event.h"
#include "base/file.h"
#include "base/message.h"
#include "terminal/recent.h"
#include "terminal/relay.h"
#include "base/thread.h"

#define CTRL_A		0x01
#define LAST_BYTES	4096
#define LAST_LINES	50
/* So long a client may take to read what the guest printed last. */
#define END_MS		5000

static struct {
	int master;		/* -1: the console is elsewhere */
	int wake;		/* eventfd: there is a client, or the end */
	struct thread thread;
	int64_t deadline;	/* by now_ms(); written before stopping is set */
	atomic_bool stopping;
	atomic_bool taken;	/* there is a client, or relay_reserve() promised one */
	atomic_int next;	/* a client that the thread has not taken yet, or -1 */
	/* Only the thread uses these: */
	int client;
	size_t size;		/* bytes in text: from the client, not yet written to the guest */
	uint8_t text[1024];
} relay = { .master = -1, .wake = -1, .next = -1, .client = -1 };

/* Make the terminal raw from the start: it must not change what the guest prints early. */
static int make_terminal(void)
{
	struct termios settings;
	int slave, error = 0;

	relay.master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (relay.master < 0 || grantpt(relay.master) < 0 || unlockpt(relay.master) < 0)
		return refuse(-errno, "can't make a pseudo terminal: %s", strerror(errno));
	/* This becomes our session's terminal, so SIGWINCH comes to us. */
	slave = open(ptsname(relay.master), O_RDWR | O_CLOEXEC);
	if (slave < 0)
		return refuse(-errno, "can't open a pseudo terminal: %s", strerror(errno));
	if (tcgetattr(slave, &settings) < 0) {
		error = -errno;
	} else {
		cfmakeraw(&settings);
		if (tcsetattr(slave, TCSANOW, &settings) < 0 || dup2(slave, STDIN_FILENO) < 0 ||
		    dup2(slave, STDOUT_FILENO) < 0)
			error = -errno;
	}
	close(slave);
	return error ? refuse(error, "can't use a pseudo terminal: %s", strerror(-error)) : 0;
}

/**
 * relay_init() - make standard input and output a pseudo terminal
 *
 * Call this in a process that leads a session without a terminal.
 *
 * Return: 0, or a negative errno after telling the person.
 */
int relay_init(void)
{
	int error = make_terminal();

	if (error)
		return error;
	relay.wake = event_new();
	return relay.wake < 0 ? relay.wake : 0;
}

static void drop_client(void)
{
	file_close(&relay.client);
	relay.taken = false;
}

static bool is_late(void)
{
	return relay.stopping && now_ms() > relay.deadline;
}

/*
 * The socket has a time limit for send(), but each signal of thread_join() starts that anew:
 * so look at the deadline, too.
 */
static void send_client(const char *text, size_t size)
{
	while (size && relay.client >= 0) {
		ssize_t sent = send(relay.client, text, size, MSG_NOSIGNAL);

		if (sent > 0) {
			text += sent;
			size -= sent;
		} else if (errno != EINTR) {
			drop_client();
		}
		if (size && is_late())
			drop_client();
	}
}

static void greet_client(void)
{
	char text[LAST_BYTES], *line = text;
	size_t size = recent_get(text, sizeof(text), LAST_LINES);
	char *end = text + size, *newline;

	while ((newline = memchr(line, '\n', end - line))) {
		send_client(line, newline - line);
		send_client("\r\n", 2);
		line = newline + 1;
	}
	send_client(line, end - line);
}

static void take_client(void)
{
	if (!event_take(relay.wake))
		return;
	relay.client = atomic_exchange(&relay.next, -1);
	if (relay.client >= 0)
		greet_client();
}

/* Return: true if there may be more to read. */
static bool read_guest(void)
{
	char text[4096];
	ssize_t got = read(relay.master, text, sizeof(text));

	if (got > 0)
		console_log_add(text, got);
	if (got > 0)
		send_client(text, got);
	return got > 0 || (got < 0 && errno == EINTR);
}

/* The client has acted on its own Ctrl-A keys: double each Ctrl-A, so that the guest gets it. */
static void read_client(void)
{
	uint8_t typed[sizeof(relay.text) / 2];
	ssize_t i, got = recv(relay.client, typed, sizeof(typed), MSG_DONTWAIT);

	if (got < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (got <= 0)
		drop_client();
	for (i = 0; i < got; i++) {
		if (typed[i] == CTRL_A)
			relay.text[relay.size++] = CTRL_A;
		relay.text[relay.size++] = typed[i];
	}
}

static void write_guest(void)
{
	ssize_t done = write(relay.master, relay.text, relay.size);

	if (done <= 0)
		return;
	relay.size -= done;
	memmove(relay.text, relay.text + done, relay.size);
}

static void *run_relay(void *argument)
{
	while (!relay.stopping) {
		struct pollfd poll_fd[] = {
			{ .fd = relay.wake, .events = relay.client < 0 ? POLLIN : 0 },
			{ .fd = relay.master, .events = relay.size ? POLLIN | POLLOUT : POLLIN },
			{ .fd = relay.size ? -1 : relay.client, .events = POLLIN },
		};

		if (poll(poll_fd, ARRAY_SIZE(poll_fd), -1) < 0)
			continue;	/* EINTR */
		if (poll_fd[0].revents)
			take_client();
		if (poll_fd[1].revents & POLLIN)
			read_guest();
		if (poll_fd[1].revents & POLLOUT)
			write_guest();
		if (poll_fd[2].revents && relay.client >= 0)
			read_client();
	}
	/* Nobody writes to the terminal any more: read what is left in it. */
	while ((relay.client >= 0 || console_log_path()) && !is_late() && read_guest())
		;
	return argument;
}

/**
 * relay_start() - start the thread, if relay_init() was called
 *
 * Return: 0, or a negative errno after telling the person.
 */
int relay_start(void)
{
	return relay.master < 0 ? 0 : thread_start(&relay.thread, run_relay, NULL);
}

/**
 * relay_exit() - the guest has ended: give the client the rest of its output, and drop it
 */
void relay_exit(void)
{
	relay.deadline = now_ms() + END_MS;
	relay.stopping = true;
	if (relay.thread.started) {
		event_set(relay.wake);
		thread_join(&relay.thread);
	}
	drop_client();
	console_log_close();
}

/**
 * relay_reserve() - reserve the console for a client, before relay_attach()
 *
 * Return: 0; -ENOTTY: the console is elsewhere; -EBUSY: there is a client.
 */
int relay_reserve(void)
{
	bool nobody = false;

	if (relay.master < 0)
		return -ENOTTY;
	return atomic_compare_exchange_strong(&relay.taken, &nobody, true) ? 0 : -EBUSY;
}

/**
 * relay_attach() - give the console to a client, after relay_reserve()
 * @fd: the client's socket, with a time limit for send(); the relay closes it
 */
void relay_attach(int fd)
{
	relay.next = fd;
	event_set(relay.wake);
}

/**
 * relay_resize() - the client's window has a new size
 * @columns: its width
 * @rows: its height
 *
 * Return: 0, or a negative errno.
 */
int relay_resize(uint16_t columns, uint16_t rows)
{
	struct winsize size = { .ws_col = columns, .ws_row = rows };

	return ioctl(relay.master, TIOCSWINSZ, &size) < 0 ? -errno : 0;
}
