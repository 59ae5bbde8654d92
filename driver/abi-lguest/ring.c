// SPDX-License-Identifier: GPL-2.0-only
/*
 * The call ring in lguest_data: calls that may wait until the next exit, in order. And the calls
 * that it may hold, which a guest may also ask for at once.
 */
#include <linux/sched.h>

#include "trace.h"
#include "abi-lguest/lguest.h"
#include "host/host.h"
#include "mmu/mmu.h"

/** lg_simple_call - do a call that the ring may hold; atomic. -ENOSYS: it is not one of them */
long lg_simple_call(struct lg_vcpu *vcpu, u64 nr, const u64 arg[3])
{
	switch (nr) {
	case LHCALL_FLUSH_ASYNC:
	case LHCALL_SET_PTE:
		/*
		 * Nothing to do: the ring has been drained, and faults and flushes find the rest.
		 */
		return 0;
	case LHCALL_RELEASE_PT:
		lg_release_table(vcpu, arg[0]);
		return 0;
	case LHCALL_FLUSH_TLB:
		if (!lg_flush_kind_ok(arg[0]))
			return -EINVAL;
		lg_flush(vcpu, false, arg[0], arg[1], arg[2]);
		return 0;
	case LHCALL_SET_TIMER:
		lg_set_timer(vcpu, arg[0]);
		return 0;
	case LHCALL_LOAD_TLS: {
		long err = lg_set_tls(vcpu, arg);

		if (!err)
			lg_window_gdt(vcpu);
		return err;
	}
	}
	return -ENOSYS;
}

/**
 * lg_drain_ring - do the calls that the guest has put into its ring
 * @vcpu: the virtual CPU; its mutex is held
 *
 * Atomic. Do them in order, from the slot where the last drain ended to the first slot that is not
 * pending. Stop if another task needs this CPU; the rest is drained before the guest runs again.
 * Flushes can take long. A task that needs the CPU lazily (6.13 and later) waits on, as for any
 * long system call: the tick makes it urgent, and must_leave() sees it before the guest runs.
 */
void lg_drain_ring(struct lg_vcpu *vcpu)
{
	struct lguest_data *data = vcpu->lguest.data;
	u64 flush = 0;
	unsigned int i;

	lg_assert_atomic(vcpu);
	for (i = 0; data && i < LGUEST_RING_SLOTS && !need_resched(); i++) {
		unsigned int slot = vcpu->lguest.ring_next;
		const struct lguest_ring_entry *entry = &data->hcalls[slot];
		u64 arg[3], nr;

		if (READ_ONCE(data->hcall_status[slot]) != LGUEST_RING_PENDING)
			break;
		/* Pairs with the guest's writes: first the call, then its status. */
		smp_rmb();
		nr = READ_ONCE(entry->nr);
		arg[0] = READ_ONCE(entry->arg[0]);
		arg[1] = READ_ONCE(entry->arg[1]);
		arg[2] = READ_ONCE(entry->arg[2]);
		trace_lguest_ring_call(vcpu->id, nr, arg);
		/* Make one flush of many flushes of everything: each may take a while. */
		if (nr == LHCALL_FLUSH_TLB && arg[0] != LGUEST_FLUSH_RANGE)
			flush = max_t(u64, flush, min_t(u64, arg[0], LGUEST_FLUSH_ALL));
		else
			lg_simple_call(vcpu, nr, arg);
		vcpu->stats.ring_calls++;
		WRITE_ONCE(data->hcall_status[slot], LGUEST_RING_DONE);
		vcpu->lguest.ring_next = (slot + 1) % LGUEST_RING_SLOTS;
	}
	if (i)
		vcpu->stats.ring_drains++;
	if (flush)
		lg_flush(vcpu, false, flush, 0, 0);
}
