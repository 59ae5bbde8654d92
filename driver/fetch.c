// SPDX-License-Identifier: GPL-2.0-only
/* Read the instruction that the guest was at. */
#include <linux/string.h>

#include "decode.h"
#include "fetch.h"
#include "mmu/mmu.h"

/**
 * lg_fetch - read and decode the instruction at the guest's %rip
 * @vcpu: the virtual CPU; its mutex is held
 * @insn: set to the decoded instruction
 * @bytes: set to the bytes there, which have the immediate that @insn does not cover
 *
 * Sleeps. 0, -EFAULT: it cannot be read; -EINVAL: its bytes end too early.
 */
int lg_fetch(struct lg_vcpu *vcpu, struct lg_insn *insn, u8 bytes[LG_INSN_MAX])
{
	gva_t ip = vcpu->regs->ip;
	unsigned int count = min_t(u64, LG_INSN_MAX, PAGE_SIZE - (ip & ~PAGE_MASK));

	/* Read as many bytes as possible: the instruction may end just before a bad page. */
	memset(bytes, 0, LG_INSN_MAX);
	if (lg_read_gva(vcpu, ip, bytes, count))
		return -EFAULT;
	if (count < LG_INSN_MAX && !lg_read_gva(vcpu, ip + count, bytes + count,
						LG_INSN_MAX - count))
		count = LG_INSN_MAX;
	return lg_decode(vcpu->regs, bytes, count, insn);
}
