// SPDX-License-Identifier: GPL-2.0-only
/* HYPERVISOR_sched_op: a virtual CPU has nothing to do, or the guest has ended. */
#include <linux/jiffies.h>
#include <linux/nospec.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/wait.h>
#include <xen/interface/sched.h>

#include "abi-xen/xen.h"
#include "mmu/mmu.h"
#include "vcpu/vcpu.h"

/**
 * lg_xen_must_stop - is this thread wanted elsewhere?
 * @vcpu: the virtual CPU; its mutex is held
 * @done: entries of a list that are done
 *
 * Sleeps, if others want this CPU.
 */
bool lg_xen_must_stop(struct lg_vcpu *vcpu, u64 done)
{
	/* One at least, so that each call gets on. An entry may be a flush of everything. */
	if (!done)
		return false;
	cond_resched();
	return signal_pending(current) || READ_ONCE(vcpu->run->immediate_exit) ||
	       READ_ONCE(vcpu->vm->dead) || READ_ONCE(vcpu->state) != LG_VCPU_RUNNING;
}

/* SCHEDOP_block: events are let through, and a pending one ends it. */
static int block(struct lg_vcpu *vcpu)
{
	vcpu->regs->ax = 0;
	WRITE_ONCE(vcpu->xen->info->evtchn_upcall_mask, 0);
	return lg_halt(vcpu);
}

/* SCHEDOP_poll: for an event of one port, masked or not. Linux's spinlocks wait so. */
static int poll(struct lg_vcpu *vcpu, gva_t gva)
{
	struct sched_poll poll;
	u32 port;
	u64 now = lg_xen_now(vcpu->vm);
	unsigned long ticks = HZ;

	vcpu->regs->ax = -EFAULT;
	if (lg_read_gva(vcpu, gva, &poll, sizeof(poll)) ||
	    lg_read_gva(vcpu, (gva_t)poll.ports, &port, sizeof(port)))
		return 0;
	vcpu->regs->ax = -EINVAL;
	if (poll.nr_ports != 1 || !port || port >= LG_XEN_PORTS)
		return 0;
	vcpu->regs->ax = 0;
	if (poll.timeout)
		ticks = poll.timeout > now ? min_t(u64, nsecs_to_jiffies(poll.timeout - now) + 1, HZ) : 0;
	WRITE_ONCE(vcpu->xen->poll_port, port);
	/* Whoever raises it reads poll_port behind the pending bit. */
	smp_mb();
	wait_event_interruptible_timeout(vcpu->halted,
					 lg_xen_port_pending(vcpu->vm, port) ||
					 lg_xen_events_come(vcpu) || READ_ONCE(vcpu->vm->dead) ||
					 READ_ONCE(vcpu->run->immediate_exit), ticks);
	WRITE_ONCE(vcpu->xen->poll_port, -1);
	return 0;
}

static int shut_down(struct lg_vcpu *vcpu, gva_t gva)
{
	static const u8 reasons[] = {
		[SHUTDOWN_poweroff] = LGUEST_SHUTDOWN_POWEROFF,
		[SHUTDOWN_reboot] = LGUEST_SHUTDOWN_RESTART,
	};
	struct lguest_run *run = vcpu->run;
	struct sched_shutdown shutdown;

	if (lg_read_gva(vcpu, gva, &shutdown, sizeof(shutdown))) {
		vcpu->regs->ax = -EFAULT;
		return 0;
	}
	memset(&run->shutdown, 0, sizeof(run->shutdown));
	run->shutdown.reason = shutdown.reason < ARRAY_SIZE(reasons) ?
			       reasons[array_index_nospec(shutdown.reason, ARRAY_SIZE(reasons))] :
			       LGUEST_SHUTDOWN_CRASH;
	run->exit_reason = LGUEST_EXIT_SHUTDOWN;
	return 1;
}

/**
 * lg_xen_sched_op - HYPERVISOR_sched_op
 * @vcpu: the virtual CPU; its mutex is held
 * @op: SCHEDOP_*
 * @gva: of the argument
 *
 * Sleeps. 0: run the guest again; 1: run->exit_reason is set.
 */
int lg_xen_sched_op(struct lg_vcpu *vcpu, u64 op, gva_t gva)
{
	lockdep_assert_held(&vcpu->mutex);
	switch (op) {
	case SCHEDOP_yield:
		vcpu->regs->ax = 0;
		cond_resched();
		return 0;
	case SCHEDOP_block:
		return block(vcpu);
	case SCHEDOP_poll:
		return poll(vcpu, gva);
	case SCHEDOP_shutdown:
		return shut_down(vcpu, gva);
	}
	vcpu->regs->ax = -ENOSYS;
	return 0;
}
