/* SPDX-License-Identifier: GPL-2.0-only */
/* Which RFLAGS may a guest run with? Rules alone, no state: tests/pure tests them, too. */
#ifndef _LG_VCPU_FLAGS_H
#define _LG_VCPU_FLAGS_H

#include <linux/types.h>

#include "rflags.h"

/** lg_runnable_flags - turn the @flags that the guest asks for into flags that it may run with */
static inline u64 lg_runnable_flags(u64 flags)
{
	return (flags & FLAGS_GUEST) | FLAGS_ALWAYS;
}

/** lg_event_flags - the flags of the guest's handler, for an event that came with @flags */
static inline u64 lg_event_flags(u64 flags)
{
	return lg_runnable_flags(flags & ~(u64)FLAGS_CLEARED);
}

#endif /* _LG_VCPU_FLAGS_H */
