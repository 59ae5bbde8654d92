// SPDX-License-Identifier: GPL-2.0-only
/*
 * What CPUID says to the kernel of a guest of Xen's ABI: what this host's CPU says, without
 * all that only a kernel in ring 0 could use, or that is not switched for a guest. Leaves
 * that are not known here are empty. The guest's user space sees the CPU's own answers,
 * unless the CPU can be told otherwise. SDM volume 2, CPUID; APM volume 3, appendix E.
 */
#include <cpuid.h>
#include <stdbool.h>

#include "lguest_uapi.h"
#include "xen/abi.h"
#include "xen/cpuid.h"

#define BIT(n)		(1U << (n))

#define LAST_LEAF		0x16U
#define XEN_LEAF		0x40000000U
#define XEN_LAST_LEAF		0x40000003U
#define EXTENDED_LEAF		0x80000000U
#define LAST_EXTENDED_LEAF	0x80000021U

/* Extended states that a guest may have: x87, SSE, AVX, the three of AVX-512. */
#define STATES_SSE		0x3U
#define STATES_AVX		0x4U
#define STATES_AVX512		0xe0U
#define STATES			(STATES_SSE | STATES_AVX | STATES_AVX512)
#define LEGACY_STATE_SIZE	576U	/* with the header */

/* Leaf 1 */
#define HIDE_1_ECX	(BIT(2) /* DTES64 */ | BIT(3) /* MONITOR */ | BIT(4) /* DS_CPL */ | \
			 BIT(5) /* VMX */ | BIT(6) /* SMX */ | BIT(7) /* EST */ | \
			 BIT(8) /* TM2 */ | \
			 BIT(10) /* CNXT_ID */ | BIT(11) /* SDBG */ | BIT(14) /* XTPR */ | \
			 BIT(15) /* PDCM */ | BIT(17) /* PCID */ | BIT(18) /* DCA */ | \
			 BIT(21) /* X2APIC */ | BIT(24) /* TSC_DEADLINE */)
#define HYPERVISOR	BIT(31)
#define HIDE_1_EDX	(BIT(1) /* VME */ | BIT(2) /* DE */ | BIT(3) /* PSE */ | \
			 BIT(7) /* MCE */ | \
			 BIT(11) /* SEP */ | BIT(12) /* MTRR */ | BIT(13) /* PGE */ | \
			 BIT(14) /* MCA */ | BIT(17) /* PSE36 */ | BIT(21) /* DS */ | \
			 BIT(22) /* ACPI */ | BIT(28) /* HTT */ | BIT(29) /* TM */ | \
			 BIT(31) /* PBE */)

/* Leaf 7. Transactions are hidden for what they tell others; MPX and PKU are not switched. */
#define HIDE_7_EBX	(BIT(0) /* FSGSBASE */ | BIT(1) /* TSC_ADJUST */ | BIT(2) /* SGX */ | \
			 BIT(4) /* HLE */ | BIT(7) /* SMEP */ | BIT(10) /* INVPCID */ | \
			 BIT(11) /* RTM */ | BIT(12) /* RDT-M */ | BIT(14) /* MPX */ | \
			 BIT(15) /* RDT-A */ | BIT(20) /* SMAP */ | BIT(25) /* PT */)
#define HIDE_7_ECX	(BIT(2) /* UMIP */ | BIT(3) /* PKU */ | BIT(4) /* OSPKE */ | \
			 BIT(5) /* WAITPKG */ | BIT(7) /* SHSTK */ | BIT(13) /* TME */ | \
			 BIT(16) /* LA57 */ | BIT(22) /* RDPID */ | BIT(23) /* KL */ | \
			 BIT(24) /* BUS_LOCK */ | BIT(29) /* ENQCMD */ | BIT(30) /* SGX_LC */ | \
			 BIT(31) /* PKS */)
#define SHOW_7_EDX	(BIT(2) /* AVX512_4VNNIW */ | BIT(3) /* AVX512_4FMAPS */ | \
			 BIT(4) /* FSRM */ | \
			 BIT(8) /* AVX512_VP2INTERSECT */ | BIT(10) /* MD_CLEAR */ | \
			 BIT(14) /* SERIALIZE */ | BIT(23) /* AVX512_FP16 */)
#define SHOW_7_1_EAX	(BIT(4) /* AVX_VNNI */ | BIT(5) /* AVX512_BF16 */ | BIT(10) /* FZRM */ | \
			 BIT(11) /* FSRS */ | BIT(12) /* FSRC */ | BIT(23) /* AVX_IFMA */)
#define SHOW_7_1_EDX	(BIT(4) /* AVX_VNNI_INT8 */ | BIT(5) /* AVX_NE_CONVERT */ | \
			 BIT(10) /* AVX_VNNI_INT16 */)

/* What is there with a state alone, by leaf: without XSAVE, without AVX's, without AVX-512's. */
#define XSAVE		BIT(26)
#define OSXSAVE		BIT(27)
#define AVX_1_ECX	(BIT(12) /* FMA */ | BIT(28) /* AVX */ | BIT(29) /* F16C */)
#define AVX_7_EBX	BIT(5) /* AVX2 */
#define AVX_7_ECX	(BIT(9) /* VAES */ | BIT(10) /* VPCLMULQDQ */)
#define AVX_7_1_EAX	(BIT(4) /* AVX_VNNI */ | BIT(23) /* AVX_IFMA */)
#define AVX_EXT_ECX	(BIT(11) /* XOP */ | BIT(16) /* FMA4 */)
#define AVX512_7_EBX	(BIT(16) /* F */ | BIT(17) /* DQ */ | BIT(21) /* IFMA */ | \
			 BIT(26) /* PF */ | BIT(27) /* ER */ | BIT(28) /* CD */ | \
			 BIT(30) /* BW */ | BIT(31) /* VL */)
#define AVX512_7_ECX	(BIT(1) /* VBMI */ | BIT(6) /* VBMI2 */ | BIT(11) /* VNNI */ | \
			 BIT(12) /* BITALG */ | BIT(14) /* VPOPCNTDQ */)
#define AVX512_7_EDX	(BIT(2) /* 4VNNIW */ | BIT(3) /* 4FMAPS */ | \
			 BIT(8) /* VP2INTERSECT */ | BIT(23) /* FP16 */)
#define AVX512_7_1_EAX	BIT(5) /* BF16 */

/* Leaf 0xd */
#define XSAVEOPT	BIT(0)

/* Leaves 0x80000001 and following */
#define HIDE_EXT_ECX	(BIT(2) /* SVM */ | BIT(3) /* EXTAPIC */ | BIT(4) /* CR8_LEGACY */ | \
			 BIT(9) /* OSVW */ | \
			 BIT(10) /* IBS */ | BIT(12) /* SKINIT */ | BIT(13) /* WDT */ | \
			 BIT(15) /* LWP */ | BIT(17) /* TCE */ | BIT(19) /* NODEID_MSR */ | \
			 BIT(22) /* TOPOEXT */ | \
			 BIT(23) /* PERFCTR_CORE */ | BIT(24) /* PERFCTR_NB */ | \
			 BIT(26) /* BPEXT */ | \
			 BIT(27) /* PTSC */ | BIT(28) /* PERFCTR_LLC */ | BIT(29) /* MWAITX */ | \
			 BIT(30) /* ADDR_MASK_EXT */)
/* AMD's has the first bits of leaf 1 once more; bit 11 is SYSCALL here. */
#define HIDE_EXT_EDX	((HIDE_1_EDX & 0x3ffffU & ~BIT(11)) | BIT(25) /* FFXSR */ | \
			 BIT(26) /* GBPAGES */ | BIT(27) /* RDTSCP */)
#define CONSTANT_TSC	BIT(8)		/* 0x80000007 edx */
#define CLZERO		BIT(0)		/* 0x80000008 ebx */
#define SHOW_21_EAX	(BIT(2) /* LFENCE_RDTSC */ | BIT(6) /* NULL_SEL_CLR_BASE */)

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* Which hypervisor, what version, and how time goes. */
static struct xen_cpuid xen_leaf(uint32_t leaf)
{
	switch (leaf) {
	case XEN_LEAF:		/* "XenVMMXenVMM" */
		return (struct xen_cpuid){ XEN_LAST_LEAF, 0x566e6558, 0x65584d4d, 0x4d4d566e };
	case XEN_LEAF + 1:
		return (struct xen_cpuid){ .eax = 4U << 16 | XEN_VERSION_MINOR };
	default:
		/* 2: no page of hypercalls. 3: the time may stop, so it is not the TSC's. */
		return (struct xen_cpuid){ 0 };
	}
}

/*
 * The states that a guest has: those that the host has turned on, each with what it needs.
 * Without XSAVE there are none.
 */
static uint32_t guest_states(xen_native_cpuid *native)
{
	uint32_t shown = 0;

	if (native(0, 0).eax >= 0xd && native(1, 0).ecx & OSXSAVE)
		shown = native(0xd, 0).eax & STATES;
	if ((shown & STATES_SSE) != STATES_SSE)
		return 0;
	if (!(shown & STATES_AVX) || (shown & STATES_AVX512) != STATES_AVX512)
		shown &= ~STATES_AVX512;
	return shown;
}

/* Leaf 1. The guest's CPUs are alone in their packages: there is nothing to tell them apart by. */
static void features(struct xen_cpuid *cpuid, uint32_t states, unsigned int vcpu)
{
	cpuid->ebx = (cpuid->ebx & 0xffff) | 1U << 16 | vcpu << 24;
	cpuid->ecx = (cpuid->ecx & ~HIDE_1_ECX) | HYPERVISOR;
	if (!states)
		cpuid->ecx &= ~(XSAVE | OSXSAVE);
	if (!(states & STATES_AVX))
		cpuid->ecx &= ~AVX_1_ECX;
	cpuid->edx &= ~HIDE_1_EDX;
}

/* Leaf 7. */
static void more_features(struct xen_cpuid *cpuid, uint32_t states, uint32_t subleaf)
{
	bool avx = states & STATES_AVX, avx512 = states & STATES_AVX512;

	if (subleaf == 0) {
		cpuid->eax = least(cpuid->eax, 1);
		cpuid->ebx &= ~(HIDE_7_EBX | (avx ? 0 : AVX_7_EBX) | (avx512 ? 0 : AVX512_7_EBX));
		cpuid->ecx &= ~(HIDE_7_ECX | (avx ? 0 : AVX_7_ECX) | (avx512 ? 0 : AVX512_7_ECX));
		cpuid->edx &= SHOW_7_EDX & ~(avx512 ? 0 : AVX512_7_EDX);
	} else if (subleaf == 1) {
		cpuid->eax &= SHOW_7_1_EAX & ~((avx ? 0 : AVX_7_1_EAX) |
					       (avx512 ? 0 : AVX512_7_1_EAX));
		cpuid->edx &= avx ? SHOW_7_1_EDX : 0;
		cpuid->ebx = cpuid->ecx = 0;
	} else {
		*cpuid = (struct xen_cpuid){ 0 };
	}
}

/* Bytes of an area with all states that a guest may have. */
static uint32_t states_size(xen_native_cpuid *native, uint32_t states)
{
	uint32_t size = LEGACY_STATE_SIZE, state;

	for (state = 2; state < 32; state++) {
		struct xen_cpuid one;

		if (!(states & BIT(state)))
			continue;
		one = native(0xd, state);
		if (one.ebx + one.eax > size)
			size = one.ebx + one.eax;
	}
	return size;
}

/*
 * Leaf 0xd. What an area takes is said for all states, however many the guest has turned on
 * by now: Linux asks when it has. The compact form, which supervisors' states need, is hidden.
 */
static void states(xen_native_cpuid *native, struct xen_cpuid *cpuid, uint32_t subleaf)
{
	uint32_t shown = guest_states(native);

	if (!shown) {
		*cpuid = (struct xen_cpuid){ 0 };
	} else if (subleaf == 0) {
		uint32_t size = states_size(native, shown);

		*cpuid = (struct xen_cpuid){ .eax = shown, .ebx = size, .ecx = size };
	} else if (subleaf == 1) {
		*cpuid = (struct xen_cpuid){ .eax = cpuid->eax & XSAVEOPT };
	} else if (subleaf >= 32 || !(shown & BIT(subleaf))) {
		*cpuid = (struct xen_cpuid){ 0 };
	}
}

static struct xen_cpuid basic_leaf(xen_native_cpuid *native, uint32_t leaf, uint32_t subleaf,
				   unsigned int vcpu)
{
	struct xen_cpuid cpuid = native(leaf, subleaf);

	switch (leaf) {
	case 0x0:
		cpuid.eax = least(cpuid.eax, LAST_LEAF);
		return cpuid;
	case 0x1:
		features(&cpuid, guest_states(native), vcpu);
		return cpuid;
	case 0x4:	/* caches, which nobody shares */
		cpuid.eax &= 0x3fff;
		return cpuid;
	case 0x7:
		more_features(&cpuid, guest_states(native), subleaf);
		return cpuid;
	case 0xd:
		states(native, &cpuid, subleaf);
		return cpuid;
	case 0x2:
	case 0x15:
	case 0x16:
		return cpuid;
	default:
		return (struct xen_cpuid){ 0 };
	}
}

static struct xen_cpuid extended_leaf(xen_native_cpuid *native, uint32_t leaf, uint32_t subleaf)
{
	struct xen_cpuid cpuid = native(leaf, subleaf);

	switch (leaf) {
	case EXTENDED_LEAF:
		cpuid.eax = least(cpuid.eax, LAST_EXTENDED_LEAF);
		return cpuid;
	case EXTENDED_LEAF + 0x1:
		cpuid.ecx &= ~(HIDE_EXT_ECX |
			       (guest_states(native) & STATES_AVX ? 0 : AVX_EXT_ECX));
		cpuid.edx &= ~HIDE_EXT_EDX;
		return cpuid;
	case EXTENDED_LEAF + 0x7:
		return (struct xen_cpuid){ .edx = cpuid.edx & CONSTANT_TSC };
	case EXTENDED_LEAF + 0x8:	/* four levels of page tables: 48 bits */
		return (struct xen_cpuid){ .eax = (cpuid.eax & 0xff) | 48U << 8,
					   .ebx = cpuid.ebx & CLZERO };
	case EXTENDED_LEAF + 0x21:
		return (struct xen_cpuid){ .eax = cpuid.eax & SHOW_21_EAX };
	case EXTENDED_LEAF + 0x2:	/* its name, */
	case EXTENDED_LEAF + 0x3:
	case EXTENDED_LEAF + 0x4:
	case EXTENDED_LEAF + 0x5:	/* and caches */
	case EXTENDED_LEAF + 0x6:
		return cpuid;
	default:
		return (struct xen_cpuid){ 0 };
	}
}

/**
 * xen_cpuid_answer() - what CPUID says to a guest's kernel
 * @native: how the CPU answers; leaf 0xd has only states that the host has turned on
 * @leaf: eax
 * @subleaf: ecx
 * @vcpu: number of the virtual CPU
 *
 * Return: the registers.
 */
struct xen_cpuid xen_cpuid_answer(xen_native_cpuid *native, uint32_t leaf, uint32_t subleaf,
				  unsigned int vcpu)
{
	struct xen_cpuid none = { 0 };

	if (leaf >= XEN_LEAF && leaf <= XEN_LEAF + 0xff)
		return xen_leaf(leaf);
	if (leaf >= EXTENDED_LEAF)
		return leaf <= native(EXTENDED_LEAF, 0).eax ?
		       extended_leaf(native, leaf, subleaf) : none;
	return leaf <= native(0, 0).eax ? basic_leaf(native, leaf, subleaf, vcpu) : none;
}

/* Low half of XCR0: the states that the host's kernel has turned on. */
static uint32_t xgetbv(void)
{
	uint32_t low, high;

	__asm__ volatile("xgetbv" : "=a" (low), "=d" (high) : "c" (0));
	return low;
}

/* As the CPU answers; of its states only those that the host has turned on. */
static struct xen_cpuid native_cpuid(uint32_t leaf, uint32_t subleaf)
{
	struct xen_cpuid cpuid;

	__cpuid_count(leaf, subleaf, cpuid.eax, cpuid.ebx, cpuid.ecx, cpuid.edx);
	/* Without OSXSAVE there is no XGETBV. */
	if (leaf == 0xd && subleaf == 0 && native_cpuid(1, 0).ecx & OSXSAVE)
		cpuid.eax &= xgetbv();
	return cpuid;
}

/**
 * xen_cpuid() - do what LGUEST_EXIT_CPUID returned for
 * @run: of the virtual CPU whose thread this is; the answer goes there
 * @vcpu: its number
 */
void xen_cpuid(struct lguest_run *run, unsigned int vcpu)
{
	struct xen_cpuid answer = xen_cpuid_answer(native_cpuid, run->cpuid.leaf,
						   run->cpuid.subleaf, vcpu);

	run->cpuid.eax = answer.eax;
	run->cpuid.ebx = answer.ebx;
	run->cpuid.ecx = answer.ecx;
	run->cpuid.edx = answer.edx;
}
