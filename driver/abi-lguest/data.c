// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a guest's kernel says about itself at boot (struct lguest_init), and the page that it shares
 * with the host and the switcher (struct lguest_data).
 */
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <asm/trap_pf.h>

#include "abi-lguest/lguest.h"
#include "host/host.h"
#include "mmu/mmu.h"
#include "vcpu/vcpu.h"

static bool direct = true;
module_param(direct, bool, 0644);
MODULE_PARM_DESC(direct, "the switcher does the system calls of guests by itself, without C");

static bool is_kernel_text(u64 address)
{
	return lg_canonical(address) && address >> 63;
}

/* Silently ignore a map that spans slots: it is only an optimisation. */
static void set_dirty_map(struct lg_vm *vm, gpa_t gpa, u64 size)
{
	gfn_t first = gpa >> PAGE_SHIFT, last = (gpa + size - 1) >> PAGE_SHIFT;
	const struct lg_memory_slot *slot = lg_slot_of(vm, &first);

	if (!size || size > U32_MAX || (gpa & ~PAGE_MASK) || !slot || slot != lg_slot_of(vm, &last))
		return;
	write_lock(&vm->mmu_lock);
	lg_tables_changed(vm);
	vm->mmu.dirty_map = lg_gfn_to_hva(vm, first);
	vm->mmu.dirty_map_size = size;
	write_unlock(&vm->mmu_lock);
}

/**
 * lg_init_guest - LHCALL_INIT: set the entry points of the guest's kernel, for all vCPUs
 * @vcpu: the virtual CPU; its mutex is held
 * @gva: address of the guest's struct lguest_init
 *
 * Sleeps. 0, -EFAULT, or -EINVAL: a guest's kernel may not ask for this.
 */
long lg_init_guest(struct lg_vcpu *vcpu, gva_t gva)
{
	struct lg_vm *vm = vcpu->vm;
	struct lguest_init abi;

	if (lg_read_gva(vcpu, gva, &abi, sizeof(abi)))
		return -EFAULT;
	if (abi.abi_version != LGUEST_ABI_VERSION) {
		lg_kill(vm, "the guest's kernel speaks version %u of the guest ABI, lg.ko version %u: rebuild the older one",
			abi.abi_version, LGUEST_ABI_VERSION);
		return -EINVAL;
	}
	if (!is_kernel_text(abi.event_entry) || !is_kernel_text(abi.syscall_entry))
		return -EINVAL;
	if (abi.syscall_vec && (abi.syscall_vec < 32 || abi.syscall_vec >= LG_VECTORS))
		return -EINVAL;
	vm->lguest.init = abi;
	set_dirty_map(vm, abi.dirty_map, abi.dirty_map_size);
	vcpu->cpu->syscall_entry = abi.syscall_entry;
	vcpu->cpu->event_entry = abi.event_entry;
	smp_store_release(&vm->lguest.ready, true);
	return 0;
}

/** lg_release_data - unpin the vCPU's lguest_data, if it has one; sleeps */
void lg_release_data(struct lg_vcpu *vcpu)
{
	if (vcpu->shared_page)
		unpin_user_pages_dirty_lock(&vcpu->shared_page, 1, true);
	vcpu->shared_page = NULL;
	vcpu->lguest.data = NULL;
}

/**
 * lg_register_data - LHCALL_REGISTER: set the vCPU's lguest_data, and its kernel's GS base
 * @vcpu: the virtual CPU; its mutex is held
 * @gva: of the page, in the current address space
 * @gs_base: checked here
 *
 * Sleeps. This is the only page of the guest that the host pins: the switcher has it mapped. 0,
 * -EINVAL or -EFAULT.
 */
long lg_register_data(struct lg_vcpu *vcpu, gva_t gva, u64 gs_base)
{
	enum lg_walk_result found;
	struct lg_walk walk;
	struct page *page;
	hva_t hva;

	lockdep_assert_held(&vcpu->mutex);
	if ((gva & ~PAGE_MASK) || !lg_canonical(gs_base))
		return -EINVAL;
	found = lg_walk(vcpu, gva, X86_PF_WRITE, &walk);
	if (found == LG_WALK_AGAIN && !lg_fault_in(vcpu, walk.hva, true))
		found = lg_walk(vcpu, gva, X86_PF_WRITE, &walk);
	hva = found == LG_WALK_OK ? lg_gfn_to_hva(vcpu->vm, walk.gpa >> PAGE_SHIFT) : 0;
	if (!hva || pin_user_pages_fast(hva, 1, FOLL_WRITE | FOLL_LONGTERM, &page) != 1)
		return -EFAULT;
	lg_release_data(vcpu);
	vcpu->shared_page = page;
	/* No CPU may use a TLB entry for the old page any more: make them flush. */
	atomic64_inc(&vcpu->vm->mmu.generation);
	vcpu->lguest.data = page_address(page);
	vcpu->cpu->kernel_gs_base = gs_base;
	vcpu->lguest.ring_next = 0;
	vcpu->lguest.data->vcpu = vcpu->id;
	vcpu->lguest.data->reserve_mem = 0;
	vcpu->cpu->syscall_entry = vcpu->vm->lguest.init.syscall_entry;
	vcpu->cpu->event_entry = vcpu->vm->lguest.init.event_entry;
	vcpu->cpu->direct_faults = lg_unknown != 0;
	vcpu->cpu->direct_int80 = lg_int80 && vcpu->vm->lguest.init.syscall_vec == LG_INT80;
	vcpu->cpu->direct = direct && vcpu->vm->lguest.ready;
	lg_clock_register(vcpu);
	return 0;
}

/** lg_data_loaded - update the guest's clock, and tell its spinlocks that this vCPU runs; atomic */
void lg_data_loaded(struct lg_vcpu *vcpu)
{
	if (!vcpu->lguest.data)
		return;
	lg_clock_update(vcpu);
	lg_clock_steal(vcpu);
	WRITE_ONCE(vcpu->lguest.data->preempted, 0);
}

void lg_data_put(struct lg_vcpu *vcpu)
{
	if (vcpu->lguest.data)
		WRITE_ONCE(vcpu->lguest.data->preempted, 1);
}
