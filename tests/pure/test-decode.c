// SPDX-License-Identifier: GPL-2.0-only
/*
 * Decoding, against capstone: for the opcodes that lg.ko knows, both find the same length,
 * operands and address; and no other instruction is taken for one of these.
 */
#include <capstone/capstone.h>
#include <errno.h>
#include <string.h>

#include "decode.h"
#include "switcher.h"
#include "pure.h"

#define ROOM	32	/* behind the longest instruction there is more to read */

/* What driver/emulate.c and driver/io/mmio.c look for, and what is behind ModRM. */
static const struct known {
	u16 opcode;
	bool modrm;
	enum { NONE, BYTE, Z } immediate;	/* Z: 2 bytes or 4, as the operand */
} known[] = {
	{ 0x88, true }, { 0x89, true }, { 0x8a, true }, { 0x8b, true },
	{ 0xc6, true, BYTE }, { 0xc7, true, Z },
	{ 0xe4, false, BYTE }, { 0xe5, false, BYTE }, { 0xe6, false, BYTE }, { 0xe7, false, BYTE },
	{ 0xec }, { 0xed }, { 0xee }, { 0xef }, { 0xf4 }, { 0xfa }, { 0xfb },
	{ 0x0f00, true }, { 0x0f01, true }, { 0x0f06 }, { 0x0f08 }, { 0x0f09 },
	{ 0x0f20, true }, { 0x0f21, true }, { 0x0f22, true }, { 0x0f23, true },
	{ 0x0f30 }, { 0x0f31 }, { 0x0f32 }, { 0x0f33 },
	{ 0x0fb6, true }, { 0x0fb7, true }, { 0x0fbe, true }, { 0x0fbf, true },
};

static csh capstone;
static cs_insn *other;
static struct guest_regs regs;
static unsigned long compared, refused, undefined;

/* For a message: the bytes. */
static const char *hex(const u8 *bytes)
{
	static char text[3 * ROOM + 1];
	unsigned int i;

	for (i = 0; i < 16; i++)
		sprintf(text + 3 * i, "%02x ", bytes[i]);
	return text;
}

static const struct known *known_opcode(u16 opcode)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(known); i++)
		if (known[i].opcode == opcode)
			return &known[i];
	return NULL;
}

/* Capstone's registers by number, for each size. */
static int number_of(unsigned int reg)
{
	static const u16 ids[][16] = {
		{ X86_REG_RAX, X86_REG_RCX, X86_REG_RDX, X86_REG_RBX,
		  X86_REG_RSP, X86_REG_RBP, X86_REG_RSI, X86_REG_RDI,
		  X86_REG_R8, X86_REG_R9, X86_REG_R10, X86_REG_R11,
		  X86_REG_R12, X86_REG_R13, X86_REG_R14, X86_REG_R15 },
		{ X86_REG_EAX, X86_REG_ECX, X86_REG_EDX, X86_REG_EBX,
		  X86_REG_ESP, X86_REG_EBP, X86_REG_ESI, X86_REG_EDI,
		  X86_REG_R8D, X86_REG_R9D, X86_REG_R10D, X86_REG_R11D,
		  X86_REG_R12D, X86_REG_R13D, X86_REG_R14D, X86_REG_R15D },
		{ X86_REG_AX, X86_REG_CX, X86_REG_DX, X86_REG_BX,
		  X86_REG_SP, X86_REG_BP, X86_REG_SI, X86_REG_DI,
		  X86_REG_R8W, X86_REG_R9W, X86_REG_R10W, X86_REG_R11W,
		  X86_REG_R12W, X86_REG_R13W, X86_REG_R14W, X86_REG_R15W },
		{ X86_REG_AL, X86_REG_CL, X86_REG_DL, X86_REG_BL,
		  X86_REG_SPL, X86_REG_BPL, X86_REG_SIL, X86_REG_DIL,
		  X86_REG_R8B, X86_REG_R9B, X86_REG_R10B, X86_REG_R11B,
		  X86_REG_R12B, X86_REG_R13B, X86_REG_R14B, X86_REG_R15B },
		/* Without REX, 4 to 7 are these: driver/io/mmio.c refuses them. */
		{ 0, 0, 0, 0, X86_REG_AH, X86_REG_CH, X86_REG_DH, X86_REG_BH },
		{ X86_REG_CR0, X86_REG_CR1, X86_REG_CR2, X86_REG_CR3,
		  X86_REG_CR4, X86_REG_CR5, X86_REG_CR6, X86_REG_CR7,
		  X86_REG_CR8, X86_REG_CR9, X86_REG_CR10, X86_REG_CR11,
		  X86_REG_CR12, X86_REG_CR13, X86_REG_CR14, X86_REG_CR15 },
		{ X86_REG_DR0, X86_REG_DR1, X86_REG_DR2, X86_REG_DR3,
		  X86_REG_DR4, X86_REG_DR5, X86_REG_DR6, X86_REG_DR7,
		  X86_REG_DR8, X86_REG_DR9, X86_REG_DR10, X86_REG_DR11,
		  X86_REG_DR12, X86_REG_DR13, X86_REG_DR14, X86_REG_DR15 },
	};
	unsigned int set, i;

	for (set = 0; set < ARRAY_SIZE(ids); set++)
		for (i = 0; i < 16; i++)
			if (reg && ids[set][i] == reg)
				return i;
	return -1;
}

static u64 register_value(unsigned int reg)
{
	int number = number_of(reg);

	/* By the names, so that lg_register() has somebody to be compared with. */
	switch (number) {
	case 0: return regs.ax;
	case 1: return regs.cx;
	case 2: return regs.dx;
	case 3: return regs.bx;
	case 4: return regs.sp;
	case 5: return regs.bp;
	case 6: return regs.si;
	case 7: return regs.di;
	case 8: return regs.r8;
	case 9: return regs.r9;
	case 10: return regs.r10;
	case 11: return regs.r11;
	case 12: return regs.r12;
	case 13: return regs.r13;
	case 14: return regs.r14;
	case 15: return regs.r15;
	}
	return 0;	/* none, RIZ and EIZ */
}

static u64 address_of(const cs_x86_op *op, const cs_x86 *x86)
{
	bool rip = op->mem.base == X86_REG_RIP || op->mem.base == X86_REG_EIP;
	u64 address = rip ? regs.ip + other->size : register_value(op->mem.base);

	address += register_value(op->mem.index) * op->mem.scale + op->mem.disp;
	return x86->addr_size == 4 ? (u32)address : address;
}

static void compare_memory(const u8 *bytes, const struct lg_insn *insn, const cs_x86 *x86)
{
	int i;

	for (i = 0; i < x86->op_count; i++)
		if (x86->operands[i].type == X86_OP_MEM) {
			u64 want = address_of(&x86->operands[i], x86);

			must(insn->memory, "%s (%s %s): no memory", hex(bytes), other->mnemonic,
			     other->op_str);
			must(insn->address == want, "%s (%s %s): address 0x%llx for 0x%llx",
			     hex(bytes), other->mnemonic, other->op_str, insn->address, want);
			return;
		}
	must(!insn->memory, "%s (%s %s): memory", hex(bytes), other->mnemonic, other->op_str);
}

/* Operands of MOV and its like: which one is ModRM's reg, which one its r/m; -1: neither. */
static void compare_registers(const u8 *bytes, const struct lg_insn *insn, const cs_x86 *x86)
{
	int rm = -1, reg = -1, size = -1;

	switch (insn->opcode) {
	case 0x88: case 0x0f20: case 0x0f21:
		rm = 0, reg = 1;
		break;
	case 0x89:
		rm = 0, reg = 1, size = 0;
		break;
	case 0x8a: case 0x0f22: case 0x0f23:
		reg = 0, rm = 1;
		break;
	case 0x8b: case 0x0fb6: case 0x0fb7: case 0x0fbe: case 0x0fbf:
		reg = 0, rm = 1, size = 0;
		break;
	case 0xc6:
	case 0xc7:
		/* XABORT and XBEGIN are in between, and have no memory: no MOV to a device. */
		if (insn->modrm == 0xf8)
			break;
		rm = 0, size = insn->opcode == 0xc7 ? 0 : -1;
		break;
	case 0x0f00:
		if ((insn->modrm >> 3 & 7) < 2 && !insn->memory)
			rm = 0, size = 0;
		break;
	}
	must(reg < 0 || insn->reg == number_of(x86->operands[reg].reg), "%s (%s %s): reg %d", hex(bytes),
	     other->mnemonic, other->op_str, insn->reg);
	must(rm < 0 || insn->memory || insn->rm == number_of(x86->operands[rm].reg),
	     "%s (%s %s): r/m %d", hex(bytes), other->mnemonic, other->op_str, insn->rm);
	must(size < 0 || insn->operand_bytes == x86->operands[size].size, "%s (%s %s): %d bytes",
	     hex(bytes), other->mnemonic, other->op_str, insn->operand_bytes);
}

static unsigned int immediate_bytes(const struct lg_insn *insn, const struct known *opcode)
{
	return opcode->immediate == NONE ? 0 : opcode->immediate == BYTE ? 1 :
	       insn->operand_bytes == 2 ? 2 : 4;
}

/* Capstone's opcode as we number them; 0: of another map, or behind VEX and its like. */
static u16 other_opcode(const u8 *bytes, const cs_x86 *x86)
{
	unsigned int i = 0;

	while (bytes[i] == 0x66 || bytes[i] == 0x67 || bytes[i] == 0xf0 || bytes[i] == 0xf2 ||
	       bytes[i] == 0xf3 || bytes[i] == 0x2e || bytes[i] == 0x36 || bytes[i] == 0x3e ||
	       bytes[i] == 0x26 || bytes[i] == 0x64 || bytes[i] == 0x65 || bytes[i] >> 4 == 4)
		i++;
	if (bytes[i] == 0xc4 || bytes[i] == 0xc5 || bytes[i] == 0x62 || bytes[i] == 0x8f)
		return 0;
	if (x86->opcode[0] != 0x0f)
		return x86->opcode[0];
	return x86->opcode[1] == 0x38 || x86->opcode[1] == 0x3a || x86->opcode[1] == 0x0f ? 0 :
	       0x0f00 | x86->opcode[1];
}

/* Cut off anywhere, an instruction is not one. */
static void cut(const u8 *bytes, const struct lg_insn *insn)
{
	struct lg_insn shorter;
	unsigned int count;

	for (count = 0; count < insn->length; count++)
		must(lg_decode(&regs, bytes, count, &shorter) == -EINVAL, "%s: %u bytes do", hex(bytes),
		     count);
	must(!lg_decode(&regs, bytes, count, &shorter) && !memcmp(insn, &shorter, sizeof(shorter)),
	     "%s: %u bytes do not", hex(bytes), count);
}

static void compare(const u8 bytes[ROOM])
{
	const struct known *opcode;
	struct lg_insn insn;
	const u8 *at = bytes;
	size_t size = ROOM;
	uint64_t address = 0;
	const cs_x86 *x86;
	int err = lg_decode(&regs, bytes, ROOM, &insn);
	u16 theirs;

	opcode = err ? NULL : known_opcode(insn.opcode);
	if (!cs_disasm_iter(capstone, &at, &size, &address, other)) {
		/* The CPU gives #UD; we say what it would be. */
		undefined += !!opcode;
		return;
	}
	x86 = &other->detail->x86;
	theirs = other_opcode(bytes, x86);
	if (!opcode) {
		must(!known_opcode(theirs), "%s (%s %s): refused", hex(bytes), other->mnemonic,
		     other->op_str);
		refused++;
		return;
	}
	must(theirs == insn.opcode, "%s (%s %s): opcode %x", hex(bytes), other->mnemonic, other->op_str,
	     insn.opcode);
	must(insn.length + immediate_bytes(&insn, opcode) == other->size, "%s (%s %s): length %d",
	     hex(bytes), other->mnemonic, other->op_str, insn.length);
	if (opcode->modrm) {
		compare_memory(bytes, &insn, x86);
		compare_registers(bytes, &insn, x86);
	}
	cut(bytes, &insn);
	compared++;
}

static void set_up(void)
{
	u64 *word = (u64 *)&regs;
	unsigned int i;

	if (cs_open(CS_ARCH_X86, CS_MODE_64, &capstone) ||
	    cs_option(capstone, CS_OPT_DETAIL, CS_OPT_ON))
		abort();
	other = cs_malloc(capstone);
	for (i = 0; i < sizeof(regs) / sizeof(*word); i++)
		word[i] = pure_random();
}

static void fill(u8 *bytes, unsigned int count)
{
	while (count--)
		*bytes++ = pure_random() >> 56;
}

/* Prefixes, REX (0: none), opcode, ModRM, SIB: what is behind is random. */
static void try(const u8 *prefixes, u8 rex, u16 opcode, u8 modrm, u8 sib)
{
	u8 bytes[ROOM], *at = bytes;

	fill(bytes, sizeof(bytes));
	while (*prefixes)
		*at++ = *prefixes++;
	if (rex)
		*at++ = rex;
	if (opcode >> 8)
		*at++ = opcode >> 8;
	*at++ = opcode;
	*at++ = modrm;
	*at = sib;
	compare(bytes);
}

static const u8 prefixes[][4] = {
	"", "\x66", "\x67", "\x66\x67", "\x67\x66", "\x64", "\x65\x66", "\x2e", "\x3e\x67", "\x26", "\x36",
};

static void try_forms(u16 opcode, const u8 *prefix, unsigned int sibs)
{
	unsigned int rex, modrm, i;

	/* 0x3f stands for none. */
	for (rex = 0x3f; rex <= 0x4f; rex++)
		for (modrm = 0; modrm < 256; modrm++)
			for (i = 0; i < ((modrm & 7) == 4 && modrm < 0xc0 ? sibs : 1); i++)
				try(prefix, rex == 0x3f ? 0 : rex, opcode, modrm,
				    sibs == 256 ? i : pure_random() >> 56);
}

START_TEST(known_opcodes_are_read_as_capstone_does)
{
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(known); i++)
		for (j = 0; j < ARRAY_SIZE(prefixes); j++)
			if (known[i].modrm)
				try_forms(known[i].opcode, prefixes[j], 4);
			else
				try(prefixes[j], j & 1 ? 0x48 : 0, known[i].opcode, 0, 0);
	printf("%lu compared, %lu that the CPU refuses\n", compared, undefined);
	ck_assert_uint_gt(compared, 400000);
}
END_TEST

START_TEST(each_sib_byte_gives_the_address)
{
	try_forms(0x8b, prefixes[0], 256);
	try_forms(0x8b, prefixes[2], 256);
	ck_assert_uint_gt(compared, 200000);
}
END_TEST

START_TEST(what_is_refused_is_not_in_the_list)
{
	u8 bytes[ROOM];
	unsigned int i;

	for (i = 0; i < 500000; i++) {
		fill(bytes, sizeof(bytes));
		compare(bytes);
	}
	printf("%lu compared, %lu refused for their opcode\n", compared, refused);
	ck_assert_uint_gt(compared, 10000);
	ck_assert_uint_gt(refused, 200000);
}
END_TEST

START_TEST(a_register_is_written_as_mov_does)
{
	static const u64 old = 0x1122334455667788ULL, data = 0x99aabbccddeeff00ULL;
	static const struct { u8 bytes; u64 want; } cases[] = {
		{ 1, 0x1122334455667700ULL }, { 2, 0x112233445566ff00ULL },
		{ 4, 0xddeeff00ULL }, { 8, data },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		u64 reg = old;

		lg_write_register(&reg, data, cases[i].bytes);
		ck_assert_uint_eq(reg, cases[i].want);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("decode");

	set_up();
	PURE_ADD(suite, known_opcodes_are_read_as_capstone_does);
	PURE_ADD(suite, each_sib_byte_gives_the_address);
	PURE_ADD(suite, what_is_refused_is_not_in_the_list);
	PURE_ADD(suite, a_register_is_written_as_mov_does);
	return pure_run(suite);
}
