/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The launcher's threads, one at a time and always in the same order: so what a fuzzer has
 * found happens again with the same input.
 *
 * By the linker's --wrap, thread_start() starts a task instead of a thread: its own stack, in
 * one thread. A task runs until it would wait for a descriptor, a lock or another task; at a
 * lock the input may also make it stop. When all tasks wait, the clock is set to the time at
 * which the first wait ends; if none ever ends, some task waits for ever.
 */
#ifndef _FUZZ_TASKS_H
#define _FUZZ_TASKS_H

#include <stdbool.h>
#include <stdint.h>

void tasks_begin(uint32_t seed);
void tasks_start(void *(*run)(void *argument), void *argument);
void tasks_yield(void);
/* Run all tasks until each waits for something. Return: false if all have ended. */
bool tasks_settle(void);
/* Run all tasks until @condition is true; if it never becomes true, end the fuzzer. */
void tasks_until(bool (*condition)(void));

#endif /* _FUZZ_TASKS_H */
