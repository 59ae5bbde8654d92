/* SPDX-License-Identifier: GPL-2.0-only */
/* The type of a number says which address space it is in. And what makes an address canonical. */
#ifndef _LG_MMU_ADDRESS_H
#define _LG_MMU_ADDRESS_H

#include <linux/types.h>

typedef u64 gva_t;	/* guest virtual */
typedef u64 gpa_t;	/* guest physical */
typedef u64 gfn_t;	/* guest physical frame: gpa >> 12 */
typedef unsigned long hva_t;	/* launcher virtual */
/* pfn: host physical frame, a u64 */

#define LG_PT_LEVELS	4

/* Are bits 63 to 48 copies of bit 47? SDM volume 1, 3.3.7.1 */
static inline bool lg_canonical(u64 address)
{
	return (u64)((s64)(address << 16) >> 16) == address;
}

#endif /* _LG_MMU_ADDRESS_H */
