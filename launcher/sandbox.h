/* SPDX-License-Identifier: GPL-2.0-only */
/* What a process gives up for good before it touches what a stranger wrote. */
#ifndef _LAUNCHER_SANDBOX_H
#define _LAUNCHER_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One system call that stays. */
struct sandbox_call {
	int number;
	/* Only if this argument, of its bits in mask, has value; mask 0: whatever they are. */
	unsigned int argument;
	uint64_t mask, value;
};

#define SANDBOX_CALL(name)		{ .number = __NR_##name }
#define SANDBOX_CALL_IF(name, which, bits, are)	\
	{ .number = __NR_##name, .argument = (which), .mask = (bits), .value = (are) }
/* For those that compare a whole int. */
#define SANDBOX_INT			0xffffffffULL

struct sandbox {
	int namespaces;			/* CLONE_NEW*, without CLONE_NEWUSER */
	bool sees_owners;		/* of files: not in a namespace where other users have no number */
	const int *keep_capabilities;	/* up to -1, if we are root; NULL: none */
	bool has_directory;		/* of all files, those below this: */
	int directory;
	bool read_only;
	const char *file;		/* and this one can be read, or NULL */
	const struct sandbox_call *calls;
	unsigned int count;
	const struct sandbox_call *more_calls;	/* optional: more of them */
	unsigned int more_count;
};

extern bool sandbox_wanted;

/* Code that a stranger has brought into a process, once it has given up all; for the tests. */
extern void (*sandbox_intruder)(void);

void sandbox_enter(const struct sandbox *sandbox);

#endif /* _LAUNCHER_SANDBOX_H */
