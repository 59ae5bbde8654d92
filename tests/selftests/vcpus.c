// SPDX-License-Identifier: GPL-2.0-only
/*
 * vcpus: a VM with vCPUs 0 to 2, which have done 1000, 2000 and 3000 hypercalls that do
 * nothing. Prints "here" and lives until it is killed, so that its counters can be read.
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vm.h"

#define VCPUS	3
#define CALLS	1000

/* %rbx times LHCALL_FLUSH_ASYNC, then LHCALL_SHUTDOWN. */
static const uint8_t code[] = {
	0x31, 0xc0,			/* again: xor %eax, %eax */
	0x0f, 0x05,			/* syscall */
	0xff, 0xcb,			/* dec %ebx */
	0x75, 0xf8,			/* jnz again */
	0xb8, LHCALL_SHUTDOWN, 0, 0, 0,	/* mov $LHCALL_SHUTDOWN, %eax */
	0xbf, LGUEST_SHUTDOWN_POWEROFF, 0, 0, 0,	/* mov $..., %edi */
	0x31, 0xf6,			/* xor %esi, %esi */
	0x0f, 0x05,			/* syscall */
};

static int run(struct vm *vm, unsigned int id)
{
	struct lguest_regs regs = {
		.rip = VM_KERNEL + VM_CODE, .rsp = VM_KERNEL + VM_STACK_TOP, .rflags = 2,
		.cr3 = VM_PML4, .kernel_mode = 1, .rbx = (id + 1) * CALLS,
	};

	if (id)
		vm->vcpu_fd = ioctl(vm->fd, LGUEST_CREATE_VCPU, (unsigned long)id);
	vm->run = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, vm->vcpu_fd, 0);
	return vm->run == MAP_FAILED || ioctl(vm->vcpu_fd, LGUEST_SET_REGS, &regs) < 0 ||
	       vm_run(vm, 10000) || vm->run->exit_reason != LGUEST_EXIT_SHUTDOWN;
}

int main(void)
{
	unsigned int i;
	struct vm vm;

	if (vm_make(&vm))
		return 1;
	memcpy(vm_word(&vm, VM_CODE), code, sizeof(code));
	for (i = 0; i < VCPUS; i++)
		if (run(&vm, i)) {
			printf("vCPU %u: exit reason %u\n", i, vm.run->exit_reason);
			return 1;
		}
	printf("here\n");
	fflush(stdout);
	for (;;)
		pause();
}
