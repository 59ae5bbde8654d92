/* SPDX-License-Identifier: GPL-2.0-only */
/* The other end of vhost-user, for tests: it answers, up to a message of their choice. */
#ifndef _VHOST_PROGRAM_H
#define _VHOST_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>

/* Messages, as docs/interop/vhost-user.rst numbers them. */
#define GET_FEATURES		1
#define SET_FEATURES		2
#define GET_VRING_BASE		11
#define SET_VRING_ENABLE	18
#define SET_CONFIG		25

extern char program_value[160];		/* for --block */

void program_start(unsigned int silent_from);
unsigned int program_heard(unsigned int request);
bool program_hears(unsigned int request, unsigned int times);
void program_end(void);

#endif /* _VHOST_PROGRAM_H */
