/* SPDX-License-Identifier: GPL-2.0-only */
/* --detach: the guest runs on without the terminal that it was started from. */
#ifndef _LAUNCHER_DETACH_H
#define _LAUNCHER_DETACH_H

int detach_begin(void);
void detach_prepare(void);
void detach_done(const char *name);

#endif /* _LAUNCHER_DETACH_H */
