/* SPDX-License-Identifier: GPL-2.0-only */
/* --console=FILE: writes to a file what a guest without a terminal prints. */
#ifndef _LAUNCHER_CONSOLE_LOG_H
#define _LAUNCHER_CONSOLE_LOG_H

#include <stdbool.h>
#include <stddef.h>

/* A file that reaches CONSOLE_LOG_MAX bytes loses its older half. */
#define CONSOLE_LOG_MAX		(16U << 20)
#define CONSOLE_LOG_CUT		(CONSOLE_LOG_MAX / 2)

int console_log_open(const char *path);
void console_log_add(const char *text, size_t size);
const char *console_log_path(void);
void console_log_close(void);

#endif /* _LAUNCHER_CONSOLE_LOG_H */
