// SPDX-License-Identifier: GPL-2.0-only
/*
 * Time that the guest reads without a hypercall.
 *
 * If the host trusts its TSC, the guest may, too, and tsc_khz says how fast it is. If not,
 * lguest_data.clock holds the time of a moment ago, and the guest adds what the TSC has done since.
 * Each load of the vCPU brings the clock up to date, and the host's timer tick makes loads
 * frequent.
 */
#include <linux/irqflags.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/sched.h>
#include <linux/suspend.h>
#include <linux/timekeeping.h>
#include <linux/wait.h>
#include <asm/tsc.h>

#include "lg.h"
#include "abi-lguest/lguest.h"
#include "vcpu/vcpu.h"

/* Fill all fields of time in the vCPU's new lguest_data. The vCPU's mutex is held. */
void lg_clock_register(struct lg_vcpu *vcpu)
{
	struct lguest_data *data = vcpu->lguest.data;
	u64 wall = ktime_get_real_ns() - (ktime_get_ns() - vcpu->vm->clock_start);
	u32 mul;
	s8 shift;

	lockdep_assert_held(&vcpu->mutex);
	data->time_sec = div64_u64_rem(wall, NSEC_PER_SEC, &data->time_nsec);
	data->tsc_khz = check_tsc_unstable() ? 0 : tsc_khz;
	lg_clock_scale(tsc_khz ?: 1000000, &mul, &shift);
	data->clock.tsc_to_system_mul = mul;
	data->clock.tsc_shift = shift;
	lg_clock_update(vcpu);
}

/**
 * lg_clock_update - bring lguest_data.clock up to date
 * @vcpu: the virtual CPU; its mutex is held
 *
 * Any context in which @vcpu does not run guest code. The version is odd meanwhile, for other vCPUs
 * that read the clock.
 */
void lg_clock_update(struct lg_vcpu *vcpu)
{
	struct lguest_clock *clock = &vcpu->lguest.data->clock;
	u32 version = (READ_ONCE(clock->version) | 1) + 1;
	unsigned long flags;

	lockdep_assert_held(&vcpu->mutex);
	/* An interrupt between the two reads would shift the guest's clock. */
	local_irq_save(flags);
	WRITE_ONCE(clock->version, version - 1);
	smp_wmb();
	clock->system_time = ktime_get_ns() - vcpu->vm->clock_start;
	clock->tsc_timestamp = rdtsc_ordered() - vcpu->vm->tsc_offset;
	smp_wmb();
	WRITE_ONCE(clock->version, version);
	local_irq_restore(flags);
}

/** lg_clock_steal - tell the guest how long its thread has waited for a CPU of the host; atomic */
void lg_clock_steal(struct lg_vcpu *vcpu)
{
	u64 delay = current->sched_info.run_delay;

	lg_assert_atomic(vcpu);
	vcpu->steal += delay - vcpu->run_delay;
	vcpu->run_delay = delay;
	WRITE_ONCE(vcpu->lguest.data->steal_ns, vcpu->steal);
}
