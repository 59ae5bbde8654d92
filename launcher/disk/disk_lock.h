/* SPDX-License-Identifier: GPL-2.0-only */
/* Locks against two writers of one disk. */
#ifndef _LAUNCHER_DISK_LOCK_H
#define _LAUNCHER_DISK_LOCK_H

#include <stdbool.h>

int disk_lock(int fd, bool read_only, unsigned int milliseconds);

#endif /* _LAUNCHER_DISK_LOCK_H */
