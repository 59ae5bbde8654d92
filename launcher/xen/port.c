// SPDX-License-Identifier: GPL-2.0-only
/*
 * The launcher's end of an event channel: two eventfds, which lg.ko connects with one of the
 * guest's ports. The port itself is lg.ko's.
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/event.h"
#include "base/file.h"
#include "base/message.h"
#include "lguest_uapi.h"
#include "xen/port.h"

/**
 * xen_port_init() - make the eventfds
 * @port: filled in; xen_port_exit() it, whatever is returned
 *
 * Return: 0, or a negative errno after telling the person.
 */
int xen_port_init(struct xen_port *port)
{
	port->raise = -1;
	port->kick = event_new();
	if (port->kick >= 0)
		port->raise = event_new();
	return port->raise < 0 ? -EMFILE : 0;
}

/* What the guest hears by. */
static int tell_raise(const struct xen_port *port, int vm, uint32_t number, bool gone)
{
	struct lguest_irqfd raise = {
		.fd = port->raise,
		.line = number,
		.flags = gone ? LGUEST_IRQFD_DEASSIGN : 0,
	};

	return ioctl(vm, LGUEST_IRQFD, &raise) < 0 ? -errno : 0;
}

/* What we hear by. */
static int tell_kick(const struct xen_port *port, int vm, uint32_t number, bool gone)
{
	struct lguest_ioeventfd kick = {
		.fd = port->kick,
		.value = number,
		.flags = LGUEST_IOEVENTFD_PORT | (gone ? LGUEST_IOEVENTFD_DEASSIGN : 0),
	};

	return ioctl(vm, LGUEST_IOEVENTFD, &kick) < 0 ? -errno : 0;
}

/**
 * xen_port_connect() - from now on the guest and we hear of each other
 * @port: as xen_port_init() left it
 * @vm: lg.ko's descriptor of the VM
 * @number: the guest's port, below XEN_PORTS; lg.ko does not ask whether it is there
 *
 * Return: 0, or a negative errno, and nothing is connected.
 */
int xen_port_connect(const struct xen_port *port, int vm, uint32_t number)
{
	int error = tell_raise(port, vm, number, false);

	if (error)
		return error;
	error = tell_kick(port, vm, number, false);
	if (error)
		tell_raise(port, vm, number, true);
	return error;
}

/**
 * xen_port_disconnect() - and no more
 * @port: as xen_port_connect() left it
 * @vm: the same
 * @number: the same
 */
void xen_port_disconnect(const struct xen_port *port, int vm, uint32_t number)
{
	tell_raise(port, vm, number, true);
	tell_kick(port, vm, number, true);
}

/**
 * xen_port_exit() - give the eventfds back
 * @port: as xen_port_init() left it
 */
void xen_port_exit(struct xen_port *port)
{
	file_close(&port->kick);
	file_close(&port->raise);
}
