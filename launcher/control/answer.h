/* SPDX-License-Identifier: GPL-2.0-only */
/* Answers on the control socket: an object of JSON, in one line. */
#ifndef _LAUNCHER_ANSWER_H
#define _LAUNCHER_ANSWER_H

#include <jansson.h>

#include "base/compiler.h"

json_t *answer_done(const char *format, ...);
__printf(1, 2) json_t *answer_refused(const char *format, ...);
json_t *answer_text(const char *text);
void answer_print(json_t *answer);
void answer_print_error(const char *why);
void answer_send(int fd, json_t *answer);

#endif /* _LAUNCHER_ANSWER_H */
