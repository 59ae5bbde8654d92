/* SPDX-License-Identifier: GPL-2.0-only */
/* What rights a process gives up for good before it touches what a stranger wrote. */
#ifndef _LAUNCHER_SANDBOX_H
#define _LAUNCHER_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>

/* One system call that stays allowed. */
struct sandbox_call {
	int number;
	bool is_missing;		/* not allowed: fails with ENOSYS, as on an older kernel */
	/* Allowed only if (argument & mask) == value; with mask 0, always. */
	unsigned int argument;
	uint64_t mask, value;
};

#define SANDBOX_CALL(name)		{ .number = __NR_##name }
#define SANDBOX_NO_CALL(name)		{ .number = __NR_##name, .is_missing = true }
#define SANDBOX_CALL_IF(name, which, bits, are)	\
	{ .number = __NR_##name, .argument = (which), .mask = (bits), .value = (are) }
/* The mask for an argument that is an int. */
#define SANDBOX_INT			0xffffffffULL

/* What every process needs: malloc() without executable memory, locks, the clock, exit. */
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

/* What stays allowed with files below a directory: to read, to do anything, or only to remove. */
struct sandbox_directory {
	int fd;				/* -1: there is none */
	enum { SANDBOX_READ, SANDBOX_USE, SANDBOX_REMOVE } how;
};

#define SANDBOX_MAX_DIRECTORIES		23

struct sandbox {
	int namespaces;			/* CLONE_NEW*, without CLONE_NEWUSER */
	bool sees_owners;		/* of files: do not make a user namespace */
	const int *keep_capabilities;	/* if we are root; ends with -1; NULL: keep none */
	unsigned int directories;	/* only files below these stay allowed, */
	struct sandbox_directory directory[SANDBOX_MAX_DIRECTORIES];
	const char *file;		/* and reading this one; or NULL */
	bool outlives_parent;
	const struct sandbox_call *calls;
	unsigned int count;
	const struct sandbox_call *more_calls;	/* optional: more of them */
	unsigned int more_count;
};

extern bool sandbox_wanted;

/* For the tests: plays a stranger's code in a process, called after all rights are given up. */
extern void (*sandbox_intruder)(void);

void sandbox_enter(const struct sandbox *sandbox);

#endif /* _LAUNCHER_SANDBOX_H */
