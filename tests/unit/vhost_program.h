/* SPDX-License-Identifier: GPL-2.0-only */
/* The other end of vhost-user, for tests: answers each message, up to one that a test chooses. */
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

/* What the program may do instead of the right answer. */
enum program_lie {
	OTHER_REQUEST,		/* as if to another message */
	NO_REPLY_FLAG,
	TOO_SMALL,
	TOO_LARGE,
	CUT_SHORT,		/* announces more than it sends, and ends */
	REFUSES,
	TWICE,			/* so all later answers are out of order */
	WITH_DESCRIPTORS,	/* that nobody asked for */
	ENDS,
	LIES
};

extern char program_value[160];		/* for --block */

void program_start(unsigned int silent_from);
void program_lies_at(unsigned int request, enum program_lie lie);
unsigned int program_heard(unsigned int request);
bool program_hears(unsigned int request, unsigned int times);
void program_end(void);

#endif /* _VHOST_PROGRAM_H */
