// SPDX-License-Identifier: GPL-2.0-only
/*
 * Emulate privileged instructions of the guest's kernel: those that have no pv_op in today's
 * kernels, and fault. An instruction that is not known here is the guest's own exception. All of
 * this may sleep.
 */
#include <linux/uaccess.h>
#include <asm/processor-flags.h>
#include <asm/trap_pf.h>
#include <asm/trapnr.h>
#include <asm/tsc.h>

#include "abi.h"
#include "fetch.h"
#include "host/insn.h"
#include "mmu/mmu.h"
#include "vcpu/vcpu.h"

/* The values that a guest reads from CR0 and CR4. */
#define GUEST_CR0	(X86_CR0_PE | X86_CR0_MP | X86_CR0_ET | X86_CR0_NE | X86_CR0_WP | \
			 X86_CR0_AM | X86_CR0_PG)
#define GUEST_CR4	(X86_CR4_PAE | X86_CR4_OSFXSR | X86_CR4_OSXMMEXCPT | \
			 X86_CR4_FSGSBASE | X86_CR4_OSXSAVE)

static u64 read_guest_cr(struct lg_vcpu *vcpu, u8 number)
{
	switch (number) {
	case 0:
		return GUEST_CR0;
	case 2:
		return vcpu->abi->exception_address(vcpu);
	case 3:
		return vcpu->cr3;
	case 4:
		return GUEST_CR4;
	}
	return 0;
}

#define PIT_CHANNEL_2	0x42

/*
 * There are no ports: IN reads all ones, as from an empty bus, and OUT does nothing. But Linux
 * takes a timer that reads as all ones for one that has just begun to count, and reads it
 * 100,000 times.
 */
static bool emulate_port_io(struct lg_vcpu *vcpu, struct lg_insn *insn, const u8 *bytes)
{
	bool imm = !(insn->opcode & 8), in = !(insn->opcode & 2);
	u16 port = vcpu->regs->dx;

	/* An instruction that is longer than any may be was fetched from where another CPU writes. */
	if (imm && insn->length >= LG_INSN_MAX)
		return false;
	if (imm)
		port = bytes[insn->length];
	if (in)
		lg_write_register(&vcpu->regs->ax, port == PIT_CHANNEL_2 ? 0 : ~0ULL,
			       insn->opcode & 1 ? min_t(u8, insn->operand_bytes, 4) : 1);
	insn->length += imm;
	return true;
}

/* SGDT, SIDT, SLDT, STR and SMSW, which UMIP makes fault: store zeros. */
static bool emulate_store_table(struct lg_vcpu *vcpu, const struct lg_insn *insn)
{
	static const u8 zero[10];
	unsigned int op = insn->modrm >> 3 & 7;
	bool descriptor = insn->opcode == 0x0f01 && op < 2;

	if (!insn->memory) {
		lg_write_register(lg_register(vcpu->regs, insn->rm), 0, insn->operand_bytes);
		return true;
	}
	return !lg_write_gva(vcpu, insn->address, zero, descriptor ? 10 : 2);
}

/* Opcode 0F 01: ModRM says which instruction it is. */
static bool emulate_group_7(struct lg_vcpu *vcpu, const struct lg_insn *insn)
{
	switch (insn->modrm) {
	case 0xca: case 0xcb:	/* CLAC, STAC */
	case 0xd1:		/* XSETBV: XCR0 stays the host's */
		return true;
	}
	switch (insn->modrm >> 3 & 7) {
	case 0: case 1:
		return insn->memory && emulate_store_table(vcpu, insn);
	case 2: case 3:		/* LGDT, LIDT */
		return insn->memory;
	case 4:
		return emulate_store_table(vcpu, insn);
	case 6:			/* LMSW */
		return true;
	case 7:			/* INVLPG */
		if (insn->memory)
			lg_flush(vcpu, false, LG_FLUSH_RANGE, insn->address,
				 insn->address + 1);
		return insn->memory;
	}
	return false;
}

/* RDTSC and RDTSCP, which trap once the guest's time was stopped. */
static bool emulate_rdtsc(struct lg_vcpu *vcpu, const struct lg_insn *insn)
{
	u64 tsc = rdtsc_ordered() - vcpu->vm->tsc_offset;

	if (insn->opcode != 0x0f31 && (insn->opcode != 0x0f01 || insn->modrm != 0xf9))
		return false;
	vcpu->regs->ax = (u32)tsc;
	vcpu->regs->dx = tsc >> 32;
	if (insn->modrm)
		vcpu->regs->cx = 0;
	return true;
}

static bool emulate_msr(struct lg_vcpu *vcpu, bool write)
{
	struct guest_regs *regs = vcpu->regs;
	u64 value = (u32)regs->ax | regs->dx << 32;

	if (!write)
		value = 0;
	if (vcpu->abi->msr && !vcpu->abi->msr(vcpu, regs->cx, write, &value))
		return false;
	if (write)
		return true;
	regs->ax = (u32)value;
	regs->dx = value >> 32;
	return true;
}

/* True: done; the caller goes on to the next instruction. */
static bool emulate_privileged(struct lg_vcpu *vcpu, struct lg_insn *insn, const u8 *bytes,
			       bool *halt)
{
	struct guest_regs *regs = vcpu->regs;

	switch (insn->opcode) {
	case 0xe4 ... 0xe7:
	case 0xec ... 0xef:
		return emulate_port_io(vcpu, insn, bytes);
	case 0xf4:		/* HLT */
		*halt = true;
		return true;
	case 0xfa: case 0xfb:	/* CLI, STI */
		vcpu->abi->set_irqs(vcpu, insn->opcode == 0xfb);
		return true;
	case 0x0f00:
		return (insn->modrm >> 3 & 7) < 2 && emulate_store_table(vcpu, insn);
	case 0x0f01:
		return emulate_group_7(vcpu, insn);
	case 0x0f06:		/* CLTS */
	case 0x0f08: case 0x0f09:	/* INVD, WBINVD */
	case 0x0f22: case 0x0f23:	/* MOV to CR, DR */
		return true;
	case 0x0f30:		/* WRMSR */
	case 0x0f32:		/* RDMSR */
		return emulate_msr(vcpu, insn->opcode == 0x0f30);
	case 0x0f20:
		*lg_register(regs, insn->rm) = read_guest_cr(vcpu, insn->reg);
		return true;
	case 0x0f21:
		*lg_register(regs, insn->rm) = 0;
		return true;
	case 0x0f33:		/* RDPMC */
		regs->ax = regs->dx = 0;
		return true;
	}
	return false;
}

/**
 * lg_emulate - handle #GP or #UD in the guest's kernel, or #GP in its user mode
 * @vcpu: the virtual CPU; its mutex is held
 *
 * Sleeps. 0: the guest goes on behind the instruction, or at its own handler. 1:
 * run->exit_reason is set, and the launcher does it.
 */
int lg_emulate(struct lg_vcpu *vcpu)
{
	u8 vector = vcpu->regs->trap & 31, bytes[LG_INSN_MAX];
	struct lg_insn insn;
	bool halt = false;

	lockdep_assert_held(&vcpu->mutex);
	if (!lg_fetch(vcpu, &insn, bytes) && (emulate_rdtsc(vcpu, &insn) ||
	    (vcpu->cpu->mode == LG_KERNEL && emulate_privileged(vcpu, &insn, bytes, &halt)))) {
		vcpu->stats.emulated++;
		vcpu->regs->ip += insn.length;
		return halt ? lg_halt(vcpu) : 0;
	}
	if (vector == X86_TRAP_UD && vcpu->abi->undefined && vcpu->cpu->mode == LG_KERNEL &&
	    vcpu->abi->undefined(vcpu, bytes))
		return 1;
	lg_exception(vcpu, vector, vector == X86_TRAP_GP ? vcpu->regs->error : ~0ULL);
	return 0;
}
