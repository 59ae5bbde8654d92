/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the guests of hostile_guest.c are written in: GUEST NAME ... END_GUEST NAME is
 * copied to VM_CODE (others where the test says), and so must not care where it lies.
 * Each starts in kernel mode, with the stack at VM_STACK_TOP and interrupts off.
 */
#ifndef _HOSTILE_CODE_H
#define _HOSTILE_CODE_H

#define __ASSEMBLER__ 1
#include "lguest_abi.h"
#include "vm.h"

#define DATA(field)	VM_KERNEL + VM_DATA + LGUEST_DATA_ ## field

	.section .rodata, "a"

.macro GUEST name
	.globl	code_\name
code_\name:
.endm

.macro END_GUEST name
	.globl	code_\name\()_end
code_\name\()_end:
.endm

.macro HCALL nr, a=0, b=0, c=0
	mov	$\nr, %eax
	movabs	$\a, %rdi
	movabs	$\b, %rsi
	movabs	$\c, %rdx
	syscall
.endm

/* What a guest's kernel does first of all. */
.macro START
	HCALL	LHCALL_INIT, VM_KERNEL + VM_INIT
	HCALL	LHCALL_REGISTER, VM_KERNEL + VM_DATA
.endm

.macro POWEROFF
	HCALL	LHCALL_SHUTDOWN, LGUEST_SHUTDOWN_POWEROFF
.endm

/* To user mode at VM_USER, with a stack there. */
.macro TO_USER flags=0x202
	movq	$VM_USER, DATA(iret_ip)
	movq	$0x33, DATA(iret_cs)
	movq	$\flags, DATA(iret_flags)
	movq	$VM_USER + 0x10000, DATA(iret_sp)
	movq	$0x2b, DATA(iret_ss)
	movq	$VM_KERNEL + VM_STACK_TOP, DATA(sp0)
	HCALL	LHCALL_IRET
.endm

#endif /* _HOSTILE_CODE_H */
