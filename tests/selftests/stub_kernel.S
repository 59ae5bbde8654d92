/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The smallest ELF kernel there can be: without ABI_VERSION it has no lguest
 * support, with another one than lguest's it is one to refuse, and with the same
 * it starts and ends in a fault that it cannot take: a PC's triple fault.
 */
#include "lguest_abi.h"

	.text
	.globl	_start
_start:
	ud2
	jmp	_start

#ifdef ABI_VERSION
	.section .note.LGuest, "a", @note
	.balign	4
	.long	7, 8, LGUEST_ELFNOTE_ENTRY
	.asciz	LGUEST_ELFNOTE_NAME
	.balign	4
	.quad	0xffffffff80000000 + _start
	.long	7, 4, LGUEST_ELFNOTE_ABI
	.asciz	LGUEST_ELFNOTE_NAME
	.balign	4
	.long	ABI_VERSION
#endif
