// SPDX-License-Identifier: GPL-2.0-only
/* The guests of hostile_guest: what each is made of, and how it may end. */
#include <stdlib.h>
#include <string.h>

#include "hostile_cases.h"
#include "vm.h"

/* --- Preparations --------------------------------------------------------------- */

static const uint64_t edges[] = {
	0, 1, 2, 3, 7, 8, 0x1b, 0x10, 0x18, 0x23, 0x2b, 0x33, 0x63, 0x7b, 0xff, 0xfff, 0x1000,
	0xffff, 0x10000, VM_USER, VM_USER + 0x1fffff, 0x7fffffff, 0x80000000, 0xd0000000,
	0xffffffff, 0x100000000, 0x7fffffffefff, 0x7fffffffffff, 0x800000000000,
	0x8000000000000000, 0xff00000000000000, 0xffff7fffffffffff, 0xffff800000000000,
	0xffff888000000000, 0xffffffff80000000, VM_KERNEL + VM_INIT, VM_KERNEL + VM_PML4,
	VM_KERNEL + VM_DATA, 0xfffffffffffff000, 0xfffffffffffffff8, 0xffffffffffffffff,
};

#define EDGES	(sizeof(edges) / sizeof(edges[0]))

static uint64_t edge(void)
{
	return rand() % 4 ? edges[rand() % EDGES] : (uint64_t)rand() << 33 ^ rand();
}

static void fill_table(struct vm *vm)
{
	unsigned int i;

	for (i = 0; i < 128; i++)
		vm_word(vm, VM_TABLE)[i] = edge();
}

static void fill_ring(struct vm *vm)
{
	struct lguest_data *data = data_of(vm);
	unsigned int i;

	for (i = 0; i < LGUEST_RING_SLOTS; i++) {
		data->hcall_status[i] = LGUEST_RING_PENDING;
		data->hcalls[i].nr = i < 2 * LHCALL_NR ? i / 2 : edge();
		data->hcalls[i].arg[0] = edge();
		data->hcalls[i].arg[1] = edge();
		data->hcalls[i].arg[2] = edge();
	}
}

static void no_event_entry(struct vm *vm)
{
	init_of(vm)->event_entry = 0xffffffffc0000000;
}

static void event_entry_in_user_half(struct vm *vm)
{
	init_of(vm)->event_entry = VM_EVENT;
}

static void window_everywhere(struct vm *vm)
{
	init_of(vm)->noirq_start = 0;
	init_of(vm)->noirq_end = ~0ULL;
}

static void user_int80(struct vm *vm)
{
	init_of(vm)->syscall_vec = 0x80;
}

/* The last page of the user's half. */
static void map_edge(struct vm *vm)
{
	vm_word(vm, VM_PML4)[255] = VM_SPARE_TABLE | PTE_KERNEL;
	vm_word(vm, VM_SPARE_TABLE)[511] = (VM_SPARE_TABLE + 0x1000) | PTE_KERNEL;
	vm_word(vm, VM_SPARE_TABLE + 0x1000)[511] = (VM_SPARE_TABLE + 0x2000) | PTE_KERNEL;
	vm_word(vm, VM_SPARE_TABLE + 0x2000)[511] = 0x100000 | PTE_KERNEL;
}

static uint64_t address(unsigned int i4, unsigned int i3, unsigned int i2, unsigned int i1)
{
	uint64_t gva = (uint64_t)i4 << 39 | (uint64_t)i3 << 30 | (uint64_t)i2 << 21 |
		       (uint64_t)i1 << 12;

	return (uint64_t)((int64_t)(gva << 16) >> 16);
}

/* Every entry but those that the code needs leads back to the top. */
static void tables_of_themselves(struct vm *vm)
{
	unsigned int i;

	for (i = 1; i < 511; i++)
		vm_word(vm, VM_PML4)[i] = VM_PML4 | PTE_ALL;
	for (i = 0; i < 64; i++) {
		unsigned int top = 1 + rand() % 510;

		vm_word(vm, VM_TABLE)[i] =
			address(top == 256 ? 257 : top, rand() % 512, rand() % 512,
				1 + rand() % 255);
	}
}

/* A table that is the table of a table, a large page and a page at once. */
static void tables_of_many_kinds(struct vm *vm)
{
	unsigned int i;

	vm_word(vm, VM_PML4)[300] = VM_SPARE_TABLE | PTE_ALL;
	for (i = 0; i < 512; i++)
		vm_word(vm, VM_SPARE_TABLE)[i] =
			i % 3 == 0 ? (VM_SPARE_TABLE | PTE_ALL) :
			i % 3 == 1 ? (VM_USER_PHYS | PTE_ALL | PTE_LARGE) :
				     (VM_PML4 | PTE_KERNEL);
	/* By way of entries 0: VM_SPARE_TABLE at all levels, and as a page. */
	for (i = 0; i < 64; i++)
		vm_word(vm, VM_TABLE)[i] = address(300, 3 * (rand() % 170), 3 * (rand() % 170),
						   i % 2 ? 0 : 2);
}

static void map_one(struct vm *vm, uint64_t entry)
{
	vm_word(vm, VM_PML4)[300] = VM_SPARE_TABLE | PTE_ALL;
	vm_word(vm, VM_SPARE_TABLE)[0] = (VM_SPARE_TABLE + 0x1000) | PTE_ALL;
	vm_word(vm, VM_SPARE_TABLE + 0x1000)[0] = (VM_SPARE_TABLE + 0x2000) | PTE_ALL;
	vm_word(vm, VM_SPARE_TABLE + 0x2000)[0] = entry;
	vm_word(vm, VM_TABLE)[0] = address(300, 0, 0, 0);
}

static void page_outside(struct vm *vm)
{
	map_one(vm, 0x7f00000000 | PTE_KERNEL);
}

static void page_at_the_end(struct vm *vm)
{
	map_one(vm, VM_SIZE | PTE_KERNEL);
}

static void page_in_the_hole(struct vm *vm)
{
	map_one(vm, (LGUEST_HOLE_START + 0x3000) | PTE_KERNEL);
}

static void page_with_reserved_bits(struct vm *vm)
{
	map_one(vm, 0x100000 | 1ULL << 51 | PTE_KERNEL);
}

static void table_outside(struct vm *vm)
{
	map_one(vm, 0);
	vm_word(vm, VM_SPARE_TABLE + 0x1000)[0] = 0x7f00000000 | PTE_ALL;
}

static void table_in_the_hole(struct vm *vm)
{
	map_one(vm, 0);
	vm_word(vm, VM_SPARE_TABLE)[0] = LGUEST_HOLE_START | PTE_ALL;
}

/* A page of 1 GiB, of which the VM has 4 MiB. */
static void large_page_beyond_memory(struct vm *vm)
{
	map_one(vm, 0);
	vm_word(vm, VM_SPARE_TABLE)[0] = 0 | PTE_ALL | PTE_LARGE;
	vm_word(vm, VM_TABLE)[0] = address(300, 0, 511, 0);
}

static void misaligned_large_page(struct vm *vm)
{
	map_one(vm, 0);
	vm_word(vm, VM_SPARE_TABLE + 0x1000)[0] = 0x101000 | PTE_ALL | PTE_LARGE | 0x2000;
}

static void many_cr3(struct vm *vm)
{
	unsigned int i;

	for (i = 0; i < MANY_CR3_NR; i++)
		memcpy(vm_word(vm, MANY_CR3 + i * 4096), vm_word(vm, VM_PML4), 4096);
}

/* Frames for event_next_frame; what would end the guest at once is left out. */
static void fill_frames(struct vm *vm)
{
	const unsigned int frames = 400;
	uint64_t *table = vm_word(vm, VM_TABLE);
	unsigned int i;

	table[0] = 0;
	table[1] = frames;
	for (i = 0; i < frames; i++) {
		struct lguest_frame *frame = (struct lguest_frame *)&table[2] + i;

		frame->ip = rand() % 2 ? VM_USER : edge();
		frame->cs = rand() % 2 ? 0x33 : edge() | 3;
		if (rand() % 8 == 0)
			frame->cs = 0x23;
		frame->flags = edge();
		frame->sp = edge();
		frame->ss = rand() % 2 ? 0x2b : edge();
	}
}

/* 32-bit code has no upper half of RIP: IRET must not fault in ring 0 for it. */
static void frame_32_bit_far_up(struct vm *vm)
{
	uint64_t *table = vm_word(vm, VM_TABLE);
	struct lguest_frame *frame = (struct lguest_frame *)&table[2];

	table[0] = 0;
	table[1] = 1;
	*frame = (struct lguest_frame) {
		.ip = 0x100000000 + VM_USER, .cs = 0x23, .flags = 0x202,
		.sp = 0x7fffffff0000, .ss = 0x2b,
	};
}

/* --- The table ----------------------------------------------------------------------- */

#define CODE(c)		.code = code_##c, .code_end = code_##c##_end
#define GUEST(c)	.guest = guest_##c
#define EVENT_CODE(c)	.event = code_##c, .event_end = code_##c##_end
#define USER_CODE(c)	.user = code_##c, .user_end = code_##c##_end
#define SYSCALL_CODE(c)	.syscall = code_##c, .syscall_end = code_##c##_end

/* A case that is named like its code, and ends in an exception of its own. */
#define FAULTS(c, v)	{ #c, CODE(c), .ends = EVENT, .vectors = (v) }
#define USER_FAULTS(c, v) \
	{ #c, CODE(to_user), USER_CODE(c), .ends = EVENT, .vectors = (v) }
#define USER_STEPPED(c, v) \
	{ #c, CODE(to_user_stepped), USER_CODE(c), .ends = EVENT, .vectors = (v) }
#define FOR_EVER(c)	{ #c, CODE(c), .ends = RUNS }
#define GUEST_FOR_EVER(c) { #c, GUEST(c), .ends = RUNS }

const struct hostile_case hostile_cases[] = {
	{ "power_off", CODE(power_off), .ends = POWEROFF },
	{ "ready_power_off", CODE(ready_power_off), .ends = POWEROFF },
	{ "rounds", CODE(rounds), EVENT_CODE(event_round), SYSCALL_CODE(syscall_round),
	  USER_CODE(user_rounds), .ends = POWEROFF },
	{ "halt_ends_with_the_timer", GUEST(halt_until_timer), .ends = EVENT, .vectors = TIMER },
	{ "hlt_ends_with_the_timer", CODE(hlt_until_timer), .ends = EVENT, .vectors = TIMER },

	FOR_EVER(spin),
	FOR_EVER(spin_with_interrupts_off),
	GUEST_FOR_EVER(halt_for_ever),
	GUEST_FOR_EVER(hypercalls_for_ever),
	GUEST_FOR_EVER(full_ring_for_ever),
	GUEST_FOR_EVER(timers_for_ever),
	{ "faults_for_ever", CODE(faults_for_ever), EVENT_CODE(event_returns_at_once),
	  .ends = RUNS },
	{ "stepped_for_ever", GUEST(stepped_for_ever), .prepare = window_everywhere, .ends = RUNS },

	FAULTS(ud2, UD),
	FAULTS(int3, BP),
	FAULTS(int_n, GP),
	FAULTS(int_2, GP),
	FAULTS(int_8, GP),
	/* QEMU's emulation does not know it. */
	FAULTS(icebp, DB | UD),
	FAULTS(page_fault, PF),
	FAULTS(read_window, PF),
	FAULTS(write_window, PF),
	FAULTS(jump_to_window, PF),
	FAULTS(read_window_la57, GP),
	{ "read_all_windows", CODE(read_all_windows), EVENT_CODE(event_reads_next_page),
	  .ends = EVENT, .vectors = PF },
	FAULTS(jump_to_non_canonical, GP),
	FAULTS(ret_to_non_canonical, GP),
	{ "syscall_at_the_edge", CODE(syscall_at_the_edge), .prepare = map_edge,
	  .ends = KILLED, .reason = "non-canonical" },
	/* Intel: #GP, since SYSENTER_CS is null. AMD: #UD in 64-bit mode. */
	FAULTS(sysenter, GP | UD),
	FAULTS(syscall32, UD),
	FAULTS(flags_tf, DB),
	FAULTS(flags_nt, PF),
	{ "flags_ac", CODE(flags_ac), .ends = EVENT | POWEROFF, .vectors = AC },
	{ "flags_all", CODE(flags_all), .ends = EVENT | POWEROFF, .vectors = DB | AC },
	{ "mov_ss_syscall", CODE(mov_ss_syscall), .ends = EVENT | POWEROFF, .vectors = DB },
	{ "mov_ss_syscall_for_ever", CODE(mov_ss_syscall_for_ever), EVENT_CODE(event_irets_again),
	  .ends = RUNS },
	{ "step_syscall_for_ever", CODE(step_syscall_for_ever), EVENT_CODE(event_irets_again),
	  .ends = RUNS },
	{ "stacks_in_the_window_for_ever", CODE(stacks_in_the_window),
	  USER_CODE(user_syscalls_for_ever), SYSCALL_CODE(syscall_returns), .ends = RUNS },
	FAULTS(mov_ss_int3, DB | BP),
	/* QEMU steps behind MOV SS at once. */
	USER_STEPPED(user_mov_ss_int3, DB | BP),
	USER_STEPPED(user_mov_ss_int_3, DB | BP),
	USER_FAULTS(user_int_4, OF),
	USER_STEPPED(user_mov_ss_int_4, DB | OF),
	USER_STEPPED(user_mov_ss_int80, DB | GP),
	{ "user_mov_ss_int80_open", CODE(to_user_stepped), USER_CODE(user_mov_ss_int80),
	  .prepare = user_int80, .ends = EVENT, .vectors = DB | SYSTEM_CALL },
	USER_STEPPED(user_mov_ss_int1, DB | UD),
	USER_STEPPED(user_mov_ss_ud2, DB | UD),
	{ "user_mov_ss_syscall", CODE(to_user_stepped), USER_CODE(user_mov_ss_syscall),
	  .ends = EVENT | RESTART, .vectors = DB },
	FAULTS(wrgsbase_non_canonical, GP | PF),
	FAULTS(wrfsbase_non_canonical, GP | PF),
	{ "selectors_go_stale", CODE(selectors_go_stale), .ends = POWEROFF },
	FAULTS(selector_of_the_kernel, GP),
	FAULTS(selector_of_the_tss, GP),
	{ "selector_of_the_ldt", CODE(selector_of_the_ldt), .ends = EVENT, .vectors = GP, .error = 4 },
	{ "system_segments_as_tls", CODE(system_segments_as_tls), .ends = POWEROFF },
	{ "pending_fpu_exceptions", CODE(pending_fpu_exceptions), .ends = POWEROFF },
	{ "privileged", CODE(privileged), .ends = POWEROFF },
	FAULTS(vmcall, UD),

	{ "event_valid_set", CODE(event_valid_set), .ends = KILLED,
	  .reason = "while the kernel takes another" },
	{ "fault_before_init", CODE(fault_before_init), .ends = KILLED,
	  .reason = "before the guest's kernel is ready" },
	{ "event_entry_not_there", CODE(event_entry_not_there), .prepare = no_event_entry,
	  .ends = KILLED, .reason = "while the kernel takes another" },
	{ "event_entry_in_user_half", CODE(event_entry_not_there),
	  .prepare = event_entry_in_user_half, .ends = KILLED, .reason = "ready" },
	{ "ring_full_of_garbage", CODE(ready_power_off), .prepare = fill_ring, .ends = POWEROFF },
	{ "wild_hypercalls", GUEST(wild_hypercalls), .prepare = fill_table,
	  .ends = POWEROFF },
	{ "wild_inits", GUEST(wild_inits), .prepare = fill_table, .ends = POWEROFF | KILLED,
	  .reason = "version" },
	{ "init_with_another_version", GUEST(init_with_another_version), .ends = KILLED,
	  .reason = "version 99" },
	{ "flush_at_the_end_of_the_address_space", GUEST(flush_at_the_end_of_the_address_space),
	  .ends = POWEROFF },
	{ "load_cr3_outside", GUEST(load_cr3_outside), .ends = KILLED,
	  .reason = "page tables outside of memory" },
	{ "load_many_cr3", GUEST(load_many_cr3), .prepare = many_cr3, .ends = POWEROFF },
	{ "data_on_the_page_tables", CODE(data_on_the_page_tables),
	  .ends = KILLED | EVENT | RUNS | POWEROFF, .vectors = ~0ULL, .reason = "" },
	{ "data_again_and_again", GUEST(data_again_and_again), .ends = POWEROFF },

	/* A hypercall's own walk may meet the same as an exception. */
	{ "tables_of_themselves", GUEST(touch_table), .prepare = tables_of_themselves,
	  .ends = POWEROFF | EVENT | KILLED, .vectors = PF, .reason = "" },
	{ "tables_of_many_kinds", GUEST(touch_table), .prepare = tables_of_many_kinds,
	  .ends = POWEROFF | EVENT | KILLED, .vectors = PF, .reason = "" },
	{ "page_outside", CODE(read_one), .prepare = page_outside, .ends = KILLED,
	  .reason = "where there is no memory" },
	{ "page_at_the_end", CODE(read_one), .prepare = page_at_the_end, .ends = KILLED,
	  .reason = "where there is no memory" },
	{ "page_with_reserved_bits", CODE(read_one), .prepare = page_with_reserved_bits,
	  .ends = EVENT, .vectors = PF },
	{ "table_outside", CODE(read_one), .prepare = table_outside, .ends = KILLED,
	  .reason = "page tables outside of memory" },
	{ "table_in_the_hole", CODE(read_one), .prepare = table_in_the_hole, .ends = KILLED,
	  .reason = "page tables outside of memory" },
	{ "large_page_beyond_memory", CODE(read_one), .prepare = large_page_beyond_memory,
	  .ends = KILLED, .reason = "where there is no memory" },
	{ "misaligned_large_page", CODE(read_one), .prepare = misaligned_large_page,
	  .ends = EVENT, .vectors = PF },
	{ "device_read", CODE(read_one), .prepare = page_in_the_hole, .ends = MMIO,
	  .mmio = LGUEST_HOLE_START + 0x3000 },
	{ "device_read_across_pages", CODE(read_across_one), .prepare = page_in_the_hole,
	  .ends = MMIO | EVENT, .vectors = PF, .mmio = LGUEST_HOLE_START + 0x3ffc },
	{ "device_locked", CODE(lock_one), .prepare = page_in_the_hole, .ends = KILLED,
	  .reason = "is not a MOV" },
	{ "device_run", CODE(jump_to_one), .prepare = page_in_the_hole, .ends = KILLED,
	  .reason = "is not a MOV" },

	{ "iret_before_register", CODE(iret_before_register), .ends = KILLED,
	  .reason = "before LHCALL_REGISTER" },
	{ "iret_to_non_canonical_kernel", CODE(iret_to_non_canonical_kernel), .ends = KILLED,
	  .reason = "return to kernel address" },
	{ "iret_frames", CODE(iret_frames), EVENT_CODE(event_next_frame), USER_CODE(user_ud2),
	  .prepare = fill_frames, .ends = POWEROFF },
	{ "iret_frame_32_bit_far_up", CODE(iret_frames), EVENT_CODE(event_next_frame),
	  USER_CODE(user_ud2), .prepare = frame_32_bit_far_up, .ends = POWEROFF },
	{ "lying_user_gs_base", CODE(lying_user_gs_base), USER_CODE(user_ud2), .ends = EVENT,
	  .vectors = UD },
	FAULTS(kernel_runs_user_page, PF),
	USER_FAULTS(user_ud2, UD),
	USER_FAULTS(user_reads_kernel, PF),
	USER_FAULTS(user_reads_low_kernel, PF),
	USER_FAULTS(user_writes_kernel, PF),
	USER_FAULTS(user_jumps_to_kernel, PF),
	USER_FAULTS(user_reads_window, PF),
	USER_FAULTS(user_hlt, GP),
	USER_FAULTS(user_wrmsr, GP),
	USER_FAULTS(user_out, GP),
	{ "user_shuts_down", CODE(to_user), USER_CODE(user_shuts_down), .ends = RESTART },
	{ "user_int80_closed", CODE(to_user), USER_CODE(user_int80), .ends = EVENT,
	  .vectors = GP },
	{ "user_int80_open", CODE(to_user), USER_CODE(user_int80), .prepare = user_int80,
	  .ends = EVENT, .vectors = SYSTEM_CALL },
};

const unsigned int hostile_cases_nr = sizeof(hostile_cases) / sizeof(hostile_cases[0]);
