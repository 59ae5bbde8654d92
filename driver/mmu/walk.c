// SPDX-License-Identifier: GPL-2.0-only
/*
 * Walk the guest's own page tables as the CPU would (SDM volume 3, 4.5), with the same faults, and
 * set A and D as the CPU would.
 *
 * The tables are guest memory, and the guest may change them at any time: read each entry once, and
 * believe only what was read.
 */
#include <linux/uaccess.h>
#include <asm/pgtable_types.h>
#include <asm/trap_pf.h>

#include "lg.h"
#include "mmu/shadow.h"

/**
 * lg_read_entry - read one page-table entry of the guest
 * @vm: the VM
 * @gpa: guest physical address
 * @entry: set to what was read
 * @hva: set to its address in the launcher, also if it cannot be read
 *
 * Does not sleep. -ENOENT: there is no memory; -EFAULT: it is not present, call again after
 * lg_fault_in() of @hva.
 */
int lg_read_entry(struct lg_vm *vm, gpa_t gpa, u64 *entry, hva_t *hva)
{
	int err;

	*hva = lg_gfn_to_hva(vm, gpa >> PAGE_SHIFT);
	if (!*hva)
		return -ENOENT;
	*hva += gpa & ~PAGE_MASK;
	pagefault_disable();
	err = __get_user(*entry, (u64 __user *)*hva);
	pagefault_enable();
	return err;
}

/**
 * lg_read_entries - read adjacent entries of one page table
 * @vm: the VM
 * @gpa: guest physical address of the first; all are in one page
 * @entries: set to what was read
 * @count: how many
 *
 * Does not sleep. -ENOENT or -EFAULT, as from lg_read_entry().
 */
int lg_read_entries(struct lg_vm *vm, gpa_t gpa, u64 *entries, unsigned int count)
{
	hva_t hva = lg_gfn_to_hva(vm, gpa >> PAGE_SHIFT) + (gpa & ~PAGE_MASK);
	unsigned int i;

	if (hva < PAGE_SIZE)
		return -ENOENT;
	if (!user_access_begin((void __user *)hva, count * sizeof(*entries)))
		return -EFAULT;
	pagefault_disable();
	for (i = 0; i < count; i++)
		unsafe_get_user(entries[i], (u64 __user *)hva + i, fault);
	pagefault_enable();
	user_access_end();
	return 0;
fault:
	pagefault_enable();
	user_access_end();
	return -EFAULT;
}

/* Set A or D as the CPU does: only if the entry is still what was read. */
static int set_accessed_bits(hva_t hva, u64 *entry, u64 bits)
{
	u64 old = *entry;
	int err;

	pagefault_disable();
	err = __try_cmpxchg_user((u64 __user *)hva, &old, *entry | bits, fault);
	pagefault_enable();
	if (!err)
		*entry |= bits;
	return err;
}

static enum lg_walk_result walk_fault(struct lg_walk *walk, u64 error)
{
	walk->error = error;
	return LG_WALK_FAULT;
}

/* Do the rights that the walk has found allow the access? */
static bool walk_allows(const struct lg_walk *walk, u64 access)
{
	if ((access & X86_PF_USER) && !walk->user)
		return false;
	if ((access & X86_PF_WRITE) && !walk->writable)
		return false;
	if (!(access & X86_PF_INSTR))
		return true;
	/* Kernel mode must not run user pages: every guest has SMEP. */
	return walk->executable && ((access & X86_PF_USER) || !walk->user);
}

/**
 * lg_walk - walk the current guest page tables
 * @vcpu: the virtual CPU; its mutex is held
 * @gva: guest virtual address
 * @access: X86_PF_USER, _WRITE and _INSTR as in a page fault's error code
 * @walk: the result
 *
 * Does not sleep. LG_WALK_FAULT: the guest gets a #PF with walk->error. LG_WALK_AGAIN: make
 * walk->hva present, then call again (also after a lost race for an entry). LG_WALK_DEAD: the
 * tables lie outside of memory.
 */
enum lg_walk_result lg_walk(struct lg_vcpu *vcpu, gva_t gva, u64 access, struct lg_walk *walk)
{
	gpa_t table = vcpu->cr3 & GENMASK_ULL(51, PAGE_SHIFT);
	u64 error = access & (X86_PF_USER | X86_PF_WRITE | X86_PF_INSTR);
	int level;

	lockdep_assert_held(&vcpu->mutex);
	walk->gva = gva;
	walk->user = walk->writable = walk->executable = true;
	for (level = LG_PT_LEVELS; ; level--) {
		u64 entry, bits = _PAGE_ACCESSED;
		gpa_t gpa = table + lg_table_index(gva, level) * 8;
		bool leaf;
		int err;

		walk->leaf = level;
		err = lg_is_fixed(vcpu->vm, gva, level, &entry) ? 0 :
			lg_read_entry(vcpu->vm, gpa, &entry, &walk->hva);
		if (err)
			return err == -ENOENT ? LG_WALK_DEAD : LG_WALK_AGAIN;
		if (!(entry & _PAGE_PRESENT))
			return walk_fault(walk, error);
		if (lg_reserved_bits(entry, level))
			return walk_fault(walk, error | X86_PF_PROT | X86_PF_RSVD);
		walk->user &= !!(entry & _PAGE_USER);
		walk->writable &= !!(entry & _PAGE_RW);
		walk->executable &= !(entry & _PAGE_NX);
		leaf = level == 1 || (entry & _PAGE_PSE);
		if (leaf) {
			if (!walk_allows(walk, access))
				return walk_fault(walk, error | X86_PF_PROT);
			if (access & X86_PF_WRITE)
				bits |= _PAGE_DIRTY;
		}
		if ((entry & bits) != bits && set_accessed_bits(walk->hva, &entry, bits))
			return LG_WALK_AGAIN;
		walk->entry[level] = entry;
		table = entry & GENMASK_ULL(51, PAGE_SHIFT);
		if (leaf)
			break;
	}
	walk->gpa = (table & ~lg_level_mask(level)) | (gva & lg_level_mask(level));
	return LG_WALK_OK;
}
