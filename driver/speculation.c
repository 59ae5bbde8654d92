// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the Host's kernel does on its way to and from user mode against what this CPU
 * guesses, and the Switcher has to do likewise: the Guest is user mode to the CPU.
 * Documentation/threat-model.md has the table.
 */
#include <asm/cpufeature.h>

#include "window.h"

#ifndef X86_BUG_TSA
#define X86_BUG_TSA	X86_BUG_MDS
#endif

/* The Host's data stays in buffers that the Guest can sample; on AMD this is TSA. */
static bool needs_verw(void)
{
	return boot_cpu_has_bug(X86_BUG_MDS) || boot_cpu_has_bug(X86_BUG_TAA) ||
	       boot_cpu_has_bug(X86_BUG_MMIO_STALE_DATA) || boot_cpu_has_bug(X86_BUG_RFDS) ||
	       boot_cpu_has_bug(X86_BUG_TSA);
}

/** lg_speculation - SPECULATION_* for this Host; never changes */
u8 lg_speculation(void)
{
	return needs_verw() ? SPECULATION_VERW : 0;
}
