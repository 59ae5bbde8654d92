/* SPDX-License-Identifier: GPL-2.0-only */
/* What a case of hostile_guest.c is, and where the guests of the two .S files begin and end. */
#ifndef _HOSTILE_CASES_H
#define _HOSTILE_CASES_H

#include "guest.h"

/* Vectors: SDM volume 3, table 6-1 */
#define VECTOR(n)	(1ULL << (n))
#define DB		VECTOR(1)
#define BP		VECTOR(3)
#define OF		VECTOR(4)
#define UD		VECTOR(6)
#define GP		VECTOR(13)
#define PF		VECTOR(14)
#define AC		VECTOR(17)
#define TIMER		VECTOR(32)
#define SYSTEM_CALL	VECTOR(63)	/* stands for 0x80 */

/* How a guest may end; several are possible where processors differ. */
enum end {
	POWEROFF = 1,	/* by itself */
	RESTART = 2,	/* by its system call entry */
	EVENT = 4,	/* at its event entry, with one of .vectors */
	KILLED = 8,	/* by the host, with .reason in the reason */
	RUNS = 16,	/* it does not */
	MMIO = 32,	/* it touches a device, at .mmio */
};

struct hostile_case {
	const char *name;
	guest_code_t guest;		/* in C (guest.h), instead of .code */
	const char *code, *code_end;
	const char *event, *event_end;	/* event entry; NULL: event_ends */
	const char *user, *user_end;	/* what lies at VM_USER */
	const char *syscall, *syscall_end;	/* system call entry; NULL: syscall_restarts */
	void (*prepare)(struct vm *vm);
	unsigned int ends;
	uint64_t vectors, error;	/* .error: 0: any */
	const char *reason;
	uint64_t mmio;
};

#define DECLARE(c)	extern const char code_##c[], code_##c##_end[]

DECLARE(event_ends); DECLARE(event_returns_at_once); DECLARE(event_next_frame);
DECLARE(event_reads_next_page); DECLARE(syscall_restarts);
DECLARE(power_off); DECLARE(ready_power_off); DECLARE(hlt_until_timer);
DECLARE(spin); DECLARE(spin_with_interrupts_off); DECLARE(faults_for_ever);
DECLARE(ud2); DECLARE(int3); DECLARE(int_n); DECLARE(int_2); DECLARE(int_8); DECLARE(icebp);
DECLARE(page_fault); DECLARE(read_window); DECLARE(write_window); DECLARE(jump_to_window);
DECLARE(read_window_la57); DECLARE(read_all_windows);
DECLARE(jump_to_non_canonical); DECLARE(ret_to_non_canonical); DECLARE(syscall_at_the_edge);
DECLARE(sysenter); DECLARE(syscall32);
DECLARE(flags_tf); DECLARE(flags_nt); DECLARE(flags_ac); DECLARE(flags_all);
DECLARE(mov_ss_syscall); DECLARE(mov_ss_int3);
DECLARE(mov_ss_syscall_for_ever); DECLARE(step_syscall_for_ever); DECLARE(event_irets_again);
DECLARE(stacks_in_the_window); DECLARE(user_syscalls_for_ever); DECLARE(syscall_returns);
DECLARE(to_user_stepped); DECLARE(user_mov_ss_int3); DECLARE(user_mov_ss_int_3); DECLARE(user_mov_ss_int_4);
DECLARE(user_mov_ss_int80); DECLARE(user_mov_ss_int1); DECLARE(user_mov_ss_ud2);
DECLARE(user_mov_ss_syscall); DECLARE(user_int_4);
DECLARE(wrgsbase_non_canonical); DECLARE(wrfsbase_non_canonical);
DECLARE(selectors_go_stale); DECLARE(selector_of_the_kernel); DECLARE(selector_of_the_tss);
DECLARE(selector_of_the_ldt);
DECLARE(system_segments_as_tls); DECLARE(pending_fpu_exceptions); DECLARE(privileged);
DECLARE(vmcall); DECLARE(event_valid_set); DECLARE(fault_before_init);
DECLARE(event_entry_not_there); DECLARE(data_on_the_page_tables);
DECLARE(read_one); DECLARE(jump_to_one); DECLARE(lock_one);
DECLARE(read_across_one);
DECLARE(iret_before_register); DECLARE(iret_to_non_canonical_kernel); DECLARE(iret_frames);
DECLARE(lying_user_gs_base); DECLARE(to_user); DECLARE(kernel_runs_user_page);
DECLARE(user_ud2); DECLARE(user_reads_kernel); DECLARE(user_reads_low_kernel);
DECLARE(user_writes_kernel); DECLARE(user_jumps_to_kernel); DECLARE(user_hlt);
DECLARE(user_wrmsr); DECLARE(user_out); DECLARE(user_shuts_down); DECLARE(user_int80);
DECLARE(user_reads_window);
DECLARE(rounds); DECLARE(user_rounds); DECLARE(event_round); DECLARE(syscall_round);

/* hostile_calls.c */
void guest_halt_until_timer(uint64_t unused);
void guest_halt_for_ever(uint64_t unused);
void guest_hypercalls_for_ever(uint64_t unused);
void guest_full_ring_for_ever(uint64_t unused);
void guest_timers_for_ever(uint64_t unused);
void guest_stepped_for_ever(uint64_t unused);
void guest_wild_hypercalls(uint64_t unused);
void guest_wild_inits(uint64_t unused);
void guest_init_with_another_version(uint64_t unused);
void guest_flush_at_the_end_of_the_address_space(uint64_t unused);
void guest_load_cr3_outside(uint64_t unused);
void guest_load_many_cr3(uint64_t unused);
void guest_data_again_and_again(uint64_t unused);
void guest_touch_table(uint64_t unused);

/* Copies of the top-level table, and how many. */
#define MANY_CR3	0x100000UL
#define MANY_CR3_NR	64

extern const struct hostile_case hostile_cases[];
extern const unsigned int hostile_cases_nr;

static inline struct lguest_data *data_of(struct vm *vm)
{
	return (struct lguest_data *)vm_word(vm, VM_DATA);
}

static inline struct lguest_init *init_of(struct vm *vm)
{
	return (struct lguest_init *)vm_word(vm, VM_INIT);
}

#endif /* _HOSTILE_CASES_H */
