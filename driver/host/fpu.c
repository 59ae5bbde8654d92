// SPDX-License-Identifier: GPL-2.0-only
/*
 * The Guest's extended state: x87 to AVX-512, in a buffer of its own.
 *
 * kernel_fpu_begin_mask() saves the Launcher's and makes the registers ours
 * until kernel_fpu_end(); between the two we load the Guest's and save it
 * again. The buffer is only ever written by XSAVE and by lg_fpu_alloc(), so
 * XRSTOR cannot fault (SDM volume 1, 13.8). PKRU is not part of it: the Host
 * keeps its own in the register (enter.c). Nor are AMX's tiles: XFD keeps the
 * Guest from them (SDM volume 1, 13.14), and the Launcher's stay where they are. XFD does
 * not cover their shapes (XTILECFG), so those are: 64 bytes that the Guest could else share
 * with its Launcher and with other Guests.
 */
#include <linux/bottom_half.h>
#include <linux/preempt.h>
#include <linux/slab.h>
#include <asm/cpufeature.h>
#include <asm/fpu/api.h>
#include <asm/fpu/xcr.h>
#include <asm/msr-index.h>
#include <asm/fpu/types.h>
#include <asm/processor.h>

#include "lg.h"
#include "host/host.h"
#include "host/insn.h"

static u64 xsave_mask;
static u32 xsave_size;

#define FCW_DEFAULT	0x37f
#define FCW_OFFSET	0
#define MXCSR_OFFSET	24

/** lg_fpu_init - learn what there is to save; -ENODEV without XSAVE */
int lg_fpu_init(void)
{
	if (!boot_cpu_has(X86_FEATURE_OSXSAVE))
		return -ENODEV;
	lg_cpuid(0xd, &xsave_size);	/* for what XCR0 enables: SDM volume 1, 13.2 */
	xsave_mask = xgetbv(XCR_XFEATURE_ENABLED_MASK) &
		     ~(u64)(XFEATURE_MASK_PKRU | XFEATURE_MASK_XTILE_DATA);
	return 0;
}

/* 64-byte aligned, as XSAVE wants it, in its initial state, for kfree(); NULL: no memory. */
void *lg_fpu_alloc(void)
{
	u8 *fpu = kzalloc(roundup_pow_of_two(xsave_size), GFP_KERNEL_ACCOUNT);

	if (fpu) {
		*(u16 *)(fpu + FCW_OFFSET) = FCW_DEFAULT;
		*(u32 *)(fpu + MXCSR_OFFSET) = MXCSR_DEFAULT;
	}
	return fpu;
}

/* The registers are the Guest's, and preemption is off, until lg_fpu_end(). */
void lg_fpu_begin(struct lg_vcpu *vcpu)
{
	kernel_fpu_begin_mask(0);
	lg_assert_atomic(vcpu);
	if (boot_cpu_has(X86_FEATURE_XFD)) {
		vcpu->host_xfd = lg_rdmsr(MSR_IA32_XFD);
		lg_wrmsr(MSR_IA32_XFD, vcpu->host_xfd | XFEATURE_MASK_XTILE_DATA);
	}
	asm volatile("xrstor64 %0"
		     : : "m" (*(u8 (*)[])vcpu->fpu), "a" ((u32)xsave_mask),
			 "d" ((u32)(xsave_mask >> 32)) : "memory");
}

static void save_guest_fpu(struct lg_vcpu *vcpu)
{
	lg_assert_atomic(vcpu);
	asm volatile("xsave64 %0"
		     : "+m" (*(u8 (*)[])vcpu->fpu)
		     : "a" ((u32)xsave_mask), "d" ((u32)(xsave_mask >> 32)) : "memory");
	if (boot_cpu_has(X86_FEATURE_XFD)) {
		lg_wrmsr(MSR_IA32_XFD_ERR, 0);
		lg_wrmsr(MSR_IA32_XFD, vcpu->host_xfd);
	}
}

/**
 * lg_fpu_interrupted - give the registers back to the Host, whose interrupt has come
 * @vcpu: the virtual CPU; its mutex is held
 *
 * Interrupts off. Preemption stays off until lg_fpu_end(), softirqs do not: they are to run
 * when the handler returns, may use the registers there, and the timer's tick counts as the
 * Guest's only where it has interrupted neither a softirq nor a place that keeps them off.
 */
void lg_fpu_interrupted(struct lg_vcpu *vcpu)
{
	lg_assert_irqs_off(vcpu);
	save_guest_fpu(vcpu);
	preempt_disable();
	kernel_fpu_end();
	/* From 6.15 on the section keeps softirqs off, and ends that with interrupts on alone. */
	if (!IS_ENABLED(CONFIG_PREEMPT_RT) && softirq_count())
		_local_bh_enable();
}

/**
 * lg_fpu_end - the end of what lg_fpu_begin() began
 * @vcpu: the virtual CPU; its mutex is held
 * @interrupted: lg_fpu_interrupted() was called since
 *
 * Interrupts on.
 */
void lg_fpu_end(struct lg_vcpu *vcpu, bool interrupted)
{
	lg_assert_atomic(vcpu);
	if (!interrupted) {
		save_guest_fpu(vcpu);
		kernel_fpu_end();
		return;
	}
	/* Softirqs that were raised in the section, if the interrupt was one that runs none. */
	local_bh_disable();
	preempt_enable();
	local_bh_enable();
}
