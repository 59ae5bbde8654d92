/* SPDX-License-Identifier: GPL-2.0-only */
/* Masks of RFLAGS: the Switcher and C (driver/vcpu/flags.h) go by the same ones. */
#ifndef _LG_SWITCHER_RFLAGS_H
#define _LG_SWITCHER_RFLAGS_H

#include <asm/processor-flags.h>

/* What the Guest may have in RFLAGS while it runs. */
#define FLAGS_GUEST	(X86_EFLAGS_CF | X86_EFLAGS_PF | X86_EFLAGS_AF | X86_EFLAGS_ZF | \
			 X86_EFLAGS_SF | X86_EFLAGS_TF | X86_EFLAGS_DF | X86_EFLAGS_OF | \
			 X86_EFLAGS_RF | X86_EFLAGS_AC | X86_EFLAGS_ID)

/*
 * IF is always set: ring 3 with IOPL 0 cannot clear it, and an interrupt of the Host must
 * get through.
 */
#define FLAGS_ALWAYS	(X86_EFLAGS_IF | X86_EFLAGS_FIXED)

/* Arithmetic flags, DF, AC, ID, RF (every fault sets it) and IF: with TF it takes C. */
#define FLAGS_DIRECT	((FLAGS_GUEST & ~X86_EFLAGS_TF) | FLAGS_ALWAYS)

/*
 * What the CPU clears when it delivers an event (SDM volume 3, 6.12.1.3), and
 * AC: CR0.AM bites in ring 3, where the Guest's kernel does not expect it.
 */
#define FLAGS_CLEARED	(X86_EFLAGS_TF | X86_EFLAGS_NT | X86_EFLAGS_RF | X86_EFLAGS_AC)

#endif /* _LG_SWITCHER_RFLAGS_H */
