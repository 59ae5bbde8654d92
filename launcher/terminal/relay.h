/* SPDX-License-Identifier: GPL-2.0-only */
/* The console of a guest that has no terminal: for one client at a time. */
#ifndef _LAUNCHER_RELAY_H
#define _LAUNCHER_RELAY_H

#include <stdint.h>

int relay_init(void);
int relay_start(void);
void relay_exit(void);
int relay_reserve(void);
void relay_attach(int fd);
int relay_resize(uint16_t columns, uint16_t rows);

#endif /* _LAUNCHER_RELAY_H */
