/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A part of switcher.S, for guests with the ABI of include/lguest_abi.h: it does most of what they
 * ask for without C. No other part of the switcher knows that ABI. switcher.S jumps here if
 * STATE_DIRECT is set:
 *
 *   lguest_event        an exception or interrupt in user mode
 *   lguest_system_call  SYSCALL in user mode: to the guest's kernel
 *   lguest_hypercall    SYSCALL in kernel mode; the return to user mode and the load of
 *                       CR3 are done here
 *
 * Read each field that the guest can write (WINDOW_DATA) once, and check it. If anything is out of
 * the ordinary, C does it (driver/abi-lguest/events.c).
 */
#include "lguest_abi.h"
#include "rflags.h"

/* #DE, #BP, #OF, #BR, #UD, #NM, #MF and #XM, which have no error code. */
#define DIRECT_VECTORS	(1 << 0 | 1 << 3 | 1 << 4 | 1 << 5 | 1 << 6 | 1 << 7 | 1 << 16 | 1 << 19)

/* The error code of a page fault: SDM volume 3, 4.7 */
#define PF_PRESENT	0x01
#define PF_WRITE	0x02
#define PF_RSVD		0x08
#define PF_INSTR	0x10

/*
 * An exception or interrupt in user mode. If only the guest's kernel can handle it, give it to the
 * kernel from here, as deliver_event() in driver/abi-lguest/events.c would: write the event record,
 * and change the frame to the one of the entry point.
 *
 *   rcx rax | vector error rip cs rflags rsp ss
 *
 * Two kinds of page faults are the guest's own. One has P clear, since a shadow entry that was
 * never looked at has reserved bits, and faults with P set. The other is an access that a present
 * entry forbids. Both may be wrong: the guest may have changed its tables since, and an entry may
 * forbid a write for the host's sake, since the page is not dirty yet or the host shares it. Then
 * the guest's kernel finds nothing to do, returns, and the access faults again. So a second fault
 * on the same page goes to C, unless user mode has made a system call in between. SDM volume 3, 4.7
 * has the error code.
 *
 * In the kernel's half the error code may differ from the one of the guest's tables: the user's
 * root lacks pages of the kernel that are present, for which P must be set. So C handles these
 * faults.
 */
lguest_event:
	push	%rax
	push	%rcx
	movzbl	16(%rsp), %eax
	cmp	$14, %eax
	jne	not_page_fault
	cmpb	$0, WINDOW(STATE_DIRECT_FAULTS)
	je	event_to_c
	mov	24(%rsp), %eax
	test	$PF_RSVD, %al
	jnz	event_to_c
	test	$PF_PRESENT, %al
	jz	1f
	test	$PF_WRITE | PF_INSTR, %al
	jz	event_to_c
1:	mov	%cr2, %rax
	test	%rax, %rax
	js	event_to_c
	mov	%rax, %rcx
	shr	$12, %rcx
	cmp	%rcx, WINDOW(STATE_LAST_FAULT)
	je	event_to_c
	decb	WINDOW(STATE_FAULT_BUDGET)
	jz	event_to_c
	cmpl	$0, WINDOW(WINDOW_DATA + LGUEST_DATA_event_valid)
	jne	event_to_c
	mov	%rcx, WINDOW(STATE_LAST_FAULT)
	mov	%rax, WINDOW(WINDOW_DATA + LGUEST_DATA_cr2)
	mov	24(%rsp), %rax
	jmp	write_event
not_page_fault:
	cmp	$0x80, %eax
	je	int80
	cmp	$32, %eax
	jae	event_to_c
	mov	$DIRECT_VECTORS, %ecx
	bt	%eax, %ecx
	jnc	event_to_c
no_error_code:
	cmpl	$0, WINDOW(WINDOW_DATA + LGUEST_DATA_event_valid)
	jne	event_to_c
	mov	$-1, %rax
write_event:
	mov	%rax, WINDOW(WINDOW_DATA + LGUEST_DATA_event_error)
	movzbl	16(%rsp), %eax
	mov	%eax, WINDOW(WINDOW_DATA + LGUEST_DATA_event_vector)
#define RECORD(field, offset)	\
	mov	offset(%rsp), %rax;	\
	mov	%rax, WINDOW(WINDOW_DATA + LGUEST_DATA_##field)
	RECORD(event_ip, 32)
	RECORD(event_cs, 40)
	RECORD(event_flags, 48)
	RECORD(event_sp, 56)
	RECORD(event_ss, 64)
	movl	$1, WINDOW(WINDOW_DATA + LGUEST_DATA_event_valid)
	movq	$0, WINDOW(WINDOW_DATA + LGUEST_DATA_irq_enabled)
	rdgsbase %rax
	mov	%rax, WINDOW(WINDOW_DATA + LGUEST_DATA_user_gs_base)
	mov	WINDOW(STATE_KERNEL_GS_BASE), %rax
	wrgsbase %rax
	LOAD_ROOT(STATE_KERNEL_ROOT, %rax)
	movb	$MODE_KERNEL, WINDOW(STATE_MODE)
	incq	WINDOW(STATE_DIRECT_EVENTS)
	mov	WINDOW(STATE_EVENT_ENTRY), %rax
	mov	%rax, 32(%rsp)
	movq	$0x33, 40(%rsp)			/* __USER_CS */
	andq	$~FLAGS_CLEARED, 48(%rsp)
	mov	WINDOW(WINDOW_DATA + LGUEST_DATA_sp0), %rax
	mov	%rax, 56(%rsp)
	movq	$0x2b, 64(%rsp)			/* __USER_DS */
	pop	%rcx
	pop	%rax
	add	$16, %rsp
	jmp	iret_start

	/* This gate is for INT $0x80 alone: the CPU has checked that user mode may use it. */
int80:
	cmpb	$0, WINDOW(STATE_DIRECT_INT80)
	jne	no_error_code
event_to_c:
	pop	%rcx
	pop	%rax
	jmp	save_guest

/*
 * A system call, with the registers as SYSCALL in switcher.S has left them. Does the same as
 * lg_system_call().
 */
lguest_system_call:
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
	mov	$FLAGS_ALWAYS, %r11d
	mov	WINDOW(WINDOW_DATA + LGUEST_DATA_sp0), %rsp
	/* %rsp is the guest's: an NMI from here on leaves the guest, see async_ring0. */
sysret_start:
	cmpw	$0, WINDOW(STATE_NMI)		/* STATE_MCE is the byte behind */
	jne	sysret_abort
	PAUSES
	sysretq
	/* Leave the guest as if the NMI had come right behind the SYSRET. */
sysret_abort:
	PAUSES
	mov	%rsp, WINDOW(STATE_SCRATCH)
	lea	WINDOW(WINDOW_STACK_TOP), %rsp
sysret_left:
	TO_C(0x33, 2)

/*
 * A hypercall, for which %rcx and %r11 are lost anyway. Here is LHCALL_IRET to an ordinary 64-bit
 * frame while no interrupt waits. %rax is free, too, since the frame has its own. If C has to do
 * the call instead, these registers may have changed, and the GS base, too: C loads them from the
 * frame.
 */
lguest_hypercall:
	cmp	$LHCALL_IRET, %rax
	jne	not_iret
	cmpq	$0, WINDOW(WINDOW_DATA + LGUEST_DATA_irq_pending)
	jne	syscall_to_c
	cmpq	$0x33, WINDOW(WINDOW_DATA + LGUEST_DATA_iret_cs)
	jne	syscall_to_c
	cmpq	$0x2b, WINDOW(WINDOW_DATA + LGUEST_DATA_iret_ss)
	jne	syscall_to_c
	mov	WINDOW(WINDOW_DATA + LGUEST_DATA_iret_flags), %r11
	test	$~FLAGS_DIRECT, %r11
	jnz	iret_to_c
	or	$FLAGS_ALWAYS, %r11d
	/*
	 * Do it here only if GS base and %rip are in the lower half, as most are: they are
	 * canonical then, so that neither WRGSBASE, SYSRET nor IRET can fault.
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
	/* SYSRET needs %rcx = %rip and %r11 = flags, as they are after a system call. */
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
	/* All registers are the guest's, and the frame is complete. */
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
 * LHCALL_LOAD_CR3 of a CR3 that C has published, without a flush. The guest's PCID says in which
 * slot it must be. %rdi = the guest's CR3; the result is 0.
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
	/* SYSRET to a non-canonical address would fault in ring 0, and TF needs C. */
	mov	8(%rsp), %rax
	shl	$16, %rax
	sar	$16, %rax
	cmp	8(%rsp), %rax
	jne	cr3_popped_to_c
	testl	$~FLAGS_DIRECT, (%rsp)
	jnz	cr3_popped_to_c
	/* Put the current roots back into their slot. */
	push	%rdx
	mov	WINDOW(STATE_ROOT_SLOT), %rdx
	mov	WINDOW(STATE_KERNEL_ROOT), %rax
	mov	%rax, ROOT_KERNEL(%r11, %rdx)
	mov	WINDOW(STATE_USER_ROOT), %rax
	mov	%rax, ROOT_USER(%r11, %rdx)
	pop	%rdx
	mov	%rcx, WINDOW(STATE_ROOT_SLOT)
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
	jmp	syscall_to_c
