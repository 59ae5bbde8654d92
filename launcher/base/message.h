/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Messages to the person who started the launcher: one line each, on standard error.
 */
#ifndef _LAUNCHER_MESSAGE_H
#define _LAUNCHER_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

/* --verbose was given. */
extern bool message_verbose;

/* --json was given: commands print JSON. */
extern bool message_json;

/* With --json: takes the lines of refuse(), misused() and host_refuses(). */
extern void (*message_error_sink)(const char *line);

/* misused() was called: the command line is wrong. */
extern bool message_misused;

/* What ends a line: a raw terminal needs a carriage return, too. */
extern const char *_Atomic message_newline;

/* Takes the lines instead of standard error: the system's log, a parent process or a test. */
extern void (*message_sink)(const char *line);

__printf(1, 2) void message(const char *format, ...);
__printf(1, 2) void detail(const char *format, ...);
__printf(2, 3) int refuse(int error, const char *format, ...);
__printf(1, 2) int misused(const char *format, ...);
void message_limit(bool on);
void message_plain(char *text, size_t size);
void message_forked(void (*sink)(const char *line));
int host_refuses(const char *what);
int no_memory(void);

#endif /* _LAUNCHER_MESSAGE_H */
