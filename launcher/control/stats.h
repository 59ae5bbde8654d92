/* SPDX-License-Identifier: GPL-2.0-only */
/* What a guest costs: the host's counts, memory, and what the balloon knows. */
#ifndef _LAUNCHER_STATS_H
#define _LAUNCHER_STATS_H

#include <jansson.h>

struct vm;

void stats_init(void);
void stats_report(struct vm *vm);
json_t *stats_answer(struct vm *vm, const char *name, const char *state);

#endif /* _LAUNCHER_STATS_H */
