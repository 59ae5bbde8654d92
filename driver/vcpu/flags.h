/* SPDX-License-Identifier: GPL-2.0-only */
/* Which RFLAGS a Guest runs with. Rules alone, no state: tests/pure tries them, too. */
#ifndef _LG_VCPU_FLAGS_H
#define _LG_VCPU_FLAGS_H

#include <linux/types.h>

#include "rflags.h"

/** lg_runnable_flags - @flags as the Guest asks for them, made such that it may run with them */
static inline u64 lg_runnable_flags(u64 flags)
{
	return (flags & FLAGS_GUEST) | FLAGS_ALWAYS;
}

/** lg_event_flags - those of the Guest's handler of an event, which came with @flags */
static inline u64 lg_event_flags(u64 flags)
{
	return lg_runnable_flags(flags & ~(u64)FLAGS_CLEARED);
}

#endif /* _LG_VCPU_FLAGS_H */
