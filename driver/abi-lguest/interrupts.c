// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupts on their way to the guest: a bit for each vector. Any context may set it; the vCPU's
 * own thread clears it when it delivers the interrupt. These bits and
 * lguest_data.blocked_interrupts are all there is of an interrupt controller.
 */
#include <linux/ktime.h>
#include <linux/wait.h>
#include <asm/trapnr.h>

#include "lg.h"
#include "abi-lguest/lguest.h"
#include "vcpu/vcpu.h"

/* Does the guest hold this line back? @mask is read once; a lie hurts the guest alone. */
static bool is_line_blocked(u64 mask, unsigned int vector)
{
	return vector < LGUEST_FIRST_IPI && (mask >> (vector - LGUEST_FIRST_VECTOR) & 1);
}

/* The highest pending vector that the guest does not hold back, or -1. */
int lg_interrupt_next(struct lg_vcpu *vcpu)
{
	u64 mask;
	int i;

	if (bitmap_empty(vcpu->pending, LG_VECTORS))
		return -1;
	mask = vcpu->lguest.data ? READ_ONCE(vcpu->lguest.data->blocked_interrupts) : ~0ULL;
	for (i = BITS_TO_LONGS(LG_VECTORS) - 1; i >= 0; i--) {
		unsigned long bits = READ_ONCE(vcpu->pending[i]);

		while (bits) {
			unsigned int bit = __fls(bits), vector = i * BITS_PER_LONG + bit;

			if (vector >= LGUEST_FIRST_VECTOR && !is_line_blocked(mask, vector))
				return vector;
			bits &= ~BIT(bit);
		}
	}
	return -1;
}

/* Would an interrupt end a HALT? Any context. */
bool lg_interrupt_waiting(struct lg_vcpu *vcpu)
{
	return test_bit(X86_TRAP_NMI, vcpu->pending) || lg_interrupt_next(vcpu) >= 0;
}

/** lg_set_timer - set the timer: one interrupt on its line @ns from now; ~0: none */
void lg_set_timer(struct lg_vcpu *vcpu, u64 ns)
{
	if (ns == ~0ULL) {
		hrtimer_cancel(&vcpu->timer);
		clear_bit(LGUEST_FIRST_VECTOR + LGUEST_TIMER_LINE, vcpu->pending);
		return;
	}
	hrtimer_start(&vcpu->timer, ktime_add_safe(ktime_get(), min_t(u64, ns, KTIME_MAX)),
		      HRTIMER_MODE_ABS);
}

