/* SPDX-License-Identifier: GPL-2.0-only */
/* A network as a process of its own. */
#ifndef _LAUNCHER_NET_PROCESS_H
#define _LAUNCHER_NET_PROCESS_H

#include "sandbox/process.h"
#include "net/net.h"

extern int net_process_limit_ms;	/* how long it may take to be ready; tests set less */

/* In the launcher. The last four are for struct net_ops. */
int net_process_start(struct net *net, const char *name, process_run *run, void *argument);
void net_process_prepare(struct net *net, struct net_poll *poll);
void net_process_receive(struct net *net, const struct net_poll *poll);
bool net_process_send(struct net *net, struct iovec *iov, unsigned int count);
void net_process_exit(struct net *net);

/* In the process: tell the launcher, before the first packet, how the start went. */
void net_process_refused(int socket, const char *line);
void net_process_ready(int socket);

#endif /* _LAUNCHER_NET_PROCESS_H */
