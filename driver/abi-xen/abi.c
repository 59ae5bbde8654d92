// SPDX-License-Identifier: GPL-2.0-only
/* Xen's ABI for paravirtual guests, as the loop sees it; and how such a VM is made. */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "abi.h"
#include "abi-xen/xen.h"
#include "mmu/mmu.h"
#include "vcpu/vcpu.h"

/* LGUEST_SET_ABI; -ENOMEM */
static int xen_vm_init(struct lg_vm *vm)
{
	vm->xen = kvzalloc(sizeof(*vm->xen), GFP_KERNEL_ACCOUNT);
	if (!vm->xen)
		return -ENOMEM;
	lg_xen_ports_init(vm->xen);
	lg_watch_tables(vm);
	return 0;
}

static void xen_vm_exit(struct lg_vm *vm)
{
	if (vm->xen->shared_page)
		unpin_user_pages_dirty_lock(&vm->xen->shared_page, 1, true);
	kvfree(vm->xen);
}

/**
 * lg_xen_setup - LGUEST_XEN_SETUP
 * @vm: the VM; its lock is held
 * @args: from the launcher, not yet checked
 *
 * Sleeps. -EINVAL: not of such a VM, or not in its memory; -EBUSY: done already.
 */
int lg_xen_setup(struct lg_vm *vm, const struct lguest_xen_setup *args)
{
	lockdep_assert_held(&vm->lock);
	if (!vm->xen || args->reserved[0] || args->reserved[1] || (args->shared_info & ~PAGE_MASK))
		return -EINVAL;
	if (vm->xen->shared)
		return -EBUSY;
	vm->xen->shared = lg_xen_pin(vm, args->shared_info, PAGE_SIZE, &vm->xen->shared_page);
	if (!vm->xen->shared)
		return -EINVAL;
	if (!lg_set_fixed_entry(vm, args->m2p_entry))
		return 0;
	unpin_user_pages_dirty_lock(&vm->xen->shared_page, 1, false);
	vm->xen->shared_page = NULL;
	vm->xen->shared = NULL;
	return -EINVAL;
}

static int xen_create(struct lg_vcpu *vcpu)
{
	struct lg_xen_vcpu *xen;

	static_assert(LGUEST_MAX_VCPUS <= MAX_VIRT_CPUS);
	if (!vcpu->vm->xen->shared)
		return -EINVAL;
	xen = kvzalloc(sizeof(*xen), GFP_KERNEL_ACCOUNT);
	if (!xen)
		return -ENOMEM;
	xen->poll_port = -1;
	xen->gdt_frame = ~0ULL;
	xen->info = &vcpu->vm->xen->shared->vcpu_info[vcpu->id];
	xen->info->evtchn_upcall_mask = 1;
	vcpu->xen = xen;
	lg_xen_clock_init(vcpu);
	return 0;
}

static void xen_release(struct lg_vcpu *vcpu)
{
	if (!vcpu->xen)
		return;
	if (vcpu->xen->info_page)
		unpin_user_pages_dirty_lock(&vcpu->xen->info_page, 1, true);
	kfree(vcpu->xen->start);
	kvfree(vcpu->xen);
	vcpu->xen = NULL;
}

static bool xen_never(struct lg_vcpu *vcpu)
{
	return false;
}

static bool xen_no_calls(const struct lg_vcpu *vcpu)
{
	return false;
}

static void xen_nothing(struct lg_vcpu *vcpu)
{
}

static bool xen_waiting(struct lg_vcpu *vcpu)
{
	return lg_xen_events_wait(vcpu);
}

static u64 xen_exception_address(const struct lg_vcpu *vcpu)
{
	return READ_ONCE(vcpu->xen->info->arch.cr2);
}

/* Linux 6.x has a few CLI and STI before it has patched itself, where no event can come. */
static void xen_set_irqs(struct lg_vcpu *vcpu, bool on)
{
}

static u64 xen_user_gs_base(const struct lg_vcpu *vcpu)
{
	return vcpu->xen->user_gs_base;
}

static bool xen_user_gate(const struct lg_vcpu *vcpu, u8 vector)
{
	const struct trap_info *trap = &vcpu->xen->traps[vector];

	return trap->address && TI_GET_DPL(trap) == 3;
}

static void xen_timer(struct lg_vcpu *vcpu)
{
	lg_xen_raise_virq(vcpu, VIRQ_TIMER);
}

const struct lg_abi lg_abi_xen = {
	.name			= "xen",
	.first_line		= 1,
	.end_line		= EVTCHN_2L_NR_CHANNELS,
	.vm_init		= xen_vm_init,
	.vm_exit		= xen_vm_exit,
	.create			= xen_create,
	.deliver		= lg_xen_deliver,
	.system_call		= lg_xen_system_call,
	.hypercall		= lg_xen_hypercall,
	.quickly		= xen_never,
	.hypercall_slow		= lg_xen_hypercall_slow,
	.calls_wait		= xen_no_calls,
	.drain			= xen_nothing,
	.loaded			= lg_xen_clock_update,
	.put			= xen_nothing,
	.waiting		= xen_waiting,
	.exception_address	= xen_exception_address,
	.set_irqs		= xen_set_irqs,
	.msr			= lg_xen_msr,
	.undefined		= lg_xen_undefined,
	.complete		= lg_xen_complete,
	.user_gs_base		= xen_user_gs_base,
	.user_gate		= xen_user_gate,
	.start			= lg_xen_vcpu_start,
	.release		= xen_release,
	.raise			= lg_xen_raise_port,
	.timer			= xen_timer,
};
