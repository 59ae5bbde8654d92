/* SPDX-License-Identifier: GPL-2.0-only */
/* Stands in for the kernel's: nobody speculates in a test. */
#ifndef _PURE_LINUX_NOSPEC_H
#define _PURE_LINUX_NOSPEC_H

/* An index that is out of bounds ends the test, where the kernel would take 0. */
#define array_index_nospec(index, size)	\
	({ if ((index) >= (size)) __builtin_trap(); (index); })

#endif /* _PURE_LINUX_NOSPEC_H */
