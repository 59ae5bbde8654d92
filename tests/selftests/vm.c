// SPDX-License-Identifier: GPL-2.0-only
/* A small launcher for tests: vm.h says what its VM looks like. */
#define _GNU_SOURCE
#include <asm/ldt.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "vm.h"

uint64_t *vm_word(struct vm *vm, uint64_t gpa)
{
	return (uint64_t *)(vm->memory + gpa);
}

static void make_page_tables(struct vm *vm)
{
	/* The user bit of a table's entry allows; only the last level's says. */
	vm_word(vm, VM_PML4)[0] = VM_PDPT_LOW | PTE_ALL;
	vm_word(vm, VM_PDPT_LOW)[0] = VM_PD_LOW | PTE_ALL;
	vm_word(vm, VM_PD_LOW)[0] = 0 | PTE_KERNEL | PTE_LARGE;
	vm_word(vm, VM_PD_LOW)[VM_USER >> 21] = VM_USER_PHYS | PTE_ALL | PTE_LARGE;
	vm_word(vm, VM_PML4)[511] = VM_PDPT_HIGH | PTE_KERNEL;
	vm_word(vm, VM_PDPT_HIGH)[510] = VM_PD_HIGH | PTE_KERNEL;
	vm_word(vm, VM_PD_HIGH)[0] = 0 | PTE_KERNEL | PTE_LARGE;
}

/* What a VM with Xen's ABI has told beside its memory. */
static int set_up_xen(struct vm *vm)
{
	struct lguest_xen_setup setup = {
		.shared_info = VM_SHARED_INFO, .m2p_entry = VM_SPARE_TABLE | PTE_KERNEL,
	};

	return ioctl(vm->fd, LGUEST_XEN_SETUP, &setup);
}

static int make(struct vm *vm, void *memory, size_t size, unsigned long abi)
{
	struct lguest_memory region = { .size = size, .host_virt = (uintptr_t)memory };
	int err;

	*vm = (struct vm){ .fd = -1, .vcpu_fd = -1, .memory = memory };
	make_page_tables(vm);
	vm->fd = open(LGUEST_DEVICE, O_RDWR | O_CLOEXEC);
	if (vm->fd < 0 || ioctl(vm->fd, LGUEST_SET_ABI, abi) < 0 ||
	    ioctl(vm->fd, LGUEST_SET_MEMORY, &region) < 0)
		goto fail;
	if (abi == LGUEST_ABI_XEN && set_up_xen(vm) < 0)
		goto fail;
	vm->vcpu_fd = ioctl(vm->fd, LGUEST_CREATE_VCPU, 0);
	if (vm->vcpu_fd < 0)
		goto fail;
	vm->run = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, vm->vcpu_fd, 0);
	if (vm->run != MAP_FAILED)
		return 0;
	vm->run = NULL;
fail:
	err = -errno;
	vm_end(vm);
	return err;
}

int vm_make_of(struct vm *vm, void *memory, size_t size)
{
	return make(vm, memory, size, LGUEST_ABI_LGUEST);
}

int vm_make_xen(struct vm *vm, void *memory, size_t size)
{
	return make(vm, memory, size, LGUEST_ABI_XEN);
}

int vm_make(struct vm *vm)
{
	void *memory = mmap(NULL, VM_SIZE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	*vm = (struct vm){ .fd = -1, .vcpu_fd = -1 };
	return memory == MAP_FAILED ? -errno : vm_make_of(vm, memory, VM_SIZE);
}

int vm_start_at(struct vm *vm, uint64_t rip)
{
	struct lguest_regs regs = {
		.rip = rip, .rsp = VM_KERNEL + VM_STACK_TOP, .rflags = 2,
		.cr3 = VM_PML4, .kernel_mode = 1,
	};

	return ioctl(vm->vcpu_fd, LGUEST_SET_REGS, &regs) < 0 ? -errno : 0;
}

int vm_spin(struct vm *vm)
{
	vm->memory[VM_CODE] = 0xeb;	/* JMP, 2 bytes back */
	vm->memory[VM_CODE + 1] = 0xfe;
	return vm_start_at(vm, VM_KERNEL + VM_CODE);
}

static _Thread_local volatile sig_atomic_t alarmed;

static void on_alarm(int signal)
{
	(void)signal;
	alarmed = 1;
}

/*
 * An alarm for this thread alone, after @ms (0: never) and then again and again: LGUEST_RUN
 * may not have begun when the first comes.
 */
static int set_alarm(timer_t *timer, unsigned int ms)
{
	struct sigaction action = { .sa_handler = on_alarm };
	struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGALRM };
	struct itimerspec times = {
		.it_value = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 },
		.it_interval = { .tv_nsec = 100000000 },
	};

	alarmed = 0;
	sigaction(SIGALRM, &action, NULL);
	event._sigev_un._tid = syscall(SYS_gettid);
	if (timer_create(CLOCK_MONOTONIC, &event, timer))
		return -errno;
	timer_settime(*timer, 0, &times, NULL);
	return 0;
}

int vcpu_run(int vcpu_fd, struct lguest_run *run, unsigned int ms)
{
	timer_t timer;
	int err;

	err = set_alarm(&timer, ms);
	if (err)
		return err;
	/* -EINTR may come for the host's own reasons: "call again". */
	do {
		err = ioctl(vcpu_fd, LGUEST_RUN, 0) < 0 ? -errno : 0;
	} while (err == -EINTR && !alarmed && !run->immediate_exit);
	timer_delete(timer);
	return err;
}

int vm_run(struct vm *vm, unsigned int ms)
{
	return vcpu_run(vm->vcpu_fd, vm->run, ms);
}

void vm_end(struct vm *vm)
{
	if (vm->run)
		munmap(vm->run, 4096);
	if (vm->vcpu_fd >= 0)
		close(vm->vcpu_fd);
	if (vm->fd >= 0)
		close(vm->fd);
	if (vm->memory)
		munmap(vm->memory, VM_SIZE);
	*vm = (struct vm){ .fd = -1, .vcpu_fd = -1 };
}

/* Not every kernel has LDTs. */
void make_ldt(void)
{
	struct user_desc desc = { .limit = 0xfffff, .seg_32bit = 1, .limit_in_pages = 1 };

	syscall(SYS_modify_ldt, 1, &desc, sizeof(desc));
}

int module_refcnt(void)
{
	FILE *file = fopen("/sys/module/lg/refcnt", "r");
	int count = -1;

	if (!file)
		return -1;
	if (fscanf(file, "%d", &count) != 1)
		count = -1;
	fclose(file);
	return count;
}

int module_unused(void)
{
	int tries;

	for (tries = 0; tries < 500 && module_refcnt() > 0; tries++)
		usleep(10000);
	return module_refcnt() == 0;
}
