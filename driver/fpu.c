// SPDX-License-Identifier: GPL-2.0-only
/*
 * The Guest's extended state: x87 to AVX-512, in a buffer of its own.
 *
 * kernel_fpu_begin_mask() has saved the Launcher's and made the registers ours
 * until kernel_fpu_end(); between the two we load the Guest's and save it
 * again. The buffer is only ever written by XSAVE and by lg_fpu_alloc(), so
 * XRSTOR cannot fault (SDM volume 1, 13.8). PKRU is not part of it: the Host
 * keeps its own in the register (enter.c). Nor are AMX's tiles: XFD keeps the
 * Guest from them (SDM volume 1, 13.14), and the Launcher's stay where they are. XFD does
 * not cover their shapes (XTILECFG), so those are: 64 bytes that the Guest could else share
 * with its Launcher and with other Guests.
 */
#include <linux/slab.h>
#include <asm/cpufeature.h>
#include <asm/fpu/xcr.h>
#include <asm/msr-index.h>
#include <asm/fpu/types.h>
#include <asm/processor.h>

#include "host.h"
#include "lg.h"

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

/* After kernel_fpu_begin_mask(). */
void lg_fpu_load(struct lg_vcpu *vcpu)
{
	lg_assert_atomic(vcpu);
	if (boot_cpu_has(X86_FEATURE_XFD)) {
		vcpu->host_xfd = lg_rdmsr(MSR_IA32_XFD);
		lg_wrmsr(MSR_IA32_XFD, vcpu->host_xfd | XFEATURE_MASK_XTILE_DATA);
	}
	asm volatile("xrstor64 %0"
		     : : "m" (*(u8 (*)[])vcpu->fpu), "a" ((u32)xsave_mask),
			 "d" ((u32)(xsave_mask >> 32)) : "memory");
}

/* Before kernel_fpu_end(), and before any interrupt handler of the Host. */
void lg_fpu_save(struct lg_vcpu *vcpu)
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
