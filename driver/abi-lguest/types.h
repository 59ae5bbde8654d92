/* SPDX-License-Identifier: GPL-2.0-only */
/* What a VM and a virtual CPU hold for abi-lguest/: structs alone. lg.h includes this. */
#ifndef _LG_LGUEST_TYPES_H
#define _LG_LGUEST_TYPES_H

#include "lguest_abi.h"

struct lg_lguest_vm {
	struct lguest_init init;	/* checked copy of what LHCALL_INIT gave */
	bool ready;			/* it has */
};

struct lg_lguest_vcpu {
	struct lguest_data *data;	/* lg_vcpu.shared_page, as the kernel sees it; NULL: none yet */
	unsigned int ring_next;		/* slot to look at next */
	struct lguest_vcpu_up start;	/* valid in LG_VCPU_START */
};

#endif /* _LG_LGUEST_TYPES_H */
