/* SPDX-License-Identifier: GPL-2.0-only */
/* What the guest's init is told first: the command of "lguest run". */
#ifndef _LAUNCHER_SESSION_COMMAND_H
#define _LAUNCHER_SESSION_COMMAND_H

#include <stdbool.h>

struct bytes;
struct options;

unsigned int session_network(const struct options *options);
int session_make_command(const struct options *options, bool terminal, struct bytes *frame);

#endif /* _LAUNCHER_SESSION_COMMAND_H */
