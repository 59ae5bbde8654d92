// SPDX-License-Identifier: GPL-2.0-only
/*
 * The clock of a VM: when it began, and for how long it stood still, because the VM was paused or
 * because the host slept.
 *
 * CLOCK_MONOTONIC stands still while the host sleeps. The TSC does not: resume_clocks() shifts
 * the guest's TSC by what it has done meanwhile.
 */
#include <linux/irqflags.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/suspend.h>
#include <linux/timekeeping.h>
#include <linux/wait.h>
#include <asm/tsc.h>

#include "vcpu/vcpu.h"

/** lg_clock_scale - 32.32 fixed point: ns = (ticks << shift) * mul >> 32, as pvclock has it */
void lg_clock_scale(u32 khz, u32 *mul, s8 *shift)
{
	u64 ticks = (u64)khz * 1000;

	*shift = 0;
	while (ticks > 2ULL * NSEC_PER_SEC) {
		ticks >>= 1;
		--*shift;
	}
	while (ticks <= NSEC_PER_SEC) {
		ticks <<= 1;
		++*shift;
	}
	*mul = div64_u64((u64)NSEC_PER_SEC << 32, ticks);
}

/**
 * lg_clock_pause - LGUEST_PAUSE
 * @vm: the VM; its lock is held, and no vCPU of it runs
 * @on: 1: stop the VM's time; 0: let it go on
 *
 * For a guest that reads the TSC itself, the TSC must have stood still, too: after a pause each
 * RDTSC ends in lg_emulate(). 0, or -EINVAL: the VM is paused already, or is not.
 */
int lg_clock_pause(struct lg_vm *vm, unsigned long on)
{
	int err = 0;

	lockdep_assert_held(&vm->lock);
	spin_lock(&vm->clock_lock);
	if (on != !vm->paused_ns) {
		err = -EINVAL;
	} else if (on) {
		vm->paused_ns = ktime_get_ns();
		vm->paused_tsc = rdtsc_ordered();
	} else {
		WRITE_ONCE(vm->clock_start, vm->clock_start + ktime_get_ns() - vm->paused_ns);
		if (!check_tsc_unstable())
			WRITE_ONCE(vm->tsc_offset,
				   vm->tsc_offset + rdtsc_ordered() - vm->paused_tsc);
		vm->paused_ns = 0;
	}
	spin_unlock(&vm->clock_lock);
	return err;
}

/* While the host sleeps */

static LIST_HEAD(vms);
static DEFINE_SPINLOCK(vms_lock);
/* True from before the first thread is frozen until the TSC is shifted. */
static bool suspending;
static DECLARE_WAIT_QUEUE_HEAD(resumed);
static u64 suspend_raw, suspend_tsc;	/* when the sleep began */

/*
 * Read both clocks at the same moment. The raw clock goes on as the TSC would if the host never
 * slept.
 */
static void read_both_clocks(u64 *raw_ns, u64 *tsc)
{
	unsigned long flags;

	local_irq_save(flags);
	*raw_ns = ktime_get_raw_ns();
	*tsc = rdtsc_ordered();
	local_irq_restore(flags);
}

/*
 * S3 starts the TSC again at 0; in suspend-to-idle the TSC goes on while the clocks stand still.
 * Shift the TSC of all guests back to where it was. Ignore less than a millisecond, since a shift
 * costs a trap at each RDTSC, and ignore by how much two clocks may differ.
 */
static void resume_clocks(void)
{
	u64 raw_ns, tsc;
	struct lg_vm *vm;
	s64 shift;

	read_both_clocks(&raw_ns, &tsc);
	raw_ns -= suspend_raw;
	shift = tsc - suspend_tsc - mul_u64_u64_div_u64(raw_ns, tsc_khz, NSEC_PER_MSEC);
	if (check_tsc_unstable() || abs(shift) < tsc_khz + (s64)(tsc - suspend_tsc - shift) / 1024)
		return;
	spin_lock(&vms_lock);
	list_for_each_entry(vm, &vms, clock_list) {
		spin_lock(&vm->clock_lock);
		/* The end of a pause takes off all that the TSC did since its start. */
		if (!vm->paused_ns)
			WRITE_ONCE(vm->tsc_offset, vm->tsc_offset + shift);
		spin_unlock(&vm->clock_lock);
	}
	spin_unlock(&vms_lock);
}

/*
 * The freezer makes all threads leave LGUEST_RUN. They are thawed before this function hears of
 * the end of the sleep: lg_clock_wait() lets them wait for it.
 */
static int clock_power_event(struct notifier_block *unused, unsigned long event, void *data)
{
	switch (event) {
	case PM_SUSPEND_PREPARE:
	case PM_HIBERNATION_PREPARE:
		read_both_clocks(&suspend_raw, &suspend_tsc);
		WRITE_ONCE(suspending, true);
		break;
	case PM_POST_SUSPEND:
	case PM_POST_HIBERNATION:
		if (!suspending)
			break;
		resume_clocks();
		smp_store_release(&suspending, false);
		wake_up_all(&resumed);
		break;
	}
	return NOTIFY_DONE;
}

static struct notifier_block power_notifier = { .notifier_call = clock_power_event };

/**
 * lg_clock_wait - wait before a vCPU runs, while the host is about to sleep or just awake
 *
 * Sleeps. 0, or -EINTR: a signal.
 */
int lg_clock_wait(void)
{
	if (likely(!smp_load_acquire(&suspending)))
		return 0;
	return wait_event_interruptible(resumed, !smp_load_acquire(&suspending)) ? -EINTR : 0;
}

void lg_clock_open(struct lg_vm *vm)
{
	spin_lock_init(&vm->clock_lock);
	vm->clock_start = ktime_get_ns();
	spin_lock(&vms_lock);
	list_add(&vm->clock_list, &vms);
	spin_unlock(&vms_lock);
}

void lg_clock_close(struct lg_vm *vm)
{
	spin_lock(&vms_lock);
	list_del(&vm->clock_list);
	spin_unlock(&vms_lock);
}

int lg_clock_init(void)
{
	return register_pm_notifier(&power_notifier);
}

void lg_clock_exit(void)
{
	unregister_pm_notifier(&power_notifier);
}
