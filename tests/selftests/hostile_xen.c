// SPDX-License-Identifier: GPL-2.0-only
/*
 * hostile_xen: a guest with Xen's ABI that tells its hypervisor lies. First one by one, with
 * what must come of each; then at random, from several vCPUs that change what the others'
 * calls point to. The host must refuse or end the guest, and go on itself: the kernel's log
 * and the machine that this runs in show whether it did.
 *
 * Fails if a call is answered otherwise than here, if a long one cannot be interrupted, or if
 * something of a VM stays behind.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "guest.h"
#include "tap.h"

/* Hypercalls and operations by Xen's numbers: xen/interface/xen.h and its neighbours. */
enum {
	SET_TRAP_TABLE = 0, MMU_UPDATE = 1, SET_GDT = 2, STACK_SWITCH = 3, UPDATE_DESCRIPTOR = 10,
	MULTICALL = 13, UPDATE_VA_MAPPING = 14, XEN_VERSION = 17, IRET = 23, VCPU_OP = 24,
	SET_SEGMENT_BASE = 25, MMUEXT_OP = 26, SCHED_OP = 29, CALLBACK_OP = 30,
	EVENT_CHANNEL_OP = 32, REPORT = 0x4c47,
};

#define VCPUS		3U
#define ROUNDS		60U		/* VMs that lie at random */
#define CALLS		4000U		/* of each vCPU's */
#define OUTSIDE		0x7ffffff000ULL	/* guest physical, beyond all memory */
#define NONCANONICAL	0x8000000000000ULL
#define ABSENT		0x7000000000ULL	/* guest virtual, nothing is there */
#define WHERE		0x6000000000ULL	/* guest virtual, of the tests of plain stores */
#define FRAMES		7U		/* that it may lead to: each has its number in it */
#define STORES		2000U
#define HANDOVERS	200U		/* from vCPU to vCPU: with one host CPU each takes a tick */
#define LONG_LIST	0x7200000000ULL	/* 1 GiB: the same 2 MiB of zeros all over */

struct pair { uint64_t a, b; };
struct mmuext { uint32_t cmd, pad; uint64_t arg1, arg2; };
struct multi { uint64_t op; int64_t result; uint64_t args[6]; };

static struct guest guest;
/* What calls point to: in the image, and so in the guest. Other vCPUs write there, too. */
static volatile uint64_t area[VCPUS][1024];

/* --- In the guest: one by one --------------------------------------------------------------- */

static int64_t call(uint64_t nr, uint64_t a, uint64_t b, uint64_t c)
{
	return guest_call(nr, a, b, c, 0);
}

/* The end of this vCPU's work: 0, or the line of what did not hold. */
static void __attribute__((noreturn)) report(uint64_t line)
{
	for (;;)
		call(REPORT, line, 0, 0);
}

#define IS(value, wanted)				\
	do {						\
		if ((int64_t)(value) != (wanted))	\
			report(__LINE__);		\
	} while (0)

static int64_t one_update(uint64_t ptr, uint64_t value)
{
	struct pair update = { ptr, value };

	return call(MMU_UPDATE, (uintptr_t)&update, 1, 0);
}

static int64_t event_op(uint64_t op, uint32_t a, uint32_t b)
{
	uint32_t arg[6] = { a, b };

	return call(EVENT_CHANNEL_OP, op, (uintptr_t)arg, 0);
}

static int64_t vcpu_info(uint64_t frame, uint32_t offset)
{
	struct { uint64_t frame; uint32_t offset, pad; } where = { frame, offset, 0 };

	return call(VCPU_OP, 10, guest_number(), (uintptr_t)&where);
}

static void tables(uint64_t unused)
{
	(void)unused;
	IS(one_update(OUTSIDE, 0), -EINVAL);
	IS(one_update(~0ULL & ~7ULL, 0), -EINVAL);
	IS(one_update(3, 0), -ENOSYS);
	IS(call(MMU_UPDATE, ABSENT, 1, 0), -EFAULT);
	IS(call(MMU_UPDATE, NONCANONICAL, 1, 0), -EFAULT);
	IS(call(MMU_UPDATE, 0xffff800000000000, 1, 0), -EFAULT);	/* the window's slot */
	IS(call(UPDATE_VA_MAPPING, ABSENT, 0, 0), -EINVAL);
	IS(call(UPDATE_VA_MAPPING, GUEST_IMAGE, 0, 0), -EINVAL);	/* a large page */
	IS(call(MMUEXT_OP, (uintptr_t)&(struct mmuext) { .cmd = 99 }, 1, 0), -ENOSYS);
	IS(call(MMUEXT_OP, (uintptr_t)&(struct mmuext) { .cmd = 13, .arg2 = 5 }, 1, 0), -EINVAL);
	IS(call(UPDATE_DESCRIPTOR, OUTSIDE, 0, 0), -EINVAL);
	report(0);
}

static void addresses(uint64_t unused)
{
	struct { uint8_t vector, flags; uint16_t cs; uint32_t pad; uint64_t address; } trap = {
		14, 0, 0, 0, NONCANONICAL,
	};
	struct { uint16_t type, flags; uint32_t pad; uint64_t address; } callback = {
		0, 0, 0, NONCANONICAL,
	};

	(void)unused;
	IS(call(SET_TRAP_TABLE, (uintptr_t)&trap, 0, 0), -EINVAL);
	trap.address = 0x1000;		/* not in the kernel's half */
	IS(call(SET_TRAP_TABLE, (uintptr_t)&trap, 0, 0), -EINVAL);
	IS(call(SET_TRAP_TABLE, ABSENT, 0, 0), -EFAULT);
	IS(call(CALLBACK_OP, 0, (uintptr_t)&callback, 0), -EINVAL);
	IS(call(SET_SEGMENT_BASE, 0, NONCANONICAL, 0), -EINVAL);
	IS(call(SET_SEGMENT_BASE, 1, NONCANONICAL, 0), -EINVAL);
	IS(call(SET_SEGMENT_BASE, 2, NONCANONICAL, 0), -EINVAL);
	IS(call(SET_SEGMENT_BASE, 3, 1ULL << 32, 0), -EINVAL);
	IS(call(SET_SEGMENT_BASE, 4, 0, 0), -EINVAL);
	report(0);
}

static void events(uint64_t unused)
{
	(void)unused;
	IS(event_op(4, 0, 0), -EINVAL);		/* send to ports that are not there */
	IS(event_op(4, 4095, 0), -EINVAL);
	IS(event_op(4, 4096, 0), -EINVAL);
	IS(event_op(4, ~0U, 0), -EINVAL);
	IS(event_op(3, 1, 0), -EINVAL);		/* close the launcher's */
	IS(event_op(9, ~0U, 0), -EINVAL);
	IS(event_op(8, 1, 77), -ENOENT);	/* bind to a vCPU that is not there */
	IS(event_op(1, 0, 77), -ENOENT);
	IS(event_op(1, 77, 0), -EINVAL);
	IS(event_op(1, 0, 0), 0);
	IS(event_op(1, 0, 0), -EEXIST);
	IS(event_op(11, 0, 0), -ENOSYS);
	IS(call(EVENT_CHANNEL_OP, 4, ABSENT, 0), -EFAULT);
	while (!event_op(7, 0, 0))		/* IPIs, until there are no more ports */
		;
	IS(event_op(7, 0, 0), -ENOSPC);
	report(0);
}

static void vcpus(uint64_t unused)
{
	(void)unused;
	IS(vcpu_info(OUTSIDE >> 12, 0), -EINVAL);
	IS(vcpu_info(~0ULL, 0), -EINVAL);
	IS(vcpu_info(VM_TABLE >> 12, 4096 - 63), -EINVAL);
	IS(vcpu_info(VM_TABLE >> 12, ~0U), -EINVAL);
	IS(vcpu_info(VM_TABLE >> 12, 4), -EINVAL);
	IS(vcpu_info(VM_TABLE >> 12, 4096 - 64), 0);
	IS(vcpu_info(VM_TABLE >> 12, 0), -EINVAL);	/* once is all */
	IS(call(VCPU_OP, 0, 77, 0), -ENOENT);
	IS(call(VCPU_OP, 0, 0, (uintptr_t)area), -EEXIST);	/* it runs */
	IS(call(VCPU_OP, 1, 1, 0), -EINVAL);			/* nobody has said where */
	IS(call(VCPU_OP, 2, 1, 0), -EOPNOTSUPP);
	IS(call(VCPU_OP, 8, 1, (uintptr_t)area), -EINVAL);	/* another's timer */
	report(0);
}

static void multicalls(uint64_t unused)
{
	struct multi multi[2] = { { .op = MULTICALL, .args = { (uintptr_t)multi, 1 } },
				  { .op = XEN_VERSION } };

	(void)unused;
	IS(call(MULTICALL, (uintptr_t)multi, 2, 0), 0);
	IS(multi[0].result, -ENOSYS);
	IS(multi[1].result, 4 << 16 | 17);
	IS(call(MULTICALL, ABSENT, 1, 0), -EFAULT);
	IS(call(MULTICALL, (uintptr_t)multi, 0, 0), 0);
	report(0);
}

/* Each of these ends the guest. */
static void returns_nowhere(uint64_t rip)
{
	uint64_t frame[9] = { 0, 0, 0, 0, rip, 0x10, 2, 0, 0x18 };

	asm volatile("mov %0, %%rsp; syscall" :: "r" (frame), "a" (IRET) : "memory");
	report(__LINE__);
}

static void faults_without_handler(uint64_t gva)
{
	guest_read(gva);
	report(__LINE__);
}

static void loads_no_table(uint64_t frame)
{
	struct mmuext op = { .cmd = 5, .arg1 = frame };

	call(MMUEXT_OP, (uintptr_t)&op, 1, 0);
	report(__LINE__);
}

/* 2^26 entries, each of which is done: 0 is written to 0. */
static void asks_for_too_much(uint64_t nr)
{
	struct multi multi = { .op = MMU_UPDATE, .args = { LONG_LIST, 1U << 26 } };

	if (nr == MULTICALL)
		report(call(nr, (uintptr_t)&multi, 1, 0));
	report(call(nr, LONG_LIST, 1U << 26, 0));
}

/*
 * One vCPU goes down again and again, in one call, while two others say where it is to start,
 * and start it. What they said must be freed once: KASAN or slub_debug tells.
 */
static void goes_down(uint64_t unused)
{
	static struct multi down[64];
	unsigned int i;

	(void)unused;
	for (i = 0; i < 64; i++)
		down[i] = (struct multi) { .op = VCPU_OP, .args = { 2, guest_number() } };
	for (;;)
		call(MULTICALL, (uintptr_t)down, 64, 0);
}

static void starts_another(uint64_t number)
{
	static uint64_t context[VCPUS][700];	/* struct vcpu_guest_context has 5168 bytes */
	uint64_t *mine = context[number];
	unsigned int i;

	mine[64 + 1 + 16] = (uintptr_t)goes_down - GUEST_IMAGE + GUEST_IMAGE_HIGH;	/* rip */
	mine[64 + 1 + 19] = VM_KERNEL + GUEST_STACK_TOP(0);				/* rsp */
	mine[64 + 1 + 25 + 512 + 21 + 3] = VM_PML4;					/* cr3 */
	mine[64 + 1 + 25 + 512 + 42] = (uintptr_t)&area;				/* GS base */
	for (i = 0; i < 3000; i++) {
		call(VCPU_OP, 0, 0, (uintptr_t)mine);
		if (number == 2)
			call(VCPU_OP, 1, 0, 0);
	}
	report(0);
}

/* --- In the guest: stores to page tables, of which no hypercall tells ----------------------- */

/* MMUEXT_TLB_FLUSH_LOCAL, or MMUEXT_INVLPG_LOCAL */
static void flush(bool all)
{
	struct mmuext op = { .cmd = all ? 6 : 7, .arg1 = WHERE };

	IS(call(MMUEXT_OP, (uintptr_t)&op, 1, 0), 0);
}

static void lead_to(unsigned int number)
{
	volatile uint64_t *entry = guest_entry(WHERE);

	*entry = (VM_USER_PHYS + number * 0x1000UL) | PTE_KERNEL | 0x60;	/* A, D */
}

static void stores(uint64_t unused)
{
	unsigned int i, j;

	(void)unused;
	for (i = 0; i < STORES; i++) {
		lead_to(i % FRAMES);
		flush(i & 1);
		IS(guest_read(WHERE), i % FRAMES);
		for (j = 0; j < i % 4; j++)
			flush(true);
	}
	report(0);
}

/*
 * One vCPU flushes so often that it need not look at the table any more, while the other one
 * stays in the guest with a TLB that lets it write there. Then that one does.
 */
static volatile uint64_t turn;

static void await_turn(uint64_t number)
{
	while (turn != number)
		asm volatile("pause");
}

static void flushes_behind(uint64_t unused)
{
	unsigned int i, j;

	(void)unused;
	for (i = 0; i < HANDOVERS; i++) {
		for (j = 0; j < 3; j++)
			flush(true);
		turn = 2 * i + 1;
		await_turn(2 * i + 2);
		flush(i & 1);
		IS(guest_read(WHERE), i % FRAMES);
	}
	report(0);
}

static void stores_for_another(uint64_t unused)
{
	unsigned int i;

	(void)unused;
	for (i = 0; i < HANDOVERS; i++) {
		await_turn(2 * i + 1);
		lead_to(i % FRAMES);
		turn = 2 * i + 2;
	}
	report(0);
}

/* --- In the guest: at random ----------------------------------------------------------------- */

static uint64_t random_of(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005 + 1442695040888963407;
	return *seed >> 29;
}

/* Small numbers, addresses of all kinds, frames, and what is none of these. */
static uint64_t some_value(uint64_t *seed)
{
	switch (random_of(seed) % 10) {
	case 0:
		return random_of(seed) % 16;
	case 1:
		return random_of(seed) % 2048;
	case 2:
		return (uintptr_t)&area[random_of(seed) % VCPUS][random_of(seed) % 1024];
	case 3:
		return random_of(seed) % VM_SIZE & ~7ULL;
	case 4:
		return (random_of(seed) % VM_SIZE & ~4095ULL) | (random_of(seed) & 0x8000000000000067);
	case 5:
		return VM_KERNEL + random_of(seed) % 0x40000;
	case 6:
		return NONCANONICAL << random_of(seed) % 12;
	case 7:
		return 0xffff800000000000 + (random_of(seed) % 3 << 39);
	case 8:
		return ~0ULL >> random_of(seed) % 64;
	}
	return random_of(seed) << 32 | random_of(seed);
}

static void lie(uint64_t seed)
{
	static const uint8_t calls[] = {
		SET_TRAP_TABLE, MMU_UPDATE, MMU_UPDATE, SET_GDT, UPDATE_DESCRIPTOR, MULTICALL,
		MULTICALL, UPDATE_VA_MAPPING, VCPU_OP, VCPU_OP, SET_SEGMENT_BASE, MMUEXT_OP,
		MMUEXT_OP, CALLBACK_OP, EVENT_CHANNEL_OP, EVENT_CHANNEL_OP, STACK_SWITCH, IRET,
	};
	unsigned int i, j;

	for (i = 0; i < CALLS; i++) {
		uint64_t nr = calls[random_of(&seed) % sizeof(calls)];

		for (j = 0; j < 8; j++)
			area[random_of(&seed) % VCPUS][random_of(&seed) % 64] = some_value(&seed);
		/* What ends the guest at once is done seldom. */
		if (nr == IRET && random_of(&seed) % 500)
			continue;
		guest_call(nr, nr == MMU_UPDATE || nr == MMUEXT_OP || nr == MULTICALL ?
			       (uintptr_t)&area[random_of(&seed) % VCPUS][random_of(&seed) % 32 * 2] :
			       some_value(&seed),
			   nr == MMU_UPDATE || nr == MMUEXT_OP || nr == MULTICALL ?
			       random_of(&seed) % 40 : some_value(&seed),
			   some_value(&seed), some_value(&seed));
	}
	report(0);
}

/* --- The test -------------------------------------------------------------------------------- */

/* Run until the guest reports or ends. Return: the line, or -1 with what it came to in said. */
static long finish(struct guest_vcpu *vcpu)
{
	struct lguest_run *run = vcpu->run;

	for (;;) {
		enum guest_what what = guest_run(vcpu);

		if (what != GUEST_EXIT)
			return -1;
		if (run->exit_reason == LGUEST_EXIT_HYPERCALL && run->hypercall.nr == REPORT)
			return run->hypercall.arg[0];
		if (run->exit_reason != LGUEST_EXIT_HYPERCALL &&
		    run->exit_reason != LGUEST_EXIT_CPUID)
			return -1;
	}
}

static bool holds(guest_code_t code)
{
	long line = -1;

	guest_end(&guest);
	/* The others are there, and down. */
	if (guest_make_xen(&guest, VCPUS) && guest_start_bare(&guest.vcpu[0], code, 0))
		line = finish(&guest.vcpu[0]);

	if (line > 0)
		tap_note("line %ld does not hold", line);
	else if (line < 0)
		guest_note(&guest.vcpu[0]);
	return !line;
}

static bool ends(guest_code_t code, uint64_t argument, const char *words)
{
	struct guest_vcpu *vcpu = &guest.vcpu[0];
	const struct lguest_run *run;

	guest_end(&guest);
	if (!guest_make_xen(&guest, 1) || !guest_start_bare(vcpu, code, argument))
		return false;
	run = vcpu->run;
	if (finish(vcpu) >= 0 || run->exit_reason != LGUEST_EXIT_KILLED ||
	    !strstr(run->killed.reason, words)) {
		guest_note(vcpu);
		return false;
	}
	return true;
}

/* It takes minutes, or for ever, unless it is interrupted. */
static bool is_interrupted(uint64_t nr)
{
	struct guest_vcpu *vcpu = &guest.vcpu[0];
	unsigned int i;

	guest_end(&guest);
	if (!guest_make_xen(&guest, 1) || !guest_start_bare(vcpu, asks_for_too_much, nr))
		return false;
	for (i = 0; i < 512; i++)
		if (!guest_map(&guest, LONG_LIST + i * 0x200000UL, VM_USER_PHYS, PTE_KERNEL | PTE_LARGE))
			return false;
	vcpu->limit_ms = 500;
	if (guest_run(vcpu) == GUEST_TOO_LONG)
		return true;
	guest_note(vcpu);
	return false;
}

static void *lies(void *vcpu)
{
	finish(vcpu);
	return NULL;
}

static bool sees_stores(guest_code_t code, guest_code_t of_another)
{
	struct guest_vcpu *other = &guest.vcpu[1];
	unsigned int i;
	long line;

	guest_end(&guest);
	turn = 0;
	if (!guest_make_xen(&guest, 2) || !guest_map(&guest, WHERE, VM_USER_PHYS, PTE_KERNEL))
		return false;
	for (i = 0; i < FRAMES; i++)
		memcpy(guest.vm.memory + VM_USER_PHYS + i * 0x1000UL, &(uint64_t) { i }, 8);
	if (!guest_start_bare(&guest.vcpu[0], code, 0) || !guest_start_bare(other, of_another, 0) ||
	    pthread_create(&other->thread, NULL, lies, other))
		return false;
	line = finish(&guest.vcpu[0]);
	guest_stop(other);
	if (line > 0)
		tap_note("line %ld does not hold", line);
	else if (line < 0)
		guest_note(&guest.vcpu[0]);
	return !line;
}

static void does_nothing(uint64_t unused)
{
	(void)unused;
	report(0);
}

static bool starts_and_stops(void)
{
	unsigned int i;

	guest_end(&guest);
	if (!guest_make_xen(&guest, VCPUS))
		return false;
	for (i = 0; i < VCPUS; i++) {
		guest.vcpu[i].limit_ms = 10000;
		if (!guest_start_bare(&guest.vcpu[i], i ? starts_another : goes_down, i) ||
		    pthread_create(&guest.vcpu[i].thread, NULL, lies, &guest.vcpu[i]))
			break;
	}
	if (i == VCPUS) {
		pthread_join(guest.vcpu[2].thread, NULL);
		pthread_join(guest.vcpu[1].thread, NULL);
		i = 1;
	}
	while (i--)
		guest_stop(&guest.vcpu[i]);
	return true;
}

static bool random_round(uint64_t seed)
{
	unsigned int i;

	guest_end(&guest);
	if (!guest_make_xen(&guest, VCPUS))
		return false;
	for (i = 0; i < VCPUS; i++) {
		if (!guest_start_bare(&guest.vcpu[i], lie, seed * VCPUS + i))
			break;
		guest.vcpu[i].limit_ms = 3000;
		if (pthread_create(&guest.vcpu[i].thread, NULL, lies, &guest.vcpu[i]))
			break;
	}
	while (i--)
		pthread_join(guest.vcpu[i].thread, NULL);
	return true;
}

int main(void)
{
	bool done = true;
	unsigned int i;

	if (module_refcnt() < 0)
		return tap_missing("lg.ko is not loaded");
	tap_result(holds(tables), "page_tables_that_are_none");
	tap_result(holds(addresses), "addresses_that_are_none");
	tap_result(holds(events), "ports_that_are_none");
	tap_result(holds(vcpus), "virtual_cpus_that_are_none");
	tap_result(holds(multicalls), "a_multicall_in_a_multicall");
	tap_result(ends(returns_nowhere, NONCANONICAL, "non-canonical"), "a_return_to_nowhere");
	tap_result(ends(faults_without_handler, ABSENT, "no handler"), "a_fault_without_a_handler");
	tap_result(ends(loads_no_table, OUTSIDE >> 12, "page tables outside"), "a_table_outside");
	tap_result(is_interrupted(MMU_UPDATE), "a_long_list_is_interrupted");
	tap_result(is_interrupted(MULTICALL), "and_one_in_a_multicall");
	tap_result(starts_and_stops(), "a_vcpu_that_goes_down_while_others_start_it");
	tap_result(sees_stores(stores, does_nothing), "plain_stores_to_a_table_are_seen");
	tap_result(sees_stores(flushes_behind, stores_for_another), "and_those_of_another_vcpu");
	for (i = 0; done && i < ROUNDS; i++)
		done = random_round(i);
	tap_result(done, "lies_at_random");
	guest_end(&guest);
	tap_result(module_unused(), "the_module_is_unused");
	return tap_end();
}
