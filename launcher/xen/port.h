/* SPDX-License-Identifier: GPL-2.0-only */
/* The launcher's end of an event channel. */
#ifndef _LAUNCHER_XEN_PORT_H
#define _LAUNCHER_XEN_PORT_H

#include <stdint.h>

struct xen_port {
	int kick;	/* eventfd: the guest has sent; or -1 */
	int raise;	/* eventfd: the guest is to hear; or -1 */
};

int xen_port_init(struct xen_port *port);
int xen_port_connect(const struct xen_port *port, int vm, uint32_t number);
void xen_port_disconnect(const struct xen_port *port, int vm, uint32_t number);
void xen_port_exit(struct xen_port *port);

#endif /* _LAUNCHER_XEN_PORT_H */
