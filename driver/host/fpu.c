// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's extended state: x87 to AVX-512, in a buffer of its own.
 *
 * kernel_fpu_begin_mask() saves the launcher's state and gives us the registers until
 * kernel_fpu_end(); between the two, load the guest's state and save it again. Only XSAVE and
 * lg_fpu_alloc() ever write to the buffer, so XRSTOR cannot fault (SDM volume 1, 13.8).
 *
 * The buffer has no PKRU: enter.c switches it. It has no tiles of AMX: XFD keeps the guest
 * from them (SDM volume 1, 13.14), and the launcher's stay in the registers. XFD does not
 * cover the shapes of the tiles (XTILECFG), so the buffer has those: else they would be 64
 * bytes that the guest shares with its launcher and with other guests.
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

/** lg_fpu_init - find out what there is to save; -ENODEV without XSAVE */
int lg_fpu_init(void)
{
	if (!boot_cpu_has(X86_FEATURE_OSXSAVE))
		return -ENODEV;
	lg_cpuid(0xd, &xsave_size);	/* for what XCR0 enables: SDM volume 1, 13.2 */
	xsave_mask = xgetbv(XCR_XFEATURE_ENABLED_MASK) &
		     ~(u64)(XFEATURE_MASK_PKRU | XFEATURE_MASK_XTILE_DATA);
	return 0;
}

/**
 * lg_fpu_alloc - a buffer that holds the initial state
 *
 * Sleeps. Aligned to 64 bytes, as XSAVE wants it, since the size is a power of two. NULL: no
 * memory; else kfree() it.
 */
void *lg_fpu_alloc(void)
{
	u8 *fpu = kzalloc(roundup_pow_of_two(xsave_size), GFP_KERNEL_ACCOUNT);

	if (fpu) {
		*(u16 *)(fpu + FCW_OFFSET) = FCW_DEFAULT;
		*(u32 *)(fpu + MXCSR_OFFSET) = MXCSR_DEFAULT;
	}
	return fpu;
}

/** lg_fpu_begin - load the guest's registers; preemption is off until lg_fpu_end() */
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
 * lg_fpu_interrupted - give the registers back to the host, before its interrupt handler
 * @vcpu: the virtual CPU; its mutex is held
 *
 * Interrupts off. Preemption stays off until lg_fpu_end(). Softirqs do not stay off: they are
 * to run when the handler returns, and may use the registers there. Besides, the timer's tick
 * counts as guest time only if it interrupts code that keeps no softirqs off.
 */
void lg_fpu_interrupted(struct lg_vcpu *vcpu)
{
	lg_assert_irqs_off(vcpu);
	save_guest_fpu(vcpu);
	preempt_disable();
	kernel_fpu_end();
	/*
	 * From 6.15 on kernel_fpu_begin() keeps softirqs off, and kernel_fpu_end() lets them run
	 * again only if interrupts are on.
	 */
	if (!IS_ENABLED(CONFIG_PREEMPT_RT) && softirq_count())
		_local_bh_enable();
}

/**
 * lg_fpu_end - save the guest's registers, and end what lg_fpu_begin() began
 * @vcpu: the virtual CPU; its mutex is held
 * @interrupted: lg_fpu_interrupted() has done so since, all but the last step
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
	/* Run softirqs that were raised meanwhile, if the interrupt was one that runs none. */
	local_bh_disable();
	preempt_enable();
	local_bh_enable();
}
