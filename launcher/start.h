/* SPDX-License-Identifier: GPL-2.0-only */
/* From a Guest's options to its end. */
#ifndef _LAUNCHER_START_H
#define _LAUNCHER_START_H

struct options;

int start_guest(struct options *options);

#endif /* _LAUNCHER_START_H */
