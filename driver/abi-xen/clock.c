// SPDX-License-Identifier: GPL-2.0-only
/* Time, as vcpu_info.time tells it: the system's time of a moment ago, and the TSC since. */
#include <linux/irqflags.h>
#include <linux/ktime.h>
#include <asm/tsc.h>

#include "abi-xen/xen.h"
#include "vcpu/vcpu.h"

/** lg_xen_now - the system's time in the guest, ns since it was made */
u64 lg_xen_now(const struct lg_vm *vm)
{
	return ktime_get_ns() - READ_ONCE(vm->clock_start);
}

/** lg_xen_clock_init - all that stays as it is in a new vcpu_info */
void lg_xen_clock_init(struct lg_vcpu *vcpu)
{
	struct pvclock_vcpu_time_info *time = (void *)&vcpu->xen->info->time;
	s8 shift;

	lg_clock_scale(tsc_khz ?: 1000000, &time->tsc_to_system_mul, &shift);
	time->tsc_shift = shift;
	/* Not "stable": each virtual CPU's pair is taken at its own time, from a clock that NTP steers. */
	time->flags = 0;
	lg_xen_clock_update(vcpu);
}

/**
 * lg_xen_clock_update - bring vcpu_info.time up to date
 * @vcpu: the virtual CPU, not in the guest; its mutex is held, or nobody knows it yet
 *
 * The version is odd in between for the sake of other virtual CPUs that read it.
 */
void lg_xen_clock_update(struct lg_vcpu *vcpu)
{
	struct pvclock_vcpu_time_info *time = (void *)&vcpu->xen->info->time;
	u32 version = (READ_ONCE(time->version) | 1) + 1;
	unsigned long flags;

	/* An interrupt between the two would be time that the guest never had. */
	local_irq_save(flags);
	WRITE_ONCE(time->version, version - 1);
	smp_wmb();
	time->system_time = lg_xen_now(vcpu->vm);
	time->tsc_timestamp = rdtsc_ordered() - READ_ONCE(vcpu->vm->tsc_offset);
	smp_wmb();
	WRITE_ONCE(time->version, version);
	local_irq_restore(flags);
}
