/* SPDX-License-Identifier: GPL-2.0-only */
/* The two calls that C cannot make by itself. objtool reads both. */
#include <linux/linkage.h>
#include <asm/alternative.h>
#include <asm/asm.h>
#include <asm/cpufeatures.h>
#include <asm/msr-index.h>
#include <asm/segment.h>
#include <asm/nospec-branch.h>
#include <asm/processor-flags.h>

#include "switcher.h"

	.section .text

/*
 * void lg_host_interrupt(unsigned long handler)
 *
 * An interrupt came while the guest ran, and the CPU has acknowledged it: give it to the host
 * as if it came now. Build the frame that the CPU would have pushed (SDM volume 3, 6.14.2),
 * and jump to the handler that the host's own IDT names. Called with interrupts off, returns
 * with interrupts on.
 */
SYM_FUNC_START(lg_host_interrupt)
	push	%rbp
	mov	%rsp, %rbp
	and	$-16, %rsp
	push	$__KERNEL_DS
	push	%rbp
	/*
	 * Set IF in the frame, as it was when the interrupt came: the way out of the handler
	 * looks at it (7.x re-arms its timer only then). Our caller enables interrupts next
	 * in any case.
	 */
	pushf
	orq	$X86_EFLAGS_IF, (%rsp)
	push	$__KERNEL_CS
	CALL_NOSPEC rdi
	mov	%rbp, %rsp
	pop	%rbp
	RET
SYM_FUNC_END(lg_host_interrupt)

/*
 * unsigned int lg_call_switcher(unsigned long entry, struct switcher_state *state)
 *
 * Run the guest, then hand over an NMI or machine check that came meanwhile; return the number
 * of NMIs. The INT is here, before any other code of the host: NMIs stay blocked until the
 * handler's IRET (SDM volume 3, 6.7.1), and a fault or trap in C would let the next one in too
 * early. So would a kprobe in here: the kernel allows none in this section.
 */
	.section .noinstr.text, "ax"

SYM_FUNC_START(lg_call_switcher)
	push	%rbp
	mov	%rsp, %rbp
	push	%rbx
	mov	%rsi, %rbx
	CALL_NOSPEC rdi
	/*
	 * Some CPUs predict a RET from the branches that they have seen (AMD: Retbleed, SRSO).
	 * There, untrain what the guest's branches have left before the first RET, as the
	 * host's own entry does. The switcher has come back by a far RET then.
	 */
	CALL_UNTRAIN_RET
	ALTERNATIVE_2 "jmp .Lno_ibpb", "", X86_FEATURE_ENTRY_IBPB, "", X86_FEATURE_IBPB_ON_VMEXIT
	mov	$MSR_IA32_PRED_CMD, %ecx
	mov	$PRED_CMD_IBPB, %eax
	xor	%edx, %edx
	wrmsr
.Lno_ibpb:
	xor	%eax, %eax
	cmpw	$0, (STATE_NMI - WINDOW_STATE)(%rbx)	/* STATE_MCE is the byte behind */
	jne	2f
1:	pop	%rbx
	pop	%rbp
	RET
2:	cmpb	$0, (STATE_MCE - WINDOW_STATE)(%rbx)
	je	3f
	movb	$0, (STATE_MCE - WINDOW_STATE)(%rbx)
	int	$18
3:	cmpb	$0, (STATE_NMI - WINDOW_STATE)(%rbx)
	je	1b
	movb	$0, (STATE_NMI - WINDOW_STATE)(%rbx)
	inc	%eax
	int	$2
	jmp	1b
SYM_FUNC_END(lg_call_switcher)
