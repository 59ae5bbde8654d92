/* SPDX-License-Identifier: GPL-2.0-only */
/* Stands in for the kernel's: Linux's GDT, as far as ring 3 may use it. */
#ifndef _PURE_ASM_SEGMENT_H
#define _PURE_ASM_SEGMENT_H

#define GDT_ENTRY_DEFAULT_USER32_CS	4
#define GDT_ENTRY_DEFAULT_USER_DS	5
#define GDT_ENTRY_DEFAULT_USER_CS	6
#define GDT_ENTRY_TLS_MIN		12
#define GDT_ENTRY_CPUNODE		15

#define __USER32_CS	(GDT_ENTRY_DEFAULT_USER32_CS * 8 + 3)
#define __USER_DS	(GDT_ENTRY_DEFAULT_USER_DS * 8 + 3)
#define __USER_CS	(GDT_ENTRY_DEFAULT_USER_CS * 8 + 3)

#endif /* _PURE_ASM_SEGMENT_H */
