/* SPDX-License-Identifier: GPL-2.0-only */
/* A guest from its options to its end. */
#ifndef _LAUNCHER_START_H
#define _LAUNCHER_START_H

struct options;
struct session;

int start_guest(const struct options *options, struct session *session);

#endif /* _LAUNCHER_START_H */
