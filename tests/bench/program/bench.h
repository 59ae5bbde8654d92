/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parts of the measuring program share: the type of an operation, and the few
 * instructions that must be the same wherever something is measured.
 */
#ifndef _BENCH_H
#define _BENCH_H

#include <stdint.h>
#include <stdnoreturn.h>
#include <sys/syscall.h>
#include <sys/types.h>

/* One row of the table. Each operation runs in its own process. */
struct op {
	const char *name;		/* one word, the key in all files */
	unsigned int count;		/* operations in a round: about a million ticks */
	void (*prepare)(void);		/* called once; may be NULL */
	void (*before)(unsigned int n);	/* before each round, not measured; may be NULL */
	void (*run)(unsigned int n);	/* measured: does n operations */
	void (*after)(unsigned int n);	/* after each round, not measured; may be NULL */
};

/* Each table ends with an op without a name. Operations on devices are done only on request. */
extern const struct op call_ops[], memory_ops[], process_ops[], device_ops[], share_ops[];

noreturn void sink(void);

/* The program's own path, for operations that run it again; and the word that makes it end. */
extern const char *bench_path;
#define BENCH_NOTHING	"--nothing"

noreturn void give_up(const char *what);

/* The most common use of give_up(): a call that returns -1 has failed. */
#define MUST(call)	({ long must_value = (long)(call); if (must_value == -1) give_up(#call); must_value; })

/* A bare system call, without what a C library puts around it. */
static inline long raw_syscall(long nr, long a, long b, long c)
{
	long ret;

	asm volatile("syscall" : "=a" (ret)
		     : "a" (nr), "D" (a), "S" (b), "d" (c) : "rcx", "r11", "memory");
	return ret;
}

static inline uint64_t read_tsc(void)
{
	uint32_t low, high;

	asm volatile("lfence; rdtsc" : "=a" (low), "=d" (high) : : "memory");
	return (uint64_t)high << 32 | low;
}

/*
 * A no-operation that no other program uses. To an emulator that looks for it (see
 * ../plugin/) it says that an operation begins, or that a round begins or ends.
 */
#define MARK_MAGIC	0x6c67be00
#define MARK_BEGIN	1
#define MARK_END	2
#define MARK_OP		3
#define mark(kind)	asm volatile("nopl %c0(%%rax,%%rax,1)" : : "i" (MARK_MAGIC + (kind)) : "memory")

#endif /* _BENCH_H */
