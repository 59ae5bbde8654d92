/* SPDX-License-Identifier: GPL-2.0-only */
/* Who uses a name? From a moment on, each system call that takes one is refused, and noted. */
#ifndef _WATCH_H
#define _WATCH_H

void watch_names(void);
int watch_noted(void);

#endif /* _WATCH_H */
