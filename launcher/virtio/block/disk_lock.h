/* SPDX-License-Identifier: GPL-2.0-only */
/* That no two write to one disk. */
#ifndef _LAUNCHER_DISK_LOCK_H
#define _LAUNCHER_DISK_LOCK_H

#include <stdbool.h>

int disk_lock(int fd, bool read_only, unsigned int milliseconds);

#endif /* _LAUNCHER_DISK_LOCK_H */
