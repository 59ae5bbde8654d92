/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Part of switcher.S: what the Guest asks for, and most of it is done without C.
 *
 * SYSCALL of the Guest (LSTAR points here, at the window's alias): %rcx = its
 * %rip, %r11 = its flags, %rsp and all else still its own, its page tables
 * live; SFMASK, as the Host sets it, has cleared IF, TF, DF, NT and AC.
 *
 * In user mode it is a system call and goes to the Guest's kernel from here; in
 * kernel mode a hypercall, of which one is done here: the return to user mode.
 * All that the Guest can write (WINDOW_DATA) is read once and checked; where
 * anything is out of the ordinary, C does it (driver/abi-lguest/events.c).
 */

/* The frame of an exception, from what SYSCALL has left; SS is __USER_DS. */
#define TO_C(cs, trap)			\
	pushq	$0x2b;			\
	pushq	WINDOW(STATE_SCRATCH);	\
	push	%r11;			\
	pushq	$cs;			\
	push	%rcx;			\
	pushq	$0;			\
	pushq	$trap;			\
	jmp	save_guest

	.balign 16, 0xcc
	.globl switcher_syscall
switcher_syscall:
syscall_start:
	endbr64
	HELD_BACK_DEBUG
	PAUSES
	mov	%rsp, WINDOW(STATE_SCRATCH)
	lea	WINDOW(WINDOW_STACK_TOP), %rsp
syscall_saved:
	cmpw	$DIRECT_USER, WINDOW(STATE_MODE)
	jne	hypercall
	mov	%rcx, WINDOW(WINDOW_DATA + LGUEST_DATA_syscall_ip)
	mov	%r11, WINDOW(WINDOW_DATA + LGUEST_DATA_syscall_flags)
	mov	WINDOW(STATE_SCRATCH), %rcx
	mov	%rcx, WINDOW(WINDOW_DATA + LGUEST_DATA_syscall_sp)
	movq	$0, WINDOW(WINDOW_DATA + LGUEST_DATA_irq_enabled)
	rdgsbase %rcx
	mov	%rcx, WINDOW(WINDOW_DATA + LGUEST_DATA_user_gs_base)
	mov	WINDOW(STATE_KERNEL_GS_BASE), %rcx
	wrgsbase %rcx
	LOAD_ROOT(STATE_KERNEL_ROOT, %rcx)
	movb	$MODE_KERNEL, WINDOW(STATE_MODE)
	incq	WINDOW(STATE_DIRECT_SYSCALLS)
	movq	$-1, WINDOW(STATE_LAST_FAULT)
	mov	WINDOW(STATE_SYSCALL_ENTRY), %rcx
	mov	$0x202, %r11d
	mov	WINDOW(WINDOW_DATA + LGUEST_DATA_sp0), %rsp
	/* %rsp is the Guest's: an NMI from here on leaves it, see async_ring0. */
sysret_start:
	cmpw	$0, WINDOW(STATE_NMI)		/* STATE_MCE is the byte behind */
	jne	sysret_abort
	PAUSES
	sysretq
	/* As if it had come right behind the SYSRET. */
sysret_abort:
	PAUSES
	mov	%rsp, WINDOW(STATE_SCRATCH)
	lea	WINDOW(WINDOW_STACK_TOP), %rsp
sysret_left:
	TO_C(0x33, 2)

/*
 * A hypercall: %rcx and %r11 are lost anyway. LHCALL_IRET to a 64-bit frame
 * with nothing special about it, and no interrupt that waits, is done here;
 * %rax too is free for that, since the frame has its own. So they are when C
 * does it instead, and then it loads the GS base again.
 */
hypercall:
	cmpw	$DIRECT_KERNEL, WINDOW(STATE_MODE)
	jne	syscall_to_c
	cmp	$LHCALL_IRET, %rax
	jne	not_iret
	cmpq	$0, WINDOW(WINDOW_DATA + LGUEST_DATA_irq_pending)
	jne	syscall_to_c
	cmpq	$0x33, WINDOW(WINDOW_DATA + LGUEST_DATA_iret_cs)
	jne	syscall_to_c
	cmpq	$0x2b, WINDOW(WINDOW_DATA + LGUEST_DATA_iret_ss)
	jne	syscall_to_c
	/* Arithmetic flags, DF, AC, ID, RF (every fault sets it) and IF: TF is for C. */
	mov	WINDOW(WINDOW_DATA + LGUEST_DATA_iret_flags), %r11
	test	$~0x250ed7, %r11
	jnz	iret_to_c
	or	$0x202, %r11d
	/*
	 * Both addresses in the lower half, as most are: canonical, so neither
	 * WRGSBASE, SYSRET nor IRET may fault here.
	 */
	mov	WINDOW(WINDOW_DATA + LGUEST_DATA_user_gs_base), %rax
	mov	%rax, %rcx
	shr	$47, %rcx
	jnz	iret_to_c
	wrgsbase %rax
	mov	WINDOW(WINDOW_DATA + LGUEST_DATA_iret_ip), %rcx
	mov	%rcx, %rax
	shr	$47, %rax
	jnz	iret_to_c
	movq	$0x200, WINDOW(WINDOW_DATA + LGUEST_DATA_irq_enabled)
	incq	WINDOW(STATE_DIRECT_RETURNS)
	LOAD_ROOT(STATE_USER_ROOT, %rax)
	movb	$MODE_USER, WINDOW(STATE_MODE)
	/* SYSRET wants %rcx = %rip and %r11 = flags: so it was after a system call. */
	cmp	%rcx, WINDOW(WINDOW_DATA + LGUEST_DATA_iret_cx)
	jne	iret_frame
	cmp	%r11, WINDOW(WINDOW_DATA + LGUEST_DATA_iret_r11)
	jne	iret_frame
	mov	WINDOW(WINDOW_DATA + LGUEST_DATA_iret_ax), %rax
	mov	WINDOW(WINDOW_DATA + LGUEST_DATA_iret_sp), %rsp
sysret_user_start:
	cmpw	$0, WINDOW(STATE_NMI)
	jne	sysret_abort
	PAUSES
	sysretq
sysret_user_end:
iret_frame:
	pushq	$0x2b
	pushq	WINDOW(WINDOW_DATA + LGUEST_DATA_iret_sp)
	push	%r11
	pushq	$0x33
	push	%rcx
	mov	WINDOW(WINDOW_DATA + LGUEST_DATA_iret_ax), %rax
	mov	WINDOW(WINDOW_DATA + LGUEST_DATA_iret_cx), %rcx
	mov	WINDOW(WINDOW_DATA + LGUEST_DATA_iret_r11), %r11
	/* All registers are the Guest's, and the frame is whole. */
iret_start:
	cmpw	$0, WINDOW(STATE_NMI)
	jne	iret_abort
	PAUSES
	iretq
iret_end:
iret_abort:
	pushq	$0
	pushq	$2
	jmp	save_guest

/*
 * LHCALL_LOAD_CR3 of a CR3 that C has published, with no flush wanted: the
 * Guest's PCID says where it must be. %rdi = the Guest's CR3; the result is 0.
 */
not_iret:
	cmp	$LHCALL_LOAD_CR3, %rax
	jne	syscall_to_c
	mov	%rdi, %rax
	btr	$63, %rax
	jnc	cr3_to_c
	push	%rcx
	push	%r11
	mov	%eax, %ecx
	and	$(SWITCHER_ROOTS - 1), %ecx
	shl	$ROOT_SHIFT, %ecx
	lea	WINDOW(STATE_ROOTS), %r11
	cmp	%rax, ROOT_CR3(%r11, %rcx)
	jne	cr3_popped_to_c
	/* SYSRET to a non-canonical address faults in ring 0, and TF is for C. */
	mov	8(%rsp), %rax
	shl	$16, %rax
	sar	$16, %rax
	cmp	8(%rsp), %rax
	jne	cr3_popped_to_c
	testl	$~0x250ed7, (%rsp)
	jnz	cr3_popped_to_c
	/* What is current goes back to its place. */
	push	%rdx
	mov	WINDOW(STATE_ROOT_PLACE), %rdx
	mov	WINDOW(STATE_KERNEL_ROOT), %rax
	mov	%rax, ROOT_KERNEL(%r11, %rdx)
	mov	WINDOW(STATE_USER_ROOT), %rax
	mov	%rax, ROOT_USER(%r11, %rdx)
	pop	%rdx
	mov	%rcx, WINDOW(STATE_ROOT_PLACE)
	mov	ROOT_USER(%r11, %rcx), %rax
	mov	%rax, WINDOW(STATE_USER_ROOT)
	mov	ROOT_KERNEL(%r11, %rcx), %rax
	mov	%rax, %cr3
	or	WINDOW(STATE_NOFLUSH), %rax
	mov	%rax, WINDOW(STATE_KERNEL_ROOT)
	incq	WINDOW(STATE_DIRECT_CR3_LOADS)
	pop	%r11
	pop	%rcx
	xor	%eax, %eax
	mov	WINDOW(STATE_SCRATCH), %rsp
sysret_kernel_start:
	cmpw	$0, WINDOW(STATE_NMI)
	jne	sysret_abort
	PAUSES
	sysretq
sysret_kernel_end:

cr3_popped_to_c:
	pop	%r11
	pop	%rcx
cr3_to_c:
	mov	$LHCALL_LOAD_CR3, %eax
	jmp	syscall_to_c

iret_to_c:
	mov	$LHCALL_IRET, %eax
syscall_to_c:
	TO_C(0x33, TRAP_SYSCALL)	/* __USER_CS */

/* SYSCALL from 32-bit code, which AMD's processors have: CSTAR points here. */
	.balign 16, 0xcc
	.globl switcher_syscall32
switcher_syscall32:
syscall32_start:
	endbr64
	HELD_BACK_DEBUG
	PAUSES
	mov	%rsp, WINDOW(STATE_SCRATCH)
	lea	WINDOW(WINDOW_STACK_TOP), %rsp
syscall32_saved:
	TO_C(0x23, TRAP_SYSCALL32)	/* __USER32_CS */
