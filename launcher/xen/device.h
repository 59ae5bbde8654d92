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

struct xen_device;

/**
 * struct xen_device_ops - what a kind of device does; in the store's thread
 * @kind: as the store has it: "vbd"
 * @attach: the front end is ready: use its rings and ports. Returns 0, or a negative errno
 *	     after telling the person; then nothing of the guest's is in use
 * @detach: use them no more; called only after @attach has returned 0
 */
struct xen_device_ops {
	const char *kind;
	int (*attach)(struct xen_device *device);
	void (*detach)(struct xen_device *device);
};

struct xen_device {
	struct xen_store *store;
	const struct xen_device_ops *ops;
	unsigned int number;		/* of this one */
	bool connected;			/* front end and back end are */
};

__printf(4, 5) void xen_device_set(const struct xen_device *device, enum xen_device_side side,
				   const char *name, const char *format, ...);
bool xen_device_get(const struct xen_device *device, const char *name, uint64_t most,
		    uint64_t *value);
void xen_device_describe(const struct xen_device *device);
bool xen_device_changed(const struct xen_device *device, const char *path,
			unsigned int *state);
void xen_device_follow(struct xen_device *device, unsigned int state);
void xen_device_disconnect(struct xen_device *device);
const char *xen_device_problem(int error);

#endif /* _LAUNCHER_XEN_DEVICE_H */
