// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guests of hostile_guest.c that are in C: what they try is a hypercall, a page that they
 * share with the host, or a page table, and no instruction. Each starts in kernel mode with
 * interrupts off, before LHCALL_INIT; to return is to power off.
 */
#include "hostile_cases.h"

#define EFLAGS_IF	0x200

/* What the test has put there (hostile_cases.c). */
static uint64_t table_word(unsigned int i)
{
	return guest_read(VM_KERNEL + VM_TABLE + i * 8);
}

static void flush_all(void)
{
	guest_call(LHCALL_FLUSH_TLB, LGUEST_FLUSH_ALL, 0, 0, 0);
}

static void take_interrupts(void)
{
	*(volatile __u64 *)&guest_data()->irq_enabled = EFLAGS_IF;
}

void guest_halt_until_timer(uint64_t unused)
{
	(void)unused;
	guest_ready();
	guest_call(LHCALL_SET_TIMER, 1000000, 0, 0, 0);
	take_interrupts();
	guest_call(LHCALL_HALT, 0, 0, 0, 0);
	__builtin_trap();
}

/* --- What never ends: the host must be able to end it ----------------------------------- */

void guest_halt_for_ever(uint64_t unused)
{
	(void)unused;
	for (;;)
		guest_call(LHCALL_HALT, 0, 0, 0, 0);
}

void guest_hypercalls_for_ever(uint64_t unused)
{
	(void)unused;
	for (;;)
		flush_all();
}

void guest_full_ring_for_ever(uint64_t unused)
{
	struct lguest_data *data;
	unsigned int i;

	(void)unused;
	guest_ready();
	data = guest_data();
	for (;;) {
		for (i = 0; i < LGUEST_RING_SLOTS; i++) {
			data->hcalls[i].nr = LHCALL_FLUSH_TLB;
			data->hcalls[i].arg[0] = LGUEST_FLUSH_ALL;
			*(volatile uint8_t *)&data->hcall_status[i] = LGUEST_RING_PENDING;
		}
		guest_call(LHCALL_FLUSH_ASYNC, 0, 0, 0, 0);
	}
}

void guest_timers_for_ever(uint64_t unused)
{
	(void)unused;
	guest_ready();
	for (;;)
		guest_call(LHCALL_SET_TIMER, 0, 0, 0, 0);
}

/* All of the kernel is "the way out of an event": every instruction is stepped. */
void guest_stepped_for_ever(uint64_t unused)
{
	volatile uint64_t turns = 0;

	(void)unused;
	guest_ready();
	guest_call(LHCALL_SET_TIMER, 0, 0, 0, 0);
	take_interrupts();
	for (;;)
		turns++;
}

/* --- lguest_data and the hypercalls --------------------------------------------------------- */

/* Those that would end it, and a HALT that nothing ends. */
static bool too_wild(uint64_t nr)
{
	return nr == LHCALL_INIT || nr == LHCALL_SHUTDOWN || nr == LHCALL_HALT ||
	       nr == LHCALL_IRET || nr == LHCALL_LOAD_CR3 || nr == LHCALL_VCPU_DOWN;
}

/* Each number there is and some more, with each four of the table's words. */
void guest_wild_hypercalls(uint64_t unused)
{
	unsigned int i;
	uint64_t nr;

	(void)unused;
	guest_ready();
	for (i = 0; i < 64; i++) {
		for (nr = 0; nr < 36; nr++)
			if (!too_wild(nr))
				guest_call(nr, table_word(i), table_word(i + 1), table_word(i + 2),
					   table_word(i + 3));
		/* A wild number, too. */
		guest_call(table_word(i) | 0x100, table_word(i), table_word(i + 1),
			   table_word(i + 2), table_word(i + 3));
	}
}

void guest_wild_inits(uint64_t unused)
{
	unsigned int i;

	(void)unused;
	for (i = 0; i < 64; i++)
		guest_call(LHCALL_INIT, table_word(i), 0, 0, 0);
}

void guest_init_with_another_version(uint64_t unused)
{
	(void)unused;
	((volatile struct lguest_init *)(VM_KERNEL + VM_INIT))->abi_version = 99;
	guest_ready();
}

void guest_flush_at_the_end_of_the_address_space(uint64_t unused)
{
	(void)unused;
	guest_ready();
	guest_flush(0xffffffffffffe000, 0xffffffffffffffff);
	guest_flush(0x7fffffffe000, 0x800000001000);
	guest_flush(1, 0);
	asm volatile("invlpg -16" ::: "memory");
}

void guest_load_cr3_outside(uint64_t unused)
{
	(void)unused;
	guest_ready();
	guest_call(LHCALL_LOAD_CR3, 0x7ffffffff000, 0, 0, 0);
}

/* many_cr3() has made copies of the top-level table. */
void guest_load_many_cr3(uint64_t unused)
{
	unsigned int i;

	(void)unused;
	guest_ready();
	for (i = 200; i > 0; i--) {
		guest_call(LHCALL_LOAD_CR3, MANY_CR3 + (i % MANY_CR3_NR) * 4096, 0, 0, 0);
		guest_read(VM_CODE);
	}
}

void guest_data_again_and_again(uint64_t unused)
{
	unsigned int i;

	(void)unused;
	guest_ready();
	for (i = 0; i < 500; i++) {
		guest_call(LHCALL_REGISTER, VM_KERNEL + VM_DATA, 0, 0, 0);
		guest_call(LHCALL_REGISTER, VM_KERNEL + 0x100000, 0, 0, 0);
	}
}

/* --- Page tables ------------------------------------------------------------------------------ */

/* Read, write and flush through whatever the table's 64 addresses lead to. */
void guest_touch_table(uint64_t unused)
{
	unsigned int i;

	(void)unused;
	guest_ready();
	for (i = 0; i < 64; i++) {
		guest_read(table_word(i));
		__atomic_fetch_or((uint64_t *)table_word(i), 0, __ATOMIC_SEQ_CST);
		guest_call(LHCALL_FLUSH_TLB, LGUEST_FLUSH_USER, 0, 0, 0);
		flush_all();
		guest_call(LHCALL_LOAD_CR3, VM_PML4, 0, 0, 0);
	}
}
