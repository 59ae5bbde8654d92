/* SPDX-License-Identifier: GPL-2.0-only */
/* A process that holds what others need, and never answers. */
#ifndef _SILENT_PEER_H
#define _SILENT_PEER_H

#include <stdbool.h>
#include <sys/types.h>

pid_t start_child(void);
pid_t start_holder(bool (*take)(const char *name), const char *name);
pid_t hold_lock(const char *name);
void end_child(pid_t child);

#endif /* _SILENT_PEER_H */
