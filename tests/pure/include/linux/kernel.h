/* SPDX-License-Identifier: GPL-2.0-only */
/* Stands in for the kernel's. */
#ifndef _PURE_LINUX_KERNEL_H
#define _PURE_LINUX_KERNEL_H

#define min(a, b)	((a) < (b) ? (a) : (b))

#endif /* _PURE_LINUX_KERNEL_H */
