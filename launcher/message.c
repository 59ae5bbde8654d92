// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the Launcher says to the person: one line each on standard error.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "message.h"
#include "terminal.h"

bool message_verbose;
void (*message_sink)(const char *line);

static void say(const char *format, va_list arguments)
{
	char line[1024];

	vsnprintf(line, sizeof(line), format, arguments);
	if (message_sink) {
		message_sink(line);
		return;
	}
	/* A raw terminal needs to be told to go back to the first column. */
	fprintf(stderr, "lguest: %s%s", line, terminal_is_raw() ? "\r\n" : "\n");
}

/**
 * message() - tell the person something that matters
 * @format: as printf, with no newline
 */
void message(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say(format, arguments);
	va_end(arguments);
}

/**
 * detail() - tell the person something, if --verbose asks for it
 * @format: as printf, with no newline
 */
void detail(const char *format, ...)
{
	va_list arguments;

	if (!message_verbose)
		return;
	va_start(arguments, format);
	say(format, arguments);
	va_end(arguments);
}

/**
 * refuse() - say why something can't be done
 * @error: a negative errno
 * @format: as printf, with no newline: what is wrong and what mends it
 *
 * Return: @error, so that the caller can "return refuse(-EINVAL, ...)".
 */
int refuse(int error, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say(format, arguments);
	va_end(arguments);
	return error;
}

/**
 * host_refuses() - lg.ko does not do what it was asked for
 * @what: that the Guest needs; errno says why not
 *
 * Return: a negative errno.
 */
int host_refuses(const char *what)
{
	return refuse(-errno, "the host refuses %s: %s", what, strerror(errno));
}
