/* SPDX-License-Identifier: GPL-2.0-only */
/* From a Guest's options to its end. */
#ifndef _LAUNCHER_START_H
#define _LAUNCHER_START_H

struct options;

/* Beside EXIT_SUCCESS, after the Guest's poweroff. */
#define EXIT_NOT_STARTED	1
#define EXIT_CRASHED		255

int start_guest(struct options *options);

#endif /* _LAUNCHER_START_H */
