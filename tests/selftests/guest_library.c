// SPDX-License-Identifier: GPL-2.0-only
/*
 * guest_library: what guest.h says of itself, for tests lean on it. A report comes as it was
 * made, an assertion that does not hold and an exception that nobody catches are told and not
 * passed over, one that is caught says what it was, an event leaves all registers alone, and
 * page tables are as guest_map() and guest_unmap() have them.
 */
#include <string.h>

#include "guest.h"
#include "tap.h"

#define AT	0x7000000000UL	/* guest virtual, nothing is there */
#define LARGE	0x200000UL

static struct guest guest;
static struct guest_vcpu *const vcpu = &guest.vcpu[0];

/* --- In the guest ------------------------------------------------------------------------- */

static void read_it(uint64_t gva)
{
	guest_read(gva);
}

static void guest_syncs_twice(uint64_t number)
{
	GUEST_SYNC(number);
	GUEST_SYNC(number + 1);
}

static void guest_asserts(uint64_t three)
{
	GUEST_ASSERT(three == 3);
	GUEST_ASSERT_EQ(three, 4);
	GUEST_SYNC(5);
}

static void guest_hangs(uint64_t unused)
{
	(void)unused;
	for (;;)
		;
}

static void guest_catches(uint64_t gva)
{
	const struct guest_exception *fault;
	unsigned int i;

	for (i = 0; i < 3; i++) {
		fault = guest_try(read_it, gva);
		GUEST_ASSERT(fault);
		GUEST_ASSERT_EQ(fault->vector, GUEST_PF);
		GUEST_ASSERT_EQ(fault->cr2, gva);
		GUEST_ASSERT_EQ(fault->error, 0);
		GUEST_ASSERT(!guest_try(read_it, (uintptr_t)&guest));
	}
}

static void guest_sees_pages(uint64_t gva)
{
	GUEST_ASSERT_EQ(guest_read(gva), 1);
	GUEST_ASSERT_EQ(guest_read(gva + LARGE), 1);
	GUEST_ASSERT_EQ(guest_read(gva + LARGE + 4096), 2);
	GUEST_ASSERT(guest_entry(gva) && !guest_entry(gva + (1UL << 39)));
	GUEST_SYNC(1);
	guest_flush(gva, gva + 4096);
	GUEST_ASSERT(guest_try(read_it, gva));
	GUEST_ASSERT_EQ(guest_read(gva + LARGE), 1);
}

static volatile unsigned int handled;

/* UD2 is two bytes. What is done to registers here must not be seen. */
static void skip_ud2(struct guest_exception *exception)
{
	asm volatile("pcmpeqb %%xmm0, %%xmm0" ::: "xmm0");
	handled += exception->vector == GUEST_UD;
	exception->ip += 2;
}

/* All that an event could change: registers, one of the FPU's, and the red zone's last word. */
static void __attribute__((noinline)) ud2_with_registers(uint64_t fpu)
{
	uint64_t ax = 1, cx = 2, dx = 3, si = 4, di = 5, red_zone, fpu_after;
	register uint64_t r8 asm("r8") = 6;
	register uint64_t r9 asm("r9") = 7;
	register uint64_t r10 asm("r10") = 8;
	register uint64_t r11 asm("r11") = 9;

	asm volatile("movq	%[fpu], %%xmm0\n"
		     "movq	$10, -128(%%rsp)\n"
		     "ud2\n"
		     "mov	-128(%%rsp), %[red_zone]\n"
		     "movq	%%xmm0, %[fpu_after]\n"
		     : "+a" (ax), "+c" (cx), "+d" (dx), "+S" (si), "+D" (di),
		       "+r" (r8), "+r" (r9), "+r" (r10), "+r" (r11),
		       [red_zone] "=&r" (red_zone), [fpu_after] "=&r" (fpu_after)
		     : [fpu] "r" (fpu) : "xmm0", "memory");
	GUEST_ASSERT_EQ(handled, 1);
	GUEST_ASSERT(ax == 1 && cx == 2 && dx == 3 && si == 4 && di == 5);
	GUEST_ASSERT(r8 == 6 && r9 == 7 && r10 == 8 && r11 == 9);
	GUEST_ASSERT_EQ(red_zone, 10);
	GUEST_ASSERT_EQ(fpu_after, fpu);
}

static void guest_keeps_registers(uint64_t fpu)
{
	guest_handle(skip_ud2);
	ud2_with_registers(fpu);
}

/* --- The test ------------------------------------------------------------------------------- */

static bool starts(guest_code_t code, uint64_t argument)
{
	guest_end(&guest);
	return guest_make(&guest, 1) && guest_start(vcpu, code, argument);
}

static enum guest_what runs(guest_code_t code, uint64_t argument)
{
	return starts(code, argument) ? guest_run(vcpu) : GUEST_ERROR;
}

static bool syncs(void)
{
	return runs(guest_syncs_twice, 6) == GUEST_AT_SYNC && vcpu->said.value[0] == 6 &&
	       guest_syncs(vcpu, 7) && guest_run(vcpu) == GUEST_IS_DONE;
}

static bool tells_broken(uint64_t argument, const char *text)
{
	return runs(guest_asserts, argument) == GUEST_BROKE && !strcmp(vcpu->said.text, text) &&
	       strstr(vcpu->said.file, "guest_library.c") && guest_run(vcpu) == GUEST_BROKE &&
	       !guest_finishes(vcpu);
}

static bool tells_fault(void)
{
	const struct guest_exception *fault = &vcpu->said.exception;

	return runs(read_it, AT) == GUEST_FAULTED && fault->vector == GUEST_PF &&
	       fault->cr2 == AT && !guest_finishes(vcpu);
}

static bool tells_too_long(void)
{
	if (!starts(guest_hangs, 0))
		return false;
	vcpu->limit_ms = 200;
	return guest_run(vcpu) == GUEST_TOO_LONG && !guest_finishes(vcpu);
}

static bool maps(void)
{
	guest_end(&guest);
	if (!guest_make(&guest, 1))
		return false;
	*vm_word(&guest.vm, VM_USER_PHYS) = 1;
	*vm_word(&guest.vm, VM_USER_PHYS + 4096) = 2;
	return guest_map(&guest, AT, VM_USER_PHYS, PTE_KERNEL) &&
	       guest_map(&guest, AT + LARGE, VM_USER_PHYS, PTE_KERNEL | PTE_LARGE) &&
	       guest_start(vcpu, guest_sees_pages, AT) && guest_syncs(vcpu, 1) &&
	       guest_unmap(&guest, AT) && guest_finishes(vcpu);
}

int main(void)
{
	if (module_refcnt() < 0)
		return tap_missing("lg.ko is not loaded");
	tap_result(syncs(), "what_the_guest_reports_comes_as_it_was");
	tap_result(tells_broken(4, "three == 3"), "an_assertion_that_does_not_hold_is_told");
	tap_result(tells_broken(3, "three == 4"), "so_are_numbers_that_are_not_equal");
	tap_result(tells_fault(), "an_exception_that_nobody_catches_is_told");
	tap_result(tells_too_long(), "a_guest_without_end_is_stopped");
	tap_result(starts(guest_catches, AT) && guest_finishes(vcpu),
		   "one_that_is_caught_says_what_it_was");
	tap_result(maps(), "pages_come_and_go_by_call");
	tap_result(starts(guest_keeps_registers, 0x123456789abcdef) && guest_finishes(vcpu),
		   "an_event_leaves_registers_alone");
	guest_end(&guest);
	tap_result(module_unused(), "the_module_is_unused");
	return tap_end();
}
