/* SPDX-License-Identifier: GPL-2.0-only */
/* Sockets in the file system. */
#ifndef _LAUNCHER_UNIX_SOCKET_H
#define _LAUNCHER_UNIX_SOCKET_H

#include <sys/un.h>

#include "base/compiler.h"

#define UNIX_PATIENCE_S	5

__printf(2, 3) int unix_address(struct sockaddr_un *address, const char *format, ...);
int unix_connect(const char *path, int type);

#endif /* _LAUNCHER_UNIX_SOCKET_H */
