/* SPDX-License-Identifier: GPL-2.0-only */
/* Asking the Launcher of another Guest. */
#ifndef _LAUNCHER_CLIENT_H
#define _LAUNCHER_CLIENT_H

#include <jansson.h>
#include <sys/types.h>

int client_connect(const char *name, pid_t *pid);
json_t *client_request(int fd, const char *line, unsigned int patience_s);
json_t *client_insist(int fd, const char *name, pid_t pid, const char *line);
json_t *client_ask(const char *name, pid_t *pid, const char *line);

#endif /* _LAUNCHER_CLIENT_H */
