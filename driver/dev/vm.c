// SPDX-License-Identifier: GPL-2.0-only
/*
 * A VM: open("/dev/lguest") makes one, and ioctls change it. It lives as long as its fd or one of
 * its vCPUs' fds.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <asm/cpufeature.h>

#include "abi.h"
#include "dev/dev.h"
#include "host/host.h"
#include "io/io.h"
#include "mmu/mmu.h"
#include "vcpu/vcpu.h"

/* Make a VM for the calling process. -EBUSY: slot 256 of its page tables is in use. */
static struct lg_vm *vm_create(void)
{
	struct lg_vm *vm = kvzalloc(sizeof(*vm), GFP_KERNEL_ACCOUNT);
	int err;

	if (!vm)
		return ERR_PTR(-ENOMEM);
	kref_init(&vm->kref);
	mutex_init(&vm->lock);
	INIT_LIST_HEAD(&vm->irqfds);
	INIT_LIST_HEAD(&vm->ioeventfds);
	vm->mm = current->mm;
	vm->abi = &lg_abi_lguest;
	err = lg_mmu_init(vm);
	if (err)
		goto free;
	err = lg_windows_attach(vm->mm);
	if (err)
		goto free_mmu;
	err = lg_notifier_register(vm);
	/* The kernel gives up for any signal: start open() again instead. */
	if (err == -EINTR)
		err = -ERESTARTNOINTR;
	if (err)
		goto detach;
	mmgrab(vm->mm);
	lg_clock_open(vm);
	__module_get(THIS_MODULE);
	lg_debugfs_vm(vm);
	return vm;
detach:
	lg_windows_detach(vm->mm);
free_mmu:
	lg_mmu_free(vm);
free:
	kvfree(vm);
	return ERR_PTR(err);
}

static int vm_open(struct inode *inode, struct file *file)
{
	struct lg_vm *vm = vm_create();

	if (IS_ERR(vm))
		return PTR_ERR(vm);
	file->private_data = vm;
	return 0;
}

static void vm_free(struct kref *kref)
{
	struct lg_vm *vm = container_of(kref, struct lg_vm, kref);
	struct lg_vcpu *vcpu;
	unsigned int i;

	/* Do this first: then nobody reads what is freed below. */
	lg_debugfs_remove(vm);
	lg_clock_close(vm);
	lg_notifier_unregister(vm);
	lg_shadow_zap_all(vm);
	lg_for_each_vcpu(i, vcpu, vm)
		lg_vcpu_free(vcpu);
	if (vm->abi->vm_exit)
		vm->abi->vm_exit(vm);
	for (i = 0; i < vm->nr_slots; i++)
		lg_slot_free(&vm->slots[i]);
	lg_mmu_free(vm);
	lg_windows_detach(vm->mm);
	mmdrop(vm->mm);
	kvfree(vm);
	module_put(THIS_MODULE);
}

void lg_vm_put(struct lg_vm *vm)
{
	kref_put(&vm->kref, vm_free);
}

static int vm_release(struct inode *inode, struct file *file)
{
	struct lg_vm *vm = file->private_data;

	/* Eventfds hold references to other files: release them with the fd, not later. */
	lg_eventfds_release(vm);
	lg_vm_put(vm);
	return 0;
}

static long vm_get_info(void __user *to)
{
	struct lguest_info info = {
		.api_version = LGUEST_API_VERSION,
		.abi_version = LGUEST_ABI_VERSION,
		.run_size = PAGE_SIZE,
		.flags = (boot_cpu_has(X86_FEATURE_PTI) ? LGUEST_INFO_PTI : 0) |
			 (lg_la57 ? LGUEST_INFO_LA57 : 0) | (lg_pcid ? LGUEST_INFO_PCID : 0),
	};

	return copy_to_user(to, &info, sizeof(info)) ? -EFAULT : 0;
}

/* LGUEST_SET_ABI: before the VM has anything. */
static long vm_set_abi(struct lg_vm *vm, unsigned long abi)
{
	struct lg_vcpu *vcpu;
	unsigned int i;
	int err;

	lockdep_assert_held(&vm->lock);
	if (abi != LGUEST_ABI_LGUEST && abi != LGUEST_ABI_XEN)
		return -EINVAL;
	lg_for_each_vcpu(i, vcpu, vm)
		return -EBUSY;
	if (vm->started || vm->nr_slots || vm->abi != &lg_abi_lguest ||
	    !list_empty(&vm->irqfds) || !list_empty(&vm->ioeventfds))
		return -EBUSY;
	if (abi == LGUEST_ABI_LGUEST)
		return 0;
	err = lg_abi_xen.vm_init(vm);
	if (!err)
		vm->abi = &lg_abi_xen;
	return err;
}

static long vm_raise_line(struct lg_vm *vm, unsigned long line)
{
	if (line < vm->abi->first_line || line >= vm->abi->end_line)
		return -EINVAL;
	if (!vm->vcpus[0])
		return -ENXIO;
	vm->abi->raise(vm->vcpus[0], line);
	return 0;
}

static long vm_ioctl_locked(struct lg_vm *vm, unsigned int cmd, unsigned long arg)
{
	lockdep_assert_held(&vm->lock);
	void __user *user = (void __user *)arg;
	union {
		struct lguest_memory memory;
		struct lguest_irqfd irqfd;
		struct lguest_ioeventfd ioeventfd;
		struct lguest_xen_setup xen;
	} args;

	switch (cmd) {
	case LGUEST_CREATE_VCPU:
		return lg_vcpu_create(vm, arg);
	case LGUEST_SET_ABI:
		return vm_set_abi(vm, arg);
	case LGUEST_XEN_SETUP:
		if (copy_from_user(&args.xen, user, sizeof(args.xen)))
			return -EFAULT;
		return lg_xen_setup(vm, &args.xen);
	case LGUEST_IRQ_LINE:
		return vm_raise_line(vm, arg);
	case LGUEST_PAUSE:
		return lg_clock_pause(vm, arg);
	case LGUEST_SET_SHADOW_LIMIT:
		return lg_shadow_set_limit(vm, arg);
	case LGUEST_SET_MEMORY:
		if (copy_from_user(&args.memory, user, sizeof(args.memory)))
			return -EFAULT;
		return lg_set_memory(vm, &args.memory);
	case LGUEST_IRQFD:
		if (copy_from_user(&args.irqfd, user, sizeof(args.irqfd)))
			return -EFAULT;
		return lg_irqfd(vm, &args.irqfd);
	case LGUEST_IOEVENTFD:
		if (copy_from_user(&args.ioeventfd, user, sizeof(args.ioeventfd)))
			return -EFAULT;
		return lg_ioeventfd(vm, &args.ioeventfd);
	}
	return -ENOTTY;
}

/* Make one more VM, for a process that may not reach /dev/lguest any more. */
static long vm_create_fd(void)
{
	int fd = get_unused_fd_flags(O_CLOEXEC);
	struct lg_vm *vm;
	struct file *file;

	if (fd < 0)
		return fd;
	vm = vm_create();
	file = IS_ERR(vm) ? ERR_CAST(vm) : anon_inode_getfile("lguest-vm", &lg_vm_fops, vm, O_RDWR);
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		if (!IS_ERR(vm))
			lg_vm_put(vm);
		return PTR_ERR(file);
	}
	fd_install(fd, file);
	return fd;
}

static long vm_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct lg_vm *vm = file->private_data;
	long ret;

	if (vm->mm != current->mm)
		return -EPERM;
	if (cmd == LGUEST_GET_INFO)
		return vm_get_info((void __user *)arg);
	if (cmd == LGUEST_CREATE_VM)
		return vm_create_fd();
	mutex_lock(&vm->lock);
	ret = vm_ioctl_locked(vm, cmd, arg);
	mutex_unlock(&vm->lock);
	return ret;
}

const struct file_operations lg_vm_fops = {
	.owner		= THIS_MODULE,
	.open		= vm_open,
	.release	= vm_release,
	.unlocked_ioctl	= vm_ioctl,
	.llseek		= noop_llseek,
};
