/* SPDX-License-Identifier: GPL-2.0-only */
/* Refuses and notes each system call that takes the name of a file. */
#ifndef _WATCH_H
#define _WATCH_H

void watch_names(void);
int watch_noted(void);

#endif /* _WATCH_H */
