/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The processor's instructions as they are: the kernel's own wrappers for most
 * of these go through paravirt_ops or symbols that modules may not have.
 */
#ifndef _LG_HOST_H
#define _LG_HOST_H

#include <linux/types.h>
#include <asm/asm.h>
#include <asm/desc_defs.h>

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

static inline u64 lg_read_cr3(void)
{
	u64 value;

	asm volatile("mov %%cr3, %0" : "=r" (value) : : "memory");
	return value;
}

static inline u64 lg_read_cr4(void)
{
	u64 value;

	asm volatile("mov %%cr4, %0" : "=r" (value) : : "memory");
	return value;
}

static inline void lg_write_cr4(u64 value)
{
	asm volatile("mov %0, %%cr4" : : "r" (value) : "memory");
}

static inline u32 lg_read_pkru(void)
{
	u32 pkru, high;

	asm volatile(".byte 0x0f,0x01,0xee" : "=a" (pkru), "=d" (high) : "c" (0));
	return pkru;
}

static inline void lg_write_pkru(u32 pkru)
{
	asm volatile(".byte 0x0f,0x01,0xef" : : "a" (pkru), "c" (0), "d" (0) : "memory");
}

/* CPUID leaf @leaf, subleaf 0, %ebx */
static inline u32 lg_cpuid_ebx(u32 leaf)
{
	u32 ebx, ecx = 0;

	asm volatile("cpuid" : "+a" (leaf), "=b" (ebx), "+c" (ecx) : : "rdx");
	return ebx;
}

/* CPUID leaf @leaf, subleaf 0, %eax */
static inline u32 lg_cpuid_eax(u32 leaf)
{
	u32 ecx = 0;

	asm volatile("cpuid" : "+a" (leaf), "+c" (ecx) : : "rbx", "rdx");
	return leaf;
}

static inline u64 lg_xgetbv(void)
{
	u32 low, high;

	asm volatile("xgetbv" : "=a" (low), "=d" (high) : "c" (0));
	return low | (u64)high << 32;
}

static inline u64 lg_read_dr7(void)
{
	u64 value;

	asm volatile("mov %%db7, %0" : "=r" (value));
	return value;
}

static inline void lg_write_dr7(u64 value)
{
	asm volatile("mov %0, %%db7" : : "r" (value));
}

static inline u64 lg_read_dr6(void)
{
	u64 value;

	asm volatile("mov %%db6, %0" : "=r" (value));
	return value;
}

static inline void lg_write_dr6(u64 value)
{
	asm volatile("mov %0, %%db6" : : "r" (value));
}

static inline void lg_sgdt(struct desc_ptr *gdtr)
{
	asm volatile("sgdt %0" : "=m" (*gdtr));
}

static inline void lg_sidt(struct desc_ptr *idtr)
{
	asm volatile("sidt %0" : "=m" (*idtr));
}

#endif /* _LG_HOST_H */
