/* SPDX-License-Identifier: GPL-2.0-only */
/* The program in a Guest that does as it is told from outside: QEMU's guest agent. */
#ifndef _LAUNCHER_AGENT_H
#define _LAUNCHER_AGENT_H

struct guest_memory;
struct virtio_device;

struct agent {
	struct virtio_device *port;	/* NULL: the Guest has none */
	int fd;				/* our end of the socket behind it */
};

int agent_init(struct agent *agent, struct virtio_device *port, const struct guest_memory *memory);
int agent_power_down(struct agent *agent);
void agent_exit(struct agent *agent);

#endif /* _LAUNCHER_AGENT_H */
