/* SPDX-License-Identifier: GPL-2.0-only */
/* The system's log, without waiting for its daemon. */
#ifndef _LAUNCHER_SYSTEM_LOG_H
#define _LAUNCHER_SYSTEM_LOG_H

#define SYSTEM_LOG	"/dev/log"

void system_log_open(const char *path);
void system_log(const char *line);

#endif /* _LAUNCHER_SYSTEM_LOG_H */
