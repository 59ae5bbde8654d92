/* SPDX-License-Identifier: GPL-2.0-only */
/* Stands in for the kernel's: a segment descriptor, SDM volume 3, figure 3-8. */
#ifndef _PURE_ASM_DESC_DEFS_H
#define _PURE_ASM_DESC_DEFS_H

#include <linux/types.h>

struct desc_struct {
	u16 limit0;
	u16 base0;
	u16 base1: 8, type: 4, s: 1, dpl: 2, p: 1;
	u16 limit1: 4, avl: 1, l: 1, d: 1, g: 1, base2: 8;
} __attribute__((packed));

#endif /* _PURE_ASM_DESC_DEFS_H */
