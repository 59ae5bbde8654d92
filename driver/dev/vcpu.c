// SPDX-License-Identifier: GPL-2.0-only
/*
 * A virtual CPU: its fd, its registers, its run page. run.c runs it.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <asm/segment.h>

#include "abi.h"
#include "dev/dev.h"
#include "host/compat.h"
#include "host/host.h"
#include "mmu/mmu.h"
#include "vcpu/vcpu.h"

static const struct file_operations vcpu_fops;

static void free_vcpu_parts(struct lg_vcpu *vcpu)
{
	vcpu->abi->release(vcpu);
	lg_roots_free(vcpu);
	free_page((unsigned long)vcpu->pages);
	kfree(vcpu->fpu);
	free_page((unsigned long)vcpu->run);
	kfree(vcpu);
}

static atomic64_t last_vcpu_serial = ATOMIC64_INIT(0);

static struct lg_vcpu *alloc_vcpu(struct lg_vm *vm, unsigned int id)
{
	struct lg_vcpu *vcpu = kzalloc(sizeof(*vcpu), GFP_KERNEL_ACCOUNT);

	if (!vcpu)
		return NULL;
	vcpu->vm = vm;
	vcpu->abi = vm->abi;
	vcpu->id = id;
	vcpu->serial = atomic64_inc_return(&last_vcpu_serial);
	vcpu->running_cpu = -1;
	vcpu->regs = &vcpu->saved_regs;
	vcpu->cpu = &vcpu->saved_cpu;
	vcpu->state = id ? LG_VCPU_DOWN : LG_VCPU_RUNNING;
	vcpu->cpu->last_fault = ~0ULL;
	lg_reset_regs(vcpu, 0, 0, 0);
	mutex_init(&vcpu->mutex);
	init_waitqueue_head(&vcpu->halted);
	lg_hrtimer_setup(&vcpu->timer, lg_timer_fires);
	vcpu->run = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	vcpu->fpu = lg_fpu_alloc();
	vcpu->pages = (void *)__get_free_page(GFP_KERNEL_ACCOUNT);
	if (!vcpu->run || !vcpu->fpu || !vcpu->pages || lg_roots_alloc(vcpu) ||
	    (vcpu->abi->create && vcpu->abi->create(vcpu))) {
		free_vcpu_parts(vcpu);
		return NULL;
	}
	return vcpu;
}

/**
 * lg_vcpu_create - LGUEST_CREATE_VCPU
 * @vm: the VM
 * @id: its number, 0 first
 *
 * vm->lock held; sleeps. An fd, or -EINVAL: no such number; -EEXIST: it is there already; -ENOMEM,
 * -EMFILE.
 */
int lg_vcpu_create(struct lg_vm *vm, unsigned long id)
{
	struct lg_vcpu *vcpu;
	struct file *file;
	int fd;

	lockdep_assert_held(&vm->lock);
	if (id >= LGUEST_MAX_VCPUS)
		return -EINVAL;
	id = array_index_nospec(id, LGUEST_MAX_VCPUS);
	if (vm->vcpus[id])
		return -EEXIST;
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;
	vcpu = alloc_vcpu(vm, id);
	file = vcpu ? anon_inode_getfile("lguest-vcpu", &vcpu_fops, vcpu, O_RDWR) :
		      ERR_PTR(-ENOMEM);
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		if (vcpu)
			free_vcpu_parts(vcpu);
		return PTR_ERR(file);
	}
	kref_get(&vm->kref);
	/* Make the vCPU known to lg_flush_others() before anybody can run it. */
	smp_store_release(&vm->vcpus[id], vcpu);
	lg_debugfs_vcpu(vcpu);
	fd_install(fd, file);
	return fd;
}

/* Free a vCPU with its VM, when nothing refers to it any more. Sleeps. */
void lg_vcpu_free(struct lg_vcpu *vcpu)
{
	hrtimer_cancel(&vcpu->timer);
	free_vcpu_parts(vcpu);
}

static void vcpu_get_regs(struct lg_vcpu *vcpu, struct lguest_regs *to)
{
	const struct guest_regs *from = vcpu->regs;

	lockdep_assert_held(&vcpu->mutex);
	*to = (struct lguest_regs) {
		.rax = from->ax, .rbx = from->bx, .rcx = from->cx, .rdx = from->dx,
		.rsi = from->si, .rdi = from->di, .rbp = from->bp, .rsp = from->sp,
		.r8 = from->r8, .r9 = from->r9, .r10 = from->r10, .r11 = from->r11,
		.r12 = from->r12, .r13 = from->r13, .r14 = from->r14, .r15 = from->r15,
		.rip = from->ip, .rflags = from->flags, .cs = from->cs, .ss = from->ss,
		.cr2 = vcpu->cpu->cr2, .cr3 = vcpu->cr3,
		.fs_base = vcpu->cpu->fs_base, .gs_base = vcpu->cpu->gs_base,
		.user_gs_base = vcpu->abi->user_gs_base(vcpu),
		.kernel_mode = vcpu->cpu->mode == LG_KERNEL,
	};
}

/* Set the first state of a vCPU: kernel mode only, and nothing that the CPU would refuse. */
static int vcpu_set_regs(struct lg_vcpu *vcpu, const struct lguest_regs *from)
{
	enum lg_vcpu_state state = READ_ONCE(vcpu->state);

	if (from->reserved || from->kernel_mode != 1)
		return -EINVAL;
	if (!lg_canonical(from->rip) || !lg_canonical(from->fs_base) ||
	    !lg_canonical(from->gs_base))
		return -EINVAL;
	do {
		if (state == LG_VCPU_STARTING)
			return -EBUSY;
	} while (!try_cmpxchg(&vcpu->state, &state, LG_VCPU_RUNNING));
	lg_reset_regs(vcpu, from->rip, from->rsp, from->gs_base);
	*vcpu->regs = (struct guest_regs) {
		.ax = from->rax, .bx = from->rbx, .cx = from->rcx, .dx = from->rdx,
		.si = from->rsi, .di = from->rdi, .bp = from->rbp, .sp = from->rsp,
		.r8 = from->r8, .r9 = from->r9, .r10 = from->r10, .r11 = from->r11,
		.r12 = from->r12, .r13 = from->r13, .r14 = from->r14, .r15 = from->r15,
		.ip = from->rip, .flags = lg_runnable_flags(from->rflags),
		.cs = __USER_CS, .ss = __USER_DS,
	};
	vcpu->cpu->fs_base = from->fs_base;
	lg_load_cr3(vcpu, from->cr3 & GENMASK_ULL(51, 0));
	return 0;
}

static long vcpu_get_stats(struct lg_vcpu *vcpu, void __user *to)
{
	struct lguest_stats stats = vcpu->stats;

	lg_mmu_stats(vcpu->vm, &stats);
	return copy_to_user(to, &stats, sizeof(stats)) ? -EFAULT : 0;
}

static long vcpu_ioctl_locked(struct lg_vcpu *vcpu, unsigned int cmd, void __user *user)
{
	struct lguest_regs regs;

	lockdep_assert_held(&vcpu->mutex);
	switch (cmd) {
	case LGUEST_RUN:
		return lg_run(vcpu);
	case LGUEST_GET_REGS:
		vcpu_get_regs(vcpu, &regs);
		return copy_to_user(user, &regs, sizeof(regs)) ? -EFAULT : 0;
	case LGUEST_SET_REGS:
		if (copy_from_user(&regs, user, sizeof(regs)))
			return -EFAULT;
		return vcpu_set_regs(vcpu, &regs);
	}
	return -ENOTTY;
}

static long vcpu_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct lg_vcpu *vcpu = file->private_data;
	long ret;

	if (vcpu->vm->mm != current->mm)
		return -EPERM;
	/* The counters need no mutex: a running vCPU need not stop for them. */
	if (cmd == LGUEST_GET_STATS)
		return vcpu_get_stats(vcpu, (void __user *)arg);
	if (mutex_lock_killable(&vcpu->mutex))
		return -EINTR;
	/*
	 * lg_user_work() does task work, which may close this very descriptor (io_uring's can). In
	 * a process with one thread, the system call has no reference of its own (fdget()).
	 */
	get_file(file);
	ret = vcpu_ioctl_locked(vcpu, cmd, (void __user *)arg);
	mutex_unlock(&vcpu->mutex);
	/* If this is the last reference, the kernel frees the file on the way to user mode. */
	fput(file);
	return ret;
}

static int vcpu_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct lg_vcpu *vcpu = file->private_data;

	if (vma->vm_pgoff || vma->vm_end - vma->vm_start != PAGE_SIZE)
		return -EINVAL;
	return vm_insert_page(vma, vma->vm_start, virt_to_page(vcpu->run));
}

static int vcpu_release(struct inode *inode, struct file *file)
{
	struct lg_vcpu *vcpu = file->private_data;

	lg_vm_put(vcpu->vm);
	return 0;
}

static const struct file_operations vcpu_fops = {
	.owner		= THIS_MODULE,
	.release	= vcpu_release,
	.unlocked_ioctl	= vcpu_ioctl,
	.mmap		= vcpu_mmap,
	.llseek		= noop_llseek,
};
