/* SPDX-License-Identifier: GPL-2.0-only */
/* Stands in for the kernel's: masks by the numbers of their bits. */
#ifndef _PURE_LINUX_BITS_H
#define _PURE_LINUX_BITS_H

#define BIT_ULL(bit)		(1ULL << (bit))
#define GENMASK_ULL(high, low)	(~0ULL >> (63 - (high)) & ~0ULL << (low))

#endif /* _PURE_LINUX_BITS_H */
