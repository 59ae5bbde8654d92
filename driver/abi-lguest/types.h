/* SPDX-License-Identifier: GPL-2.0-only */
/* The parts of a VM and of a vCPU that belong to abi-lguest/: structs alone. lg.h includes this. */
#ifndef _LG_LGUEST_TYPES_H
#define _LG_LGUEST_TYPES_H

#include "lguest_abi.h"

struct lg_lguest_vm {
	struct lguest_init init;	/* checked copy of LHCALL_INIT's argument */
	bool ready;			/* init is valid */
};

struct lg_lguest_vcpu {
	struct lguest_data *data;	/* lg_vcpu.shared_page, as the kernel sees it; or NULL */
	unsigned int ring_next;		/* the ring's slot to look at next */
	struct lguest_vcpu_up start;	/* valid in LG_VCPU_START */
};

#endif /* _LG_LGUEST_TYPES_H */
