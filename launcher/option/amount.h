/* SPDX-License-Identifier: GPL-2.0-only */
/* Amounts of memory, CPUs and time, in the form in which a person writes them. */
#ifndef _LAUNCHER_AMOUNT_H
#define _LAUNCHER_AMOUNT_H

#include <stdbool.h>
#include <stdint.h>

bool amount_looks_like(const char *text);
int amount_bytes(const char *text, uint64_t *size);
int amount_memory(const char *text, uint64_t *size);
int amount_cpus(const char *text, unsigned int *cpus);
int amount_seconds(const char *text, unsigned int *seconds);

#endif /* _LAUNCHER_AMOUNT_H */
