/* SPDX-License-Identifier: GPL-2.0-only */
/* Decoding of the few instructions of the guest that the host must understand. */
#ifndef _LG_DECODE_H
#define _LG_DECODE_H

#include <linux/types.h>

struct guest_regs;

#define LG_INSN_MAX	15	/* bytes: SDM volume 2, 2.3.11 */

/**
 * struct lg_insn - one decoded instruction
 * @opcode: last opcode byte; with 0x0f00 added for the two-byte map
 * @length: bytes in all, without an immediate that the opcode may have
 * @operand_bytes: 2, 4 or 8, from prefixes
 * @modrm: as it stands; 0: the opcode has none
 * @reg, @rm: its fields, with REX
 * @memory: the r/m operand is memory
 * @address: then, its address, without segment base
 */
struct lg_insn {
	u16 opcode;
	u8 length, operand_bytes;
	u8 modrm, reg, rm;
	bool has_rex, memory;
	u64 address;
};

int lg_decode(const struct guest_regs *regs, const u8 *bytes, unsigned int count,
	      struct lg_insn *insn);
u64 *lg_register(struct guest_regs *regs, u8 number);
void lg_write_register(u64 *reg, u64 data, u8 bytes);

#endif /* _LG_DECODE_H */
