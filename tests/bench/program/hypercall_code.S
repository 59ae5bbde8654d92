/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest of hypercall.c. It starts in kernel mode with the stack at VM_STACK_TOP, does one
 * round to warm up, and measures a second one by the time stamp counter.
 */
#define __ASSEMBLER__ 1
#include "lguest_abi.h"
#include "vm.h"

#define COUNT	1000

	.section .rodata, "a"
	.globl	guest_count
guest_count:
	.long	COUNT

.macro HCALL nr, a=0, b=0
	mov	$\nr, %eax
	movabs	$\a, %rdi
	movabs	$\b, %rsi
	syscall
.endm

	.globl	guest_code
guest_code:
	HCALL	LHCALL_INIT, VM_KERNEL + VM_INIT
	HCALL	LHCALL_REGISTER, VM_KERNEL + VM_DATA
	mov	$2, %r12d
again:
	rdtsc
	shl	$32, %rdx
	lea	(%rax, %rdx), %r13
	mov	$COUNT, %ebx
1:	mov	$LHCALL_FLUSH_ASYNC, %eax
	syscall
	dec	%ebx
	jnz	1b
	rdtsc
	shl	$32, %rdx
	add	%rdx, %rax
	sub	%r13, %rax
	mov	%rax, VM_KERNEL + VM_TABLE
	dec	%r12d
	jnz	again
	HCALL	LHCALL_SHUTDOWN, LGUEST_SHUTDOWN_POWEROFF
	.globl	guest_code_end
guest_code_end:

	.section .note.GNU-stack, "", @progbits
