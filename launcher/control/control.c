// SPDX-License-Identifier: GPL-2.0-only
/*
 * What other processes can ask of this one's Guest: a socket in the runtime directory.
 *
 * Whoever connects sends one line of words, and gets one line of JSON: an object with
 * "ok", and with "error" where that is false. A thread of its own serves one after the
 * other; only processes of our own user are served. The socket is there from before the
 * Guest is made to after its end, across its restarts; in between, requests that need a
 * running Guest are refused.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control/answer.h"
#include "base/clock.h"
#include "base/compiler.h"
#include "option/config.h"
#include "terminal/console_log.h"
#include "control/control.h"
#include "base/file.h"
#include "base/message.h"
#include "base/number.h"
#include "pause.h"
#include "terminal/recent.h"
#include "terminal/relay.h"
#include "control/runtime.h"
#include "control/stats.h"
#include "terminal/terminal.h"
#include "base/thread.h"
#include "virtio/balloon.h"
#include "vm.h"

/* Who connects and then says nothing holds up the others for so long. */
#define PATIENCE_S	5
/* Whoever could not be let in is tried again after so long. */
#define RETRY_MS	200
/* Of the console, if it goes to no file. */
#define LOG_BYTES	8192

static struct {
	const struct options *options;
	char name[RUNTIME_NAME_MAX];
	int term;		/* eventfd: there was a SIGTERM; or -1 */
	int64_t since;		/* now_ms() when we began */
	struct runtime runtime;	/* kept: there may be no names of files any more at the end */
	int listener, stop;
	int spare;		/* of stop: its number is a client's when no other is left */
	pthread_t thread;
	bool has_thread;
	atomic_bool killed;
	atomic_bool ending;	/* its thread waits for nobody any more */
	bool attach;		/* who is served now becomes the console's client */
	/* Held while the Guest is worked on, so that it stays there. */
	pthread_mutex_t lock;
	struct vm *vm;		/* the Guest, while it runs */
} control = {
	.runtime.fd = -1, .listener = -1, .stop = -1, .spare = -1, .term = -1,
	.lock = PTHREAD_MUTEX_INITIALIZER,
};

static const char *state(const struct vm *vm)
{
	if (!vm)
		return "starting";
	return vm->pause.wanted ? "paused" : "running";
}

static json_t *do_info(struct vm *vm, char **argument)
{
	const struct options *options = control.options;

	(void)argument;
	return answer_done("{s:s, s:i, s:s, s:I, s:I, s:i, s:o}", "name", control.name,
			   "pid", (int)getpid(), "state", state(vm),
			   "uptime", (json_int_t)(now_ms() - control.since) / 1000,
			   "memory", (json_int_t)options->memory, "cpus", (int)options->cpus,
			   "kernel", answer_text(options->kernel));
}

static json_t *do_stats(struct vm *vm, char **argument)
{
	(void)argument;
	return stats_answer(vm, control.name, state(vm));
}

/* argument[0]: bytes, in decimal. */
static json_t *do_balloon(struct vm *vm, char **argument)
{
	uint64_t bytes;

	if (!number_parse(argument[0], 0, UINT64_MAX, &bytes))
		return answer_refused("'%s' is no number of bytes", argument[0]);
	if (bytes >= vm->memory.size)
		return answer_refused("it has %llu MiB, and can't give all of that back",
				      (unsigned long long)vm->memory.size >> 20);
	balloon_set(vm->balloon, bytes);
	return answer_done(NULL);
}

static json_t *do_pause(struct vm *vm, char **argument)
{
	int error = pause_guest(vm);

	(void)argument;
	switch (error) {
	case 0:
		return answer_done(NULL);
	case -EALREADY:
		return answer_refused("it is paused already");
	case -ESRCH:
		return answer_refused("it is just ending");
	case -ETIMEDOUT:
		return answer_refused("its output has no reader now; try again");
	default:
		return answer_refused("the host can't stop its time: %s", strerror(-error));
	}
}

static json_t *do_resume(struct vm *vm, char **argument)
{
	int error = pause_end(vm);

	(void)argument;
	if (error == -EALREADY)
		return answer_refused("it is not paused");
	return error ? answer_refused("the host can't let its time go on: %s", strerror(-error)) :
		       answer_done(NULL);
}

static bool parse_size(char **argument, uint16_t *columns, uint16_t *rows)
{
	uint64_t value[2];

	if (!number_parse(argument[0], 0, UINT16_MAX, &value[0]) ||
	    !number_parse(argument[1], 0, UINT16_MAX, &value[1]))
		return false;
	*columns = value[0];
	*rows = value[1];
	return true;
}

/* The connection becomes the console's once this is answered. */
static json_t *do_console(struct vm *vm, char **argument)
{
	uint16_t columns, rows;

	(void)vm;
	if (!parse_size(argument, &columns, &rows))
		return answer_refused("a window has columns and rows");
	switch (relay_reserve()) {
	case -ENOTTY:
		return answer_refused("its console is where it was started; --detach starts one without");
	case -EBUSY:
		return answer_refused("its console is in use");
	}
	control.attach = true;
	relay_resize(columns, rows);
	return answer_done(NULL);
}

/* What it printed: the name of the file, or the last lines. */
static json_t *do_log(struct vm *vm, char **argument)
{
	char text[LOG_BYTES + 1];

	(void)vm;
	(void)argument;
	if (console_log_path())
		return answer_done("{s:o}", "file", answer_text(console_log_path()));
	text[recent_get(text, LOG_BYTES, LOG_BYTES)] = '\0';
	return answer_done("{s:o}", "text", answer_text(text));
}

static json_t *do_resize(struct vm *vm, char **argument)
{
	uint16_t columns, rows;

	(void)vm;
	if (!parse_size(argument, &columns, &rows))
		return answer_refused("a window has columns and rows");
	return relay_resize(columns, rows) ? answer_refused("its console has no window") :
					     answer_done(NULL);
}

/* What "lguest run" was there for is told as by kill(1), and that is its end, too. */
static json_t *do_stop(struct vm *vm, char **argument)
{
	(void)argument;
	if (vm->pause.wanted)
		return answer_refused("it is paused: 'lguest resume %s' lets it go on", control.name);
	if (control.options->for_command) {
		kill(getpid(), SIGTERM);
		return answer_done(NULL);
	}
	switch (agent_power_down(&vm->agent)) {
	case 0:
		return answer_done(NULL);
	case -ENODEV:
		return answer_refused("it was started without --name or --detach, and can't be told: 'lguest kill %s' ends it",
				      control.name);
	case -ENOTCONN:
		return answer_refused("no guest agent runs in it: 'lguest kill %s' ends it", control.name);
	default:
		return answer_refused("its guest agent does not listen: 'lguest kill %s' ends it",
				      control.name);
	}
}

/* Answered before it is done: there may be nobody to answer after it. */
static json_t *do_kill(struct vm *vm, char **argument)
{
	(void)vm;
	(void)argument;
	control.killed = true;
	return answer_done(NULL);
}

static const struct request {
	const char *word;
	bool needs_guest;	/* that runs: vm is not NULL then */
	int arguments;
	json_t *(*run)(struct vm *vm, char **argument);
} requests[] = {
	{ "info", false, 0, do_info },
	{ "stats", true, 0, do_stats },
	{ "pause", true, 0, do_pause },
	{ "resume", true, 0, do_resume },
	{ "balloon", true, 1, do_balloon },
	{ "console", false, 2, do_console },
	{ "resize", false, 2, do_resize },
	{ "log", false, 0, do_log },
	{ "stop", true, 0, do_stop },
	{ "kill", false, 0, do_kill },
};

#define MAX_ARGUMENTS	2

static json_t *answer_request(char *line)
{
	char *argument[MAX_ARGUMENTS + 1] = { NULL }, *rest = NULL;
	char *word = strtok_r(line, " ", &rest);
	const struct request *request = NULL;
	json_t *answer;
	unsigned int i;
	int count;

	for (i = 0; word && i < ARRAY_SIZE(requests); i++)
		if (!strcmp(word, requests[i].word))
			request = &requests[i];
	if (!request)
		return answer_refused("no such request: is the guest's lguest an older one?");
	for (count = 0; count <= MAX_ARGUMENTS; count++)
		if (!(argument[count] = strtok_r(NULL, " ", &rest)))
			break;
	if (count != request->arguments)
		return answer_refused("'%s' takes %d words", request->word, request->arguments);
	pthread_mutex_lock(&control.lock);
	answer = request->needs_guest && !control.vm ?
		 answer_refused("it is not running yet, or not any more") :
		 request->run(control.vm, argument);
	pthread_mutex_unlock(&control.lock);
	return answer;
}

/* What is said of every answer: whose rules it follows. */
static json_t *do_request(char *line)
{
	json_t *answer = answer_request(line);

	json_object_set_new(answer, "version", json_integer(CONTROL_VERSION));
	return answer;
}

/* Up to its newline, which goes. Return: is there a whole line? */
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

	control.attach = false;
	if (is_served(fd) && read_line(fd, line))
		answer_send(fd, do_request(line));
	if (control.attach)
		relay_attach(fd);
	else if (control.spare < 0 && dup3(control.stop, fd, O_CLOEXEC) >= 0)
		control.spare = fd;	/* closed, but nobody else got the number in between */
	else
		close(fd);
}

static void end_guest(void)
{
	pthread_mutex_lock(&control.lock);
	if (control.vm)
		vm_leave(control.vm);
	pthread_mutex_unlock(&control.lock);
}

/*
 * SIGTERM is how service managers, sessions that end, and shutdown(8) stop programs. The
 * first one is for the Guest, if that has somebody who understands; a second one means us, and
 * ends us whatever this thread does.
 */
static void take_term(void)
{
	bool told = false;
	uint64_t times;

	if (read(control.term, &times, sizeof(times)) < 0)
		return;
	pthread_mutex_lock(&control.lock);
	if (!control.killed && control.vm && !control.vm->pause.wanted)
		told = !agent_power_down(&control.vm->agent);
	pthread_mutex_unlock(&control.lock);
	if (!told)
		terminal_die(SIGTERM);
	message("the guest is told to switch itself off; another SIGTERM ends it at once");
}

/* A command that the Guest is there for has signals of its own. */
static int watch_term(void)
{
	if (control.options->for_command)
		return 0;
	control.term = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (control.term < 0)
		return refuse(-errno, "can't make an eventfd: %s", strerror(errno));
	terminal_pass_term(control.term);
	return 0;
}

static void keep_spare(void)
{
	if (control.spare < 0)
		control.spare = fcntl(control.stop, F_DUPFD_CLOEXEC, 0);
}

/*
 * A Guest that makes us open all the files we may must not keep others from ending it.
 * ENFILE is all the Host's: no number of ours would help.
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
		if (control.killed)
			end_guest();
	}
}

/* Without a name of its own, a Guest can do without the socket, too. */
static int take_name(const struct options *options)
{
	int error;

	if (options->name)
		snprintf(control.name, sizeof(control.name), "%s", options->name);
	else
		snprintf(control.name, sizeof(control.name), "lguest-%d", getpid());
	error = runtime_open(&control.runtime, true);
	if (error)
		return error;
	control.listener = runtime_listen(&control.runtime, control.name);
	runtime_unlock(&control.runtime);
	return control.listener < 0 ? control.listener : 0;
}

/**
 * control_init() - from now on, others can ask; control_start() answers
 * @options: what the person wants; lives until control_exit()
 *
 * Return: 0, or a negative errno after telling the person; control_exit() it anyway.
 */
int control_init(const struct options *options)
{
	int error;

	control.options = options;
	control.since = now_ms();
	error = take_name(options);
	if (error)
		return error;
	control.stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (control.stop >= 0)
		keep_spare();
	return control.stop < 0 ? refuse(-errno, "can't make an eventfd: %s", strerror(errno)) : 0;
}

/**
 * control_start() - from now on, they are answered
 *
 * Return: 0, or a negative errno after telling the person.
 */
int control_start(void)
{
	int error = 0;

	if (control.stop >= 0)
		error = watch_term();
	if (control.stop >= 0 && !error)
		error = thread_start(&control.thread, run_control, NULL);
	control.has_thread = control.stop >= 0 && !error;
	return error;
}

/**
 * control_directory() - where its socket lies
 *
 * Return: a descriptor, or -1 if there is no socket.
 */
int control_directory(void)
{
	return control.runtime.fd;
}

/**
 * control_exit() - nobody can ask any more
 *
 * The name is given back before the socket: another Guest may take it then.
 */
void control_exit(void)
{
	uint64_t one = 1;

	if (control.listener >= 0)
		runtime_remove(&control.runtime, control.name);
	if (control.has_thread) {
		/* Else each wake-up would give a client that says nothing its time anew. */
		control.ending = true;
		if (write(control.stop, &one, sizeof(one)) < 0)
			message("can't stop the control socket: %s", strerror(errno));
		thread_join(control.thread);
	}
	terminal_pass_term(-1);
	control.has_thread = false;
	control.ending = false;
	file_close(&control.stop);
	file_close(&control.listener);
	file_close(&control.spare);
	file_close(&control.term);
	runtime_close(&control.runtime);
}

/**
 * control_name() - what the Guest is called
 *
 * Return: text that stays.
 */
const char *control_name(void)
{
	return control.name;
}

/**
 * control_guest() - there is a Guest to be asked of, or no more
 * @vm: its virtual CPUs have threads; NULL: they are about to end
 */
void control_guest(struct vm *vm)
{
	pthread_mutex_lock(&control.lock);
	control.vm = vm;
	if (vm && control.killed)
		vm->leaving = true;
	pthread_mutex_unlock(&control.lock);
}

/**
 * control_killed() - did somebody ask for the Guest's end?
 *
 * Return: true from then on: it is not to restart.
 */
bool control_killed(void)
{
	return control.killed;
}
