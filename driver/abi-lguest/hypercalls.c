// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hypercalls: include/lguest_abi.h has their numbers and arguments. Those that
 * touch nothing but the vCPU and its shadow are done at once; the others when
 * we may sleep. All arguments are the Guest's word: checked here.
 */
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <asm/trap_pf.h>

#include "lg.h"
#include "trace.h"

static bool direct = true;
module_param(direct, bool, 0644);
MODULE_PARM_DESC(direct, "system calls of Guests stay in the Switcher");

static enum lg_slow result(struct lg_vcpu *vcpu, long value)
{
	vcpu->regs->ax = value;
	return LG_FAST;
}

static bool flush_kind_ok(u64 kind)
{
	return kind >= LGUEST_FLUSH_USER && kind <= LGUEST_FLUSH_RANGE;
}

/* Those that the ring may hold, too. -ENOSYS: not one of them. */
static long simple_call(struct lg_vcpu *vcpu, u64 nr, const u64 arg[3])
{
	switch (nr) {
	case LHCALL_FLUSH_ASYNC:
	case LHCALL_SET_PTE:
		/* Hints. The ring has been drained; faults and flushes find the rest. */
		return 0;
	case LHCALL_RELEASE_PT:
		lg_release_table(vcpu, arg[0]);
		return 0;
	case LHCALL_FLUSH_TLB:
		if (!flush_kind_ok(arg[0]))
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

static void count_call(struct lg_vcpu *vcpu, u64 nr, const u64 arg[3])
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
	count_call(vcpu, regs->ax, (const u64[]) { regs->di, regs->si, regs->dx });
	regs->ax = 0;
	return true;
}

/**
 * lg_hypercall - SYSCALL in kernel mode
 * @vcpu: the virtual CPU; its mutex is held
 *
 * Atomic. LG_SLOW_HYPERCALL passes it on to lg_hypercall_slow().
 */
enum lg_slow lg_hypercall(struct lg_vcpu *vcpu)
{
	const struct guest_regs *regs = vcpu->regs;
	const u64 arg[3] = { regs->di, regs->si, regs->dx };
	u64 nr = regs->ax;

	lg_assert_atomic(vcpu);
	count_call(vcpu, nr, arg);
	switch (nr) {
	case LHCALL_IRET:
		return lg_iret(vcpu);
	case LHCALL_INTERRUPT:
		return result(vcpu, 0);
	case LHCALL_LOAD_CR3:
		lg_load_cr3(vcpu, arg[0]);
		return result(vcpu, 0);
	case LHCALL_HALT:
		result(vcpu, 0);
		return LG_SLOW_HALT;
	case LHCALL_SEND_IPI:
		return result(vcpu, lg_send_ipi(vcpu, arg[0], arg[1]));
	case LHCALL_KICK:
		return result(vcpu, lg_kick_halted(vcpu, arg[0]));
	case LHCALL_FLUSH_MULTI:
		if (!flush_kind_ok(arg[0]))
			return result(vcpu, -EINVAL);
		lg_flush_multi(vcpu, arg[0], arg[1], arg[2], regs->r10);
		return result(vcpu, 0);
	case LHCALL_INIT:
	case LHCALL_REGISTER:
	case LHCALL_SHUTDOWN:
	case LHCALL_CONSOLE:
	case LHCALL_VCPU_UP:
	case LHCALL_VCPU_DOWN:
		return LG_SLOW_HYPERCALL;
	}
	return result(vcpu, simple_call(vcpu, nr, arg));
}

/**
 * lg_drain_ring - do what the Guest has put into its ring
 * @vcpu: the virtual CPU; its mutex is held
 *
 * In order, from where the last drain ended to the first slot that is not pending.
 * The rest comes after who waits for this CPU, before the Guest runs: a flush takes long.
 * Who waits lazily (6.13 and later) waits on, as for any system call that takes long: the
 * tick makes it urgent, and must_leave() sees it before the Guest runs.
 */
void lg_drain_ring(struct lg_vcpu *vcpu)
{
	struct lguest_data *data = vcpu->data;
	u64 flush = 0;
	unsigned int i;

	lg_assert_atomic(vcpu);
	for (i = 0; data && i < LGUEST_RING_SLOTS && !need_resched(); i++) {
		unsigned int slot = vcpu->ring_next;
		const struct lguest_ring_entry *entry = &data->hcalls[slot];
		u64 arg[3], nr;

		if (READ_ONCE(data->hcall_status[slot]) != LGUEST_RING_PENDING)
			break;
		/* The call was written before its status. */
		smp_rmb();
		nr = READ_ONCE(entry->nr);
		arg[0] = READ_ONCE(entry->arg[0]);
		arg[1] = READ_ONCE(entry->arg[1]);
		arg[2] = READ_ONCE(entry->arg[2]);
		trace_lguest_ring_call(vcpu->id, nr, arg);
		/* Many flushes of everything are one: each may take a while. */
		if (nr == LHCALL_FLUSH_TLB && arg[0] != LGUEST_FLUSH_RANGE)
			flush = max_t(u64, flush, min_t(u64, arg[0], LGUEST_FLUSH_ALL));
		else
			simple_call(vcpu, nr, arg);
		vcpu->stats.ring_calls++;
		WRITE_ONCE(data->hcall_status[slot], LGUEST_RING_DONE);
		vcpu->ring_next = (slot + 1) % LGUEST_RING_SLOTS;
	}
	if (i)
		vcpu->stats.ring_drains++;
	if (flush)
		lg_flush(vcpu, false, flush, 0, 0);
}

static bool kernel_text(u64 address)
{
	return lg_canonical(address) && address >> 63;
}

/* Gone without a word if it is not all in one piece of memory: it is but a help. */
static void set_dirty_map(struct lg_vm *vm, gpa_t gpa, u64 size)
{
	gfn_t first = gpa >> PAGE_SHIFT, last = (gpa + size - 1) >> PAGE_SHIFT;
	const struct lg_memory_slot *slot = lg_slot_of(vm, &first);

	if (!size || size > U32_MAX || (gpa & ~PAGE_MASK) || !slot || slot != lg_slot_of(vm, &last))
		return;
	write_lock(&vm->mmu_lock);
	lg_tables_changed(vm);
	vm->mmu.dirty_map = lg_gfn_to_hva(vm, first);
	vm->mmu.dirty_map_size = size;
	write_unlock(&vm->mmu_lock);
}

static long init_call(struct lg_vcpu *vcpu, gva_t gva)
{
	struct lg_vm *vm = vcpu->vm;
	struct lguest_init abi;

	if (lg_read_gva(vcpu, gva, &abi, sizeof(abi)))
		return -EFAULT;
	if (abi.abi_version != LGUEST_ABI_VERSION) {
		lg_kill(vm, "the Guest's kernel speaks version %u of the Guest ABI, lg.ko version %u: rebuild the older one",
			abi.abi_version, LGUEST_ABI_VERSION);
		return -EINVAL;
	}
	if (!kernel_text(abi.event_entry) || !kernel_text(abi.syscall_entry))
		return -EINVAL;
	if (abi.syscall_vec && (abi.syscall_vec < 32 || abi.syscall_vec >= LG_VECTORS))
		return -EINVAL;
	vm->abi = abi;
	set_dirty_map(vm, abi.dirty_map, abi.dirty_map_size);
	vcpu->cpu->syscall_entry = abi.syscall_entry;
	vcpu->cpu->event_entry = abi.event_entry;
	smp_store_release(&vm->abi_ready, true);
	return 0;
}

/** lg_release_data - the vCPU has no lguest_data (any more) */
void lg_release_data(struct lg_vcpu *vcpu)
{
	if (vcpu->data_page)
		unpin_user_pages_dirty_lock(&vcpu->data_page, 1, true);
	vcpu->data_page = NULL;
	vcpu->data = NULL;
}

/**
 * lg_register_data - LHCALL_REGISTER: the vCPU's lguest_data, and its kernel's GS base
 * @vcpu: the virtual CPU; its mutex is held
 * @gva: of the page, in the current address space
 * @gs_base: checked here
 *
 * Sleeps. The one page of the Guest's that stays where it is: the Switcher has it
 * mapped. -EINVAL, -EFAULT.
 */
long lg_register_data(struct lg_vcpu *vcpu, gva_t gva, u64 gs_base)
{
	enum lg_walk_result found;
	struct lg_walk walk;
	struct page *page;
	hva_t hva;

	lockdep_assert_held(&vcpu->mutex);
	if ((gva & ~PAGE_MASK) || !lg_canonical(gs_base))
		return -EINVAL;
	found = lg_walk(vcpu, gva, X86_PF_WRITE, &walk);
	if (found == LG_WALK_AGAIN && !lg_fault_in(vcpu, walk.hva, true))
		found = lg_walk(vcpu, gva, X86_PF_WRITE, &walk);
	hva = found == LG_WALK_OK ? lg_gfn_to_hva(vcpu->vm, walk.gpa >> PAGE_SHIFT) : 0;
	if (!hva || pin_user_pages_fast(hva, 1, FOLL_WRITE | FOLL_LONGTERM, &page) != 1)
		return -EFAULT;
	lg_release_data(vcpu);
	vcpu->data_page = page;
	/* What a TLB has of the old one must not be used for that any more. */
	atomic64_inc(&vcpu->vm->mmu.generation);
	vcpu->data = page_address(page);
	vcpu->cpu->kernel_gs_base = gs_base;
	vcpu->ring_next = 0;
	vcpu->data->vcpu = vcpu->id;
	vcpu->data->reserve_mem = 0;
	vcpu->cpu->syscall_entry = vcpu->vm->abi.syscall_entry;
	vcpu->cpu->event_entry = vcpu->vm->abi.event_entry;
	vcpu->cpu->direct_faults = lg_unknown != 0;
	vcpu->cpu->direct_int80 = lg_int80 && vcpu->vm->abi.syscall_vec == LG_INT80;
	vcpu->cpu->direct = direct && vcpu->vm->abi_ready;
	lg_clock_register(vcpu);
	return 0;
}

/* A NUL-terminated string of the Guest's, cut where it is too long or unreadable. */
static void read_message(struct lg_vcpu *vcpu, gva_t gva, char *to, size_t size)
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

static int shutdown_call(struct lg_vcpu *vcpu, u64 reason, gva_t message)
{
	struct lguest_run *run = vcpu->run;

	if (reason < LGUEST_SHUTDOWN_POWEROFF || reason > LGUEST_SHUTDOWN_CRASH)
		reason = LGUEST_SHUTDOWN_CRASH;
	memset(&run->shutdown, 0, sizeof(run->shutdown));
	run->shutdown.reason = reason;
	read_message(vcpu, message, run->shutdown.message, sizeof(run->shutdown.message));
	run->exit_reason = LGUEST_EXIT_SHUTDOWN;
	return 1;
}

static int console_call(struct lg_vcpu *vcpu, gva_t gva, u64 length)
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
 * lg_hypercall_slow - the hypercalls that sleep, or that end LGUEST_RUN
 * @vcpu: the virtual CPU; its mutex is held
 *
 * 0: run the Guest again; 1: run->exit_reason is set.
 */
int lg_hypercall_slow(struct lg_vcpu *vcpu)
{
	struct guest_regs *regs = vcpu->regs;

	lockdep_assert_held(&vcpu->mutex);
	switch (regs->ax) {
	case LHCALL_INIT:
		regs->ax = init_call(vcpu, regs->di);
		return 0;
	case LHCALL_REGISTER:
		regs->ax = lg_register_data(vcpu, regs->di, regs->si);
		return 0;
	case LHCALL_SHUTDOWN:
		return shutdown_call(vcpu, regs->di, regs->si);
	case LHCALL_CONSOLE:
		return console_call(vcpu, regs->di, regs->si);
	case LHCALL_VCPU_UP:
		regs->ax = lg_vcpu_up(vcpu, regs->di, regs->si);
		return 0;
	case LHCALL_VCPU_DOWN:
		lg_vcpu_down(vcpu);
		return 0;
	}
	return 0;
}
