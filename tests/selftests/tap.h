/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The Test Anything Protocol as kselftest.h speaks it, for programs that are
 * built without the kernel's tree: each promise is one line, the plan comes last.
 */
#ifndef _TAP_H
#define _TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define TAP_PASS	0
#define TAP_FAIL	1
#define TAP_SKIP	4

/* Weak: a program of several files has one of each. */
__attribute__((weak)) unsigned int tap_count, tap_failures;
__attribute__((weak)) bool tap_begun;

/* The first line of all. */
static inline void tap_begin(void)
{
	if (!tap_begun)
		printf("TAP version 13\n");
	tap_begun = true;
}

/* A comment: what a failure needs to be understood. */
__attribute__((format(printf, 1, 2), unused))
static void tap_note(const char *format, ...)
{
	va_list arguments;

	tap_begin();
	printf("# ");
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	printf("\n");
	fflush(stdout);
}

/* One promise, kept or not. Returns whether it was kept. */
__attribute__((format(printf, 2, 3), unused))
static bool tap_result(bool kept, const char *format, ...)
{
	va_list arguments;

	tap_begin();
	printf("%s %u ", kept ? "ok" : "not ok", ++tap_count);
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	printf("\n");
	fflush(stdout);
	tap_failures += !kept;
	return kept;
}

/*
 * What the tests need is not here. What main() returns: 4, kselftest's "skipped", unless
 * the environment's LG_MUST_RUN says that it has to be.
 */
static inline int tap_missing(const char *why)
{
	tap_begin();
	if (getenv("LG_MUST_RUN")) {
		printf("not ok 1 %s\n1..1\n", why);
		return TAP_FAIL;
	}
	printf("1..0 # SKIP %s\n", why);
	return TAP_SKIP;
}

/* The plan, and what main() returns. */
static inline int tap_end(void)
{
	tap_begin();
	printf("1..%u\n", tap_count);
	return tap_failures ? TAP_FAIL : TAP_PASS;
}

#endif /* _TAP_H */
