/* SPDX-License-Identifier: GPL-2.0-only */
/* What a process gives up for good before it touches what a stranger wrote. */
#ifndef _LAUNCHER_SANDBOX_H
#define _LAUNCHER_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>

/* One system call that stays. */
struct sandbox_call {
	int number;
	bool is_missing;		/* it fails as on a kernel that does not know it */
	/* Only if this argument, of its bits in mask, has value; mask 0: whatever they are. */
	unsigned int argument;
	uint64_t mask, value;
};

#define SANDBOX_CALL(name)		{ .number = __NR_##name }
#define SANDBOX_NO_CALL(name)		{ .number = __NR_##name, .is_missing = true }
#define SANDBOX_CALL_IF(name, which, bits, are)	\
	{ .number = __NR_##name, .argument = (which), .mask = (bits), .value = (are) }
/* For those that compare a whole int. */
#define SANDBOX_INT			0xffffffffULL

/* First in each list: malloc(), whose memory is not executed; locks, the clock, the end. */
#define SANDBOX_EVERY_PROCESS				\
	SANDBOX_CALL(brk),				\
	SANDBOX_CALL_IF(mmap, 2, PROT_EXEC, 0),		\
	SANDBOX_CALL_IF(mprotect, 2, PROT_EXEC, 0),	\
	SANDBOX_CALL(mremap),				\
	SANDBOX_CALL(munmap),				\
	SANDBOX_CALL(madvise),				\
	SANDBOX_CALL(futex),				\
	SANDBOX_CALL(clock_gettime),			\
	SANDBOX_CALL(exit_group)

/* Files below this directory can be used: read, used in any way, or nothing but removed. */
struct sandbox_directory {
	int fd;				/* -1: there is none */
	enum { SANDBOX_READ, SANDBOX_USE, SANDBOX_REMOVE } how;
};

#define SANDBOX_MAX_DIRECTORIES		23

struct sandbox {
	int namespaces;			/* CLONE_NEW*, without CLONE_NEWUSER */
	bool sees_owners;		/* of files: not in a namespace where other users have no number */
	const int *keep_capabilities;	/* up to -1, if we are root; NULL: none */
	unsigned int directories;	/* of all files, those below these: */
	struct sandbox_directory directory[SANDBOX_MAX_DIRECTORIES];
	const char *file;		/* and this one can be read, or NULL */
	bool outlives_parent;
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
