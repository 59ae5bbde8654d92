// SPDX-License-Identifier: GPL-2.0-only
/*
 * A plugin for QEMU's translator. It counts, between the marks of the measuring program
 * (../program/bench.h), the instructions that cost a real machine much more than one tick.
 *
 *   -plugin FILE,out=MARKS
 *
 * writes to MARKS the counters' names, and then a line for each mark: its letter (o: an
 * operation begins; b, e: a round begins, ends) and the values of all counters.
 *
 * An instruction is counted just before it is executed, so one that faults counts, too.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/*
 * The part of QEMU's plugin interface, version 1 (QEMU 4.2 and later), that we use. Debian
 * has no package with its header.
 */
typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
typedef struct qemu_info qemu_info_t;
enum qemu_plugin_op { QEMU_PLUGIN_INLINE_ADD_U64 };
enum qemu_plugin_cb_flags { QEMU_PLUGIN_CB_NO_REGS };
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id,
					   void (*cb)(qemu_plugin_id_t, struct qemu_plugin_tb *));
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
					    void (*cb)(unsigned int, void *),
					    enum qemu_plugin_cb_flags flags, void *data);
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *insn, enum qemu_plugin_op op,
						void *counter, uint64_t add);

#define EXPORT	__attribute__((visibility("default")))

EXPORT int qemu_plugin_version = 1;
EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv);

#define MARK_MAGIC	0x6c67be00U

enum counter {
	CR3, CR0_CR4, WRMSR, RDMSR, IRET, SYSCALL, SYSRET, SWAPGS, TABLES, TASK, INVLPG, CPUID,
	XSAVE, PORT, VMRUN, COUNTERS, NOTHING = COUNTERS
};

static const char *const names[COUNTERS] = {
	[CR3] = "cr3", [CR0_CR4] = "cr0_cr4", [WRMSR] = "wrmsr", [RDMSR] = "rdmsr", [IRET] = "iret",
	[SYSCALL] = "syscall", [SYSRET] = "sysret", [SWAPGS] = "swapgs", [TABLES] = "lidt_lgdt",
	[TASK] = "ltr", [INVLPG] = "invlpg", [CPUID] = "cpuid", [XSAVE] = "xsave_xrstor",
	[PORT] = "in_out", [VMRUN] = "vmrun",
};

static uint64_t counts[COUNTERS];
static FILE *out;

static void at_mark(unsigned int cpu, void *kind)
{
	int i;

	(void)cpu;
	fputc(" beo"[(uintptr_t)kind], out);
	for (i = 0; i < COUNTERS; i++)
		fprintf(out, " %" PRIu64, counts[i]);
	fputc('\n', out);
	fflush(out);
}

/* The instructions 0F 01, by their ModRM byte: SDM volume 2, appendix A. */
static enum counter group_7(uint8_t modrm)
{
	unsigned int reg = modrm >> 3 & 7;

	if (modrm >> 6 == 3) {
		switch (modrm) {
		case 0xf8:
			return SWAPGS;
		case 0xd8:	/* AMD's VMRUN */
		case 0xc2:	/* Intel's VMLAUNCH and VMRESUME */
		case 0xc3:
			return VMRUN;
		}
		return NOTHING;
	}
	if (reg == 2 || reg == 3)
		return TABLES;
	return reg == 7 ? INVLPG : NOTHING;
}

/* The instructions that begin with 0F. */
static enum counter two_bytes(const uint8_t *code, size_t size)
{
	uint8_t modrm = size > 1 ? code[1] : 0;
	unsigned int reg = modrm >> 3 & 7;
	bool memory = modrm >> 6 != 3;

	switch (code[0]) {
	case 0x00:
		return reg == 3 ? TASK : NOTHING;
	case 0x01:
		return group_7(modrm);
	case 0x05:
		return SYSCALL;
	case 0x07:
		return SYSRET;
	case 0x22:
		return reg == 3 ? CR3 : CR0_CR4;
	case 0x30:
		return WRMSR;
	case 0x32:
		return RDMSR;
	case 0x38:	/* 66 0F 38 82: INVPCID */
		return modrm == 0x82 ? INVLPG : NOTHING;
	case 0xa2:
		return CPUID;
	case 0xae:	/* FXSAVE, FXRSTOR, XSAVE, XRSTOR, XSAVEOPT */
		return memory && (reg < 2 || reg > 3) && reg != 7 ? XSAVE : NOTHING;
	case 0xc7:	/* XRSTORS, XSAVEC, XSAVES */
		return memory && reg >= 3 && reg <= 5 ? XSAVE : NOTHING;
	}
	return NOTHING;
}

static bool is_prefix(uint8_t byte)
{
	switch (byte) {
	case 0x26: case 0x2e: case 0x36: case 0x3e: case 0x64: case 0x65: case 0x66: case 0x67:
	case 0xf0: case 0xf2: case 0xf3:
		return true;
	}
	return (byte & 0xf0) == 0x40;	/* REX */
}

static enum counter which(const uint8_t *code, size_t size)
{
	while (size > 1 && is_prefix(*code)) {
		code++;
		size--;
	}
	if (*code == 0x0f && size > 1)
		return two_bytes(code + 1, size - 1);
	if (*code == 0xcf)
		return IRET;
	if ((*code >= 0xe4 && *code <= 0xe7) || (*code >= 0xec && *code <= 0xef) ||
	    (*code >= 0x6c && *code <= 0x6f))
		return PORT;
	return NOTHING;
}

/* NOPL MARK_MAGIC + kind(%rax,%rax,1); 0: no mark. */
static unsigned int mark_kind(const uint8_t *code, size_t size)
{
	static const uint8_t nop[] = { 0x0f, 0x1f, 0x84, 0x00 };
	uint32_t number;

	if (size != 8 || memcmp(code, nop, sizeof(nop)))
		return 0;
	memcpy(&number, code + sizeof(nop), sizeof(number));
	number -= MARK_MAGIC;
	return number <= 3 ? number : 0;
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	size_t i;

	(void)id;
	for (i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		const uint8_t *code = qemu_plugin_insn_data(insn);
		size_t size = qemu_plugin_insn_size(insn);
		enum counter counter = which(code, size);
		unsigned int kind = mark_kind(code, size);

		if (counter != NOTHING)
			qemu_plugin_register_vcpu_insn_exec_inline(insn, QEMU_PLUGIN_INLINE_ADD_U64,
								   &counts[counter], 1);
		if (kind)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, at_mark, QEMU_PLUGIN_CB_NO_REGS,
							       (void *)(uintptr_t)kind);
	}
}

int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv)
{
	int i;

	(void)info;
	for (i = 0; i < argc; i++)
		if (!strncmp(argv[i], "out=", 4))
			out = fopen(argv[i] + 4, "w");
	if (!out)
		return 1;
	fprintf(out, "names");
	for (i = 0; i < COUNTERS; i++)
		fprintf(out, " %s", names[i]);
	fputc('\n', out);
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return 0;
}
