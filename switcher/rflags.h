/* SPDX-License-Identifier: GPL-2.0-only */
/* Masks of RFLAGS, for the switcher and for C (driver/vcpu/flags.h). */
#ifndef _LG_SWITCHER_RFLAGS_H
#define _LG_SWITCHER_RFLAGS_H

#include <asm/processor-flags.h>

/* The flags that the guest may set while it runs. */
#define FLAGS_GUEST	(X86_EFLAGS_CF | X86_EFLAGS_PF | X86_EFLAGS_AF | X86_EFLAGS_ZF | \
			 X86_EFLAGS_SF | X86_EFLAGS_TF | X86_EFLAGS_DF | X86_EFLAGS_OF | \
			 X86_EFLAGS_RF | X86_EFLAGS_AC | X86_EFLAGS_ID)

/*
 * IF is always set: ring 3 with IOPL 0 cannot clear it, and an interrupt of the host must
 * get through.
 */
#define FLAGS_ALWAYS	(X86_EFLAGS_IF | X86_EFLAGS_FIXED)

/* Flags that the switcher may load by itself: all of them but TF, which needs C. */
#define FLAGS_DIRECT	((FLAGS_GUEST & ~X86_EFLAGS_TF) | FLAGS_ALWAYS)

/*
 * The flags that the CPU clears when it delivers an event (SDM volume 3, 6.12.1.3), and AC: with
 * CR0.AM, alignment checks work in ring 3, where the guest's kernel does not expect them.
 */
#define FLAGS_CLEARED	(X86_EFLAGS_TF | X86_EFLAGS_NT | X86_EFLAGS_RF | X86_EFLAGS_AC)

#endif /* _LG_SWITCHER_RFLAGS_H */
