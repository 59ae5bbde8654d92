/* SPDX-License-Identifier: GPL-2.0-only */
/* Requests to the launcher of another guest. */
#ifndef _LAUNCHER_CLIENT_H
#define _LAUNCHER_CLIENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

int client_find(const char *name, pid_t *pid);
int client_connect(const char *name, pid_t *pid);
int client_refuse(int error, const char *name, pid_t pid);
bool client_send(int fd, const char *line);
json_t *client_receive(int fd, int64_t until);
json_t *client_request(int fd, const char *line, unsigned int patience_s);
json_t *client_insist(int fd, const char *name, pid_t pid, const char *line);
json_t *client_ask(const char *name, pid_t *pid, const char *line);

#endif /* _LAUNCHER_CLIENT_H */
