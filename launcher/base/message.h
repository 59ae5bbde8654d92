/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the Launcher says to the person: one line each on standard error.
 */
#ifndef _LAUNCHER_MESSAGE_H
#define _LAUNCHER_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

/* --verbose was given. */
extern bool message_verbose;

/* --json was given: what a command says, it is to say in JSON. */
extern bool message_json;

/* Where, with --json, what refuse(), misused() and host_refuses() say goes. */
extern void (*message_error_sink)(const char *line);

/* misused() was called: the person has to say it in another way. */
extern bool message_misused;

/* What ends a line; a raw terminal needs to be told to go back to the first column, too. */
extern const char *_Atomic message_newline;

/* Where lines go instead of standard error; for the tests. */
extern void (*message_sink)(const char *line);

__printf(1, 2) void message(const char *format, ...);
__printf(1, 2) void detail(const char *format, ...);
__printf(2, 3) int refuse(int error, const char *format, ...);
__printf(1, 2) int misused(const char *format, ...);
void message_limit(bool on);
void message_plain(char *text, size_t size);
void message_forked(void (*sink)(const char *line));
int host_refuses(const char *what);

#endif /* _LAUNCHER_MESSAGE_H */
