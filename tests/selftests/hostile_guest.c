// SPDX-License-Identifier: GPL-2.0-only
/*
 * hostile_guest: whatever a guest's kernel does, the host stays whole, and the
 * guest gets its own exception, ends with a reason, or runs until it is killed.
 *
 * Each case is a VM of its own (vm.h) with a few instructions (hostile_code.S,
 * hostile_exceptions.S), or with a function in C (hostile_calls.c) where what it tries is no
 * instruction. It fails if LGUEST_RUN ends otherwise than the table says, if the module is still
 * in use afterwards, or if the host warns or dies of it: tests/hostvm looks.
 *
 * hostile_guest NAME...: only these cases. hostile_guest --both NAME...: each that ends with
 * the switcher's direct paths off and on, and what is left of it must be the same.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "hostile_cases.h"
#include "hostile_record.h"
#include "hostile_why.h"
#include "tap.h"
#include "vm.h"

/* How long a guest that never ends is left alone, and any other at most. */
#define FOR_EVER_MS	300
#define AT_MOST_MS	20000

/* --- Running one ------------------------------------------------------------------------ */

static void copy(struct vm *vm, uint64_t gpa, const char *from, const char *end)
{
	memcpy(vm_word(vm, gpa), from, end - from);
}

static void fill(struct vm *vm, const struct hostile_case *c)
{
	*init_of(vm) = (struct lguest_init) {
		.abi_version = LGUEST_ABI_VERSION,
		.event_entry = VM_KERNEL + VM_EVENT,
		.syscall_entry = VM_KERNEL + VM_SYSCALL,
		.kernel_address = 0xffff800000000000,
	};
	memset(data_of(vm)->hcall_status, LGUEST_RING_DONE, LGUEST_RING_SLOTS);
	if (c->code)
		copy(vm, VM_CODE, c->code, c->code_end);
	if (c->event)
		copy(vm, VM_EVENT, c->event, c->event_end);
	else
		copy(vm, VM_EVENT, code_event_ends, code_event_ends_end);
	if (c->syscall)
		copy(vm, VM_SYSCALL, c->syscall, c->syscall_end);
	else
		copy(vm, VM_SYSCALL, code_syscall_restarts, code_syscall_restarts_end);
	if (c->user)
		copy(vm, VM_USER_PHYS, c->user, c->user_end);
	if (c->prepare)
		c->prepare(vm);
}

static bool vector_ok(const struct hostile_case *c, uint32_t vector)
{
	return vector == 0x80 ? c->vectors & SYSTEM_CALL : vector < 63 && (c->vectors >> vector & 1);
}

static bool shutdown_ok(struct vm *vm, const struct hostile_case *c)
{
	const struct lguest_data *data = data_of(vm);

	tap_note("%s: shutdown %u, event %u, vector %u, error code 0x%llx, ip 0x%llx", c->name,
		 vm->run->shutdown.reason, data->event_valid, data->event_vector,
		 (unsigned long long)data->event_error, (unsigned long long)data->event.ip);
	if (vm->run->shutdown.reason == LGUEST_SHUTDOWN_RESTART)
		return c->ends & RESTART;
	/* event_ends leaves the record as it came. */
	if (!data->event_valid && !c->event)
		return c->ends & POWEROFF;
	if (c->ends & EVENT)
		return vector_ok(c, data->event_vector) && (!c->error || c->error == data->event_error);
	return c->ends & POWEROFF && c->event;
}

static bool killed_ok(struct vm *vm, const struct hostile_case *c)
{
	tap_note("%s: killed: %s", c->name, vm->run->killed.reason);
	return c->ends & KILLED && strstr(vm->run->killed.reason, c->reason) &&
	       !strstr(vm->run->killed.reason, "in the switcher") &&
	       !strstr(vm->run->killed.reason, "a bug of lg.ko");
}

static bool mmio_ok(struct vm *vm, const struct hostile_case *c)
{
	tap_note("%s: mmio at 0x%llx, %u bytes", c->name,
		 (unsigned long long)vm->run->mmio.guest_phys, vm->run->mmio.length);
	return c->ends & MMIO && vm->run->mmio.guest_phys == c->mmio;
}

/* It has ended, or runs on if that is what it does, as the table says. */
static bool ends_well(struct vm *vm, const struct hostile_case *c)
{
	unsigned int exits;
	int err;

	/* The console's exits are no end. */
	for (exits = 0; exits < 10000; exits++) {
		err = vm_run(vm, c->ends & RUNS ? FOR_EVER_MS : AT_MOST_MS);
		if (err || (vm->run->exit_reason != LGUEST_EXIT_CONSOLE &&
			    vm->run->exit_reason != LGUEST_EXIT_NONE))
			break;
	}
	if (err == -EINTR) {
		tap_note("%s: still running", c->name);
		return c->ends & RUNS;
	}
	if (err) {
		tap_note("%s: LGUEST_RUN: %s", c->name, strerror(-err));
		return false;
	}
	switch (vm->run->exit_reason) {
	case LGUEST_EXIT_SHUTDOWN:
		return shutdown_ok(vm, c);
	case LGUEST_EXIT_KILLED:
		return killed_ok(vm, c);
	case LGUEST_EXIT_MMIO:
		return mmio_ok(vm, c);
	}
	tap_note("%s: exit reason %u", c->name, vm->run->exit_reason);
	return false;
}

static struct guest guest;

/* A VM with the case in it, about to start. */
static bool make(const struct hostile_case *c)
{
	int err;

	if (c->guest) {
		if (!guest_make(&guest, 1))
			return false;
		fill(&guest.vm, c);
		return guest_start_bare(&guest.vcpu[0], c->guest, 0);
	}
	err = vm_make(&guest.vm);
	if (!err) {
		fill(&guest.vm, c);
		err = vm_start_at(&guest.vm, VM_KERNEL + VM_CODE);
	}
	if (err)
		tap_note("%s: no VM: %s", c->name, strerror(-err));
	return !err;
}

/* What is left of it in *record, if that is not NULL. */
static bool run_case(const struct hostile_case *c, struct record *record)
{
	bool ok;

	srand(1);	/* the same each time, and alone */
	ok = make(c) && ends_well(&guest.vm, c);
	if (ok && record)
		ok = record_take(record, &guest.vm);
	guest_end(&guest);
	if (!module_unused()) {
		tap_note("%s: lg.ko is in use %d times", c->name, module_refcnt());
		return false;
	}
	return ok;
}

static uint64_t direct_ways[DIRECT_WAYS];

/* By C, and directly in the switcher: the same is left. */
static bool run_both(const struct hostile_case *c)
{
	static struct record by_c, direct;
	bool ok;
	int way;

	if (!set_direct(false))
		return false;
	ok = run_case(c, &by_c);
	if (!set_direct(true))
		return false;
	ok &= run_case(c, &direct);
	for (way = 0; way < DIRECT_WAYS; way++)
		direct_ways[way] += direct.direct[way];
	return ok && record_same(&by_c, &direct);
}

static bool wanted(const char *name, int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++)
		if (!strcmp(argv[i], name))
			return true;
	return argc == 1;
}

/* One case, and what it was about if it fails; each has a line in hostile_why.h. */
static void try_case(const struct hostile_case *c, bool both)
{
	const char *why = why_of(c->name);

	if (!tap_result(why && (both ? run_both(c) : run_case(c, NULL)), "%s", c->name))
		tap_note("%s tries: %s", c->name, why ?: "(hostile_why.h does not say)");
}

int main(int argc, char **argv)
{
	bool both = argc > 1 && !strcmp(argv[1], "--both");
	unsigned int i;

	if (module_refcnt() < 0)
		return tap_missing("lg.ko is not loaded");
	make_ldt();
	for (i = 0; i < hostile_cases_nr; i++) {
		const struct hostile_case *c = &hostile_cases[i];

		/* Where one that never ends is when it is stopped cannot be told. */
		if (wanted(c->name, argc - both, argv + both) && !(both && c->ends & RUNS))
			try_case(c, both);
	}
	if (both && argc == 2)
		tap_result(direct_ways[DIRECT_SYSCALL] && direct_ways[DIRECT_EVENT] &&
			   direct_ways[DIRECT_RETURN] && direct_ways[DIRECT_CR3_LOAD],
			   "the switcher has done some of each by itself");
	return tap_end();
}
