// SPDX-License-Identifier: GPL-2.0-only
/* The registers of a virtual CPU that does not run. */
#include <asm/segment.h>

#include "lg.h"
#include "vcpu/vcpu.h"

/**
 * lg_reset_regs - set the registers for kernel mode: all zero but for these
 * @vcpu: the virtual CPU; its mutex is held, or no other thread knows the vCPU yet
 * @ip: %rip, canonical
 * @sp: %rsp
 * @gs_base: canonical
 */
void lg_reset_regs(struct lg_vcpu *vcpu, u64 ip, u64 sp, u64 gs_base)
{
	*vcpu->regs = (struct guest_regs) {
		.ip = ip, .sp = sp, .flags = lg_runnable_flags(0),
		.cs = __USER_CS, .ss = __USER_DS,
	};
	vcpu->cpu->mode = LG_KERNEL;
	vcpu->cpu->ds = vcpu->cpu->es = vcpu->cpu->fs = vcpu->cpu->gs = 0;
	vcpu->cpu->fs_base = 0;
	vcpu->cpu->gs_base = gs_base;
	vcpu->cpu->kernel_gs_base = gs_base;
}
