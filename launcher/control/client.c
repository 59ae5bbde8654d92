// SPDX-License-Identifier: GPL-2.0-only
/*
 * Asking the launcher of another guest: the other end of control.c.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control/client.h"
#include "base/clock.h"
#include "control/control.h"
#include "base/message.h"
#include "control/runtime.h"

/* A pause waits for the threads of the guest, and requests wait for each other. */
#define PATIENCE_S	30

/* Far more than the counts of 16 virtual CPUs need. */
#define ANSWER_MAX	(1 << 20)

/**
 * client_find() - connect to a guest's launcher, or at least learn which process it is
 * @name: the guest's
 * @pid: the process of its launcher goes there; 0: it is unknown
 *
 * Return: a descriptor; -EAGAIN if its launcher accepts no more connections, and nobody is
 * told; another negative errno after telling the person.
 */
int client_find(const char *name, pid_t *pid)
{
	struct runtime runtime;
	int fd;

	fd = runtime_check_name(name);
	if (fd)
		return fd;
	fd = runtime_open(&runtime, false);
	if (!fd) {
		fd = runtime_connect(&runtime, name, pid);
		runtime_close(&runtime);
	}
	if (fd == -ENOENT)
		return refuse(fd, "there is no guest '%s': 'lguest list' lists yours", name);
	return fd;
}

/**
 * client_refuse() - say that a guest's launcher does not answer
 * @error: a negative errno
 * @name: the guest's
 * @pid: the process of its launcher
 *
 * Return: @error, after telling the person.
 */
int client_refuse(int error, const char *name, pid_t pid)
{
	return refuse(error, "the guest '%s' does not answer: its lguest is process %d ('lguest kill %s' ends it)",
		      name, pid, name);
}

/**
 * client_connect() - connect to a guest's launcher
 * @name: the guest's
 * @pid: the process of its launcher goes there
 *
 * Return: a descriptor, or a negative errno after telling the person.
 */
int client_connect(const char *name, pid_t *pid)
{
	int fd = client_find(name, pid);

	return fd == -EAGAIN ? client_refuse(fd, name, *pid) : fd;
}

/* Return: does something come to be read before @until? */
static bool wait_for_answer(int fd, int64_t until)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	int64_t left;
	int got;

	do {
		left = until - now_ms();
		got = poll(&poll_fd, 1, left > 0 ? left : 0);
	} while (got < 0 && errno == EINTR);
	return got > 0;
}

/* Read up to the newline, and not a byte more: other things may follow. */
static char *read_answer(int fd, int64_t until)
{
	size_t size = 0;
	FILE *out;
	char *text, c;

	out = open_memstream(&text, &size);
	if (!out)
		return NULL;
	while (ftell(out) < ANSWER_MAX) {
		ssize_t got = recv(fd, &c, 1, MSG_DONTWAIT);

		if (got < 0 && (errno == EINTR || errno == EAGAIN) && wait_for_answer(fd, until))
			continue;
		if (got <= 0 || c == '\n')
			break;
		fputc(c, out);
	}
	if (fclose(out))
		return NULL;
	return text;
}

/**
 * client_send() - ask for something, and do not wait for the answer
 * @fd: from client_connect()
 * @line: the request
 *
 * Return: true if it is on its way.
 */
bool client_send(int fd, const char *line)
{
	char request[CONTROL_LINE_MAX];
	int size = snprintf(request, sizeof(request), "%s\n", line);

	return size < (int)sizeof(request) &&
	       send(fd, request, size, MSG_NOSIGNAL | MSG_DONTWAIT) == size;
}

/**
 * client_receive() - receive the answer to client_send()
 * @fd: from client_connect()
 * @until: how long to wait, by now_ms()
 *
 * Return: the answer, good or bad, or NULL if there is none.
 */
json_t *client_receive(int fd, int64_t until)
{
	char *text = read_answer(fd, until);
	json_t *answer;

	answer = text ? json_loads(text, JSON_REJECT_DUPLICATES, NULL) : NULL;
	free(text);
	if (json_is_boolean(json_object_get(answer, "ok")))
		return answer;
	json_decref(answer);
	return NULL;
}

/**
 * client_request() - ask for something
 * @fd: from client_connect()
 * @line: the request
 * @patience_s: seconds to wait for the answer
 *
 * Return: the answer, good or bad, or NULL if there is none.
 */
json_t *client_request(int fd, const char *line, unsigned int patience_s)
{
	int64_t until = now_ms() + patience_s * 1000LL;

	return client_send(fd, line) ? client_receive(fd, until) : NULL;
}

/**
 * client_insist() - ask for something, and tell the person if it is refused
 * @fd: from client_connect(); closed
 * @name: the guest's
 * @pid: the process of its launcher
 * @line: the request
 *
 * Return: a good answer, or NULL after telling the person.
 */
json_t *client_insist(int fd, const char *name, pid_t pid, const char *line)
{
	json_t *answer, *error;

	answer = client_request(fd, line, PATIENCE_S);
	close(fd);
	if (!answer) {
		client_refuse(-ETIMEDOUT, name, pid);
		return NULL;
	}
	if (json_is_true(json_object_get(answer, "ok"))) {
		json_object_del(answer, "ok");
		json_object_del(answer, "version");
		return answer;
	}
	error = json_object_get(answer, "error");
	refuse(-EPERM, "the guest '%s': %s", name,
	       json_is_string(error) ? json_string_value(error) : "an answer without a reason");
	json_decref(answer);
	return NULL;
}

/**
 * client_ask() - connect, ask for something, and insist on it
 * @name: the guest's
 * @pid: the process of its launcher goes there
 * @line: the request
 *
 * Return: a good answer, or NULL after telling the person.
 */
json_t *client_ask(const char *name, pid_t *pid, const char *line)
{
	int fd = client_connect(name, pid);

	return fd < 0 ? NULL : client_insist(fd, name, *pid, line);
}
