// SPDX-License-Identifier: GPL-2.0-only
/*
 * Eventfds: devices raise interrupt lines without the vCPU's thread, and the guest's doorbells
 * reach devices without the launcher's thread.
 */
#include <linux/eventfd.h>
#include <linux/file.h>
#include <linux/poll.h>
#include <linux/slab.h>

#include "abi.h"
#include "host/compat.h"
#include "io/io.h"
#include "mmu/mmu.h"
#include "vcpu/vcpu.h"

#define MAX_IRQFDS	LGUEST_MAX_IOEVENTFD

struct lg_irqfd {
	struct list_head list;		/* lg_vm.irqfds, under lg_vm.lock */
	struct lg_vm *vm;
	struct eventfd_ctx *ctx;
	unsigned int line;
	wait_queue_entry_t wait;
	poll_table poll;
	struct wait_queue_head *queue;
};

/* The eventfd calls this with its lock held and interrupts off, from any context. */
static int irqfd_signalled(wait_queue_entry_t *wait, unsigned int mode, int sync, void *key)
{
	struct lg_irqfd *irqfd = container_of(wait, struct lg_irqfd, wait);
	struct lg_vcpu *vcpu = smp_load_acquire(&irqfd->vm->vcpus[0]);
	u64 count;

	lockdep_assert_irqs_disabled();
	if (key_to_poll(key) & EPOLLIN) {
		eventfd_ctx_do_read(irqfd->ctx, &count);
		if (vcpu)
			vcpu->abi->raise(vcpu, irqfd->line);
	}
	return 0;
}

static void irqfd_queue(struct file *file, struct wait_queue_head *queue, poll_table *poll)
{
	struct lg_irqfd *irqfd = container_of(poll, struct lg_irqfd, poll);

	irqfd->queue = queue;
	add_wait_queue(queue, &irqfd->wait);
}

static void irqfd_free(struct lg_irqfd *irqfd)
{
	u64 count;

	/* This waits for a call of irqfd_signalled() that is under way. */
	eventfd_ctx_remove_wait_queue(irqfd->ctx, &irqfd->wait, &count);
	list_del(&irqfd->list);
	eventfd_ctx_put(irqfd->ctx);
	kfree(irqfd);
}

static int irqfd_add(struct lg_vm *vm, struct file *file, struct eventfd_ctx *ctx, u32 line)
{
	struct lg_irqfd *irqfd = kzalloc(sizeof(*irqfd), GFP_KERNEL_ACCOUNT);

	lockdep_assert_held(&vm->lock);
	if (!irqfd)
		return -ENOMEM;
	irqfd->vm = vm;
	irqfd->ctx = ctx;
	irqfd->line = line;
	init_waitqueue_func_entry(&irqfd->wait, irqfd_signalled);
	init_poll_funcptr(&irqfd->poll, irqfd_queue);
	list_add(&irqfd->list, &vm->irqfds);
	/* Was it signalled before we registered? */
	if (vfs_poll(file, &irqfd->poll) & EPOLLIN && vm->vcpus[0])
		vm->abi->raise(vm->vcpus[0], irqfd->line);
	return 0;
}

static int irqfd_remove(struct lg_vm *vm, struct eventfd_ctx *ctx, u32 line)
{
	struct lg_irqfd *irqfd, *next;
	int err = -ENOENT;

	lockdep_assert_held(&vm->lock);
	list_for_each_entry_safe(irqfd, next, &vm->irqfds, list) {
		if (irqfd->ctx != ctx || irqfd->line != line)
			continue;
		irqfd_free(irqfd);
		err = 0;
	}
	return err;
}

static unsigned int count_list(struct list_head *head)
{
	struct list_head *pos;
	unsigned int n = 0;

	list_for_each(pos, head)
		n++;
	return n;
}

/**
 * lg_irqfd - LGUEST_IRQFD: each signal of an eventfd raises a line
 * @vm: the VM
 * @args: from the launcher, not yet checked
 *
 * vm->lock held; sleeps. 0, -EINVAL, -EBADF, -ENOMEM, -ENOSPC, -ENOENT (deassign: not there).
 */
int lg_irqfd(struct lg_vm *vm, const struct lguest_irqfd *args)
{
	bool remove = args->flags & LGUEST_IRQFD_DEASSIGN;
	struct eventfd_ctx *ctx;
	struct file *file;
	int err;

	lockdep_assert_held(&vm->lock);
	if (args->reserved || args->flags & ~LGUEST_IRQFD_DEASSIGN)
		return -EINVAL;
	if (args->line < vm->abi->first_line || args->line >= vm->abi->end_line)
		return -EINVAL;
	if (!remove && count_list(&vm->irqfds) >= MAX_IRQFDS)
		return -ENOSPC;
	file = fget(args->fd);
	if (!file)
		return -EBADF;
	ctx = eventfd_ctx_fileget(file);
	err = PTR_ERR_OR_ZERO(ctx);
	if (!err)
		err = remove ? irqfd_remove(vm, ctx, args->line) :
			       irqfd_add(vm, file, ctx, args->line);
	if (!IS_ERR(ctx) && (remove || err))
		eventfd_ctx_put(ctx);
	fput(file);
	return err;
}

/* Doorbells */

static void ioeventfd_free(struct lg_ioeventfd *io)
{
	list_del(&io->list);
	eventfd_ctx_put(io->ctx);
	kfree(io);
}

static int ioeventfd_add(struct lg_vm *vm, const struct lguest_ioeventfd *args,
			 struct eventfd_ctx *ctx)
{
	struct lg_ioeventfd *io;

	lockdep_assert_held(&vm->lock);
	list_for_each_entry(io, &vm->ioeventfds, list)
		if (io->gpa == args->guest_phys && io->value == args->value)
			return -EEXIST;
	if (count_list(&vm->ioeventfds) >= LGUEST_MAX_IOEVENTFD)
		return -ENOSPC;
	io = kzalloc(sizeof(*io), GFP_KERNEL_ACCOUNT);
	if (!io)
		return -ENOMEM;
	io->gpa = args->guest_phys;
	io->value = args->value;
	io->ctx = ctx;
	list_add(&io->list, &vm->ioeventfds);
	return 0;
}

static int ioeventfd_remove(struct lg_vm *vm, const struct lguest_ioeventfd *args,
			    struct eventfd_ctx *ctx)
{
	struct lg_ioeventfd *io;

	lockdep_assert_held(&vm->lock);
	list_for_each_entry(io, &vm->ioeventfds, list) {
		if (io->gpa == args->guest_phys && io->value == args->value && io->ctx == ctx) {
			ioeventfd_free(io);
			return 0;
		}
	}
	return -ENOENT;
}

/* An event channel, in place of a register that is written to. */
static bool is_port(const struct lg_vm *vm, const struct lguest_ioeventfd *args)
{
	return vm->xen && !args->guest_phys && args->value >= vm->abi->first_line &&
	       args->value < vm->abi->end_line;
}

/**
 * lg_ioeventfd - LGUEST_IOEVENTFD: a 4-byte write of a value signals an eventfd
 * @vm: the VM
 * @args: from the launcher, not yet checked
 *
 * vm->lock held; sleeps. 0, -EINVAL, -EBADF, -EEXIST, -ENOMEM, -ENOSPC, -ENOENT (deassign: not
 * there).
 */
int lg_ioeventfd(struct lg_vm *vm, const struct lguest_ioeventfd *args)
{
	struct eventfd_ctx *ctx;
	int err;

	lockdep_assert_held(&vm->lock);
	if (args->reserved || args->flags & ~(LGUEST_IOEVENTFD_DEASSIGN | LGUEST_IOEVENTFD_PORT))
		return -EINVAL;
	if (args->flags & LGUEST_IOEVENTFD_PORT ? !is_port(vm, args) :
						  !lg_in_hole(vm, args->guest_phys))
		return -EINVAL;
	ctx = eventfd_ctx_fdget(args->fd);
	if (IS_ERR(ctx))
		return PTR_ERR(ctx);
	if (args->flags & LGUEST_IOEVENTFD_DEASSIGN) {
		err = ioeventfd_remove(vm, args, ctx);
		eventfd_ctx_put(ctx);
		return err;
	}
	err = ioeventfd_add(vm, args, ctx);
	if (err)
		eventfd_ctx_put(ctx);
	return err;
}

/** lg_eventfds_release - release all eventfds of both kinds; takes vm->lock, sleeps */
void lg_eventfds_release(struct lg_vm *vm)
{
	struct lg_ioeventfd *io, *next_io;
	struct lg_irqfd *irqfd, *next;

	mutex_lock(&vm->lock);
	list_for_each_entry_safe(irqfd, next, &vm->irqfds, list)
		irqfd_free(irqfd);
	list_for_each_entry_safe(io, next_io, &vm->ioeventfds, list)
		ioeventfd_free(io);
	mutex_unlock(&vm->lock);
}

/** lg_ioeventfd_write - signal the eventfd of this write, if there is one; takes vm->lock */
bool lg_ioeventfd_write(struct lg_vm *vm, gpa_t gpa, u32 value)
{
	struct lg_ioeventfd *io;
	bool found = false;

	mutex_lock(&vm->lock);
	list_for_each_entry(io, &vm->ioeventfds, list) {
		if (io->gpa == gpa && io->value == value) {
			lg_eventfd_signal(io->ctx);
			found = true;
			break;
		}
	}
	mutex_unlock(&vm->lock);
	return found;
}

/** lg_port_signal - the guest has sent an event to the launcher's end of @port; may sleep */
void lg_port_signal(struct lg_vm *vm, u32 port)
{
	/* No register is at 0 in a VM that has ports. */
	lg_ioeventfd_write(vm, 0, port);
}
