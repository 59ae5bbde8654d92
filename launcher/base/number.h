/* SPDX-License-Identifier: GPL-2.0-only */
/* Numbers that a person or another program has written. */
#ifndef _LAUNCHER_NUMBER_H
#define _LAUNCHER_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

const char *number_read(const char *text, uint64_t min, uint64_t max, uint64_t *value);
bool number_parse(const char *text, uint64_t min, uint64_t max, uint64_t *value);

#endif /* _LAUNCHER_NUMBER_H */
