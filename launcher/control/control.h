/* SPDX-License-Identifier: GPL-2.0-only */
/* The control socket of this launcher. */
#ifndef _LAUNCHER_CONTROL_H
#define _LAUNCHER_CONTROL_H

#include <stdbool.h>

struct options;
struct vm;

#define CONTROL_VERSION		1	/* of requests and answers: Documentation/control.md */
#define CONTROL_LINE_MAX	256	/* of a request, its newline included */

int control_init(const struct options *options);
int control_start(void);
int control_directory(void);
void control_exit(void);
const char *control_name(void);
void control_guest(struct vm *vm);
bool control_killed(void);

#endif /* _LAUNCHER_CONTROL_H */
