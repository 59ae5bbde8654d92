// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hypercalls: include/lguest_abi.h has their numbers and arguments. Do those that need nothing but
 * vCPUs and the shadow at once, the others where we may sleep. The guest chooses all arguments:
 * check them here.
 */
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <asm/trap_pf.h>

#include "lg.h"
#include "trace.h"
#include "abi-lguest/lguest.h"
#include "mmu/mmu.h"

static enum lg_slow hypercall_result(struct lg_vcpu *vcpu, long value)
{
	vcpu->regs->ax = value;
	return LG_FAST;
}

static void count_hypercall(struct lg_vcpu *vcpu, u64 nr, const u64 arg[3])
{
	vcpu->stats.hypercalls++;
	if (nr < ARRAY_SIZE(vcpu->stats.hypercall_nr))
		vcpu->stats.hypercall_nr[array_index_nospec(nr, ARRAY_SIZE(vcpu->stats.hypercall_nr))]++;
	trace_lguest_hypercall(vcpu->id, nr, arg);
}

/** lg_hypercall_quickly - see lg_exit_quickly() */
bool lg_hypercall_quickly(struct lg_vcpu *vcpu)
{
	struct guest_regs *regs = vcpu->regs;

	lg_assert_irqs_off(vcpu);
	if (regs->ax != LHCALL_FLUSH_ASYNC &&
	    (regs->ax != LHCALL_FLUSH_TLB || regs->di != LGUEST_FLUSH_RANGE ||
	     !lg_flush_quickly(vcpu, regs->si, regs->dx)))
		return false;
	count_hypercall(vcpu, regs->ax, (const u64[]) { regs->di, regs->si, regs->dx });
	regs->ax = 0;
	return true;
}

/**
 * lg_hypercall - SYSCALL in kernel mode
 * @vcpu: the virtual CPU; its mutex is held
 *
 * Atomic. LG_SLOW_HYPERCALL: lg_hypercall_slow() has to do it.
 */
enum lg_slow lg_hypercall(struct lg_vcpu *vcpu)
{
	const struct guest_regs *regs = vcpu->regs;
	const u64 arg[3] = { regs->di, regs->si, regs->dx };
	u64 nr = regs->ax;

	lg_assert_atomic(vcpu);
	count_hypercall(vcpu, nr, arg);
	switch (nr) {
	case LHCALL_IRET:
		return lg_iret(vcpu);
	case LHCALL_INTERRUPT:
		return hypercall_result(vcpu, 0);
	case LHCALL_LOAD_CR3:
		lg_load_cr3(vcpu, arg[0]);
		return hypercall_result(vcpu, 0);
	case LHCALL_HALT:
		hypercall_result(vcpu, 0);
		return LG_SLOW_HALT;
	case LHCALL_SEND_IPI:
		return hypercall_result(vcpu, lg_send_ipi(vcpu, arg[0], arg[1]));
	case LHCALL_KICK:
		return hypercall_result(vcpu, lg_kick_halted(vcpu, arg[0]));
	case LHCALL_FLUSH_MULTI:
		if (!lg_flush_kind_ok(arg[0]))
			return hypercall_result(vcpu, -EINVAL);
		lg_flush_multi(vcpu, arg[0], arg[1], arg[2], regs->r10);
		return hypercall_result(vcpu, 0);
	case LHCALL_INIT:
	case LHCALL_REGISTER:
	case LHCALL_SHUTDOWN:
	case LHCALL_CONSOLE:
	case LHCALL_VCPU_UP:
	case LHCALL_VCPU_DOWN:
		return LG_SLOW_HYPERCALL;
	}
	return hypercall_result(vcpu, lg_simple_call(vcpu, nr, arg));
}

/* Read a NUL-terminated string of the guest. Cut it where it is too long or unreadable. */
static void read_guest_message(struct lg_vcpu *vcpu, gva_t gva, char *to, size_t size)
{
	size_t done = 0;

	while (gva && done < size - 1) {
		size_t part = min_t(size_t, size - 1 - done, PAGE_SIZE - (gva & ~PAGE_MASK));

		if (lg_read_gva(vcpu, gva, to + done, part) || memchr(to + done, 0, part))
			break;
		done += part;
		gva += part;
	}
	to[size - 1] = 0;
}

static int hypercall_shutdown(struct lg_vcpu *vcpu, u64 reason, gva_t message)
{
	struct lguest_run *run = vcpu->run;

	if (reason < LGUEST_SHUTDOWN_POWEROFF || reason > LGUEST_SHUTDOWN_CRASH)
		reason = LGUEST_SHUTDOWN_CRASH;
	memset(&run->shutdown, 0, sizeof(run->shutdown));
	run->shutdown.reason = reason;
	read_guest_message(vcpu, message, run->shutdown.message, sizeof(run->shutdown.message));
	run->exit_reason = LGUEST_EXIT_SHUTDOWN;
	return 1;
}

static int hypercall_console(struct lg_vcpu *vcpu, gva_t gva, u64 length)
{
	struct lguest_run *run = vcpu->run;

	length = min_t(u64, length, sizeof(run->console.data));
	if (lg_read_gva(vcpu, gva, run->console.data, length)) {
		vcpu->regs->ax = -EFAULT;
		return 0;
	}
	run->console.length = length;
	vcpu->regs->ax = length;
	run->exit_reason = LGUEST_EXIT_CONSOLE;
	return 1;
}

/**
 * lg_hypercall_slow - do a hypercall that sleeps, or that ends LGUEST_RUN
 * @vcpu: the virtual CPU; its mutex is held
 *
 * Sleeps. 0: run the guest again; 1: run->exit_reason is set.
 */
int lg_hypercall_slow(struct lg_vcpu *vcpu)
{
	struct guest_regs *regs = vcpu->regs;

	lockdep_assert_held(&vcpu->mutex);
	switch (regs->ax) {
	case LHCALL_INIT:
		regs->ax = lg_init_guest(vcpu, regs->di);
		return 0;
	case LHCALL_REGISTER:
		regs->ax = lg_register_data(vcpu, regs->di, regs->si);
		return 0;
	case LHCALL_SHUTDOWN:
		return hypercall_shutdown(vcpu, regs->di, regs->si);
	case LHCALL_CONSOLE:
		return hypercall_console(vcpu, regs->di, regs->si);
	case LHCALL_VCPU_UP:
		regs->ax = lg_vcpu_up(vcpu, regs->di, regs->si);
		return 0;
	case LHCALL_VCPU_DOWN:
		lg_vcpu_down(vcpu);
		return 0;
	}
	return 0;
}
