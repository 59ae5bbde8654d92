// SPDX-License-Identifier: GPL-2.0-only
/*
 * Messages to the person who started the launcher: one line each, on standard error.
 */
#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/message.h"

bool message_verbose, message_json, message_misused;
const char *_Atomic message_newline = "\n";
void (*message_sink)(const char *line);
void (*message_error_sink)(const char *line);

#define LINES_A_MINUTE	30

static struct {
	pthread_mutex_t lock;
	bool on;
	int64_t since;
	unsigned int lines;
} limit = { .lock = PTHREAD_MUTEX_INITIALIZER };

/**
 * message_limit() - limit the messages while a guest runs, which can cause any number of them
 * @on: print at most LINES_A_MINUTE lines a minute, and only if standard error takes a line
 *	at once: a guest must be able to fill neither the host's log nor the time that our
 *	locks are held
 *
 * Turning the limit off and on again does not reset the count: a guest that restarts gets no
 * more lines.
 */
void message_limit(bool on)
{
	pthread_mutex_lock(&limit.lock);
	limit.on = on;
	pthread_mutex_unlock(&limit.lock);
}

/* Return: the bytes of the character at @text; 0: a terminal would not simply show it. */
static size_t shown(const unsigned char *text, size_t left)
{
	size_t size = *text < 0x80 ? 1 : *text < 0xc2 ? 0 : *text < 0xe0 ? 2 : *text < 0xf0 ? 3 : *text < 0xf5 ? 4 : 0, i;

	if (*text < ' ' || *text == 0x7f || size > left)
		return 0;
	for (i = 1; i < size; i++)
		if ((text[i] & 0xc0) != 0x80)
			return 0;
	/* U+0080 to U+009F are control characters, too. */
	return *text == 0xc2 && text[1] < 0xa0 ? 0 : size;
}

/**
 * message_plain() - make a stranger's text harmless for a terminal
 * @text: UTF-8; white space becomes ' ', and each other control character and each byte that is
 *	  not UTF-8 becomes '?'
 * @size: bytes
 */
void message_plain(char *text, size_t size)
{
	unsigned char *at = (unsigned char *)text, *end = at + size;
	size_t length;

	while (at < end) {
		length = shown(at, end - at);
		if (!length)
			*at = isspace(*at) ? ' ' : '?';
		at += length ? length : 1;
	}
}

/**
 * message_forked() - make messages work in a process just forked
 * @sink: takes its lines
 *
 * A thread of the parent may have held limit.lock, and does not exist here to release it.
 */
void message_forked(void (*sink)(const char *line))
{
	pthread_mutex_init(&limit.lock, NULL);
	message_sink = sink;
	message_error_sink = NULL;
}

/* Return: whether the next line may be printed; *last: it is the last one for this minute. */
static bool may_say(bool *last)
{
	struct pollfd output = { .fd = STDERR_FILENO, .events = POLLOUT };
	int64_t now = now_ms();
	bool may;

	pthread_mutex_lock(&limit.lock);
	if (limit.on && now - limit.since >= 60 * 1000) {
		limit.since = now;
		limit.lines = 0;
	}
	may = !limit.on || (limit.lines < LINES_A_MINUTE && poll(&output, 1, 0));
	limit.lines += may && limit.on;
	*last = may && limit.on && limit.lines == LINES_A_MINUTE;
	pthread_mutex_unlock(&limit.lock);
	return may;
}

static void say(bool error, const char *format, va_list arguments)
{
	char line[1024];
	bool last;
	int size;

	if (!may_say(&last))
		return;
	size = vsnprintf(line, sizeof(line), format, arguments);
	if (last && size >= 0 && size < (int)sizeof(line))
		snprintf(line + size, sizeof(line) - size, " (no more of this for a minute)");
	if (error && message_json && message_error_sink) {
		message_error_sink(line);
		return;
	}
	if (message_sink) {
		message_sink(line);
		return;
	}
	fprintf(stderr, "lguest: %s%s", line, message_newline);
}

/**
 * message() - tell the person something that matters
 * @format: as printf, with no newline
 */
void message(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say(false, format, arguments);
	va_end(arguments);
}

/**
 * detail() - tell the person something, but only with --verbose
 * @format: as printf, with no newline
 */
void detail(const char *format, ...)
{
	va_list arguments;

	if (!message_verbose)
		return;
	va_start(arguments, format);
	say(false, format, arguments);
	va_end(arguments);
}

/**
 * refuse() - say why something can't be done
 * @error: a negative errno
 * @format: as printf, with no newline: what is wrong and how to mend it
 *
 * Return: @error, so that the caller can "return refuse(-EINVAL, ...)".
 */
int refuse(int error, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say(true, format, arguments);
	va_end(arguments);
	return error;
}

/**
 * misused() - say what is wrong with the words on the command line
 * @format: as printf, with no newline: what is wrong and how to mend it
 *
 * Return: -EINVAL; message_misused makes the exit status EXIT_USAGE.
 */
int misused(const char *format, ...)
{
	va_list arguments;

	message_misused = true;
	va_start(arguments, format);
	say(true, format, arguments);
	va_end(arguments);
	return -EINVAL;
}

/**
 * host_refuses() - say that lg.ko refused a request; errno says why
 * @what: what was requested
 *
 * Return: a negative errno.
 */
int host_refuses(const char *what)
{
	return refuse(-errno, "the host refuses %s: %s", what, strerror(errno));
}

/**
 * no_memory() - say that this process got no memory for something small
 *
 * Return: -ENOMEM.
 */
int no_memory(void)
{
	return refuse(-ENOMEM, "no memory");
}
