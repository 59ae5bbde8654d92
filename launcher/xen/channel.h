/* SPDX-License-Identifier: GPL-2.0-only */
/* A second console of a guest of Xen's ABI, with a socket behind it: hvc1 in the guest. */
#ifndef _LAUNCHER_XEN_CHANNEL_H
#define _LAUNCHER_XEN_CHANNEL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/thread.h"
#include "xen/console_ring.h"
#include "xen/device.h"
#include "xen/port.h"

struct guest_memory;
struct xen_area;

struct xen_channel {
	const struct guest_memory *memory;
	const struct xen_area *area;
	struct xen_device device;
	struct xen_port port;
	int fd;				/* the socket, which is the caller's */
	int stop;			/* eventfd: readable when the thread must end */
	atomic_bool stopping;
	struct thread thread;		/* started: front end and back end are connected */
	int vm;				/* while the guest runs, lg.ko's descriptor of it; or -1 */
	uint32_t port_number, ring_grant;
	/* The thread's, as long as there is one: */
	struct xen_console_ring *ring;	/* the guest's */
	uint32_t out_cons, in_prod;	/* never read back from the guest */
	bool heard;			/* the guest has sent something: it listens */
	bool ended;			/* nobody is at the other end of the socket */
	uint32_t from, to;		/* what of text[] the socket has not taken yet */
	uint8_t text[XEN_CONSOLE_OUT];
};

int xen_channel_init(struct xen_channel *channel, int fd);
void xen_channel_describe(struct xen_channel *channel);
void xen_channel_changed(struct xen_channel *channel, const char *path);
void xen_channel_stop(struct xen_channel *channel);
void xen_channel_exit(struct xen_channel *channel);

#endif /* _LAUNCHER_XEN_CHANNEL_H */
