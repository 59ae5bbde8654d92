// SPDX-License-Identifier: GPL-2.0-only
/*
 * Decode instructions of 64-bit mode: prefixes, REX, one- and two-byte opcodes, ModRM, SIB and
 * displacement (SDM volume 2, chapter 2). The bytes are the guest's, and may be anything.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "decode.h"
#include "switcher.h"

struct cursor {
	const u8 *bytes;
	unsigned int at, end;
	bool cut;			/* the bytes end before the instruction */
};

static u8 next_byte(struct cursor *c)
{
	if (c->at < c->end)
		return c->bytes[c->at++];
	c->cut = true;
	return 0;
}

/** lg_register - the register with the number that ModRM and REX give; 4 is %rsp */
u64 *lg_register(struct guest_regs *regs, u8 number)
{
	u64 *const table[16] = {
		&regs->ax, &regs->cx, &regs->dx, &regs->bx,
		&regs->sp, &regs->bp, &regs->si, &regs->di,
		&regs->r8, &regs->r9, &regs->r10, &regs->r11,
		&regs->r12, &regs->r13, &regs->r14, &regs->r15,
	};

	return table[number & 15];
}

static u64 register_value(const struct guest_regs *regs, u8 number)
{
	return *lg_register((struct guest_regs *)regs, number);
}

static s32 read_displacement(struct cursor *c, int bytes)
{
	u32 disp = 0;
	int i;

	for (i = 0; i < bytes; i++)
		disp |= (u32)next_byte(c) << 8 * i;
	return bytes == 1 ? (s8)disp : (s32)disp;
}

/* How many bytes of an immediate follow ModRM, SIB and displacement? */
static unsigned int immediate_bytes(const struct lg_insn *insn)
{
	if (insn->opcode == 0xc6)
		return 1;
	return insn->opcode == 0xc7 ? min(insn->operand_bytes, (u8)4) : 0;
}

/* The memory operand: base + index * scale + displacement, or %rip-relative. */
static void decode_memory_operand(const struct guest_regs *regs, struct cursor *c, u8 rex,
				  struct lg_insn *insn)
{
	u8 mod = insn->modrm >> 6, base = insn->modrm & 7;
	int disp_bytes = mod == 1 ? 1 : mod == 2 ? 4 : 0;
	bool rip = mod == 0 && base == 5, no_base = false;

	if (base == 4) {
		u8 sib = next_byte(c), index = (sib >> 3 & 7) | (rex & 2) << 2;

		base = sib & 7;
		if (index != 4)
			insn->address += register_value(regs, index) << (sib >> 6);
		no_base = mod == 0 && base == 5;
	}
	if (rip || no_base)
		disp_bytes = 4;
	else
		insn->address += register_value(regs, base | (rex & 1) << 3);
	insn->address += read_displacement(c, disp_bytes);
	/* %rip-relative addresses count from the end of the instruction, immediate included. */
	if (rip)
		insn->address += regs->ip + c->at + immediate_bytes(insn);
}

static bool is_prefix(u8 byte)
{
	switch (byte) {
	case 0x26: case 0x2e: case 0x36: case 0x3e: case 0x64: case 0x65:	/* segments */
	case 0x66: case 0x67:	/* sizes of operand and address */
	case 0xf0: case 0xf2: case 0xf3:
		return true;
	}
	return false;
}

/* Not so MOV from and to CR and DR: there the CPU takes any ModRM for two registers. */
static bool opcode_has_memory(u16 opcode)
{
	return opcode < 0x0f20 || opcode > 0x0f23;
}

static bool opcode_has_modrm(u16 opcode)
{
	switch (opcode) {
	case 0x88 ... 0x8b:
	case 0xc6: case 0xc7:
	case 0x0f00: case 0x0f01:
	case 0x0f20 ... 0x0f23:
	case 0x0fb6: case 0x0fb7:
	case 0x0fbe: case 0x0fbf:
		return true;
	}
	return false;
}

/** lg_decode - decode the instruction at the guest's %rip; -EINVAL: @bytes end too early */
int lg_decode(const struct guest_regs *regs, const u8 *bytes, unsigned int count,
	      struct lg_insn *insn)
{
	struct cursor c = { bytes, 0, min(count, (unsigned int)LG_INSN_MAX) };
	bool short_address = false, short_operand = false;
	u8 rex = 0, byte;

	memset(insn, 0, sizeof(*insn));
	for (;;) {
		byte = next_byte(&c);
		if (byte >= 0x40 && byte <= 0x4f) {
			rex = byte;
			continue;
		}
		if (!is_prefix(byte))
			break;
		/* REX counts only right before the opcode: SDM volume 2, 2.2.1. */
		rex = 0;
		short_operand |= byte == 0x66;
		short_address |= byte == 0x67;
	}
	insn->has_rex = rex;
	insn->operand_bytes = rex & 8 ? 8 : short_operand ? 2 : 4;
	insn->opcode = byte;
	if (byte == 0x0f)
		insn->opcode = 0x0f00 | next_byte(&c);
	if (opcode_has_modrm(insn->opcode)) {
		byte = next_byte(&c);
		insn->modrm = byte;
		insn->reg = (byte >> 3 & 7) | (rex & 4) << 1;
		insn->rm = (byte & 7) | (rex & 1) << 3;
		insn->memory = byte >> 6 != 3 && opcode_has_memory(insn->opcode);
		if (insn->memory)
			decode_memory_operand(regs, &c, rex, insn);
		if (short_address)
			insn->address = (u32)insn->address;
	}
	insn->length = c.at;
	return c.cut ? -EINVAL : 0;
}

/** lg_write_register - write as MOV does: 4 bytes clear the upper half, fewer leave the rest */
void lg_write_register(u64 *reg, u64 data, u8 bytes)
{
	if (bytes >= 4)
		*reg = bytes == 8 ? data : (u32)data;
	else
		memcpy(reg, &data, bytes);
}
