/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The switcher: from host to guest and back.
 *
 * This code lies in a read-only data section of lg.ko, and never runs there. It knows no address
 * but its own: the module maps it, executable and supervisor-only, into each CPU's window.
 * Interrupts are off throughout. The guest runs in ring 3 with IF set, so each exception and
 * interrupt that comes while it runs arrives in one of the stubs below, with the CPU on the
 * window's stack.
 *
 * NMI and #MC come at any time. Both have IST stacks, and both must reach the host's handler
 * exactly once, before any IRET: an IRET would let the next NMI in before the host's handler has
 * begun (SDM volume 3, 6.7.1). So the stub only notes what came, and finds by the interrupted
 * %rip how to get to C, where lg.ko does INT $2 or INT $18 (driver/host/host_interrupt.S):
 *
 *   ring 3          leave the guest as for any other exception
 *   enter..iret     the guest's state is still all in memory: undo the entry
 *   syscall..saved  %rsp is still the guest's: do what is left of these instructions
 *   sysret, iret    the guest's registers are loaded: leave it as if it ran
 *   elsewhere       the switcher is on its way to C already: go back, without IRET
 *
 * The order of switching: on entry the IDT first, then GDT, TR, CR3, FS and GS; on exit the IDT
 * last. So while the host's IDT is loaded, all is the host's.
 */
#include <uapi/asm/debugreg.h>
#include <asm/msr-index.h>
#include <asm/segment.h>
#include "switcher.h"

/* STATE_MODE and STATE_DIRECT as one word: the mode, and C is not needed. */
#define DIRECT_USER	(1 << 8 | MODE_USER)
#define DIRECT_KERNEL	(1 << 8 | MODE_KERNEL)

	.section .lg_switcher, "a"
	.balign 4096
	.globl switcher_text
switcher_text:

#define WINDOW(x) (switcher_text + (x))(%rip)
#define STUB(vector) switcher_text + (vector) * 16

/* Load a root into CR3. This flushes if C wants so; later loads need not: lg_root_load(). */
#define LOAD_ROOT(root, reg)		\
	mov	WINDOW(root), reg;	\
	mov	reg, %cr3;		\
	or	WINDOW(STATE_NOFLUSH), reg; \
	mov	reg, WINDOW(root)

/*
 * A build for a test waits where %rsp is the guest's, and just behind, so that NMIs come there
 * (tests/local/nmi_everywhere.sh). Changes flags.
 */
#ifdef LG_TEST_PAUSES
#define STATE_PAUSES	(WINDOW_STATE + 0x68)
#define PAUSES				\
	movl	$LG_TEST_PAUSES, WINDOW(STATE_PAUSES); \
88:	pause;				\
	decl	WINDOW(STATE_PAUSES);	\
	jg	88b;
/*
 * Some emulators drop the #DB that MOV SS holds back: raise one here in its place, behind SYSCALL
 * if %r11 has TF, and always behind an INT n of user mode.
 */
#define HELD_BACK_DEBUG			\
	test	$0x100, %r11d;		\
	jz	89f;			\
	int	$1;			\
89:
#define TEST_DEBUG_AT(n) ((n) == 3 || (n) == 4 || (n) == 0x80)
#else
#define PAUSES
#define HELD_BACK_DEBUG
#define TEST_DEBUG_AT(n) 0
#endif

/*
 * The stubs, 16 bytes each: IDT gate n points to stub n. For a vector without an error code, push a
 * zero, so that all frames look the same. PUSH imm8 extends the sign, which lg_trap() undoes.
 * ENDBR64 is for the host's IBT.
 */
	.set vector, 0
	.rept 256
	.balign 16, 0xcc
	endbr64
	.if TEST_DEBUG_AT(vector)
	int	$1
	.endif
	.if vector == 2
	movb	$1, WINDOW(STATE_NMI)
	jmp	async_entry
	.elseif vector == 18
	jmp	mce_entry
	.else
	.ifeq (vector == 8) || (vector >= 10 && vector <= 14) || (vector == 17) || (vector == 21) || (vector == 29) || (vector == 30)
	pushq	$0
	.endif
	.byte	0x6a, vector
	.if vector == 1 || vector == 8
	jmp	ist_entry
	.else
	jmp	exit_entry
	.endif
	.endif
	.set vector, vector + 1
	.endr

/*
 * switcher_enter: C calls it at its alias in this CPU's window, with interrupts off; all state is
 * the host's. Returns when the guest has been left.
 */
	.balign 16, 0xcc
	.globl switcher_enter
switcher_enter:
	endbr64
	.irp	reg, rbp, rbx, r12, r13, r14, r15
	push	%\reg
	.endr
	pushfq
	mov	%rsp, WINDOW(HOST_RSP)
	lidt	WINDOW(STATE_GUEST_IDTR + 6)
enter_start:
	lgdt	WINDOW(STATE_GUEST_GDTR + 6)
	/*
	 * LTR wants an available TSS, and marks it busy (SDM volume 2, LTR): write the entry
	 * of our GDT afresh each time. The host's GDT is never written.
	 */
	mov	WINDOW(STATE_GUEST_TSS), %rax
	mov	%rax, WINDOW(WINDOW_GDT + GDT_TSS_SELECTOR)
	mov	WINDOW(STATE_GUEST_TSS + 8), %rax
	mov	%rax, WINDOW(WINDOW_GDT + GDT_TSS_SELECTOR + 8)
	mov	$GDT_TSS_SELECTOR, %eax
	ltr	%ax
	cmpb	$0, WINDOW(STATE_STORES)
	jne	check_stores
stores_off:
	/* From here on the host page is not mapped; the other pages have all that is needed. */
	mov	WINDOW(STATE_CR3), %rax
	mov	%rax, %cr3
	cmpq	$0, WINDOW(STATE_SELECTORS)
	jne	load_selectors
selectors_loaded:
	mov	WINDOW(STATE_FS_BASE), %rax
	wrfsbase %rax
	mov	WINDOW(STATE_GS_BASE), %rax
	wrgsbase %rax
	lea	WINDOW(REGS), %rsp
	.irp	reg, rbp, rbx, r15, r14, r13, r12, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi
	pop	%\reg
	.endr
	add	$16, %rsp
	/*
	 * The guest must not sample what the host has left in the CPU's buffers (MDS and its
	 * like): clear them last of all, as Linux does before it returns to user mode.
	 * Crossings between the guest's modes need not: since the entry the CPU has seen
	 * nothing but the guest's own data and the window's. VERW needs a memory operand to
	 * clear anything; this GDT has the host's __KERNEL_DS.
	 */
	testb	$SPECULATION_VERW, WINDOW(STATE_SPECULATION)
	jnz	1f
	iretq
1:	verw	kernel_ds(%rip)
	iretq
	/* C has checked the selectors against this very GDT: no load can fault. */
load_selectors:
	mov	WINDOW(STATE_DS), %ds
	mov	WINDOW(STATE_ES), %es
	mov	WINDOW(STATE_FS), %fs
	mov	WINDOW(STATE_GS), %gs
	jmp	selectors_loaded
	/* Has an NMI before enter_start turned debug stores on again? Then undo the entry. */
check_stores:
	mov	$MSR_IA32_DEBUGCTLMSR, %ecx
	rdmsr
	test	$DEBUGCTL_STORES, %al
	jnz	abort_entry
	testb	$STORES_PEBS, WINDOW(STATE_STORES)
	jz	stores_off
	mov	$MSR_IA32_PEBS_ENABLE, %ecx
	rdmsr
	or	%edx, %eax
	jz	stores_off
	jmp	abort_entry
enter_end:

	.balign 2, 0xcc
kernel_ds:
	.word	__KERNEL_DS

/*
 * #DB and #DF have IST stacks: if they come in ring 0, %rsp must not be trusted. From ring 3, move
 * the frame to where the frames of all other vectors are.
 */
ist_entry:
	testb	$3, 24(%rsp)
	jz	ist_ring0
	popq	WINDOW(REGS_TRAP)
	popq	WINDOW(REGS_ERROR)
move_frame:
	popq	WINDOW(REGS_IP)
	popq	WINDOW(REGS_IP + 8)
	popq	WINDOW(REGS_IP + 16)
	popq	WINDOW(REGS_IP + 24)
	popq	WINDOW(REGS_IP + 32)
	lea	WINDOW(REGS_TRAP), %rsp
	jmp	save_guest

/*
 * All other exceptions and interrupts. Frame, error code and vector are on the window's stack; page
 * tables, FS, GS and registers are the guest's.
 */
exit_entry:
	testb	$3, 24(%rsp)
	jz	ring0_fault
	cmpw	$DIRECT_USER, WINDOW(STATE_MODE)
	je	lguest_event
save_guest:
	.irp	reg, rdi, rsi, rdx, rcx, rax, r8, r9, r10, r11, r12, r13, r14, r15, rbx, rbp
	push	%\reg
	.endr
	mov	%cr2, %rax
	mov	%rax, WINDOW(STATE_CR2)
	rdgsbase %rax
	mov	%rax, WINDOW(STATE_GS_BASE)
	rdfsbase %rax
	mov	%rax, WINDOW(STATE_FS_BASE)
	mov	%ds, WINDOW(STATE_DS)
	mov	%es, WINDOW(STATE_ES)
	mov	%fs, WINDOW(STATE_FS)
	mov	%gs, WINDOW(STATE_GS)
	cmpq	$0, WINDOW(STATE_SELECTORS)
	jne	clear_selectors
restore_host:
	mov	WINDOW(STATE_HOST_CR3), %rax
	mov	%rax, %cr3
	mov	WINDOW(HOST_TSS), %rax
	mov	%rax, WINDOW(WINDOW_GDT + GDT_TSS_SELECTOR)
	mov	WINDOW(HOST_TSS + 8), %rax
	mov	%rax, WINDOW(WINDOW_GDT + GDT_TSS_SELECTOR + 8)
	mov	$GDT_TSS_SELECTOR, %eax
	ltr	%ax
	lgdt	WINDOW(HOST_GDTR + 6)
	mov	WINDOW(HOST_GS_BASE), %rax
	wrgsbase %rax
	mov	WINDOW(HOST_FS_BASE), %rax
	wrfsbase %rax
	mov	WINDOW(HOST_RSP), %rsp
	/*
	 * The guest's kernel runs at addresses that the host uses, too: its CALLs may have
	 * left addresses of host code in the return predictor. Fill the predictor with
	 * returns to nowhere before our first RET.
	 */
	.rept	32
	call	1f
	int3
1:
	.endr
	add	$32 * 8, %rsp
	testb	$SPECULATION_HISTORY | SPECULATION_RETURNS, WINDOW(STATE_SPECULATION)
	jnz	leave_carefully
	lfence
	lidt	WINDOW(HOST_IDTR + 6)
	popfq
	.irp	reg, r15, r14, r13, r12, rbx, rbp
	pop	%\reg
	.endr
	ret
	int3

	/*
	 * The same for a CPU on which the guest's branches leave more than the return
	 * predictor: see lg_speculation().
	 */
leave_carefully:
	testb	$SPECULATION_HISTORY, WINDOW(STATE_SPECULATION)
	jnz	clear_history
history_cleared:
	lfence
	lidt	WINDOW(HOST_IDTR + 6)
	popfq
	.irp	reg, r15, r14, r13, r12, rbx, rbp
	pop	%\reg
	.endr
	testb	$SPECULATION_RETURNS, WINDOW(STATE_SPECULATION)
	jnz	1f
	ret
	int3
	/*
	 * The guest's branches may predict near RETs until lg_call_switcher() has untrained them.
	 */
1:	pop	%rcx
	pushq	$__KERNEL_CS
	push	%rcx
	lretq
	int3

	/*
	 * Fill the branch history with our branches, in place of the guest's. Intel says which
	 * ones and how many (Branch History Injection, software sequence for CPUs without
	 * BHI_DIS_S): nested CALLs, two alternating jumps in each of them, and their RETs,
	 * which the return predictor knows.
	 */
clear_history:
	mov	$12, %ecx
	call	1f
	jmp	history_cleared
	.balign 64, 0xcc
1:	call	2f
	ret
	int3
	.balign 64, 0xcc
2:	mov	$7, %eax
3:	jmp	4f
	nop
4:	sub	$1, %eax
	jnz	3b
	sub	$1, %ecx
	jnz	1b
	ret
	int3

	/* The host's descriptor tables may not have these descriptors: load null selectors. */
clear_selectors:
	xor	%eax, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %fs
	mov	%eax, %gs
	jmp	restore_host

/*
 * An exception in ring 0 means a bug, ours or the guest's cunning: the guest dies of it, the host
 * does not. Stack: vector, error code, frame. Nobody knows which side's tables are loaded, so load
 * the one GDT that both map.
 */
ring0_fault:
	popq	WINDOW(STATE_FAULT_VECTOR)
	popq	WINDOW(STATE_FAULT_ERROR)
ring0_fault_at:
	popq	WINDOW(STATE_FAULT_IP)
	movq	$TRAP_RING0, WINDOW(REGS_TRAP)
	jmp	undo_entry

mce_entry:
	movb	$1, WINDOW(STATE_MCE)
async_entry:
	testb	$3, 8(%rsp)
	jz	async_ring0
	movq	$2, WINDOW(REGS_TRAP)
	movq	$0, WINDOW(REGS_ERROR)
	jmp	move_frame

/* Did the NMI come in [start, end)? Then go to target. %rax = interrupted %rip, %rbx is free. */
#define RANGE(start, end, target)	\
	lea	(start)(%rip), %rbx;	\
	sub	%rax, %rbx;		\
	neg	%rbx;			\
	cmp	$((end) - (start)), %rbx;	\
	jb	target

async_ring0:
	push	%rax
	push	%rbx
	mov	16(%rsp), %rax		/* interrupted %rip */
	RANGE(enter_start, enter_end, abort_entry)
	RANGE(syscall_start, syscall_saved, syscall_again)
	RANGE(sysret_start, sysret_left, sysret_again)
	RANGE(sysret_user_start, sysret_user_end, sysret_again)
	RANGE(sysret_kernel_start, sysret_kernel_end, sysret_again)
	RANGE(iret_start, iret_end, iret_again)
	RANGE(syscall32_start, syscall32_saved, syscall32_again)
	/*
	 * Return without IRET: put %cs and %rip on the interrupted stack, which is the
	 * window's, and let POPFQ, POP %rsp and a far RET do the rest. IF is clear there. The
	 * RET is far, since no CPU predicts a far RET from the guest's branches.
	 *
	 *   rbx rax | rip cs rflags rsp ss
	 */
async_return:
	mov	40(%rsp), %rbx
	sub	$16, %rbx
	mov	%rax, (%rbx)
	movq	$__KERNEL_CS, 8(%rbx)
	mov	%rbx, 40(%rsp)
	pop	%rbx
	pop	%rax
	add	$16, %rsp
	popfq
	pop	%rsp
	lretq
	int3

abort_entry:
	movq	$TRAP_ABORTED, WINDOW(REGS_TRAP)
undo_entry:
	lgdt	WINDOW(STATE_GUEST_GDTR + 6)
	cmpq	$0, WINDOW(STATE_SELECTORS)
	jne	clear_selectors
	jmp	restore_host

/*
 * An NMI, #MC or #DB came while %rsp was the guest's. Never load that %rsp again: the next NMI may
 * come at any instruction here, and nothing may be written to that stack. Save it in STATE_SCRATCH,
 * as the interrupted code was about to do, and go on behind that code.
 *
 *   rbx rax | rip cs rflags rsp ss
 */
#define SAVED(label, target)		\
	label:				\
	mov	40(%rsp), %rbx;		\
	mov	%rbx, WINDOW(STATE_SCRATCH); \
	PAUSES				\
	pop	%rbx;			\
	pop	%rax;			\
	lea	WINDOW(WINDOW_STACK_TOP), %rsp; \
	PAUSES				\
	jmp	target

	SAVED(syscall_again, syscall_saved)
	SAVED(syscall32_again, syscall32_saved)
	/* All registers but %rsp are as the guest will have them. */
	SAVED(sysret_again, sysret_left)
	/* The frame for the interrupted IRET is always at the top of the window's stack. */
iret_again:
	pop	%rbx
	pop	%rax
	lea	WINDOW(REGS_IP), %rsp
	PAUSES
	jmp	iret_abort

/*
 * MOV SS holds a #DB back over the next instruction (SDM volume 3, 6.8.3). If that instruction
 * enters ring 0, the #DB arrives at the first instruction here: behind SYSCALL with the guest's
 * %rsp; behind INT3, INTO and INT n at the stub of a gate that is open to ring 3 (SDM volume 3,
 * 6.14.5: CPUs drop it for a fault, and INT1 leaves none, but no stub minds). Code in the guest has
 * caused it: go on as if it had not come. If it comes behind another #DB, it has overwritten that
 * one's frame: this is fatal for the guest.
 *
 *   vector error rip cs rflags rsp ss
 */
ist_ring0:
	cmpb	$1, (%rsp)
	jne	ring0_fault
	popq	WINDOW(STATE_FAULT_VECTOR)
	popq	WINDOW(STATE_FAULT_ERROR)
	push	%rax
	push	%rbx
	mov	$DR6_RESERVED, %ebx		/* else the host's next #DB would find BS set */
	mov	%rbx, %db6
	mov	16(%rsp), %rax
	RANGE(syscall_start, syscall_saved, syscall_again)
	RANGE(syscall32_start, syscall32_saved, syscall32_again)
	RANGE(STUB(0), STUB(1), async_return)
	RANGE(STUB(2), STUB(256), async_return)
	pop	%rbx
	pop	%rax
	jmp	ring0_fault_at

/*
 * SYSCALL of the guest (LSTAR points here, at the window's alias): %rcx = the guest's %rip, %r11 =
 * its flags; %rsp, all other registers and the page tables are still the guest's. SFMASK, as the
 * host sets it, has cleared IF, TF, DF, NT and AC. If STATE_DIRECT is set, go on in the file of the
 * guest ABI, which does most of it without C.
 */
/* Build the frame of an exception from what SYSCALL has left, and go to C; SS is __USER_DS. */
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
	je	lguest_system_call
	cmpw	$DIRECT_KERNEL, WINDOW(STATE_MODE)
	je	lguest_hypercall
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

#include "abi_lguest.S"

	.globl switcher_text_end
switcher_text_end:
	.org	switcher_text + WINDOW_TEXT_PAGES * 4096, 0xcc
