/* SPDX-License-Identifier: GPL-2.0-only */
/* All that is in guest memory when a guest of Xen's ABI starts. */
#ifndef _LAUNCHER_XEN_BUILD_H
#define _LAUNCHER_XEN_BUILD_H

#include <stdint.h>

#include "xen/abi.h"

struct boot_entry;
struct boot_request;
struct guest_memory;

/* Pages of the guest's memory that it shares with us. */
struct xen_rings {
	struct xen_console_ring *console;
	struct xen_store_ring *store;
};

int xen_build(const struct boot_request *request, struct guest_memory *memory,
	      uint64_t shared_info, struct boot_entry *entry, struct xen_rings *rings);

#endif /* _LAUNCHER_XEN_BUILD_H */
