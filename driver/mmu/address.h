/* SPDX-License-Identifier: GPL-2.0-only */
/* Which address space a number is in, and what every x86-64 address keeps to. */
#ifndef _LG_MMU_ADDRESS_H
#define _LG_MMU_ADDRESS_H

#include <linux/types.h>

typedef u64 gva_t;	/* Guest virtual */
typedef u64 gpa_t;	/* Guest physical */
typedef u64 gfn_t;	/* Guest physical frame: gpa >> 12 */
typedef unsigned long hva_t;	/* Launcher virtual */
/* pfn: Host physical frame, kvm's u64 as in the rest of the kernel */

#define LG_PT_LEVELS	4

/* Are bits 63 to 48 copies of bit 47? SDM volume 1, 3.3.7.1 */
static inline bool lg_canonical(u64 address)
{
	return (u64)((s64)(address << 16) >> 16) == address;
}

#endif /* _LG_MMU_ADDRESS_H */
