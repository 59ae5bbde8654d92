/* SPDX-License-Identifier: GPL-2.0-only */
/* Arguments of hypercalls that are in guest memory, by guest virtual address. */
#ifndef _LAUNCHER_XEN_GUEST_COPY_H
#define _LAUNCHER_XEN_GUEST_COPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct guest_memory;

bool xen_copy_in(const struct guest_memory *memory, uint64_t cr3, uint64_t gva, void *to,
		 size_t size);
bool xen_copy_out(const struct guest_memory *memory, uint64_t cr3, uint64_t gva, const void *from,
		  size_t size);

#endif /* _LAUNCHER_XEN_GUEST_COPY_H */
