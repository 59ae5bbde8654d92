/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Instructions of the processor as they are. For most of them the kernel has inline functions.
 * For these it has only functions that go through paravirt_ops, symbols that modules may not
 * use, or names that change from version to version.
 */
#ifndef _LG_INSN_H
#define _LG_INSN_H

#include <linux/types.h>
#include <asm/desc.h>
#include <asm/special_insns.h>

static inline u64 lg_rdmsr(u32 msr)
{
	u32 low, high;

	asm volatile("rdmsr" : "=a" (low), "=d" (high) : "c" (msr));
	return low | (u64)high << 32;
}

static inline void lg_wrmsr(u32 msr, u64 value)
{
	asm volatile("wrmsr" : : "c" (msr), "a" ((u32)value), "d" ((u32)(value >> 32)) : "memory");
}

static inline void lg_write_cr4(u64 value)
{
	asm volatile("mov %0, %%cr4" : : "r" (value) : "memory");
}

/*
 * native_get_debugreg() is not volatile: the compiler could move the read after the write that
 * clears DR6.
 */
static inline u64 lg_read_dr6(void)
{
	u64 value;

	asm volatile("mov %%db6, %0" : "=r" (value));
	return value;
}

static inline void lg_lldt(u16 selector)
{
	asm volatile("lldt %0" : : "r" (selector) : "memory");
}

/* CPUID leaf @leaf, subleaf 0. Return: %eax */
static inline u32 lg_cpuid(u32 leaf, u32 *ebx)
{
	u32 ecx = 0;

	asm volatile("cpuid" : "+a" (leaf), "=b" (*ebx), "+c" (ecx) : : "rdx");
	return leaf;
}

#endif /* _LG_INSN_H */
