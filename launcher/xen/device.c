// SPDX-License-Identifier: GPL-2.0-only
/*
 * A device of a guest of Xen's ABI, as the store has it. Its front end, which is the guest's,
 * and its back end, which is ours, meet there: the front end says where its rings are and which
 * ports it listens to, and each says how far it is.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "xen/abi.h"
#include "xen/device.h"
#include "xen/store.h"

#define FRONT	XEN_STORE_HOME "/device/%s/%u"
#define BACK	"/local/domain/0/backend/%s/1/%u"

/* A path in the store: of the front end or back end, or of a value of its. */
static const char *path_of(const struct xen_device *device, enum xen_device_side side,
			   const char *name, char *path)
{
	int length = snprintf(path, XEN_STORE_PATH, side == XEN_FRONT ? FRONT : BACK, device->ops->kind,
			      device->number);

	snprintf(path + length, XEN_STORE_PATH - length, "%s%s", *name ? "/" : "", name);
	return path;
}

/**
 * xen_device_set() - say something in the store
 * @device: the device
 * @side: for whom
 * @name: what
 * @format: the value, like printf()
 */
void xen_device_set(const struct xen_device *device, enum xen_device_side side, const char *name,
		    const char *format, ...)
{
	char path[XEN_STORE_PATH], value[XEN_STORE_PATH];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(value, sizeof(value), format, arguments);
	va_end(arguments);
	xen_store_set(device->store, path_of(device, side, name, path), "%s", value);
}

/**
 * xen_device_get() - what has the front end said?
 * @device: the device
 * @name: of what
 * @most: the largest number that makes sense
 * @value: the number goes there
 *
 * Return: false if it has not said any number up to @most.
 */
bool xen_device_get(const struct xen_device *device, const char *name, uint64_t most,
		    uint64_t *value)
{
	char path[XEN_STORE_PATH];

	return xen_store_number(device->store, path_of(device, XEN_FRONT, name, path), most, value);
}

/* Say how far the back end is. */
static void set_state(const struct xen_device *device, enum xen_device_state state)
{
	xen_device_set(device, XEN_BACK, "state", "%d", state);
}

/**
 * xen_device_describe() - let a guest that starts find the device
 * @device: the device; what it is must be in the store already
 */
void xen_device_describe(const struct xen_device *device)
{
	char path[XEN_STORE_PATH];

	xen_device_set(device, XEN_BACK, "frontend", "%s", path_of(device, XEN_FRONT, "", path));
	xen_device_set(device, XEN_BACK, "frontend-id", "%d", XEN_DOMAIN);
	xen_device_set(device, XEN_BACK, "online", "1");
	set_state(device, XEN_INIT_WAIT);
	xen_device_set(device, XEN_FRONT, "backend", "%s", path_of(device, XEN_BACK, "", path));
	xen_device_set(device, XEN_FRONT, "backend-id", "%d", XEN_BACKEND);
	xen_device_set(device, XEN_FRONT, "state", "%d", XEN_INITIALISING);
}

/**
 * xen_device_changed() - has the front end come further?
 * @device: the device
 * @path: what the guest has changed in the store
 * @state: how far it is: XEN_INITIALISING to XEN_CLOSED, or 0
 *
 * Return: false if it has not said so.
 */
bool xen_device_changed(const struct xen_device *device, const char *path,
			unsigned int *state)
{
	char mine[XEN_STORE_PATH];
	uint64_t value;

	if (strcmp(path, path_of(device, XEN_FRONT, "state", mine)) ||
	    !xen_device_get(device, "state", XEN_CLOSED, &value))
		return false;
	*state = value;
	return true;
}

/**
 * xen_device_disconnect() - use nothing of the guest's any more
 * @device: the device, connected or not
 */
void xen_device_disconnect(struct xen_device *device)
{
	if (device->connected)
		device->ops->detach(device);
	device->connected = false;
}

static void try_connect(struct xen_device *device)
{
	device->connected = !device->ops->attach(device);
	set_state(device, device->connected ? XEN_CONNECTED : XEN_CLOSING);
}

/**
 * xen_device_follow() - go where the front end has gone
 * @device: the device
 * @state: from xen_device_changed()
 */
void xen_device_follow(struct xen_device *device, unsigned int state)
{
	switch (state) {
	case XEN_INITIALISING:
		/* It may come here from anywhere, for example from a kernel that has crashed. */
		xen_device_disconnect(device);
		set_state(device, XEN_INIT_WAIT);
		break;
	case XEN_INITIALISED:
	case XEN_CONNECTED:
		if (!device->connected)
			try_connect(device);
		break;
	case XEN_CLOSING:
	case XEN_CLOSED:
		xen_device_disconnect(device);
		set_state(device, state);
		break;
	}
}

/**
 * xen_device_problem() - why the two are not connected
 * @error: a negative errno
 *
 * Return: that, for the person.
 */
const char *xen_device_problem(int error)
{
	switch (error) {
	case -EINVAL:
		return "its front end names no ring, or no port of its own";
	case -EFAULT:
		return "its front end does not let us use the ring that it names";
	case -EPROTO:
		return "its front end does not have packets copied";
	case -EEXIST:
		return "its front end names a port that is in use";
	default:
		return strerror(-error);
	}
}
