// SPDX-License-Identifier: GPL-2.0-only
/*
 * Time: what the Guest may read without asking.
 *
 * If the Host trusts its TSC, so may the Guest, and tsc_khz says how fast it
 * is. If not, lguest_data.clock holds the Host's time as of a moment ago and
 * the TSC bridges the rest; it is brought up to date whenever the vCPU is
 * loaded, which the Host's own timer tick makes happen often.
 *
 * Neither goes on while the Host sleeps: CLOCK_MONOTONIC does not either, and the TSC is
 * shifted by what else it has done meanwhile (resume_clocks()).
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

/* 32.32 fixed point: ns = (ticks << shift) * mul >> 32, as pvclock has it. */
static void clock_scale(u32 khz, u32 *mul, s8 *shift)
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

/* The vCPU has a new lguest_data: all that concerns time in it. */
void lg_clock_register(struct lg_vcpu *vcpu)
{
	struct lguest_data *data = vcpu->data;
	u64 wall = ktime_get_real_ns() - (ktime_get_ns() - vcpu->vm->clock_start);
	u32 mul;
	s8 shift;

	lockdep_assert_held(&vcpu->mutex);
	data->time_sec = div64_u64_rem(wall, NSEC_PER_SEC, &data->time_nsec);
	data->tsc_khz = check_tsc_unstable() ? 0 : tsc_khz;
	clock_scale(tsc_khz ?: 1000000, &mul, &shift);
	data->clock.tsc_to_system_mul = mul;
	data->clock.tsc_shift = shift;
	lg_clock_update(vcpu);
}

/**
 * lg_clock_update - bring lguest_data.clock up to date
 * @vcpu: the virtual CPU; its mutex is held
 *
 * Any context in which @vcpu does not run Guest code. The version is odd in
 * between for the sake of other vCPUs that read it.
 */
void lg_clock_update(struct lg_vcpu *vcpu)
{
	struct lguest_clock *clock = &vcpu->data->clock;
	u32 version = (READ_ONCE(clock->version) | 1) + 1;
	unsigned long flags;

	lockdep_assert_held(&vcpu->mutex);
	/* An interrupt between the two would be time that the Guest never had. */
	local_irq_save(flags);
	WRITE_ONCE(clock->version, version - 1);
	smp_wmb();
	clock->system_time = ktime_get_ns() - vcpu->vm->clock_start;
	clock->tsc_timestamp = rdtsc_ordered() - vcpu->vm->tsc_offset;
	smp_wmb();
	WRITE_ONCE(clock->version, version);
	local_irq_restore(flags);
}

/**
 * lg_clock_pause - LGUEST_PAUSE
 * @vm: the VM; its lock is held, and the Launcher runs none of its vCPUs
 * @on: 1: time stops; 0: it goes on
 *
 * A Guest that reads the TSC itself is shown one that stood still, too: from then
 * on each RDTSC of its ends in lg_emulate(). 0, or -EINVAL: no such change.
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

/* When the Host sleeps. */

static LIST_HEAD(vms);
static DEFINE_SPINLOCK(vms_lock);
static bool suspending;			/* from before the first thread is frozen until the TSC is put right */
static DECLARE_WAIT_QUEUE_HEAD(resumed);
static u64 suspend_raw, suspend_tsc;	/* as of then */

/* Both as of the same moment. The raw clock is what the TSC would be if the Host never slept. */
static void read_both(u64 *raw_ns, u64 *tsc)
{
	unsigned long flags;

	local_irq_save(flags);
	*raw_ns = ktime_get_raw_ns();
	*tsc = rdtsc_ordered();
	local_irq_restore(flags);
}

/*
 * S3 starts the TSC again at 0, and in suspend-to-idle it goes on while the clocks stand
 * still. Guests go on where they were. Less than a millisecond is forgiven, since the price of
 * a shift is a trap at each RDTSC, and so is what two clocks may differ by.
 */
static void resume_clocks(void)
{
	u64 raw_ns, tsc;
	struct lg_vm *vm;
	s64 shift;

	read_both(&raw_ns, &tsc);
	raw_ns -= suspend_raw;
	shift = tsc - suspend_tsc - mul_u64_u64_div_u64(raw_ns, tsc_khz, NSEC_PER_MSEC);
	if (check_tsc_unstable() || abs(shift) < tsc_khz + (s64)(tsc - suspend_tsc - shift) / 1024)
		return;
	spin_lock(&vms_lock);
	list_for_each_entry(vm, &vms, clock_list) {
		spin_lock(&vm->clock_lock);
		/* A pause ends with all that the TSC did since it began. */
		if (!vm->paused_ns)
			WRITE_ONCE(vm->tsc_offset, vm->tsc_offset + shift);
		spin_unlock(&vm->clock_lock);
	}
	spin_unlock(&vms_lock);
}

/*
 * The freezer makes all threads leave LGUEST_RUN. They are thawed before we hear of it, and
 * wait for us then: lg_clock_wait().
 */
static int power_event(struct notifier_block *unused, unsigned long event, void *data)
{
	switch (event) {
	case PM_SUSPEND_PREPARE:
	case PM_HIBERNATION_PREPARE:
		read_both(&suspend_raw, &suspend_tsc);
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

static struct notifier_block power_notifier = { .notifier_call = power_event };

/** lg_clock_wait - before a vCPU runs: while the Host is about to sleep; -EINTR: a signal */
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

/** lg_clock_steal - tell the Guest how long the thread waited for a CPU of the Host */
void lg_clock_steal(struct lg_vcpu *vcpu)
{
	u64 delay = current->sched_info.run_delay;

	lg_assert_atomic(vcpu);
	vcpu->steal += delay - vcpu->run_delay;
	vcpu->run_delay = delay;
	WRITE_ONCE(vcpu->data->steal_ns, vcpu->steal);
}
