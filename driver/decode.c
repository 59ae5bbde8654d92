// SPDX-License-Identifier: GPL-2.0-only
/*
 * Decoding, 64-bit mode: prefixes, REX, one- and two-byte opcodes, ModRM, SIB
 * and displacement (SDM volume 2, chapter 2). The bytes are the Guest's and may
 * be anything.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "decode.h"
#include "switcher.h"

struct cursor {
	const u8 *bytes;
	unsigned int at, end;
	bool cut;			/* there was more to read than is there */
};

static u8 next(struct cursor *c)
{
	if (c->at < c->end)
		return c->bytes[c->at++];
	c->cut = true;
	return 0;
}

/* By the number that ModRM and REX give; 4 is %rsp. */
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

static u64 value(const struct guest_regs *regs, u8 number)
{
	return *lg_register((struct guest_regs *)regs, number);
}

static s32 displacement(struct cursor *c, int bytes)
{
	u32 disp = 0;
	int i;

	for (i = 0; i < bytes; i++)
		disp |= (u32)next(c) << 8 * i;
	return bytes == 1 ? (s8)disp : (s32)disp;
}

/* The memory operand: base + index * scale + displacement, or %rip-relative. */
static void memory_operand(const struct guest_regs *regs, struct cursor *c, u8 rex,
			   struct lg_insn *insn)
{
	u8 mod = insn->modrm >> 6, base = insn->modrm & 7;
	int disp_bytes = mod == 1 ? 1 : mod == 2 ? 4 : 0;
	bool rip = mod == 0 && base == 5, no_base = false;

	if (base == 4) {
		u8 sib = next(c), index = (sib >> 3 & 7) | (rex & 2) << 2;

		base = sib & 7;
		if (index != 4)
			insn->address += value(regs, index) << (sib >> 6);
		no_base = mod == 0 && base == 5;
	}
	if (rip || no_base)
		disp_bytes = 4;
	else
		insn->address += value(regs, base | (rex & 1) << 3);
	insn->address += displacement(c, disp_bytes);
	/* That counts from the end; no such opcode here has an immediate. */
	if (rip)
		insn->address += regs->ip + c->at;
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

/** lg_decode - decode what is at the Guest's %rip; -EINVAL: cut off */
int lg_decode(const struct guest_regs *regs, const u8 *bytes, unsigned int count,
	      struct lg_insn *insn)
{
	struct cursor c = { bytes, 0, min(count, (unsigned int)LG_INSN_MAX) };
	u8 rex = 0, byte;

	memset(insn, 0, sizeof(*insn));
	insn->operand_bytes = 4;
	for (;;) {
		byte = next(&c);
		if (byte == 0x66)
			insn->operand_bytes = 2;
		else if (byte != 0x2e && byte != 0x3e && byte != 0x64 && byte != 0x65 &&
			 byte != 0x67 && byte != 0xf0 && byte != 0xf2 && byte != 0xf3)
			break;
	}
	if (byte >= 0x40 && byte <= 0x4f) {
		rex = byte;
		insn->has_rex = true;
		if (rex & 8)
			insn->operand_bytes = 8;
		byte = next(&c);
	}
	insn->opcode = byte;
	if (byte == 0x0f)
		insn->opcode = 0x0f00 | next(&c);
	if (opcode_has_modrm(insn->opcode)) {
		byte = next(&c);
		insn->modrm = byte;
		insn->reg = (byte >> 3 & 7) | (rex & 4) << 1;
		insn->rm = (byte & 7) | (rex & 1) << 3;
		insn->memory = byte >> 6 != 3;
		if (insn->memory)
			memory_operand(regs, &c, rex, insn);
	}
	insn->length = c.at;
	return c.cut ? -EINVAL : 0;
}

/** lg_write_register - as MOV does it: 4 bytes clear the upper half, fewer leave the rest alone */
void lg_write_register(u64 *reg, u64 data, u8 bytes)
{
	if (bytes >= 4)
		*reg = bytes == 8 ? data : (u32)data;
	else
		memcpy(reg, &data, bytes);
}
