/* SPDX-License-Identifier: GPL-2.0-only */
/* The hypercalls of Xen's ABI that lg.ko leaves to the launcher. */
#ifndef _LAUNCHER_XEN_HYPERCALLS_H
#define _LAUNCHER_XEN_HYPERCALLS_H

#include <stdatomic.h>
#include <stdint.h>

struct guest_memory;
struct lguest_run;
struct xen_area;

/* Numbers of hypercalls and of what they are to do: so many are told from each other. */
#define XEN_NRS		64
#define XEN_SUB_OPS	64

struct xen_calls {
	const struct guest_memory *memory;
	const struct xen_area *area;
	atomic_uint grant_frames;		/* that the guest has asked for */
	_Atomic uint64_t told[XEN_NRS];		/* the person has heard of: sub-operations */
};

void xen_hypercall(struct xen_calls *calls, struct lguest_run *run);

#endif /* _LAUNCHER_XEN_HYPERCALLS_H */
