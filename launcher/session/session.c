// SPDX-License-Identifier: GPL-2.0-only
/*
 * The command that "lguest run" runs in a guest. A thread exchanges frames with the guest's
 * init (session/init/run_init.c) over a socket behind a virtio port: they carry the command's
 * streams, our signals and the command's end. The guest may send anything: a frame that makes
 * no sense ends the session.
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/event.h"
#include "base/exit_status.h"
#include "base/file.h"
#include "base/message.h"
#include "session/session.h"
#include "session/protocol.h"
#include "terminal/terminal.h"
#include "base/thread.h"
#include "vm.h"

static const int passed_signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR2 };

/**
 * session_init() - prepare for a command
 * @session: filled in; session_exit() it, whatever this returns
 * @timeout: seconds after which the command is ended; 0: never
 *
 * From here on the session's thread reads the signals.
 *
 * Return: 0, or a negative errno after telling the person.
 */
int session_init(struct session *session, unsigned int timeout)
{
	struct itimerspec when = { .it_value.tv_sec = timeout };
	int ends[2] = { -1, -1 };
	sigset_t signals;
	unsigned int i;

	memset(session, 0, sizeof(*session));
	pthread_mutex_init(&session->lock, NULL);
	session->status = session->left = -1;
	session->panic_status = EXIT_CRASHED;
	sigemptyset(&signals);
	for (i = 0; i < sizeof(passed_signals) / sizeof(*passed_signals); i++)
		sigaddset(&signals, passed_signals[i]);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	session->signals = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	session->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	session->stop = event_new();
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		ends[0] = ends[1] = -1;
	session->fd = ends[0];
	session->guest_fd = ends[1];
	if (session->signals < 0 || session->timer < 0 || session->stop < 0 || session->fd < 0 ||
	    timerfd_settime(session->timer, 0, &when, NULL) < 0)
		return refuse(-errno, "can't watch over a command: %s", strerror(errno));
	return 0;
}

static void end_process(int status)
{
	terminal_restore();
	_exit(status);
}

/*
 * End the guest. Before it runs, end this process: the main thread may be reading a kernel
 * from a slow disk, or waiting for a program that serves a disk.
 */
static void leave(struct session *session, int status)
{
	if (session->left < 0)
		session->left = status;
	pthread_mutex_lock(&session->lock);
	if (session->vm)
		vm_leave(session->vm);
	else if (!session->attached)
		end_process(status);
	pthread_mutex_unlock(&session->lock);
}

/* Return: the number of a signal that has come, or 0. */
static uint32_t read_signal(struct session *session)
{
	struct signalfd_siginfo info;

	return read(session->signals, &info, sizeof(info)) == sizeof(info) ? info.ssi_signo : 0;
}

static void take_timeout(struct session *session)
{
	uint64_t times;

	if (read(session->timer, &times, sizeof(times)) < 0)
		return;
	message("the time is up");
	leave(session, EXIT_TIMED_OUT);
}

static void take_signal(struct session *session);

/*
 * Wait for one or two descriptors, and meanwhile for signals and the time limit.
 *
 * Return: false if the session is over.
 */
static bool wait_for(struct session *session, struct pollfd *what, unsigned int count)
{
	struct pollfd wait[] = {
		{ .fd = session->signals, .events = POLLIN },
		{ .fd = session->timer, .events = POLLIN },
		what[0],
		what[count - 1],
	};
	int got = poll(wait, 2 + count, -1);
	unsigned int i;

	for (i = 0; i < count; i++)
		what[i].revents = got > 0 ? wait[2 + i].revents : 0;
	if (got > 0 && wait[0].revents)
		take_signal(session);
	if (got > 0 && wait[1].revents)
		take_timeout(session);
	return session->left < 0;
}

static bool send_all(struct session *session, const void *from, size_t size)
{
	struct pollfd room = { .fd = session->fd, .events = POLLOUT };
	const char *at = from;

	while (size) {
		ssize_t done = send(session->fd, at, size, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (done > 0) {
			at += done;
			size -= done;
		} else if (done < 0 && errno == EAGAIN) {
			if (!wait_for(session, &room, 1))
				return false;
		} else if (done < 0 && errno != EINTR) {
			return false;
		}
	}
	return true;
}

static void send_frame(struct session *session, enum session_type type, const void *data,
		       uint32_t length)
{
	struct session_frame frame = { type, length };

	session->sends = true;
	if (send_all(session, &frame, sizeof(frame)))
		send_all(session, data, length);
	session->sends = false;
}

/*
 * Pass the first signal to the command, if the command is there. A second one ends the guest;
 * so does one that can't be passed on while send_frame() waits for the guest.
 */
static void take_signal(struct session *session)
{
	uint32_t number = read_signal(session);

	if (!number)
		return;
	if (session->started && !session->signalled && !session->sends)
		send_frame(session, SESSION_SIGNAL, &number, sizeof(number));
	else
		leave(session, 128 + number);
	session->signalled = number;
}

static void put_output(struct session *session, int fd, const char *from, size_t size)
{
	uint32_t number = fd;

	/* The guest has been told that nobody reads, but may have sent this before. */
	if (session->closed & 1U << fd)
		return;
	while (size) {
		struct pollfd output = { .fd = fd, .events = POLLOUT };
		ssize_t done;

		if (!wait_for(session, &output, 1))
			return;
		if (!output.revents)
			continue;
		/* A pipe that poll() calls writable takes PIPE_BUF bytes without waiting. */
		done = write(fd, from, size < PIPE_BUF ? size : PIPE_BUF);
		if (done > 0) {
			from += done;
			size -= done;
		} else if (done < 0 && errno != EINTR && errno != EAGAIN) {
			session->closed |= 1U << fd;
			send_frame(session, SESSION_CLOSED, &number, sizeof(number));
			return;
		}
	}
}

static void take_stdin(struct session *session)
{
	char data[SESSION_MAX_DATA];
	ssize_t got = read(STDIN_FILENO, data, sizeof(data));

	if (got < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	session->wants_stdin = false;
	if (got > 0) {
		send_frame(session, SESSION_STDIN, data, got);
		return;
	}
	session->reads_stdin = false;
	send_frame(session, SESSION_STDIN_END, NULL, 0);
}

static bool receive(struct session *session, void *to, size_t size)
{
	char *at = to;

	while (size) {
		struct pollfd input = { .fd = session->fd, .events = POLLIN };
		ssize_t got;

		if (!wait_for(session, &input, 1))
			return false;
		if (!input.revents)
			continue;
		got = read(session->fd, at, size);
		if (!got || (got < 0 && errno != EINTR))
			return false;
		if (got > 0) {
			at += got;
			size -= got;
		}
	}
	return true;
}

/* Return: false if this was the last frame, or made no sense. */
static bool take_frame(struct session *session)
{
	char data[SESSION_MAX_DATA];
	struct session_frame frame;
	uint32_t status;

	if (!receive(session, &frame, sizeof(frame)) || frame.length > sizeof(data) ||
	    !receive(session, data, frame.length))
		return false;
	session->started = true;
	switch (frame.type) {
	case SESSION_WANT:
		session->wants_stdin = true;
		return true;
	case SESSION_STDOUT:
		put_output(session, STDOUT_FILENO, data, frame.length);
		return true;
	case SESSION_STDERR:
		put_output(session, STDERR_FILENO, data, frame.length);
		return true;
	case SESSION_EXIT:
		if (frame.length != sizeof(status))
			return false;
		memcpy(&status, data, sizeof(status));
		session->status = status & 0xff;
		send_frame(session, SESSION_GOODBYE, NULL, 0);
		return false;
	default:
		return false;
	}
}

/* No more frames come; the guest should be about to end. */
static void wait_for_end(struct session *session)
{
	struct pollfd stop = { .fd = session->stop, .events = POLLIN };

	while (wait_for(session, &stop, 1) && !stop.revents)
		;
}

static void *run_session(void *argument)
{
	struct session *session = argument;
	bool goes_on = send_all(session, session->command.at, session->command.size);

	while (goes_on) {
		bool reads = session->reads_stdin && session->wants_stdin;
		struct pollfd input[] = {
			{ .fd = session->fd, .events = POLLIN },
			{ .fd = reads ? STDIN_FILENO : -1, .events = POLLIN },
		};

		if (!wait_for(session, input, 2))
			return NULL;
		if (input[1].revents)
			take_stdin(session);
		if (input[0].revents)
			goes_on = take_frame(session);
	}
	wait_for_end(session);
	return NULL;
}

/**
 * session_start() - start the session's thread, which acts on signals
 * @session: from session_init(), with a command
 *
 * Return: 0, or a negative errno after telling the person.
 */
int session_start(struct session *session)
{
	return thread_start(&session->thread, run_session, session);
}

/**
 * session_attach() - the guest is about to run
 * @session: the session
 * @vm: from here on a signal or the time limit ends this VM
 */
void session_attach(struct session *session, struct vm *vm)
{
	pthread_mutex_lock(&session->lock);
	session->attached = true;
	session->vm = vm;
	if (session->left >= 0)
		vm_leave(vm);
	pthread_mutex_unlock(&session->lock);
}

/**
 * session_detach() - the guest does not run any more
 * @session: the session
 */
void session_detach(struct session *session)
{
	pthread_mutex_lock(&session->lock);
	session->vm = NULL;
	pthread_mutex_unlock(&session->lock);
}

/**
 * session_stop() - end the session's thread after it has passed on all that came
 * @session: the session; its guest and its port are gone
 */
void session_stop(struct session *session)
{
	/* The thread still reads what is in the socket, and then the end of file. */
	file_close(&session->guest_fd);
	if (!session->thread.started)
		return;
	event_set(session->stop);
	thread_join(&session->thread);
}

/**
 * session_status() - the exit status of "lguest run"
 * @session: after session_stop()
 * @how_it_ended: what start_guest() returned
 *
 * Return: the exit status.
 */
int session_status(const struct session *session, int how_it_ended)
{
	if (how_it_ended == EXIT_CRASHED)
		return session->panic_status;
	if (how_it_ended != EXIT_SUCCESS)
		return how_it_ended;
	if (session->left >= 0)
		return session->left;
	if (session->status >= 0)
		return session->status;
	message("the guest went down before the command ended");
	return session->panic_status;
}

/**
 * session_exit() - free what session_init() allocated
 * @session: after session_stop()
 */
void session_exit(struct session *session)
{
	file_close(&session->fd);
	file_close(&session->guest_fd);
	file_close(&session->signals);
	file_close(&session->timer);
	file_close(&session->stop);
	free((void *)session->command.at);
	pthread_mutex_destroy(&session->lock);
}
