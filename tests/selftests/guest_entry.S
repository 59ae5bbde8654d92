/* SPDX-License-Identifier: GPL-2.0-only */
/* Where guests in C are entered by events, and how they catch an exception of their own. */
#define __ASSEMBLER__ 1
#include "lguest_abi.h"

	.text

/*
 * An event, in kernel mode and on the stack that was interrupted: its red zone is in use.
 * guest_event() gets the registers as struct saved_registers has them, and leaves frame,
 * %rax, %rcx and %r11 in lguest_data. The FPU's registers may be in use, too.
 */
	.globl	guest_event_entry
guest_event_entry:
	lea	-128(%rsp), %rsp
	push	%rdi
	push	%rsi
	push	%rdx
	push	%r8
	push	%r9
	push	%r10
	push	%rbp
	push	%r11
	push	%rcx
	push	%rax
	mov	%rsp, %rdi
	mov	%rsp, %rbp
	sub	$512, %rsp
	and	$-16, %rsp
	fxsave64 (%rsp)
	cld
	call	guest_event
	fxrstor64 (%rsp)
	lea	24(%rbp), %rsp
	pop	%rbp
	pop	%r10
	pop	%r9
	pop	%r8
	pop	%rdx
	pop	%rsi
	pop	%rdi
	mov	$LHCALL_IRET, %eax
	syscall

/*
 * int guest_try_call(code, argument, uint64_t *sp): 0, or 1 when guest_event() has come back
 * to guest_try_caught with what is put into *sp here.
 */
	.globl	guest_try_call
guest_try_call:
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	sub	$8, %rsp
	mov	%rsp, (%rdx)
	mov	%rdi, %rax
	mov	%rsi, %rdi
	call	*%rax
	xor	%eax, %eax
	.globl	guest_try_caught
guest_try_caught:
	add	$8, %rsp
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	ret

	.section .note.GNU-stack, "", @progbits
