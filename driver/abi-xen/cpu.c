// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a guest's kernel tells of its virtual CPU, and asks of it: where its handlers are,
 * segments, MSRs, CPUID.
 */
#include <linux/nospec.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <asm/desc.h>
#include <asm/emulate_prefix.h>
#include <asm/msr-index.h>
#include <asm/segment.h>
#include <xen/interface/callback.h>

#include "abi-xen/xen.h"
#include "host/host.h"
#include "host/selectors.h"
#include "mmu/mmu.h"
#include "vcpu/vcpu.h"

/* What Linux wants to see, and nobody asks twice. */
#define XEN_APIC_BASE	0xfee00900ULL	/* enabled, of the first CPU */
#define PAT_OF_XEN	0x0007040600070406ULL
#define EFER_OF_GUEST	(EFER_SCE | EFER_LME | EFER_LMA | EFER_NX)

/** lg_xen_set_trap_table - up to an entry without address; @gva 0: no handlers any more */
long lg_xen_set_trap_table(struct lg_vcpu *vcpu, gva_t gva)
{
	struct trap_info trap;
	unsigned int i;

	lockdep_assert_held(&vcpu->mutex);
	if (!gva)
		memset(vcpu->xen->traps, 0, sizeof(vcpu->xen->traps));
	for (i = 0; gva && i < LG_VECTORS; i++, gva += sizeof(trap)) {
		if (lg_read_gva(vcpu, gva, &trap, sizeof(trap)))
			return -EFAULT;
		if (!trap.address)
			break;
		if (!lg_xen_code(trap.address))
			return -EINVAL;
		vcpu->xen->traps[trap.vector] = trap;
	}
	return 0;
}

/** lg_xen_callback_op - where events and system calls go */
long lg_xen_callback_op(struct lg_vcpu *vcpu, u64 op, gva_t gva)
{
	struct callback_register callback;

	lockdep_assert_held(&vcpu->mutex);
	if (op != CALLBACKOP_register)
		return -ENOSYS;
	if (lg_read_gva(vcpu, gva, &callback, sizeof(callback)))
		return -EFAULT;
	if (!lg_xen_code(callback.address))
		return -EINVAL;
	switch (callback.type) {
	case CALLBACKTYPE_event:
		vcpu->xen->event_callback = callback.address;
		return 0;
	case CALLBACKTYPE_failsafe:
		/* For what IRET and selectors would fault at: none of that is ever tried. */
		return 0;
	case CALLBACKTYPE_syscall:
		vcpu->xen->syscall_callback = callback.address;
		vcpu->xen->syscall_masks = callback.flags & CALLBACKF_mask_events;
		return 0;
	}
	/* SYSENTER and 32-bit SYSCALL: Linux then has its programs use INT 0x80. */
	return -EINVAL;
}

/* The GDT that is live is the window's; of the guest's it takes the TLS entries. */
static long take_tls(struct lg_vcpu *vcpu, unsigned int entry, u64 descriptor)
{
	u64 tls[LG_TLS_ENTRIES];
	long err;

	if (entry < GDT_ENTRY_TLS_MIN || entry >= GDT_ENTRY_TLS_MIN + LG_TLS_ENTRIES)
		return 0;
	memcpy(tls, vcpu->xen->tls, sizeof(tls));
	entry = array_index_nospec(entry - GDT_ENTRY_TLS_MIN, LG_TLS_ENTRIES);
	tls[entry] = descriptor;
	err = lg_set_tls(vcpu, tls);
	if (!err)
		memcpy(vcpu->xen->tls, tls, sizeof(tls));
	return err;
}

/** lg_xen_set_gdt - HYPERVISOR_set_gdt: the frames of the guest's GDT, by its own addresses */
long lg_xen_set_gdt(struct lg_vcpu *vcpu, gva_t frames, u64 entries)
{
	u64 frame = ~0ULL;

	lockdep_assert_held(&vcpu->mutex);
	if (entries > 16 * 512 - 256)
		return -EINVAL;
	if (entries && lg_read_gva(vcpu, frames, &frame, sizeof(frame)))
		return -EFAULT;
	vcpu->xen->gdt_frame = frame;
	return 0;
}

/** lg_xen_update_descriptor - write a descriptor of the guest's, and load it if it is for TLS */
long lg_xen_update_descriptor(struct lg_vcpu *vcpu, gpa_t gpa, u64 descriptor)
{
	hva_t hva = lg_gfn_to_hva(vcpu->vm, gpa >> PAGE_SHIFT);
	long err = 0;

	lockdep_assert_held(&vcpu->mutex);
	if (!hva || (gpa & 7))
		return -EINVAL;
	if (gpa >> PAGE_SHIFT == vcpu->xen->gdt_frame)
		err = take_tls(vcpu, (gpa & ~PAGE_MASK) / 8, descriptor);
	if (!err && put_user(descriptor, (u64 __user *)(hva + (gpa & ~PAGE_MASK))))
		err = -EFAULT;
	return err;
}

/* The base of a selector for user mode's GS. */
static long set_user_gs(struct lg_vcpu *vcpu, u64 selector)
{
	const struct desc_struct *tls = lg_tls_of(vcpu->tls, selector);

	if (selector & ~(u64)U16_MAX)
		return -EINVAL;
	/* Each entry loads it before the kernel's base. */
	vcpu->cpu->gs = lg_check_selector(vcpu, selector);
	vcpu->xen->user_gs_base = tls ? get_desc_base(tls) : 0;
	return 0;
}

/** lg_xen_set_segment_base - HYPERVISOR_set_segment_base: -EINVAL: not a canonical address */
long lg_xen_set_segment_base(struct lg_vcpu *vcpu, u64 which, u64 base)
{
	lockdep_assert_held(&vcpu->mutex);
	if (which == SEGBASE_GS_USER_SEL)
		return set_user_gs(vcpu, base);
	if (!lg_canonical(base))
		return -EINVAL;
	switch (which) {
	case SEGBASE_FS:
		vcpu->cpu->fs_base = base;
		return 0;
	case SEGBASE_GS_USER:
		vcpu->xen->user_gs_base = base;
		return 0;
	case SEGBASE_GS_KERNEL:
		vcpu->cpu->gs_base = base;
		return 0;
	}
	return -EINVAL;
}

static bool write_base(struct lg_vcpu *vcpu, u32 number, u64 value)
{
	static const struct { u32 msr, which; } bases[] = {
		{ MSR_FS_BASE, SEGBASE_FS }, { MSR_GS_BASE, SEGBASE_GS_KERNEL },
		{ MSR_KERNEL_GS_BASE, SEGBASE_GS_USER },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bases); i++)
		if (bases[i].msr == number)
			return !lg_xen_set_segment_base(vcpu, bases[i].which, value);
	return true;
}

/**
 * lg_xen_msr - RDMSR or WRMSR of the guest's kernel
 * @vcpu: the virtual CPU; its mutex is held
 * @number: of the MSR
 * @write: WRMSR
 * @value: to write, or what was read
 *
 * Return: false: #GP. Those that nothing depends on read as 0 and take what is written.
 */
bool lg_xen_msr(struct lg_vcpu *vcpu, u32 number, bool write, u64 *value)
{
	lockdep_assert_held(&vcpu->mutex);
	if (write)
		return write_base(vcpu, number, *value);
	switch (number) {
	case MSR_FS_BASE:
		*value = vcpu->cpu->fs_base;
		break;
	case MSR_GS_BASE:
		*value = vcpu->cpu->gs_base;
		break;
	case MSR_KERNEL_GS_BASE:
		*value = vcpu->xen->user_gs_base;
		break;
	case MSR_EFER:
		*value = EFER_OF_GUEST;
		break;
	case MSR_IA32_APICBASE:
		*value = XEN_APIC_BASE;
		break;
	case MSR_IA32_CR_PAT:
		*value = PAT_OF_XEN;
		break;
	default:
		*value = 0;
	}
	return true;
}

/**
 * lg_xen_undefined - is #UD Xen's way to ask for CPUID?
 * @vcpu: the virtual CPU, in kernel mode; its mutex is held
 * @bytes: LG_INSN_MAX of them, at %rip
 *
 * Return: it is, and run->exit_reason is set.
 */
bool lg_xen_undefined(struct lg_vcpu *vcpu, const u8 *bytes)
{
	static const u8 cpuid[] = { __XEN_EMULATE_PREFIX, 0x0f, 0xa2 };
	struct lguest_run *run = vcpu->run;

	lockdep_assert_held(&vcpu->mutex);
	if (memcmp(bytes, cpuid, sizeof(cpuid)))
		return false;
	vcpu->regs->ip += sizeof(cpuid);
	memset(&run->cpuid, 0, sizeof(run->cpuid));
	run->cpuid.leaf = vcpu->regs->ax;
	run->cpuid.subleaf = vcpu->regs->cx;
	run->exit_reason = LGUEST_EXIT_CPUID;
	vcpu->xen->awaited = LG_XEN_CPUID;
	return true;
}

/** lg_xen_complete - the launcher has answered, or should have: before the guest runs again */
void lg_xen_complete(struct lg_vcpu *vcpu)
{
	const struct lguest_run *run = vcpu->run;
	struct guest_regs *regs = vcpu->regs;

	lockdep_assert_held(&vcpu->mutex);
	switch (vcpu->xen->awaited) {
	case LG_XEN_HYPERCALL:
		regs->ax = READ_ONCE(run->hypercall.result);
		break;
	case LG_XEN_CPUID:
		regs->ax = READ_ONCE(run->cpuid.eax);
		regs->bx = READ_ONCE(run->cpuid.ebx);
		regs->cx = READ_ONCE(run->cpuid.ecx);
		regs->dx = READ_ONCE(run->cpuid.edx);
		break;
	case LG_XEN_NOTHING:
		break;
	}
	vcpu->xen->awaited = LG_XEN_NOTHING;
}
