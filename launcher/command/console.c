// SPDX-License-Identifier: GPL-2.0-only
/*
 * lguest console NAME: this terminal becomes the console of a guest that was detached.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control/client.h"
#include "command/commands.h"
#include "base/compiler.h"
#include "control/control.h"
#include "base/exit_status.h"
#include "base/file.h"
#include "base/message.h"
#include "terminal/terminal.h"

#define PATIENCE_S	30
#define END_MS		5000

struct session {
	const char *name;
	int fd;
	int process;		/* pidfd of its lguest, or -1 */
	bool is_tty, ended_input, over;
	struct terminal_keys keys;
	size_t size;		/* typed, but not sent yet */
	uint8_t text[4096];
};

/* Return: 0, or a negative errno after telling the person. */
static int attach(struct session *session)
{
	char line[CONTROL_LINE_MAX];
	uint16_t columns, rows;
	json_t *answer, *error;
	pid_t pid;

	session->fd = client_connect(session->name, &pid);
	if (session->fd < 0)
		return session->fd;
	session->process = pidfd_open(pid, 0);
	terminal_size(&columns, &rows);
	snprintf(line, sizeof(line), "console %u %u", columns, rows);
	answer = client_request(session->fd, line, PATIENCE_S);
	if (!answer)
		return refuse(-EPROTO, "the guest '%s' does not answer: its lguest is process %d",
			      session->name, pid);
	error = json_object_get(answer, "error");
	if (error)
		message("the guest '%s': %s", session->name,
			json_is_string(error) ? json_string_value(error) : "no reason given");
	json_decref(answer);
	return error ? -EPERM : 0;
}

static void resize(struct session *session)
{
	char line[CONTROL_LINE_MAX];
	uint16_t columns, rows;
	pid_t pid;

	terminal_size(&columns, &rows);
	snprintf(line, sizeof(line), "resize %u %u", columns, rows);
	json_decref(client_ask(session->name, &pid, line));
}

static void read_output(struct session *session)
{
	char text[4096];
	ssize_t got = recv(session->fd, text, sizeof(text), MSG_DONTWAIT);

	if (got > 0)
		terminal_write(text, got);
	else if (got == 0 || (errno != EAGAIN && errno != EINTR))
		session->over = true;
}

static void read_input(struct session *session)
{
	ssize_t got = read(STDIN_FILENO, session->text, sizeof(session->text));

	if (got < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (got <= 0) {
		session->ended_input = true;
		return;
	}
	session->size = session->is_tty ? terminal_filter(&session->keys, session->text, got) :
					  (size_t)got;
}

static void send_input(struct session *session)
{
	ssize_t sent = send(session->fd, session->text, session->size, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (sent > 0) {
		session->size -= sent;
		memmove(session->text, session->text + sent, session->size);
	} else if (errno != EAGAIN && errno != EINTR) {
		session->over = true;
	}
}

/* Move bytes until the person leaves or the guest ends. */
static void run(struct session *session, int resized)
{
	struct signalfd_siginfo info;

	while (!session->over && !session->keys.leave) {
		bool wants_input = !session->size && !session->ended_input;
		struct pollfd poll_fd[] = {
			{ .fd = session->fd, .events = session->size ? POLLIN | POLLOUT : POLLIN },
			{ .fd = wants_input ? STDIN_FILENO : -1, .events = POLLIN },
			{ .fd = resized, .events = POLLIN },
		};

		if (poll(poll_fd, ARRAY_SIZE(poll_fd), -1) < 0)
			continue;	/* EINTR */
		if (poll_fd[0].revents & POLLOUT)
			send_input(session);
		if (poll_fd[0].revents & ~POLLOUT)
			read_output(session);
		if (poll_fd[1].revents)
			read_input(session);
		if (poll_fd[2].revents && read(resized, &info, sizeof(info)) > 0)
			resize(session);
	}
}

/* Tell the person why the session is over. Return: the exit status. */
static int tell_end(const struct session *session)
{
	struct pollfd poll_fd = { .fd = session->process, .events = POLLIN };

	if (session->keys.leave) {
		message("left the console of '%s'; it goes on", session->name);
		return EXIT_SUCCESS;
	}
	/*
	 * The process of the guest may live on for a moment after it has closed the connection.
	 */
	if (session->process < 0 || poll(&poll_fd, 1, END_MS) > 0) {
		message("the guest '%s' has ended", session->name);
		return EXIT_SUCCESS;
	}
	message("the guest '%s' goes on, but dropped this console, which took nothing for too long",
		session->name);
	return EXIT_FAILURE;
}

/**
 * command_console() - lguest console NAME
 * @argc: words
 * @argv: the words
 *
 * Return: the exit status: 0 if the person left or the guest ended.
 */
int command_console(int argc, char **argv)
{
	struct session session = { .name = argv[1], .fd = -1, .process = -1 };
	int resized, status = EXIT_FAILURE;
	sigset_t resize_signal;

	if (argc != 2 || *argv[1] == '-') {
		misused("console of which guest? 'lguest list' lists yours");
		return EXIT_USAGE;
	}
	if (terminal_init())
		return status;
	sigemptyset(&resize_signal);
	sigaddset(&resize_signal, SIGWINCH);
	sigprocmask(SIG_BLOCK, &resize_signal, NULL);
	resized = signalfd(-1, &resize_signal, SFD_CLOEXEC | SFD_NONBLOCK);
	if (!attach(&session)) {
		session.is_tty = isatty(STDIN_FILENO);
		terminal_raw();
		run(&session, resized);
		terminal_restore();
		status = tell_end(&session);
	}
	file_close(&session.fd);
	file_close(&session.process);
	file_close(&resized);
	return status;
}
