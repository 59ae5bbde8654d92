/* SPDX-License-Identifier: GPL-2.0-only */
/* The last lines of the guest's console, for the report on its end. */
#ifndef _LAUNCHER_RECENT_H
#define _LAUNCHER_RECENT_H

#include <stddef.h>
#include <stdint.h>

void recent_add(const void *text, size_t size);
size_t recent_get(char *text, size_t size, unsigned int lines);
void recent_clear(void);

#endif /* _LAUNCHER_RECENT_H */
