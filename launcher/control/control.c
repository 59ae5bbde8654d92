// SPDX-License-Identifier: GPL-2.0-only
/*
 * The control socket: other processes connect to it in the runtime directory, and ask for
 * what requests.c can do with the guest of this launcher.
 *
 * A client sends one line of words and gets one line of JSON: an object with "ok", and with
 * "error" where that is false. One thread serves the clients in turn; all of them must be
 * processes of our own user. The socket exists from before the guest is made until after its
 * end, across its restarts. While no guest runs, requests that need one are refused.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control/answer.h"
#include "base/clock.h"
#include "base/compiler.h"
#include "option/config.h"
#include "control/control.h"
#include "base/event.h"
#include "base/file.h"
#include "base/message.h"
#include "terminal/relay.h"
#include "control/requests.h"
#include "control/runtime.h"
#include "terminal/terminal.h"
#include "base/thread.h"
#include "vm.h"

/* A client that connects and then says nothing holds up the others for so long. */
#define PATIENCE_S	5
/* After accept() has failed, the next try comes after so long. */
#define RETRY_MS	200

static struct {
	struct request_guest guest;
	int term;		/* eventfd: a SIGTERM has come; or -1 */
	struct runtime runtime;	/* kept open: at the end, the sandbox may allow no names of files */
	int listener, stop;
	int spare;		/* copy of stop: frees a number for a client when none is left */
	struct thread thread;
	atomic_bool ending;	/* the thread waits for no client any more */
} control = {
	.runtime.fd = -1, .listener = -1, .stop = -1, .spare = -1, .term = -1,
	.guest.lock = PTHREAD_MUTEX_INITIALIZER,
};

/* Read up to the newline, and remove it. Return: is there a whole line? */
static bool read_line(int fd, char *line)
{
	size_t size = 0;

	while (size < CONTROL_LINE_MAX) {
		ssize_t got = recv(fd, line + size, CONTROL_LINE_MAX - size, 0);

		if (got < 0 && errno == EINTR && !control.ending)
			continue;
		if (got <= 0)
			return false;
		size += got;
		if (line[size - 1] == '\n') {
			line[size - 1] = '\0';
			return !memchr(line, '\n', size) && strlen(line) == size - 1;
		}
	}
	return false;
}

static bool is_served(int fd)
{
	struct timeval patience = { .tv_sec = PATIENCE_S };
	struct ucred peer;
	socklen_t size = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 || peer.uid != geteuid())
		return false;
	return !setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) &&
	       !setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
}

static void serve(int fd)
{
	char line[CONTROL_LINE_MAX];

	control.guest.attach = false;
	if (is_served(fd) && read_line(fd, line))
		answer_send(fd, request_answer(&control.guest, line));
	if (control.guest.attach)
		relay_attach(fd);
	else if (control.spare < 0 && dup3(control.stop, fd, O_CLOEXEC) >= 0)
		control.spare = fd;	/* closes fd, and no other thread can get the number in between */
	else
		close(fd);
}

static void end_guest(void)
{
	pthread_mutex_lock(&control.guest.lock);
	if (control.guest.vm)
		vm_leave(control.guest.vm);
	pthread_mutex_unlock(&control.guest.lock);
}

/*
 * Service managers, sessions that end, and shutdown(8) stop programs by SIGTERM. Pass the
 * first one on to the guest's agent, if the guest has one. The second one ends this process,
 * whatever this thread does.
 */
static void take_term(void)
{
	bool told = false;

	if (!event_take(control.term))
		return;
	pthread_mutex_lock(&control.guest.lock);
	if (!control.guest.killed && control.guest.vm && !control.guest.vm->pause.wanted)
		told = !vm_power_down(control.guest.vm);
	pthread_mutex_unlock(&control.guest.lock);
	if (!told)
		terminal_die(SIGTERM);
	message("the guest is told to switch itself off; another SIGTERM ends it at once");
}

/* With "lguest run", the session reads the signals. */
static int watch_term(void)
{
	if (control.guest.options->for_command)
		return 0;
	control.term = event_new();
	if (control.term < 0)
		return control.term;
	terminal_pass_term(control.term);
	return 0;
}

static void keep_spare(void)
{
	if (control.spare < 0)
		control.spare = fcntl(control.stop, F_DUPFD_CLOEXEC, 0);
}

/*
 * A guest may make us open all the files that we may have. Close the spare descriptor then,
 * so that a client can still end the guest. ENFILE is a limit of the whole host: closing one
 * of ours would not help.
 */
static int accept_client(void)
{
	int fd = accept4(control.listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd >= 0 || errno != EMFILE || control.spare < 0)
		return fd;
	file_close(&control.spare);
	return accept4(control.listener, NULL, NULL, SOCK_CLOEXEC);
}

static void *run_control(void *argument)
{
	struct pollfd poll_fd[] = {
		{ .fd = control.stop, .events = POLLIN },
		{ .fd = control.listener, .events = POLLIN },
		{ .fd = control.term, .events = POLLIN },
	};
	int fd;

	for (;;) {
		keep_spare();
		if (poll(poll_fd, ARRAY_SIZE(poll_fd), -1) < 0)
			continue;	/* EINTR */
		if (poll_fd[0].revents)
			return argument;
		if (poll_fd[2].revents)
			take_term();
		if (!poll_fd[1].revents)
			continue;
		fd = accept_client();
		if (fd < 0) {
			poll(&poll_fd[0], 1, RETRY_MS);
			continue;
		}
		serve(fd);
		if (control.guest.killed)
			end_guest();
	}
}

/* A guest without --name is called after the process. */
static int take_name(const struct options *options)
{
	int error;

	if (options->name)
		snprintf(control.guest.name, sizeof(control.guest.name), "%s", options->name);
	else
		snprintf(control.guest.name, sizeof(control.guest.name), "lguest-%d", getpid());
	error = runtime_open(&control.runtime, true);
	if (error)
		return error;
	control.listener = runtime_listen(&control.runtime, control.guest.name);
	runtime_unlock(&control.runtime);
	return control.listener < 0 ? control.listener : 0;
}

/**
 * control_init() - from now on clients can connect; control_start() answers them
 * @options: what the person wants; lives until control_exit()
 *
 * Return: 0, or a negative errno after telling the person; control_exit() it anyway.
 */
int control_init(const struct options *options)
{
	int error;

	control.guest.options = options;
	control.guest.since = now_ms();
	error = take_name(options);
	if (error)
		return error;
	control.stop = event_new();
	if (control.stop < 0)
		return control.stop;
	keep_spare();
	return 0;
}

/**
 * control_start() - from now on clients are answered
 *
 * Return: 0, or a negative errno after telling the person.
 */
int control_start(void)
{
	int error;

	if (control.stop < 0)
		return 0;
	error = watch_term();
	return error ? error : thread_start(&control.thread, run_control, NULL);
}

/**
 * control_directory() - the directory that the socket is in
 *
 * Return: a descriptor, or -1 if there is no socket.
 */
int control_directory(void)
{
	return control.runtime.fd;
}

/**
 * control_exit() - close the control socket
 *
 * Gives the name back before the socket is closed: another guest may take the name then.
 */
void control_exit(void)
{
	if (control.listener >= 0)
		runtime_remove(&control.runtime, control.guest.name);
	if (control.thread.started) {
		/* Else each signal would let read_line() wait for PATIENCE_S anew. */
		control.ending = true;
		event_set(control.stop);
		thread_join(&control.thread);
	}
	terminal_pass_term(-1);
	control.ending = false;
	file_close(&control.stop);
	file_close(&control.listener);
	file_close(&control.spare);
	file_close(&control.term);
	runtime_close(&control.runtime);
}

/**
 * control_name() - what the guest is called
 *
 * Return: text that lives as long as the process.
 */
const char *control_name(void)
{
	return control.guest.name;
}

/**
 * control_guest() - tell the control socket which VM runs
 * @vm: a VM whose virtual CPUs have threads; NULL: there is none, or it is about to end
 */
void control_guest(struct vm *vm)
{
	pthread_mutex_lock(&control.guest.lock);
	control.guest.vm = vm;
	if (vm && control.guest.killed)
		vm->leaving = true;
	pthread_mutex_unlock(&control.guest.lock);
}

/**
 * control_killed() - has a client asked for the guest's end?
 *
 * Return: true from then on: the guest must not restart.
 */
bool control_killed(void)
{
	return control.guest.killed;
}
