/* SPDX-License-Identifier: GPL-2.0-only */
/* The guests of hostile_guest.c (the others: hostile_exceptions.S). */
#include "hostile_code.h"

/* --- Event and system call entries ------------------------------------------- */

GUEST event_ends
	POWEROFF
END_GUEST event_ends

GUEST event_returns_at_once
	movl	$0, DATA(event_valid)
	ud2
END_GUEST event_returns_at_once

GUEST event_next_frame
	/* VM_TABLE: number of the next frame, how many there are, the frames. */
	movl	$0, DATA(event_valid)
	mov	$VM_KERNEL + VM_TABLE, %rbx
	mov	(%rbx), %rcx
	cmp	8(%rbx), %rcx
	jae	1f
	incq	(%rbx)
	imul	$40, %rcx, %rcx
	lea	16(%rbx, %rcx), %rsi
	mov	$DATA(iret_ip), %rdi
	mov	$5, %ecx
	rep movsq
	mov	$LHCALL_IRET, %eax
	syscall
1:	POWEROFF
END_GUEST event_next_frame

GUEST syscall_restarts
	HCALL	LHCALL_SHUTDOWN, LGUEST_SHUTDOWN_RESTART
END_GUEST syscall_restarts

/* --- What ends well ------------------------------------------------------------ */

GUEST power_off
	POWEROFF
END_GUEST power_off

GUEST ready_power_off
	START
	POWEROFF
END_GUEST ready_power_off

GUEST hlt_until_timer
	START
	HCALL	LHCALL_SET_TIMER, 1000000
	movq	$0x200, DATA(irq_enabled)
	hlt
	nop
	ud2
END_GUEST hlt_until_timer

/*
 * What Linux does all day: system calls, faults and changes of page tables. In each round
 * user mode makes a system call and an exception, and the kernel loads CR3 before it returns.
 */
GUEST rounds
	START
	movq	$0x2b, DATA(iret_ss)
	TO_USER
END_GUEST rounds

GUEST user_rounds
	mov	$300, %ebx
1:	mov	%ebx, %eax
	syscall
	ud2
	int3
	dec	%ebx
	jnz	1b
	mov	$-1, %eax
	syscall
END_GUEST user_rounds

GUEST syscall_round
	cmp	$-1, %eax
	je	1f
	mov	DATA(syscall_ip), %rcx
	mov	%rcx, DATA(iret_ip)
	mov	%rcx, DATA(iret_cx)
	mov	DATA(syscall_flags), %rcx
	mov	%rcx, DATA(iret_flags)
	mov	%rcx, DATA(iret_r11)
	mov	DATA(syscall_sp), %rcx
	mov	%rcx, DATA(iret_sp)
	mov	%rax, DATA(iret_ax)
	HCALL	LHCALL_LOAD_CR3, 0x8000000000000000|VM_PML4
	mov	$LHCALL_IRET, %eax
	syscall
1:	POWEROFF
END_GUEST syscall_round

/* UD2 is two bytes; INT3 is behind it already. */
GUEST event_round
	mov	%rax, DATA(iret_ax)
	mov	%rcx, DATA(iret_cx)
	mov	%r11, DATA(iret_r11)
	mov	$DATA(event_ip), %rsi
	mov	$DATA(iret_ip), %rdi
	mov	$5, %ecx
	rep movsq
	cmpl	$6, DATA(event_vector)
	jne	1f
	addq	$2, DATA(iret_ip)
1:	movl	$0, DATA(event_valid)
	mov	$LHCALL_IRET, %eax
	syscall
END_GUEST event_round

/* --- What never ends: the host must be able to end it ---------------------------- */

GUEST spin
1:	jmp	1b
END_GUEST spin

GUEST spin_with_interrupts_off
	pushfq
	andq	$~0x200, (%rsp)
	popfq
1:	jmp	1b
END_GUEST spin_with_interrupts_off

GUEST faults_for_ever
	START
	ud2
END_GUEST faults_for_ever

/* --- lguest_data and the hypercalls ------------------------------------------------- */

GUEST event_valid_set
	START
	movl	$1, DATA(event_valid)
	ud2
END_GUEST event_valid_set

GUEST fault_before_init
	ud2
END_GUEST fault_before_init

GUEST event_entry_not_there
	START
	ud2
END_GUEST event_entry_not_there

GUEST data_on_the_page_tables
	HCALL	LHCALL_INIT, VM_KERNEL + VM_INIT
	HCALL	LHCALL_REGISTER, VM_KERNEL + VM_PML4
	HCALL	LHCALL_SET_TIMER, 0
	ud2
END_GUEST data_on_the_page_tables

/* --- Page tables ------------------------------------------------------------------------ */

/* VM_TABLE's first word is an address to read. */
GUEST read_one
	START
	mov	VM_KERNEL + VM_TABLE, %rax
	mov	(%rax), %rax
	POWEROFF
END_GUEST read_one

GUEST jump_to_one
	START
	mov	VM_KERNEL + VM_TABLE, %rax
	jmp	*%rax
END_GUEST jump_to_one

GUEST lock_one
	START
	mov	VM_KERNEL + VM_TABLE, %rax
	lock incl (%rax)
	POWEROFF
END_GUEST lock_one

GUEST read_across_one
	START
	mov	VM_KERNEL + VM_TABLE, %rax
	mov	0xffc(%rax), %rax
	POWEROFF
END_GUEST read_across_one

/* --- IRET and user mode --------------------------------------------------------------- */

GUEST iret_before_register
	HCALL	LHCALL_INIT, VM_KERNEL + VM_INIT
	HCALL	LHCALL_IRET
END_GUEST iret_before_register

GUEST iret_to_non_canonical_kernel
	START
	movabs	$0x0000900000000000, %rax
	mov	%rax, DATA(iret_ip)
	movq	$0x10, DATA(iret_cs)
	HCALL	LHCALL_IRET
END_GUEST iret_to_non_canonical_kernel

GUEST iret_frames
	START
	movq	$VM_KERNEL + VM_STACK_TOP, DATA(sp0)
	ud2
END_GUEST iret_frames

GUEST lying_user_gs_base
	START
	movabs	$0x0000900000000000, %rax
	mov	%rax, DATA(user_gs_base)
	TO_USER
END_GUEST lying_user_gs_base

GUEST to_user
	START
	TO_USER
END_GUEST to_user

GUEST user_ud2
	ud2
END_GUEST user_ud2

GUEST user_reads_kernel
	mov	$VM_KERNEL + VM_DATA, %rax
	mov	(%rax), %rax
END_GUEST user_reads_kernel

GUEST user_reads_low_kernel
	mov	$VM_DATA, %eax
	mov	(%rax), %rax
END_GUEST user_reads_low_kernel

GUEST user_writes_kernel
	mov	$VM_KERNEL + VM_DATA, %rax
	movq	$0, (%rax)
END_GUEST user_writes_kernel

GUEST user_jumps_to_kernel
	mov	$VM_KERNEL + VM_SYSCALL, %rax
	jmp	*%rax
END_GUEST user_jumps_to_kernel

GUEST user_hlt
	hlt
END_GUEST user_hlt

GUEST user_wrmsr
	mov	$0xc0000082, %ecx
	wrmsr
END_GUEST user_wrmsr

GUEST user_out
	mov	$0xcf9, %edx
	mov	$6, %al
	out	%al, %dx
END_GUEST user_out

/* What would be a hypercall in kernel mode is a system call here. */
GUEST user_shuts_down
	HCALL	LHCALL_SHUTDOWN, LGUEST_SHUTDOWN_POWEROFF
END_GUEST user_shuts_down

GUEST user_int80
	int	$0x80
END_GUEST user_int80

GUEST user_reads_window
	movabs	$0xffff800000000000, %rax
	mov	(%rax), %rax
END_GUEST user_reads_window

GUEST kernel_runs_user_page
	START
	mov	$VM_USER, %eax
	jmp	*%rax
END_GUEST kernel_runs_user_page

	.section .note.GNU-stack, "", @progbits
