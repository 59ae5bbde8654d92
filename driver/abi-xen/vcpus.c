// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtual CPUs as the guest sees them: which there are, how one starts another, where each
 * has its vcpu_info, its timer.
 *
 * A vCPU that is down waits in LGUEST_RUN. Its state goes DOWN, STARTING, START by the one
 * that starts it, and from there to RUNNING and to DOWN again by its own thread.
 */
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/wait.h>
#include <asm/trapnr.h>

#include "abi-xen/xen.h"
#include "mmu/mmu.h"
#include "vcpu/vcpu.h"

static struct lg_vcpu *vcpu_of(struct lg_vm *vm, u64 number)
{
	return number < LGUEST_MAX_VCPUS ?
	       smp_load_acquire(&vm->vcpus[array_index_nospec(number, LGUEST_MAX_VCPUS)]) : NULL;
}

/* VCPUOP_initialise: what the other is to start with. Once: Linux starts it again with VCPUOP_up. */
static long initialise(struct lg_vcpu *vcpu, struct lg_vcpu *other, gva_t gva)
{
	struct vcpu_guest_context *start = kmalloc(sizeof(*start), GFP_KERNEL_ACCOUNT);
	long err = 0;

	if (!start)
		return -ENOMEM;
	if (lg_read_gva(vcpu, gva, start, sizeof(*start)))
		err = -EFAULT;
	else if (cmpxchg(&other->state, LG_VCPU_DOWN, LG_VCPU_STARTING) != LG_VCPU_DOWN)
		err = -EEXIST;
	if (err) {
		kfree(start);
		return err;
	}
	/* Whoever takes it out frees it, whatever the states say. */
	kfree(xchg(&other->xen->start, start));
	smp_store_release(&other->state, LG_VCPU_DOWN);
	return 0;
}

/* VCPUOP_up: its own thread does the rest, in lg_xen_vcpu_start(). */
static long start_vcpu(struct lg_vcpu *other)
{
	bool ready;

	if (cmpxchg(&other->state, LG_VCPU_DOWN, LG_VCPU_STARTING) != LG_VCPU_DOWN)
		return 0;
	ready = READ_ONCE(other->xen->start) || READ_ONCE(other->xen->has_run);
	smp_store_release(&other->state, ready ? LG_VCPU_START : LG_VCPU_DOWN);
	wake_up(&other->halted);
	return ready ? 0 : -EINVAL;
}

static long stop_vcpu(struct lg_vcpu *vcpu, const struct lg_vcpu *other)
{
	if (vcpu != other)
		return -EOPNOTSUPP;
	hrtimer_cancel(&vcpu->timer);
	WRITE_ONCE(vcpu->xen->has_run, true);
	/* It may be down already, and another vCPU about to start it: that state is not ours. */
	cmpxchg(&vcpu->state, LG_VCPU_RUNNING, LG_VCPU_DOWN);
	return 0;
}

/* What a kernel must not start with is refused by killing it: it has been told 0 before. */
static bool start_ok(const struct vcpu_guest_context *start)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(start->trap_ctxt); i++)
		if (start->trap_ctxt[i].address && !lg_xen_code(start->trap_ctxt[i].address))
			return false;
	return lg_xen_code(start->user_regs.rip) && lg_canonical(start->gs_base_kernel) &&
	       lg_canonical(start->gs_base_user) && lg_canonical(start->fs_base) &&
	       (!start->event_callback_eip || lg_xen_code(start->event_callback_eip)) &&
	       (!start->syscall_callback_eip || lg_xen_code(start->syscall_callback_eip));
}

static void take_context(struct lg_vcpu *vcpu, const struct vcpu_guest_context *start)
{
	const struct cpu_user_regs *from = &start->user_regs;
	struct lg_xen_vcpu *xen = vcpu->xen;
	unsigned int i;

	lg_reset_regs(vcpu, from->rip, from->rsp, start->gs_base_kernel);
	vcpu->regs->ax = from->rax;
	vcpu->regs->bx = from->rbx;
	vcpu->regs->cx = from->rcx;
	vcpu->regs->dx = from->rdx;
	vcpu->regs->si = from->rsi;
	vcpu->regs->di = from->rdi;
	vcpu->regs->bp = from->rbp;
	vcpu->regs->r12 = from->r12;
	vcpu->regs->r13 = from->r13;
	vcpu->regs->r14 = from->r14;
	vcpu->regs->r15 = from->r15;
	vcpu->cpu->fs_base = start->fs_base;
	for (i = 0; i < ARRAY_SIZE(xen->traps); i++)
		xen->traps[i] = start->trap_ctxt[i];
	xen->user_gs_base = start->gs_base_user;
	xen->kernel_sp = start->kernel_sp;
	xen->gdt_frame = start->gdt_frames[0];
	xen->event_callback = start->event_callback_eip;
	xen->syscall_callback = start->syscall_callback_eip;
	xen->syscall_masks = start->flags & VGCF_syscall_disables_events;
	xen->nmi_runs = false;
}

/**
 * lg_xen_vcpu_start - wait for VCPUOP_up, and do it
 * @vcpu: the virtual CPU, not running; its mutex is held
 *
 * The first time it starts with what VCPUOP_initialise has said; one that the guest has
 * taken down goes on behind the call that did it. Comes back for signals, too.
 */
void lg_xen_vcpu_start(struct lg_vcpu *vcpu)
{
	struct vcpu_guest_context *start;

	lockdep_assert_held(&vcpu->mutex);
	if (!lg_wait_for_start(vcpu))
		return;
	start = xchg(&vcpu->xen->start, NULL);
	if (start && start_ok(start)) {
		vcpu->exception_pending = false;
		vcpu->unhalted = false;
		take_context(vcpu, start);
		lg_load_cr3(vcpu, start->ctrlreg[3] & GENMASK_ULL(51, PAGE_SHIFT));
		WRITE_ONCE(vcpu->xen->info->evtchn_upcall_mask, 1);
	} else if (start) {
		lg_kill(vcpu->vm, "virtual CPU %u has nowhere to start", vcpu->id);
	}
	kfree(start);
	WRITE_ONCE(vcpu->state, LG_VCPU_RUNNING);
}

/*
 * VCPUOP_register_vcpu_info: once, since the host writes there from any context. The guest
 * then looks at all of its ports.
 */
static long register_info(struct lg_vcpu *vcpu, struct lg_vcpu *other, gva_t gva)
{
	struct vcpu_register_vcpu_info where;
	struct vcpu_info *info;
	struct page *page;

	if (lg_read_gva(vcpu, gva, &where, sizeof(where)))
		return -EFAULT;
	/* Its own thread writes there without the lock. */
	if (other != vcpu && READ_ONCE(other->state) == LG_VCPU_RUNNING)
		return -EINVAL;
	if (where.mfn >> 32 || where.offset > PAGE_SIZE - sizeof(*info))
		return -EINVAL;
	info = lg_xen_pin(vcpu->vm, (where.mfn << PAGE_SHIFT) + where.offset, sizeof(*info), &page);
	if (!info)
		return -EINVAL;
	spin_lock_irq(&vcpu->vm->xen->lock);
	if (other->xen->info_page) {
		spin_unlock_irq(&vcpu->vm->xen->lock);
		unpin_user_pages_dirty_lock(&page, 1, false);
		return -EINVAL;
	}
	memcpy(info, other->xen->info, sizeof(*info));
	info->evtchn_pending_sel = ~0UL;
	WRITE_ONCE(info->evtchn_upcall_pending, 1);
	other->xen->info_page = page;
	WRITE_ONCE(other->xen->info, info);
	spin_unlock_irq(&vcpu->vm->xen->lock);
	lg_kick(other);
	return 0;
}

static long set_timer(struct lg_vcpu *vcpu, const struct lg_vcpu *other, gva_t gva)
{
	struct vcpu_set_singleshot_timer timer;
	u64 now = lg_xen_now(vcpu->vm), ns;

	if (vcpu != other)
		return -EINVAL;
	if (lg_read_gva(vcpu, gva, &timer, sizeof(timer)))
		return -EFAULT;
	if (timer.flags & VCPU_SSHOTTMR_future && timer.timeout_abs_ns < now)
		return -ETIME;
	ns = timer.timeout_abs_ns > now ? timer.timeout_abs_ns - now : 0;
	hrtimer_start(&vcpu->timer, ktime_add_safe(ktime_get(), min_t(u64, ns, KTIME_MAX)),
		      HRTIMER_MODE_ABS);
	return 0;
}

/* How the host has treated the virtual CPU. It ran, as far as we tell. */
static long write_runstate(struct lg_vcpu *vcpu, gva_t gva)
{
	u64 now = lg_xen_now(vcpu->vm);
	struct vcpu_runstate_info runstate;

	/* Its padding goes to the guest, too. */
	memset(&runstate, 0, sizeof(runstate));
	runstate.state = RUNSTATE_running;
	runstate.state_entry_time = now;
	runstate.time[RUNSTATE_running] = now;
	return lg_write_gva(vcpu, gva, &runstate, sizeof(runstate)) ? -EFAULT : 0;
}

static long register_runstate(struct lg_vcpu *vcpu, gva_t gva)
{
	struct vcpu_register_runstate_memory_area area;

	if (lg_read_gva(vcpu, gva, &area, sizeof(area)))
		return -EFAULT;
	return write_runstate(vcpu, area.addr.p);
}

static long send_nmi(struct lg_vcpu *other)
{
	lg_interrupt(other, X86_TRAP_NMI);
	return 0;
}

/**
 * lg_xen_vcpu_op - HYPERVISOR_vcpu_op
 * @vcpu: who asks; its mutex is held
 * @op: VCPUOP_*
 * @id: of the virtual CPU that is meant
 * @gva: of the argument
 *
 * Sleeps. -ENOENT: there is no such virtual CPU.
 */
long lg_xen_vcpu_op(struct lg_vcpu *vcpu, u64 op, u64 id, gva_t gva)
{
	struct lg_vcpu *other = vcpu_of(vcpu->vm, id);

	lockdep_assert_held(&vcpu->mutex);
	if (!other)
		return -ENOENT;
	switch (op) {
	case VCPUOP_initialise:
		return initialise(vcpu, other, gva);
	case VCPUOP_up:
		return start_vcpu(other);
	case VCPUOP_down:
		return stop_vcpu(vcpu, other);
	case VCPUOP_is_up:
		return READ_ONCE(other->state) == LG_VCPU_RUNNING ||
		       READ_ONCE(other->state) == LG_VCPU_START;
	case VCPUOP_get_runstate_info:
		return write_runstate(vcpu, gva);
	case VCPUOP_register_runstate_memory_area:
		return register_runstate(vcpu, gva);
	case VCPUOP_stop_periodic_timer:
		return 0;
	case VCPUOP_set_singleshot_timer:
		return set_timer(vcpu, other, gva);
	case VCPUOP_stop_singleshot_timer:
		if (vcpu != other)
			return -EINVAL;
		hrtimer_cancel(&vcpu->timer);
		return 0;
	case VCPUOP_register_vcpu_info:
		return register_info(vcpu, other, gva);
	case VCPUOP_send_nmi:
		return send_nmi(other);
	}
	return -ENOSYS;
}
