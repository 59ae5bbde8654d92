/* SPDX-License-Identifier: GPL-2.0-only */
/* Why a Guest was left, told from its registers. */
#ifndef _LG_VCPU_TRAP_H
#define _LG_VCPU_TRAP_H

#include <linux/types.h>

#include "switcher.h"

/**
 * lg_trap - why the Guest was left
 * @regs: its registers, as of then
 *
 * Return: a vector below 256, or TRAP_*. The stubs of the IDT PUSH an imm8, which extends
 * the sign of vectors from 128 on (SDM volume 2, PUSH).
 */
static inline u32 lg_trap(const struct guest_regs *regs)
{
	s64 trap = regs->trap;

	return trap < 0 ? (u8)trap : trap;
}

#endif /* _LG_VCPU_TRAP_H */
