/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The launcher's threads, one at a time and always in the same order: what a fuzzer found
 * happens again with the same input.
 *
 * To the launcher (by the linker's --wrap), thread_start() starts a task here: a stack of its
 * own in this one thread. A task runs until it would wait, for a descriptor, a lock or another
 * task; at a lock it may also stop at the input's wish. When all wait, the clock is set to when
 * the first of them has waited enough; when that is never, somebody waits for ever.
 */
#ifndef _FUZZ_TASKS_H
#define _FUZZ_TASKS_H

#include <stdbool.h>
#include <stdint.h>

void tasks_begin(uint32_t seed);
void tasks_start(void *(*run)(void *argument), void *argument);
void tasks_yield(void);
/* Run all until each waits for something. Return: false if all have ended. */
bool tasks_settle(void);
/* The same, until this is true; that it never will be ends the fuzzer. */
void tasks_until(bool (*condition)(void));

#endif /* _FUZZ_TASKS_H */
