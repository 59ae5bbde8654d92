// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest's MOV to or from a device's registers: ring a doorbell here, leave anything else to the
 * launcher. All of this may sleep.
 */
#include <linux/string.h>
#include <asm/trap_pf.h>

#include "fetch.h"
#include "io/io.h"
#include "vcpu/vcpu.h"

/* Byte registers 4 to 7 without REX are AH to BH: refuse them, nobody moves those to a device. */
static int mmio_decode(struct lg_vcpu *vcpu, struct lg_insn *insn, const u8 *bytes,
		       struct lg_mmio *access)
{
	bool byte = false;

	*access = (struct lg_mmio) {
		.bytes = insn->operand_bytes, .extend = insn->operand_bytes, .reg = insn->reg,
	};
	switch (insn->opcode) {
	case 0x88: case 0x8a: case 0xc6:
		access->bytes = 1;
		access->extend = 1;
		byte = true;
		break;
	case 0x0fb6: case 0x0fbe:
		access->bytes = 1;
		break;
	case 0x0fb7: case 0x0fbf:
		access->bytes = 2;
		break;
	case 0x89: case 0x8b: case 0xc7:
		break;
	default:
		return -EINVAL;
	}
	if (!insn->memory || (byte && !insn->has_rex && insn->reg >= 4))
		return -EINVAL;
	access->sign = insn->opcode == 0x0fbe || insn->opcode == 0x0fbf;
	access->write = insn->opcode == 0x88 || insn->opcode == 0x89 ||
			insn->opcode == 0xc6 || insn->opcode == 0xc7;
	access->data = *lg_register(vcpu->regs, insn->reg);
	if (insn->opcode == 0xc6 || insn->opcode == 0xc7) {
		unsigned int size = min_t(unsigned int, access->bytes, 4);
		s32 imm = 0;

		if (insn->length + size > LG_INSN_MAX)
			return -EINVAL;
		memcpy(&imm, bytes + insn->length, size);
		access->data = (s64)imm;
		insn->length += size;
	}
	if (access->bytes < 8)
		access->data &= (1ULL << access->bytes * 8) - 1;
	return 0;
}

/**
 * lg_emulate_mmio - do the guest's MOV to or from the devices' hole
 * @vcpu: the virtual CPU; its mutex is held
 *
 * Sleeps. 0: done here (a doorbell), or the VM is killed; 1: the launcher has to do it.
 */
int lg_emulate_mmio(struct lg_vcpu *vcpu)
{
	struct lguest_run *run = vcpu->run;
	struct lg_mmio access;
	struct lg_insn insn;
	u8 bytes[LG_INSN_MAX];

	lockdep_assert_held(&vcpu->mutex);
	vcpu->stats.mmio++;
	if (lg_fetch(vcpu, &insn, bytes) || mmio_decode(vcpu, &insn, bytes, &access)) {
		lg_kill(vcpu->vm, "instruction at 0x%llx touches device memory at 0x%llx, and is not a MOV",
			vcpu->regs->ip, vcpu->mmio_gpa);
		return 0;
	}
	/*
	 * This is not the instruction that faulted: another thread may have overwritten it. The
	 * guest's tables were checked for the access that faulted, so let this one fault itself.
	 */
	if (access.write != !!(vcpu->regs->error & X86_PF_WRITE))
		return 0;
	if (access.write && access.bytes == 4 &&
	    lg_ioeventfd_write(vcpu->vm, vcpu->mmio_gpa, access.data)) {
		vcpu->stats.kicks++;
		vcpu->regs->ip += insn.length;
		return 0;
	}
	access.pending = true;
	access.next_ip = vcpu->regs->ip + insn.length;
	vcpu->mmio = access;
	run->mmio.guest_phys = vcpu->mmio_gpa;
	run->mmio.length = access.bytes;
	run->mmio.is_write = access.write;
	run->mmio.data = access.write ? access.data : 0;
	run->exit_reason = LGUEST_EXIT_MMIO;
	return 1;
}

/** lg_complete_mmio - finish the instruction whose access the launcher has done, if there is one */
void lg_complete_mmio(struct lg_vcpu *vcpu)
{
	struct lg_mmio *mmio = &vcpu->mmio;
	u64 data = READ_ONCE(vcpu->run->mmio.data);
	unsigned int shift = 64 - mmio->bytes * 8;

	lockdep_assert_held(&vcpu->mutex);
	if (!mmio->pending)
		return;
	mmio->pending = false;
	vcpu->regs->ip = mmio->next_ip;
	if (mmio->write)
		return;
	data = mmio->sign ? (u64)((s64)(data << shift) >> shift) : data << shift >> shift;
	lg_write_register(lg_register(vcpu->regs, mmio->reg), data, mmio->extend);
}
