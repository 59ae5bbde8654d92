// SPDX-License-Identifier: GPL-2.0-only
/* A virtual CPU, as the launcher sees it. run.c has the loop of its thread. */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "base/file.h"
#include "base/message.h"
#include "vcpu.h"
#include "vm.h"

/**
 * vcpu_init() - set up a virtual CPU that lg.ko does not know yet
 * @vcpu: filled in; vcpu_exit() it
 * @vm: its VM
 * @number: 0 is the one that boots the guest
 */
void vcpu_init(struct vcpu *vcpu, struct vm *vm, unsigned int number)
{
	memset(vcpu, 0, sizeof(*vcpu));
	vcpu->vm = vm;
	vcpu->number = number;
	vcpu->fd = -1;
}

/**
 * vcpu_create() - make the virtual CPU known to lg.ko
 * @vcpu: as vcpu_init() left it, of a VM that lg.ko knows
 * @info: what lg.ko said of itself
 *
 * Return: 0, or a negative errno after telling the person.
 */
int vcpu_create(struct vcpu *vcpu, const struct lguest_info *info)
{
	void *run;

	if (info->run_size < sizeof(*vcpu->run))
		return refuse(-EPROTO, "the host's page of a virtual CPU is too small");
	vcpu->fd = ioctl(vcpu->vm->fd, LGUEST_CREATE_VCPU, (unsigned long)vcpu->number);
	if (vcpu->fd < 0)
		return host_refuses("a virtual CPU");
	run = mmap(NULL, info->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
	if (run == MAP_FAILED)
		return host_refuses("the page of a virtual CPU");
	vcpu->run = run;
	vcpu->run_size = info->run_size;
	return 0;
}

/**
 * vcpu_set_entry() - set where the guest starts
 * @vcpu: number 0; the guest itself starts the others
 * @entry: its first registers
 *
 * Return: 0, or a negative errno after telling the person.
 */
int vcpu_set_entry(struct vcpu *vcpu, const struct boot_entry *entry)
{
	struct lguest_regs regs = {
		.rip = entry->rip,
		.rsp = entry->rsp,
		.rsi = entry->rsi,
		.cr3 = entry->cr3,
		.rflags = 2,	/* the bit that is always 1: interrupts are off */
		.kernel_mode = 1,
	};

	if (ioctl(vcpu->fd, LGUEST_SET_REGS, &regs) < 0)
		return host_refuses("the guest's first registers");
	return 0;
}

/**
 * vcpu_exit() - give back what vcpu_create() took
 * @vcpu: as vcpu_init() or vcpu_create() left it; no thread uses it
 */
void vcpu_exit(struct vcpu *vcpu)
{
	if (vcpu->run)
		munmap(vcpu->run, vcpu->run_size);
	vcpu->run = NULL;
	file_close(&vcpu->fd);
}
