/* SPDX-License-Identifier: GPL-2.0-only */
/* What all unit tests share. */
#ifndef _UNIT_H
#define _UNIT_H

#include <check.h>
#include <stdatomic.h>
#include <stdint.h>

/* The launcher's messages are kept here, not printed. */
extern atomic_int unit_messages;	/* how many since unit_forget() */
extern char unit_last_message[1024];
extern char unit_said[65536];		/* all since unit_remember(), which stops the count */

void unit_forget(void);
void unit_remember(void);
void unit_refused(int error, const char *words);
uint64_t unit_random(void);
char *unit_directory(void);
int unit_run(Suite *suite);

/* Add a test as a case of its own, so that CK_RUN_CASE can name it and a failure prints it. */
#define UNIT_ADD(suite, test) unit_add(suite, #test, test)
void unit_add(Suite *suite, const char *name, const struct TTest *test);

/* Indices of a ring that a thread of the launcher reads and writes meanwhile. */
static inline uint32_t index_of(const uint32_t *index)
{
	return __atomic_load_n(index, __ATOMIC_ACQUIRE);
}

static inline void set_index(uint32_t *index, uint32_t value)
{
	__atomic_store_n(index, value, __ATOMIC_RELEASE);
}

#endif /* _UNIT_H */
