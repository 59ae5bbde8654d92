// SPDX-License-Identifier: GPL-2.0-only
/*
 * Answers on the control socket: an object of JSON, in one line.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "control/answer.h"

/**
 * answer_done() - make a good answer
 * @format: of an object with what the client asked for, as for json_pack(); or NULL
 *
 * Return: the answer, or NULL if there is no memory.
 */
json_t *answer_done(const char *format, ...)
{
	va_list arguments;
	json_t *answer;

	va_start(arguments, format);
	answer = json_vpack_ex(NULL, 0, format ? format : "{}", arguments);
	va_end(arguments);
	json_object_set_new(answer, "ok", json_true());
	return answer;
}

/**
 * answer_refused() - make an answer that says no
 * @format: why not, as for printf
 *
 * Return: the answer, or NULL if there is no memory.
 */
json_t *answer_refused(const char *format, ...)
{
	va_list arguments;
	char why[256];

	va_start(arguments, format);
	vsnprintf(why, sizeof(why), format, arguments);
	va_end(arguments);
	return json_pack("{s:b, s:o}", "ok", 0, "error", answer_text(why));
}

/**
 * answer_text() - a string that need not be UTF-8, such as a file's name
 * @text: the string
 *
 * Return: it; if it is not UTF-8, with "?" for each byte that is not ASCII; NULL if there is
 * no memory.
 */
json_t *answer_text(const char *text)
{
	json_t *string = json_string(text);
	char *copy, *at;

	if (string)
		return string;
	copy = strdup(text);
	for (at = copy; at && *at; at++)
		if (*at & 0x80)
			*at = '?';
	string = copy ? json_string(copy) : NULL;
	free(copy);
	return string;
}

/**
 * answer_print() - print the answer of a command with --json, a line on standard output
 * @answer: the answer
 */
void answer_print(json_t *answer)
{
	json_dumpf(answer, stdout, JSON_COMPACT);
	putchar('\n');
}

/**
 * answer_print_error() - print why a command with --json has failed: {"error":WHY}
 * @why: a line; only the first one is printed
 */
void answer_print_error(const char *why)
{
	static bool printed;
	json_t *answer = printed ? NULL : json_pack("{s:o}", "error", answer_text(why));

	printed = true;
	if (answer)
		answer_print(answer);
	json_decref(answer);
}

/**
 * answer_send() - send an answer
 * @fd: a socket with a time limit; a peer that does not read loses the answer
 * @answer: freed; NULL: there was no memory for it
 */
void answer_send(int fd, json_t *answer)
{
	char *text = answer ? json_dumps(answer, JSON_COMPACT) : NULL;
	const char *line = text ? text : "{\"ok\":false,\"error\":\"no memory\"}";
	size_t size = strlen(line), done = 0;
	ssize_t sent = 0;

	while (done < size && (sent >= 0 || errno == EINTR)) {
		sent = send(fd, line + done, size - done, MSG_NOSIGNAL);
		if (sent > 0)
			done += sent;
	}
	if (done == size)
		send(fd, "\n", 1, MSG_NOSIGNAL);
	free(text);
	json_decref(answer);
}
