/* SPDX-License-Identifier: GPL-2.0-only */
/* The program in a guest that does what it is told from outside: QEMU's guest agent. */
#ifndef _LAUNCHER_AGENT_H
#define _LAUNCHER_AGENT_H

struct virtio_device;

struct agent {
	struct virtio_device *console;	/* NULL: the guest has no port for it */
	unsigned int port;		/* of the console's */
	int fd;				/* our end of the socket behind it */
};

int agent_init(struct agent *agent, struct virtio_device *console);
int agent_power_down(struct agent *agent);
void agent_exit(struct agent *agent);

#endif /* _LAUNCHER_AGENT_H */
