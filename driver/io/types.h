/* SPDX-License-Identifier: GPL-2.0-only */
/* The parts of a VM and of a virtual CPU that belong to io/: structs alone. lg.h includes this. */
#ifndef _LG_IO_TYPES_H
#define _LG_IO_TYPES_H

#include <linux/list.h>
#include <linux/types.h>

#include "mmu/types.h"

struct eventfd_ctx;

struct lg_ioeventfd {
	struct list_head list;	/* lg_vm.ioeventfds, under lg_vm.lock */
	gpa_t gpa;
	u32 value;
	struct eventfd_ctx *ctx;
};

/* An access to a device that the launcher has to do. */
struct lg_mmio {
	bool pending, write, sign;
	u8 reg, bytes, extend;	/* extend: bytes of the register that are written */
	u64 data, next_ip;
};

#endif /* _LG_IO_TYPES_H */
