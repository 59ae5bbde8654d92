/* SPDX-License-Identifier: GPL-2.0-only */
/* What CPUID says to the kernel of a guest of Xen's ABI. */
#ifndef _LAUNCHER_XEN_CPUID_H
#define _LAUNCHER_XEN_CPUID_H

#include <stdint.h>

struct lguest_run;

struct xen_cpuid {
	uint32_t eax, ebx, ecx, edx;
};

/* How this host's CPU answers; tests have another one. */
typedef struct xen_cpuid xen_native_cpuid(uint32_t leaf, uint32_t subleaf);

struct xen_cpuid xen_cpuid_answer(xen_native_cpuid *native, uint32_t leaf, uint32_t subleaf,
				  unsigned int vcpu);
void xen_cpuid(struct lguest_run *run, unsigned int vcpu);

#endif /* _LAUNCHER_XEN_CPUID_H */
