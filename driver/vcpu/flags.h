/* SPDX-License-Identifier: GPL-2.0-only */
/* Which RFLAGS a Guest runs with. Rules alone, no state: tests/unit tries them, too. */
#ifndef _LG_VCPU_FLAGS_H
#define _LG_VCPU_FLAGS_H

#include <linux/types.h>
#include <asm/processor-flags.h>

/*
 * What the Guest may have in RFLAGS while it runs. IF is always set: ring 3
 * with IOPL 0 cannot clear it, and an interrupt of the Host must get through.
 */
#define LG_FLAGS_GUEST	(X86_EFLAGS_CF | X86_EFLAGS_PF | X86_EFLAGS_AF | X86_EFLAGS_ZF | \
				 X86_EFLAGS_SF | X86_EFLAGS_TF | X86_EFLAGS_DF | X86_EFLAGS_OF | \
				 X86_EFLAGS_RF | X86_EFLAGS_AC | X86_EFLAGS_ID)
#define LG_FLAGS_ALWAYS	(X86_EFLAGS_IF | X86_EFLAGS_FIXED)

/** lg_runnable_flags - @flags as the Guest asks for them, made such that it may run with them */
static inline u64 lg_runnable_flags(u64 flags)
{
	return (flags & LG_FLAGS_GUEST) | LG_FLAGS_ALWAYS;
}

#endif /* _LG_VCPU_FLAGS_H */
