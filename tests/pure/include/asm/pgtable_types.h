/* SPDX-License-Identifier: GPL-2.0-only */
/* Stands in for the kernel's: bits of a page-table entry, by SDM volume 3, 4.5. */
#ifndef _PURE_ASM_PGTABLE_TYPES_H
#define _PURE_ASM_PGTABLE_TYPES_H

#define PAGE_SHIFT		12
#define PAGE_SIZE		(1UL << PAGE_SHIFT)

#define _PAGE_PRESENT		(1UL << 0)
#define _PAGE_RW		(1UL << 1)
#define _PAGE_USER		(1UL << 2)
#define _PAGE_ACCESSED		(1UL << 5)
#define _PAGE_DIRTY		(1UL << 6)
#define _PAGE_PSE		(1UL << 7)
#define _PAGE_SOFTW1		(1UL << 9)	/* ignored by the CPU, as is the next */
#define _PAGE_SOFTW2		(1UL << 10)
#define _PAGE_PAT_LARGE		(1UL << 12)
#define _PAGE_NX		(1UL << 63)

#endif /* _PURE_ASM_PGTABLE_TYPES_H */
