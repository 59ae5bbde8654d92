/* SPDX-License-Identifier: GPL-2.0-only */
/* The guests of hostile_guest.c that meet an exception, or whatever else an instruction may do. */
#include "hostile_code.h"

GUEST ud2
	START
	ud2
END_GUEST ud2

GUEST int3
	START
	int3
END_GUEST int3

GUEST int_n
	START
	int	$0x82
END_GUEST int_n

GUEST int_2
	START
	int	$2
END_GUEST int_2

GUEST int_8
	START
	int	$8
END_GUEST int_8

GUEST icebp
	START
	.byte	0xf1
	ud2
END_GUEST icebp

GUEST page_fault
	START
	movabs	$0x123456789000, %rax
	mov	(%rax), %rax
END_GUEST page_fault

GUEST read_window
	START
	movabs	$0xffff800000000000, %rax
	mov	(%rax), %rax
END_GUEST read_window

GUEST write_window
	START
	movabs	$0xffff800000002000, %rax
	movq	$0, (%rax)
END_GUEST write_window

GUEST jump_to_window
	START
	movabs	$0xffff800000000020, %rax
	jmp	*%rax
END_GUEST jump_to_window

/* All of it, with 5-level paging on the host (elsewhere: not canonical). */
GUEST read_window_la57
	START
	movabs	$0xff00000000000000, %rax
	mov	(%rax), %rax
END_GUEST read_window_la57

/* Reads each page of the first eight windows; only #PF may come of it. */
GUEST read_all_windows
	START
	movabs	$0xffff800000000000, %rbx
	mov	%rbx, VM_KERNEL + VM_TABLE
	mov	(%rbx), %rax
END_GUEST read_all_windows

GUEST event_reads_next_page
	movl	$0, DATA(event_valid)
	cmpl	$14, DATA(event_vector)
	jne	1f
	mov	VM_KERNEL + VM_TABLE, %rbx
	add	$0x1000, %rbx
	mov	%rbx, VM_KERNEL + VM_TABLE
	movabs	$0xffff800000080000, %rcx
	cmp	%rcx, %rbx
	jae	1f
	mov	(%rbx), %rax
	/* There was something to read. */
	movl	$255, DATA(event_vector)
1:	POWEROFF
END_GUEST event_reads_next_page

GUEST jump_to_non_canonical
	START
	movabs	$0x0000900000000000, %rax
	jmp	*%rax
END_GUEST jump_to_non_canonical

GUEST ret_to_non_canonical
	START
	movabs	$0x8000000000000000, %rax
	push	%rax
	ret
END_GUEST ret_to_non_canonical

/* The page at 0x7ffffffff000 ends with SYSCALL: the return address is not canonical. */
GUEST syscall_at_the_edge
	START
	movabs	$0x00007ffffffffffe, %rbx
	movw	$0x050f, (%rbx)
	mov	$LHCALL_FLUSH_ASYNC, %eax
	jmp	*%rbx
END_GUEST syscall_at_the_edge

GUEST sysenter
	START
	sysenter
	ud2
END_GUEST sysenter

/* Far jump to 32-bit code at the same place below 4 GiB, and SYSCALL there. */
GUEST syscall32
	START
	mov	$VM_KERNEL + VM_TABLE, %rbx
	movl	$VM_CODE + (1f - code_syscall32), (%rbx)
	movw	$0x23, 4(%rbx)
	ljmp	*(%rbx)
	.code32
1:	syscall
	ud2
	.code64
END_GUEST syscall32

GUEST flags_tf
	START
	pushfq
	orq	$0x100, (%rsp)
	popfq
	nop
	nop
	POWEROFF
END_GUEST flags_tf

GUEST flags_nt
	START
	pushfq
	orq	$0x4000, (%rsp)
	popfq
	HCALL	LHCALL_FLUSH_ASYNC
	movabs	$0x123456789000, %rax
	mov	(%rax), %rax
END_GUEST flags_nt

/* #AC, or nothing from an emulator that does not know it. */
GUEST flags_ac
	START
	pushfq
	orq	$0x40000, (%rsp)
	popfq
	mov	$VM_KERNEL + VM_TABLE + 1, %rax
	mov	(%rax), %rax
	POWEROFF
END_GUEST flags_ac

GUEST flags_all
	START
	pushfq
	orq	$-1, (%rsp)
	popfq
	nop
	HCALL	LHCALL_FLUSH_ASYNC
	POWEROFF
END_GUEST flags_all

/* A pending single step must not arrive behind SYSCALL, in ring 0 (CVE-2018-8897). */
GUEST mov_ss_syscall
	START
	mov	%ss, %ecx
	mov	$LHCALL_FLUSH_ASYNC, %eax
	pushfq
	orq	$0x100, (%rsp)
	popfq
	mov	%ecx, %ss
	syscall
	nop
	POWEROFF
END_GUEST mov_ss_syscall

/*
 * The same for ever, each turn one LHCALL_IRET to kernel mode with TF set, and with a
 * stack in the window's state page: whatever the switcher writes there it takes for its own.
 */
#define WINDOW_STATE	0xffff800000004000

.macro IRET_TO_STEP to
	START
	lea	\to(%rip), %rax
	mov	%rax, DATA(iret_ip)
	movq	$0x10, DATA(iret_cs)
	movq	$0x302, DATA(iret_flags)
	movabs	$WINDOW_STATE + 8, %rax
	mov	%rax, DATA(iret_sp)
	movq	$0x18, DATA(iret_ss)
	movq	$LHCALL_IRET, DATA(iret_ax)
	mov	%ss, %ecx
	mov	%rcx, DATA(iret_cx)
	mov	$LHCALL_IRET, %eax
	syscall
.endm

GUEST mov_ss_syscall_for_ever
	IRET_TO_STEP 1f
1:	mov	%ecx, %ss
	syscall
END_GUEST mov_ss_syscall_for_ever

GUEST step_syscall_for_ever
	IRET_TO_STEP 1f
1:	syscall
END_GUEST step_syscall_for_ever

/* Where the CPU steps in ring 3 only: the frame is still there. */
GUEST event_irets_again
	movl	$0, DATA(event_valid)
	mov	$LHCALL_IRET, %eax
	syscall
END_GUEST event_irets_again

/* A stack in the window for both modes, and nothing but system calls. */
GUEST stacks_in_the_window
	START
	movabs	$WINDOW_STATE + 8, %rax
	mov	%rax, DATA(sp0)
	mov	%rax, DATA(iret_sp)
	movq	$VM_USER, DATA(iret_ip)
	movq	$0x33, DATA(iret_cs)
	movq	$0x202, DATA(iret_flags)
	movq	$0x2b, DATA(iret_ss)
	mov	$LHCALL_IRET, %eax
	syscall
END_GUEST stacks_in_the_window

GUEST user_syscalls_for_ever
1:	syscall
	jmp	1b
END_GUEST user_syscalls_for_ever

/* A return by SYSRET and one by IRET, in turn. */
GUEST syscall_returns
	mov	DATA(syscall_ip), %rax
	mov	%rax, DATA(iret_ip)
	xorq	$1, DATA(iret_cx)
	testq	$1, DATA(iret_cx)
	jnz	1f
	mov	%rax, DATA(iret_cx)
1:	movq	$0x202, DATA(iret_r11)
	mov	$LHCALL_IRET, %eax
	syscall
END_GUEST syscall_returns

GUEST mov_ss_int3
	START
	mov	%ss, %ecx
	pushfq
	orq	$0x100, (%rsp)
	popfq
	mov	%ecx, %ss
	int3
END_GUEST mov_ss_int3

/*
 * User mode behind MOV SS with TF set: the step must not arrive at the first instruction
 * of the gate's handler, in ring 0, or it is forgiven there. INTO is for 32-bit code.
 */
GUEST to_user_stepped
	START
	movq	$0x2b, DATA(iret_cx)
	TO_USER 0x302
END_GUEST to_user_stepped

GUEST user_mov_ss_int3
	mov	%ecx, %ss
	int3
END_GUEST user_mov_ss_int3

GUEST user_mov_ss_int_3
	mov	%ecx, %ss
	int	$3
END_GUEST user_mov_ss_int_3

GUEST user_int_4
	int	$4
END_GUEST user_int_4

GUEST user_mov_ss_int_4
	mov	%ecx, %ss
	int	$4
END_GUEST user_mov_ss_int_4

GUEST user_mov_ss_int80
	mov	%ecx, %ss
	int	$0x80
END_GUEST user_mov_ss_int80

GUEST user_mov_ss_int1
	mov	%ecx, %ss
	.byte	0xf1
	ud2
END_GUEST user_mov_ss_int1

GUEST user_mov_ss_ud2
	mov	%ecx, %ss
	ud2
END_GUEST user_mov_ss_ud2

GUEST user_mov_ss_syscall
	mov	%ecx, %ss
	syscall
END_GUEST user_mov_ss_syscall

GUEST wrgsbase_non_canonical
	START
	movabs	$0x0000900000000000, %rax
	wrgsbase %rax
	HCALL	LHCALL_FLUSH_ASYNC
	movabs	$0x123456789000, %rax
	mov	(%rax), %rax
END_GUEST wrgsbase_non_canonical

GUEST wrfsbase_non_canonical
	START
	movabs	$0x8000000000000000, %rax
	wrfsbase %rax
	HCALL	LHCALL_FLUSH_ASYNC
	movabs	$0x123456789000, %rax
	mov	(%rax), %rax
END_GUEST wrfsbase_non_canonical

/* Selectors that are good when loaded, and whose descriptors then go. */
GUEST selectors_go_stale
	START
	HCALL	LHCALL_LOAD_TLS, 0x00cff3000000ffff, 0x00cff3000000ffff, 0x00cff3000000ffff
	mov	$0x63, %eax
	mov	%eax, %ds
	mov	$0x6b, %eax
	mov	%eax, %es
	mov	$0x73, %eax
	mov	%eax, %fs
	HCALL	LHCALL_LOAD_TLS, 0, 0, 0
	mov	$0x2b, %eax
	mov	%eax, %ds
	HCALL	LHCALL_FLUSH_ASYNC
	POWEROFF
END_GUEST selectors_go_stale

GUEST selector_of_the_kernel
	START
	mov	$0x18, %eax
	mov	%eax, %ds
	ud2
END_GUEST selector_of_the_kernel

GUEST selector_of_the_tss
	START
	mov	$0x40, %eax
	ltr	%ax
	mov	$0x43, %eax
	mov	%eax, %gs
	ud2
END_GUEST selector_of_the_tss

/* The launcher has one: main() has seen to that. */
GUEST selector_of_the_ldt
	START
	mov	$0x07, %eax
	mov	%eax, %gs
	ud2
END_GUEST selector_of_the_ldt

GUEST system_segments_as_tls
	START
	HCALL	LHCALL_LOAD_TLS, 0x0000ee000010ffff, 0x00008b000000ffff, 0x00cffb000000ffff
	cmp	$-22, %rax
	jne	1f
	POWEROFF
1:	ud2
END_GUEST system_segments_as_tls

/* #MF and #XM pending at the exit are not the host's. */
GUEST pending_fpu_exceptions
	START
	fninit
	movw	$0, -8(%rsp)
	fldcw	-8(%rsp)
	fld1
	fldz
	fdivrp
	movl	$0, -8(%rsp)
	ldmxcsr	-8(%rsp)
	HCALL	LHCALL_FLUSH_ASYNC
	HCALL	LHCALL_SET_TIMER, 0
	POWEROFF
END_GUEST pending_fpu_exceptions

GUEST privileged
	START
	mov	%cr0, %rax
	mov	%rax, %cr0
	mov	%cr4, %rax
	or	$-1, %rax
	mov	%rax, %cr4
	mov	$0xc0000082, %ecx
	rdmsr
	wrmsr
	mov	$0x1a0, %ecx
	rdmsr
	mov	$0xffffffff, %ecx
	wrmsr
	xor	%ecx, %ecx
	mov	$7, %eax
	xor	%edx, %edx
	xsetbv
	mov	%db7, %rax
	mov	$-1, %rax
	mov	%rax, %db7
	cli
	sti
	clts
	mov	$0xcf9, %edx
	in	%dx, %al
	mov	$6, %al
	out	%al, %dx
	in	%dx, %eax
	lgdt	(%rsp)
	lidt	(%rsp)
	invlpg	(%rsp)
	POWEROFF
END_GUEST privileged

GUEST vmcall
	START
	.byte	0x0f, 0x01, 0xc1
END_GUEST vmcall

	.section .note.GNU-stack, "", @progbits
