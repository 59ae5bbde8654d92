/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A kernel for PCs that does nothing but tell the time stamp counter, in 16
 * hexadecimal digits on port 0xe9, and reset the machine: so many ticks of what a
 * booted kernel sees are the firmware's. The header is that of the Linux/x86 boot
 * protocol (Documentation/arch/x86/boot.rst). Real mode; %cs:0 is entry.
 */
	.code16
	.text
	.globl _start
_start:
	.org	0x1f1
	.byte	4			/* setup_sects */
	.org	0x1fe
	.word	0xaa55
entry:
	.byte	0xeb, start - 1f	/* JMP over the header */
1:	.ascii	"HdrS"
	.word	0x0204			/* version of the protocol */
	.org	0x211
	.byte	1			/* loadflags: LOADED_HIGH */
	.org	0x214
	.long	0x100000		/* code32_start */
	.org	0x22c
	.long	0x7fffffff		/* initrd_addr_max */
	.org	0x238
start:
	rdtsc
	mov	%eax, %esi
	mov	%edx, %ebx
	call	digits
	mov	%esi, %ebx
	call	digits
	mov	$'\n', %al
	out	%al, $0xe9
	/* An empty IDT makes the next exception a triple fault. */
	lidt	%cs:nothing - entry
	int3

/* The eight digits of %ebx. */
digits:
	mov	$8, %cx
1:	rol	$4, %ebx
	mov	%bl, %al
	and	$15, %al
	cmp	$10, %al
	sbb	$0x69, %al
	das
	out	%al, $0xe9
	loop	1b
	ret

nothing:
	.word	0
	.long	0
	.org	6 * 512, 0
