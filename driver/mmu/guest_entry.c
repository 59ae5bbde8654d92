// SPDX-License-Identifier: GPL-2.0-only
/* Entries of the guest's page tables that the host reads and writes for it. May sleep. */
#include <linux/mm.h>
#include <linux/uaccess.h>

#include "lg.h"
#include "mmu/shadow.h"

#define TRIES	16

/**
 * lg_set_fixed_entry - all top-level tables of the VM's have this entry in slot LG_FIXED_INDEX
 * @vm: the VM, which has no vCPU yet; its lock is held
 * @entry: from the launcher, not yet checked
 *
 * -EINVAL: it does not point to a table in the guest's memory.
 */
int lg_set_fixed_entry(struct lg_vm *vm, u64 entry)
{
	lockdep_assert_held(&vm->lock);
	if (!(entry & _PAGE_PRESENT) || lg_reserved_bits(entry, LG_PT_LEVELS) ||
	    !lg_gfn_to_hva(vm, LG_ENTRY_FRAME(entry)))
		return -EINVAL;
	vm->mmu.fixed_entry = entry | _PAGE_ACCESSED;
	return 0;
}

/**
 * lg_find_entry - the entry of level 1 that maps @gva in the current address space
 * @vcpu: the virtual CPU; its mutex is held
 * @gva: a guest address
 * @gpa: where the entry is
 * @entry: what it is
 *
 * Sleeps. -EINVAL: there is no table for it; -EFAULT: it cannot be read.
 */
long lg_find_entry(struct lg_vcpu *vcpu, gva_t gva, gpa_t *gpa, u64 *entry)
{
	gpa_t table = vcpu->cr3 & GENMASK_ULL(51, PAGE_SHIFT);
	int level = LG_PT_LEVELS, tries = 0, err;
	hva_t hva;

	lockdep_assert_held(&vcpu->mutex);
	for (;;) {
		*gpa = table + lg_table_index(gva, level) * 8;
		err = lg_read_entry(vcpu->vm, *gpa, entry, &hva);
		if (err == -EFAULT && ++tries < TRIES && !lg_fault_in(vcpu, hva, true))
			continue;
		if (err)
			return err == -ENOENT ? -EINVAL : err;
		if (level == 1)
			return 0;
		if (!(*entry & _PAGE_PRESENT) || (*entry & _PAGE_PSE))
			return -EINVAL;
		table = *entry & GENMASK_ULL(51, PAGE_SHIFT);
		level--;
	}
}

/* As the CPU's own: bits that it may set meanwhile are not lost. */
static int write_keeping(u64 __user *to, u64 value, u64 keep)
{
	int tries = 0, err;
	u64 old;

	if (get_user(old, to))
		return -EFAULT;
	do {
		err = __try_cmpxchg_user(to, &old, value | (old & keep), fault);
	} while (err > 0 && ++tries < TRIES);
	return err > 0 ? -EAGAIN : err;
}

/**
 * lg_write_entry - write an entry of the guest's page tables, and let the shadow follow
 * @vcpu: who asks; its mutex is held
 * @gpa: of the entry, from the guest; aligned to 8 bytes
 * @value: anything: the shadow makes of it what the CPU may see
 * @keep: bits of the old entry that stay
 *
 * Sleeps. -EINVAL: not in the guest's memory; -EFAULT: the launcher has it not;
 * -EAGAIN: others write there all the time.
 */
long lg_write_entry(struct lg_vcpu *vcpu, gpa_t gpa, u64 value, u64 keep)
{
	hva_t hva = lg_gfn_to_hva(vcpu->vm, gpa >> PAGE_SHIFT);
	u64 __user *to;
	long err;

	lockdep_assert_held(&vcpu->mutex);
	if (!hva || (gpa & 7))
		return -EINVAL;
	to = (u64 __user *)(hva + (gpa & ~PAGE_MASK));
	atomic_inc(&vcpu->vm->mmu.entries_in_writing);
	if (keep)
		err = write_keeping(to, value, keep);
	else
		err = put_user(value, to);
	if (!err)
		lg_entry_written(vcpu, gpa);
	atomic_dec(&vcpu->vm->mmu.entries_in_writing);
	return err;
}
