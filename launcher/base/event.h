/* SPDX-License-Identifier: GPL-2.0-only */
/* Eventfds: how one thread wakes another one that polls. */
#ifndef _LAUNCHER_EVENT_H
#define _LAUNCHER_EVENT_H

#include <stdbool.h>

int event_new(void);
void event_set(int fd);
bool event_take(int fd);

#endif /* _LAUNCHER_EVENT_H */
