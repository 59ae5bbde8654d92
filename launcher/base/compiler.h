/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's names for features of the compiler. */
#ifndef _LAUNCHER_COMPILER_H
#define _LAUNCHER_COMPILER_H

#include <stddef.h>

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))
#define container_of(pointer, type, member) \
	((type *)((char *)(pointer) - offsetof(type, member)))

#ifndef __printf
#define __printf(string, first)	__attribute__((format(printf, string, first)))
#endif

/* Exactly one access, not split, not left out: for memory that the guest can change. */
#define READ_ONCE(x)		__atomic_load_n(&(x), __ATOMIC_RELAXED)
#define WRITE_ONCE(x, value)	__atomic_store_n(&(x), value, __ATOMIC_RELAXED)

/*
 * The compiler reads nothing again that stands before: what was copied out of memory that the
 * guest can change is looked at in the copy.
 */
#define barrier()		__asm__ volatile("" : : : "memory")

#endif /* _LAUNCHER_COMPILER_H */
