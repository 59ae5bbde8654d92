// SPDX-License-Identifier: GPL-2.0-only
/*
 * Asking the Launcher of another Guest: the other end of control.c.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client.h"
#include "control.h"
#include "message.h"
#include "runtime.h"

/* Pausing waits for the Guest's threads, and requests wait for one another. */
#define PATIENCE_S	30

/* Far more than the counts of 16 virtual CPUs need. */
#define ANSWER_MAX	(1 << 20)

/**
 * client_connect() - connect to a Guest's Launcher
 * @name: the Guest's
 * @pid: its Launcher goes there
 *
 * Return: a descriptor, or a negative errno after telling the person.
 */
int client_connect(const char *name, pid_t *pid)
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

/* Up to its newline, and not a byte more: other things may follow it. */
static char *read_answer(int fd)
{
	size_t size = 0;
	FILE *out;
	char *text, c;

	out = open_memstream(&text, &size);
	if (!out)
		return NULL;
	while (ftell(out) < ANSWER_MAX) {
		ssize_t got = recv(fd, &c, 1, 0);

		if (got < 0 && errno == EINTR)
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
 * client_request() - ask for something
 * @fd: from client_connect()
 * @line: the request
 * @patience_s: seconds to wait for the answer
 *
 * Return: the answer, good or bad, or NULL if there is none.
 */
json_t *client_request(int fd, const char *line, unsigned int patience_s)
{
	struct timeval patience = { .tv_sec = patience_s };
	char request[CONTROL_LINE_MAX], *text;
	json_t *answer;
	int size;

	size = snprintf(request, sizeof(request), "%s\n", line);
	if (size >= (int)sizeof(request) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0 ||
	    send(fd, request, size, MSG_NOSIGNAL) != size)
		return NULL;
	text = read_answer(fd);
	answer = text ? json_loads(text, JSON_REJECT_DUPLICATES, NULL) : NULL;
	free(text);
	if (json_is_boolean(json_object_get(answer, "ok")))
		return answer;
	json_decref(answer);
	return NULL;
}

/**
 * client_insist() - ask for something, and tell the person if it is refused
 * @fd: from client_connect(); closed
 * @name: the Guest's
 * @pid: its Launcher
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
		message("the guest '%s' does not answer: its lguest is process %d", name, pid);
		return NULL;
	}
	if (json_is_true(json_object_get(answer, "ok")))
		return answer;
	error = json_object_get(answer, "error");
	message("the guest '%s': %s", name,
		json_is_string(error) ? json_string_value(error) : "an answer without a reason");
	json_decref(answer);
	return NULL;
}

/**
 * client_ask() - connect, ask for something, and insist on it
 * @name: the Guest's
 * @pid: its Launcher goes there
 * @line: the request
 *
 * Return: a good answer, or NULL after telling the person.
 */
json_t *client_ask(const char *name, pid_t *pid, const char *line)
{
	int fd = client_connect(name, pid);

	return fd < 0 ? NULL : client_insist(fd, name, *pid, line);
}
