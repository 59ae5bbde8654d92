/* SPDX-License-Identifier: GPL-2.0-only */
/* A device of a guest of Xen's ABI, as the store has it. */
#ifndef _LAUNCHER_XEN_DEVICE_H
#define _LAUNCHER_XEN_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

struct xen_store;

/* How far a front end or a back end is. */
enum xen_device_state {
	XEN_INITIALISING = 1, XEN_INIT_WAIT, XEN_INITIALISED, XEN_CONNECTED, XEN_CLOSING,
	XEN_CLOSED
};

/* Who says something: the guest, or we. */
enum xen_device_side { XEN_FRONT, XEN_BACK };

struct xen_device {
	struct xen_store *store;
	const char *kind;		/* as the store has it: "vbd" */
	unsigned int number;		/* of this one */
};

__printf(4, 5) void xen_device_set(const struct xen_device *device, enum xen_device_side side,
				   const char *name, const char *format, ...);
bool xen_device_get(const struct xen_device *device, const char *name, uint64_t most,
		    uint64_t *value);
void xen_device_describe(const struct xen_device *device);
void xen_device_set_state(const struct xen_device *device, enum xen_device_state state);
bool xen_device_changed(const struct xen_device *device, const char *path,
			unsigned int *state);
const char *xen_device_problem(int error);

#endif /* _LAUNCHER_XEN_DEVICE_H */
