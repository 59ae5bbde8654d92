/* SPDX-License-Identifier: GPL-2.0-only */
/* Sockets in the file system. */
#ifndef _LAUNCHER_UNIX_SOCKET_H
#define _LAUNCHER_UNIX_SOCKET_H

#include <sys/un.h>

#define UNIX_PATIENCE_S	5

int unix_address(struct sockaddr_un *address, const char *path);
int unix_connect(const char *path, int type);

#endif /* _LAUNCHER_UNIX_SOCKET_H */
