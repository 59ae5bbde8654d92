/* SPDX-License-Identifier: GPL-2.0-only */
/* Why was the guest left? */
#ifndef _LG_VCPU_TRAP_H
#define _LG_VCPU_TRAP_H

#include <linux/types.h>

#include "switcher.h"

/**
 * lg_trap - tell why the guest was left
 * @regs: its registers, as the exit has left them
 *
 * Return: a vector below 256, or TRAP_*. The stubs of the IDT push the vector as an imm8, whose
 * sign the CPU extends from 128 on (SDM volume 2, PUSH): undo that.
 */
static inline u32 lg_trap(const struct guest_regs *regs)
{
	s64 trap = regs->trap;

	return trap < 0 ? (u8)trap : trap;
}

#endif /* _LG_VCPU_TRAP_H */
