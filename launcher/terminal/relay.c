// SPDX-License-Identifier: GPL-2.0-only
/*
 * The console of a Guest that has no terminal: for one client at a time.
 *
 * Our standard input and output are one end of a pseudo terminal, so that all that knows
 * terminals works as ever; a thread moves bytes between its other end and the client. Without
 * a client what the Guest prints is thrown away, but for the last lines, which the next
 * client gets first, and for what goes to a file (console_log.c). A client that does not read holds the Guest's console up for a
 * while, as a stopped terminal would, and is then dropped.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "terminal/console_log.h"
#include "base/file.h"
#include "base/message.h"
#include "terminal/recent.h"
#include "terminal/relay.h"
#include "base/thread.h"

#define CTRL_A		0x01
#define LAST_BYTES	4096
#define LAST_LINES	50
/* A client has so long for what the Guest said last. */
#define END_MS		5000

static struct {
	int master;		/* -1: the console is elsewhere */
	int wake;		/* eventfd: there is a client, or the end */
	bool has_thread;
	pthread_t thread;
	int64_t deadline;	/* now_ms(); before stopping is set */
	atomic_bool stopping;
	atomic_bool taken;	/* there is a client, or going to be one */
	atomic_int next;	/* a client whom the thread does not know yet, or -1 */
	/* The thread's own: */
	int client;
	size_t size;		/* bytes from the client that the Guest does not have yet */
	uint8_t text[1024];
} relay = { .master = -1, .wake = -1, .next = -1, .client = -1 };

/* Raw from the start: what the Guest prints early is nobody's to change. */
static int make_terminal(void)
{
	struct termios settings;
	int slave, error = 0;

	relay.master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (relay.master < 0 || grantpt(relay.master) < 0 || unlockpt(relay.master) < 0)
		return refuse(-errno, "can't make a pseudo terminal: %s", strerror(errno));
	/* Of a session without one it becomes the terminal, which gets SIGWINCH. */
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
 * relay_init() - standard input and output become a terminal of our own
 *
 * The process leads a session that has no terminal.
 *
 * Return: 0, or a negative errno after telling the person.
 */
int relay_init(void)
{
	int error = make_terminal();

	if (error)
		return error;
	relay.wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return relay.wake < 0 ? refuse(-errno, "can't make an eventfd: %s", strerror(errno)) : 0;
}

static void wake(void)
{
	uint64_t one = 1;

	if (write(relay.wake, &one, sizeof(one)) < 0)
		return;	/* it is signalled already */
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
 * Its socket has a time limit, but thread_join()'s signals would begin that anew again
 * and again.
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
	uint64_t count;

	if (read(relay.wake, &count, sizeof(count)) < 0)
		return;
	relay.client = atomic_exchange(&relay.next, -1);
	if (relay.client >= 0)
		greet_client();
}

/* Return: is there more, perhaps? */
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

/* Ctrl-A is the client's own key; what comes here is meant for the Guest. */
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
	/* Nobody writes to the terminal any more, but not all of it may have been read. */
	while ((relay.client >= 0 || console_log_path()) && !is_late() && read_guest())
		;
	return argument;
}

/**
 * relay_start() - begin to move bytes, if the console is here
 *
 * Return: 0, or a negative errno after telling the person.
 */
int relay_start(void)
{
	int error;

	if (relay.master < 0)
		return 0;
	error = thread_start(&relay.thread, run_relay, NULL);
	relay.has_thread = !error;
	return error;
}

/**
 * relay_exit() - no more; a client gets what is still to come, and sees the end
 *
 * The Guest has ended.
 */
void relay_exit(void)
{
	relay.deadline = now_ms() + END_MS;
	relay.stopping = true;
	if (relay.has_thread) {
		wake();
		thread_join(relay.thread);
		relay.has_thread = false;
	}
	drop_client();
	console_log_close();
}

/**
 * relay_reserve() - be going to have a client
 *
 * Return: 0; -ENOTTY: the console is elsewhere; -EBUSY: it has one.
 */
int relay_reserve(void)
{
	bool nobody = false;

	if (relay.master < 0)
		return -ENOTTY;
	return atomic_compare_exchange_strong(&relay.taken, &nobody, true) ? 0 : -EBUSY;
}

/**
 * relay_attach() - have a client
 * @fd: of its, with a time limit for sending; it is ours now. relay_reserve() succeeded
 */
void relay_attach(int fd)
{
	relay.next = fd;
	wake();
}

/**
 * relay_resize() - the client's window has another size
 * @columns: the new one
 * @rows: the new one
 *
 * Return: 0 or a negative errno.
 */
int relay_resize(uint16_t columns, uint16_t rows)
{
	struct winsize size = { .ws_col = columns, .ws_row = rows };

	return ioctl(relay.master, TIOCSWINSZ, &size) < 0 ? -errno : 0;
}
