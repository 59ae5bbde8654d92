// SPDX-License-Identifier: GPL-2.0-only
/* The guest ABI of include/lguest_abi.h, as the loop sees it. */
#include <asm/processor-flags.h>

#include "abi.h"
#include "abi-lguest/lguest.h"
#include "vcpu/vcpu.h"

static bool lguest_calls_wait(const struct lg_vcpu *vcpu)
{
	return lg_ring_pending(vcpu);
}

static u64 lguest_exception_address(const struct lg_vcpu *vcpu)
{
	return vcpu->lguest.data ? READ_ONCE(vcpu->lguest.data->cr2) : 0;
}

static void lguest_set_irqs(struct lg_vcpu *vcpu, bool on)
{
	if (vcpu->lguest.data)
		WRITE_ONCE(vcpu->lguest.data->irq_enabled, on ? X86_EFLAGS_IF : 0);
}

static u64 lguest_user_gs_base(const struct lg_vcpu *vcpu)
{
	return vcpu->lguest.data ? READ_ONCE(vcpu->lguest.data->user_gs_base) : 0;
}

static bool lguest_user_gate(const struct lg_vcpu *vcpu, u8 vector)
{
	const struct lg_vm *vm = vcpu->vm;

	return vm->lguest.ready && vector && vector == vm->lguest.init.syscall_vec;
}

static void lguest_raise(struct lg_vcpu *vcpu, unsigned int line)
{
	lg_interrupt(vcpu, LGUEST_FIRST_VECTOR + line);
}

static void lguest_timer(struct lg_vcpu *vcpu)
{
	lguest_raise(vcpu, LGUEST_TIMER_LINE);
}

/* All other lines are for devices. */
static_assert(LGUEST_TIMER_LINE == 0);

const struct lg_abi lg_abi_lguest = {
	.name			= "lguest",
	.has_pcids		= true,
	.hole_start		= LGUEST_HOLE_START,
	.hole_end		= LGUEST_HOLE_END,
	.first_line		= LGUEST_TIMER_LINE + 1,
	.end_line		= LGUEST_LINES,
	.deliver		= lg_deliver,
	.system_call		= lg_system_call,
	.hypercall		= lg_hypercall,
	.quickly		= lg_hypercall_quickly,
	.hypercall_slow		= lg_hypercall_slow,
	.calls_wait		= lguest_calls_wait,
	.drain			= lg_drain_ring,
	.loaded			= lg_data_loaded,
	.put			= lg_data_put,
	.waiting		= lg_interrupt_waiting,
	.exception_address	= lguest_exception_address,
	.set_irqs		= lguest_set_irqs,
	.user_gs_base		= lguest_user_gs_base,
	.user_gate		= lguest_user_gate,
	.start			= lg_vcpu_start,
	.release		= lg_release_data,
	.raise			= lguest_raise,
	.timer			= lguest_timer,
};
