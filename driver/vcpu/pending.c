// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a virtual CPU has to deliver: one exception of its own, and a bit for each interrupt. The
 * guest ABI says how to deliver it.
 */
#include <linux/bitops.h>
#include <linux/hrtimer.h>
#include <asm/trapnr.h>

#include "abi.h"
#include "vcpu/vcpu.h"

/** lg_exception - make an exception pending, for delivery before the guest runs; error ~0: none */
void lg_exception(struct lg_vcpu *vcpu, u8 vector, u64 error)
{
	lockdep_assert_held(&vcpu->mutex);
	vcpu->exception_pending = true;
	vcpu->exception_vector = vector;
	vcpu->exception_error = error;
}

/**
 * lg_interrupt - make @vector pending on @vcpu
 * @vcpu: any virtual CPU of a VM that lives
 * @vector: 32 to 255, or 2 for an NMI
 *
 * Any context. Wakes a halted vCPU, and makes a running one look at once.
 */
void lg_interrupt(struct lg_vcpu *vcpu, u8 vector)
{
	if (!test_and_set_bit(vector, vcpu->pending))
		lg_kick(vcpu);
}

/**
 * lg_page_fault - make a page fault pending, for delivery before the guest runs
 * @vcpu: the virtual CPU; its mutex is held
 * @gva: the address that faulted
 * @error: error code (SDM volume 3, 4.7)
 */
void lg_page_fault(struct lg_vcpu *vcpu, gva_t gva, u64 error)
{
	vcpu->exception_address = gva;
	lg_exception(vcpu, X86_TRAP_PF, error);
}

enum hrtimer_restart lg_timer_fires(struct hrtimer *timer)
{
	struct lg_vcpu *vcpu = container_of(timer, struct lg_vcpu, timer);

	vcpu->abi->timer(vcpu);
	return HRTIMER_NORESTART;
}
