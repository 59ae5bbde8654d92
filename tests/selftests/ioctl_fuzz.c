// SPDX-License-Identifier: GPL-2.0-only
/*
 * ioctl_fuzz: a hostile launcher gets errors, not the host.
 *
 * First each rule of include/lguest_uapi.h with the errno that it promises, then
 * life cycles that a program may have (fork, exec, death in any order, memory
 * that goes away, descriptors that close below a call: ioctl_closes.c), then random
 * calls with values at the edges from two threads (ioctl_random.c).
 * Fails on another errno, when the module stays in use, or when the host warns.
 *
 * ioctl_fuzz [SEED [CALLS]]
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ioctl_fuzz.h"
#include "tap.h"
#include "vm.h"

#define KERNEL_ADDRESS	0xffffffff81000000UL
#define FUZZ_CALLS	4000
#define VM_COUNT	100

/* ioctl, with what it gives as 0 (or more) or -errno. */
static long call(int fd, unsigned long command, const void *argument)
{
	long ret = ioctl(fd, command, argument);

	return ret < 0 ? -errno : ret;
}

/* A promise: this call ends with just that. */
static void expect(long want, long got, const char *what)
{
	if (want != got)
		tap_note("%s: %ld, not %ld (%s)", what, got, want,
			 got < 0 ? strerror(-got) : "");
	tap_result(want == got, "%s", what);
}

static int open_vm(void)
{
	return open(LGUEST_DEVICE, O_RDWR | O_CLOEXEC);
}

static struct vm make_or_die(void)
{
	struct vm vm;
	int err = vm_make(&vm);

	if (err) {
		tap_result(false, "a_vm_can_be_made: %s", strerror(-err));
		exit(TAP_FAIL);
	}
	return vm;
}

/* --- What each call refuses --------------------------------------------------------- */

static void check_vm_calls(void)
{
	int fd = open_vm();
	struct lguest_info info;

	expect(-ENOTTY, call(fd, _IO(LGUEST_IOC, 0x7f), NULL), "unknown_command_is_ENOTTY");
	expect(-ENOTTY, call(fd, LGUEST_RUN, NULL), "vcpu_command_on_a_vm_is_ENOTTY");
	expect(-ENOTTY, call(fd, 0x5401, NULL), "tty_command_is_ENOTTY");
	expect(0, call(fd, LGUEST_GET_INFO, &info), "get_info");
	tap_result(info.api_version == LGUEST_API_VERSION && info.run_size >= sizeof(struct lguest_run),
		   "info_is_of_this_version");
	expect(-EFAULT, call(fd, LGUEST_GET_INFO, NULL), "get_info_to_nowhere_is_EFAULT");
	expect(-EFAULT, call(fd, LGUEST_GET_INFO, (void *)KERNEL_ADDRESS),
	       "get_info_to_the_kernel_is_EFAULT");
	expect(-EFAULT, call(fd, LGUEST_SET_MEMORY, NULL), "set_memory_from_nowhere_is_EFAULT");
	expect(-EINVAL, call(fd, LGUEST_CREATE_VCPU, (void *)LGUEST_MAX_VCPUS),
	       "vcpu_beyond_the_last_is_EINVAL");
	expect(-EINVAL, call(fd, LGUEST_CREATE_VCPU, (void *)-1UL), "vcpu_minus_1_is_EINVAL");
	expect(-ENXIO, call(fd, LGUEST_IRQ_LINE, (void *)1), "line_without_a_vcpu_is_ENXIO");
	expect(-EINVAL, call(fd, LGUEST_IRQ_LINE, (void *)0), "the_timers_line_is_EINVAL");
	expect(-EINVAL, call(fd, LGUEST_IRQ_LINE, (void *)LGUEST_LINES), "line_64_is_EINVAL");
	close(fd);
}

static long set_memory(int fd, uint64_t gpa, uint64_t size, uint64_t hva, uint64_t reserved)
{
	struct lguest_memory memory = {
		.guest_phys = gpa, .size = size, .host_virt = hva, .reserved = reserved,
	};

	return call(fd, LGUEST_SET_MEMORY, &memory);
}

static void check_memory(void)
{
	uint64_t at = (uintptr_t)mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE,
				      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = open_vm();

	expect(-EINVAL, set_memory(fd, 1, 4096, at, 0), "guest_address_not_of_a_page_is_EINVAL");
	expect(-EINVAL, set_memory(fd, 0, 4095, at, 0), "size_not_of_pages_is_EINVAL");
	expect(-EINVAL, set_memory(fd, 0, 4096, at + 8, 0), "our_address_not_of_a_page_is_EINVAL");
	expect(-EINVAL, set_memory(fd, 0, 0, at, 0), "no_memory_is_EINVAL");
	expect(-EINVAL, set_memory(fd, 0, 4096, at, 1), "reserved_field_is_EINVAL");
	expect(-EINVAL, set_memory(fd, 0, 4096, KERNEL_ADDRESS, 0), "kernel_memory_is_EINVAL");
	expect(-EINVAL, set_memory(fd, 0, 1ULL << 40, -4096ULL << 12, 0),
	       "memory_around_the_end_is_EINVAL");
	expect(-EINVAL, set_memory(fd, LGUEST_HOLE_START, 4096, at, 0), "in_the_hole_is_EINVAL");
	expect(-EINVAL, set_memory(fd, LGUEST_HOLE_START - 4096, 8192, at, 0),
	       "into_the_hole_is_EINVAL");
	expect(-EINVAL, set_memory(fd, 0, 1ULL << 45, at, 0), "more_than_there_can_be_is_EINVAL");
	expect(-EINVAL, set_memory(fd, -4096ULL, 4096, at, 0), "at_the_end_of_all_is_EINVAL");
	expect(0, set_memory(fd, 0x10000, 0x2000, at, 0), "a_region");
	expect(-EINVAL, set_memory(fd, 0x11000, 0x1000, at, 0), "a_region_in_another_is_EINVAL");
	expect(-EINVAL, set_memory(fd, 0xf000, 0x2000, at, 0), "a_region_over_the_start_is_EINVAL");
	expect(-EINVAL, set_memory(fd, 0, 0x100000, at, 0), "a_region_around_another_is_EINVAL");
	expect(0, set_memory(fd, 0x12000, 0x1000, at, 0), "a_region_beside_another");
	expect(0, set_memory(fd, LGUEST_HOLE_END, 0x1000, at, 0), "a_region_above_the_hole");
	expect(0, set_memory(fd, 0x40000, 0x1000, at, 0), "the_fourth_region");
	expect(-ENOSPC, set_memory(fd, 0x50000, 0x1000, at, 0), "the_fifth_region_is_ENOSPC");
	close(fd);
	munmap((void *)at, 1 << 20);
}

/* As a launcher does whose guest restarts: it has one VM after the other, and opens one. */
static void check_another_vm(void)
{
	struct vm vm = make_or_die();
	int next = call(vm.fd, LGUEST_CREATE_VM, NULL);
	uint64_t at = (uintptr_t)vm.memory;
	struct lguest_info info;

	tap_result(next >= 0 && fcntl(next, F_GETFD) == FD_CLOEXEC, "a_vm_makes_another");
	expect(0, set_memory(next, 0, VM_SIZE, at, 0), "which_has_no_memory_yet");
	vm_spin(&vm);
	expect(-EINTR, vm_run(&vm, 20), "the_first_one_runs_beside_it");
	close(vm.fd);
	vm.fd = next;
	munmap(vm.run, 4096);
	close(vm.vcpu_fd);
	expect(0, call(vm.fd, LGUEST_GET_INFO, &info), "the_other_outlives_it");
	vm.vcpu_fd = call(vm.fd, LGUEST_CREATE_VCPU, NULL);
	vm.run = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, vm.vcpu_fd, 0);
	vm_spin(&vm);
	expect(-EINTR, vm_run(&vm, 20), "the_other_runs");
	vm_end(&vm);
}

static void check_vcpu(void)
{
	struct vm vm = make_or_die();
	struct lguest_regs regs = { .kernel_mode = 1, .rip = 1ULL << 47 };
	struct lguest_stats stats;

	expect(-EEXIST, call(vm.fd, LGUEST_CREATE_VCPU, (void *)0), "the_same_vcpu_again_is_EEXIST");
	expect(-ENOTTY, call(vm.vcpu_fd, LGUEST_SET_MEMORY, NULL), "vm_command_on_a_vcpu_is_ENOTTY");
	expect(-EFAULT, call(vm.vcpu_fd, LGUEST_SET_REGS, NULL), "registers_from_nowhere_are_EFAULT");
	expect(-EFAULT, call(vm.vcpu_fd, LGUEST_GET_REGS, (void *)KERNEL_ADDRESS),
	       "registers_to_the_kernel_are_EFAULT");
	expect(-EINVAL, call(vm.vcpu_fd, LGUEST_SET_REGS, &regs), "non_canonical_rip_is_EINVAL");
	regs.rip = 0;
	regs.gs_base = 1ULL << 63;
	expect(-EINVAL, call(vm.vcpu_fd, LGUEST_SET_REGS, &regs), "non_canonical_gs_base_is_EINVAL");
	regs.gs_base = 0;
	regs.fs_base = 1ULL << 56;
	expect(-EINVAL, call(vm.vcpu_fd, LGUEST_SET_REGS, &regs), "non_canonical_fs_base_is_EINVAL");
	regs.fs_base = 0;
	regs.kernel_mode = 0;
	expect(-EINVAL, call(vm.vcpu_fd, LGUEST_SET_REGS, &regs), "user_mode_is_EINVAL");
	regs.kernel_mode = 1;
	regs.reserved = 1;
	expect(-EINVAL, call(vm.vcpu_fd, LGUEST_SET_REGS, &regs), "reserved_register_is_EINVAL");
	regs.reserved = 0;
	regs.cs = regs.ss = 0xffff;
	regs.rflags = ~0ULL;
	regs.cr3 = ~0ULL;
	expect(0, call(vm.vcpu_fd, LGUEST_SET_REGS, &regs), "any_selectors_flags_and_cr3_are_taken");
	vm_run(&vm, 2000);
	tap_result(vm.run->exit_reason == LGUEST_EXIT_KILLED, "and_end_the_guest_alone");
	tap_note("%s", vm.run->killed.reason);
	expect(0, call(vm.vcpu_fd, LGUEST_GET_STATS, &stats), "get_stats");
	expect(-EFAULT, call(vm.vcpu_fd, LGUEST_GET_STATS, NULL), "stats_to_nowhere_are_EFAULT");
	expect(-EBUSY, set_memory(vm.fd, 0x1000000, 4096, (uintptr_t)vm.memory, 0),
	       "memory_after_the_first_run_is_EBUSY");
	vm_end(&vm);
}

static long map_errno(struct vm *vm, size_t size, off_t offset, int protection, int flags)
{
	void *at = mmap(NULL, size, protection, flags, vm->vcpu_fd, offset);

	if (at == MAP_FAILED)
		return -errno;
	munmap(at, size);
	return 0;
}

/* In a child: is there no memory at @at? */
static bool touch_dies(volatile char *at)
{
	pid_t child = fork();
	int status;

	if (child == 0)
		_exit(*at);
	waitpid(child, &status, 0);
	return WIFSIGNALED(status);
}

static void check_mmap(void)
{
	struct vm vm = make_or_die();
	int fd = open_vm();
	void *at, *moved;

	expect(-EINVAL, map_errno(&vm, 8192, 0, PROT_READ, MAP_SHARED), "mmap_of_two_pages_is_EINVAL");
	expect(-EINVAL, map_errno(&vm, 4096, 4096, PROT_READ, MAP_SHARED),
	       "mmap_of_another_page_is_EINVAL");
	expect(0, map_errno(&vm, 4096, 0, PROT_READ, MAP_SHARED), "mmap_to_read");
	expect(0, map_errno(&vm, 4096, 0, PROT_READ | PROT_WRITE, MAP_PRIVATE), "mmap_private");
	at = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	tap_result(at == MAP_FAILED, "a_vm_cannot_be_mmapped");
	at = mmap(NULL, 4096, PROT_READ, MAP_SHARED, vm.vcpu_fd, 0);
	moved = mremap(at, 4096, 4 * 4096, MREMAP_MAYMOVE);
	tap_note("mremap: %s", moved == MAP_FAILED ? strerror(errno) : "done");
	tap_result(moved == MAP_FAILED || touch_dies(moved + 3 * 4096),
		   "nothing_is_behind_the_run_page");
	munmap(moved == MAP_FAILED ? at : moved, 4 * 4096);
	close(fd);
	/* The page outlives the fds for as long as it is mapped. */
	close(vm.vcpu_fd);
	close(vm.fd);
	vm.vcpu_fd = vm.fd = -1;
	vm.run->immediate_exit = 1;
	tap_result(vm.run->immediate_exit == 1, "the_run_page_outlives_its_fds");
	vm_end(&vm);
}

static long irqfd(int vm, int fd, unsigned int line, unsigned int flags, unsigned int reserved)
{
	struct lguest_irqfd args = { .fd = fd, .line = line, .flags = flags, .reserved = reserved };

	return call(vm, LGUEST_IRQFD, &args);
}

static long ioeventfd(int vm, uint64_t gpa, int fd, unsigned int value, unsigned int flags)
{
	struct lguest_ioeventfd args = {
		.guest_phys = gpa, .fd = fd, .value = value, .flags = flags,
	};

	return call(vm, LGUEST_IOEVENTFD, &args);
}

static void check_eventfds(void)
{
	const uint64_t at = LGUEST_HOLE_START + 0x50;
	int vm = open_vm(), fd = eventfd(1, EFD_CLOEXEC), file = open("/dev/null", O_RDWR);
	unsigned int i;
	long err;

	expect(-EBADF, irqfd(vm, -1, 1, 0, 0), "irqfd_of_no_fd_is_EBADF");
	expect(-EINVAL, irqfd(vm, file, 1, 0, 0), "irqfd_of_a_file_is_EINVAL");
	expect(-EINVAL, irqfd(vm, vm, 1, 0, 0), "irqfd_of_the_vm_itself_is_EINVAL");
	expect(-EINVAL, irqfd(vm, fd, 0, 0, 0), "irqfd_of_the_timers_line_is_EINVAL");
	expect(-EINVAL, irqfd(vm, fd, LGUEST_LINES, 0, 0), "irqfd_of_line_64_is_EINVAL");
	expect(-EINVAL, irqfd(vm, fd, 1, 8, 0), "irqfd_with_unknown_flags_is_EINVAL");
	expect(-EINVAL, irqfd(vm, fd, 1, 0, 1), "irqfd_with_reserved_field_is_EINVAL");
	expect(-ENOENT, irqfd(vm, fd, 1, LGUEST_IRQFD_DEASSIGN, 0), "irqfd_not_there_is_ENOENT");
	expect(0, irqfd(vm, fd, 1, 0, 0), "irqfd_that_is_signalled_already");
	for (i = 0, err = 0; !err && i < 10000; i++)
		err = irqfd(vm, fd, 1 + i % 63, 0, 0);
	expect(-ENOSPC, err, "irqfds_without_end_are_ENOSPC");

	expect(-EINVAL, ioeventfd(vm, at, file, 0, 0), "ioeventfd_of_a_file_is_EINVAL");
	expect(-EBADF, ioeventfd(vm, at, -1, 0, 0), "ioeventfd_of_no_fd_is_EBADF");
	expect(-EINVAL, ioeventfd(vm, 0x1000, fd, 0, 0), "ioeventfd_in_memory_is_EINVAL");
	expect(-EINVAL, ioeventfd(vm, at, fd, 0, 8), "ioeventfd_with_unknown_flags_is_EINVAL");
	expect(-ENOENT, ioeventfd(vm, at, fd, 0, LGUEST_IOEVENTFD_DEASSIGN),
	       "ioeventfd_not_there_is_ENOENT");
	expect(0, ioeventfd(vm, at, fd, 0, 0), "ioeventfd");
	expect(-EEXIST, ioeventfd(vm, at, fd, 0, 0), "the_same_ioeventfd_again_is_EEXIST");
	expect(0, ioeventfd(vm, at, fd, 0, LGUEST_IOEVENTFD_DEASSIGN), "ioeventfd_goes");
	for (i = 0, err = 0; !err && i < 10000; i++)
		err = ioeventfd(vm, at, fd, i, 0);
	expect(-ENOSPC, err, "ioeventfds_without_end_are_ENOSPC");
	/* The eventfd goes first. */
	close(fd);
	close(file);
	close(vm);
}

/* --- Lives and deaths --------------------------------------------------------------------- */

/* In a child: FUNCTION's result is its exit status. */
static int in_child(int (*function)(struct vm *vm), struct vm *vm)
{
	pid_t child = fork();
	int status;

	if (child == 0)
		_exit(function(vm));
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int calls_are_refused(struct vm *vm)
{
	struct lguest_info info;
	struct lguest_regs regs;

	return call(vm->fd, LGUEST_GET_INFO, &info) != -EPERM ||
	       call(vm->fd, LGUEST_CREATE_VM, NULL) != -EPERM ||
	       call(vm->fd, LGUEST_CREATE_VCPU, (void *)1) != -EPERM ||
	       call(vm->vcpu_fd, LGUEST_RUN, NULL) != -EPERM ||
	       call(vm->vcpu_fd, LGUEST_GET_REGS, &regs) != -EPERM;
}

/* Our parent has a VM; ours must not get in its way. */
static int has_a_vm_too(struct vm *vm)
{
	struct vm own;

	(void)vm;
	if (vm_make(&own))
		return 1;
	vm_spin(&own);
	if (vm_run(&own, 50) != -EINTR)
		return 2;
	/* Not ended: exit does it. */
	return 0;
}

static int leaves_fds_to_a_child(struct vm *vm)
{
	struct vm own;

	(void)vm;
	if (vm_make(&own))
		return 1;
	vm_spin(&own);
	vm_run(&own, 20);
	if (fork() == 0) {
		/* Our parent, and the mm of the VM, are gone by now. */
		usleep(300000);
		_exit(calls_are_refused(&own));
	}
	_exit(0);
}

static int execs_with_a_vm(struct vm *vm)
{
	char number[16];
	struct vm own;

	(void)vm;
	if (vm_make(&own))
		return 1;
	vm_spin(&own);
	vm_run(&own, 20);
	fcntl(own.fd, F_SETFD, 0);
	fcntl(own.vcpu_fd, F_SETFD, 0);
	snprintf(number, sizeof(number), "%d", own.vcpu_fd);
	execl("/proc/self/exe", "ioctl_fuzz", "--after-exec", number, NULL);
	return 2;
}

static void *unmap_soon(void *argument)
{
	struct vm *vm = argument;

	usleep(50000);
	munmap(vm->memory, VM_SIZE);
	return NULL;
}

static int memory_goes(struct vm *vm)
{
	pthread_t thread;
	struct vm own;

	(void)vm;
	if (vm_make(&own))
		return 1;
	vm_spin(&own);
	pthread_create(&thread, NULL, unmap_soon, &own);
	if (vm_run(&own, 5000) || own.run->exit_reason != LGUEST_EXIT_KILLED)
		return 2;
	pthread_join(thread, NULL);
	return 0;
}

/* Memory of this kind ends the guest that starts in it, no more. */
static int ends_in(void *memory, size_t size)
{
	struct vm vm = { .fd = open_vm() };
	struct lguest_regs regs = { .kernel_mode = 1, .rip = VM_CODE, .cr3 = VM_PML4 };
	int fd, killed;

	if (set_memory(vm.fd, 0, size, (uintptr_t)memory, 0))
		return 0;
	fd = call(vm.fd, LGUEST_CREATE_VCPU, 0);
	vm.vcpu_fd = fd;
	vm.run = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	call(fd, LGUEST_SET_REGS, &regs);
	killed = !vm_run(&vm, 5000) && vm.run->exit_reason == LGUEST_EXIT_KILLED;
	tap_note("%s", killed ? vm.run->killed.reason : "not killed");
	vm_end(&vm);
	return killed;
}

static void check_strange_memory(void)
{
	struct vm vm = make_or_die();
	char name[] = "/tmp/fuzz.XXXXXX";
	int file = mkstemp(name);
	void *at;

	at = mmap(NULL, VM_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	tap_result(ends_in(at, VM_SIZE), "memory_without_rights");
	mprotect(at, VM_SIZE, PROT_READ);
	tap_result(ends_in(at, VM_SIZE), "memory_to_read_only");
	munmap(at, VM_SIZE);
	tap_result(ends_in(at, VM_SIZE), "memory_that_is_not_there");
	unlink(name);
	at = mmap(NULL, VM_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	tap_result(ends_in(at, VM_SIZE), "memory_behind_the_end_of_a_file");
	munmap(at, VM_SIZE);
	close(file);
	tap_result(ends_in(vm.run, 4096), "the_run_page_as_memory");
	vm_end(&vm);
}

static void check_first_run(void)
{
	int fd = open_vm(), vcpu = call(fd, LGUEST_CREATE_VCPU, 0);
	struct lguest_run *run = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
	struct vm vm = { .fd = fd, .vcpu_fd = vcpu, .run = run };
	int err = vm_run(&vm, 2000);

	tap_note("%d, %s", err, run->killed.reason);
	tap_result(!err && run->exit_reason == LGUEST_EXIT_KILLED,
		   "a_run_without_memory_and_registers_is_killed");
	vm_end(&vm);
}

static void check_immediate_exit(void)
{
	struct vm vm = make_or_die();

	vm_spin(&vm);
	vm.run->immediate_exit = 1;
	expect(-EINTR, call(vm.vcpu_fd, LGUEST_RUN, NULL), "immediate_exit_is_EINTR");
	tap_result(vm.run->exit_reason == LGUEST_EXIT_INTR, "immediate_exit_is_the_exit_reason");
	vm_end(&vm);
}

static void check_many(void)
{
	static struct vm vms[VM_COUNT];
	unsigned int made = 0, ran = 0, i;

	while (made < VM_COUNT && !vm_make(&vms[made]))
		made++;
	for (i = 0; i < made; i++) {
		vm_spin(&vms[i]);
		ran += vm_run(&vms[i], 10) == -EINTR;
	}
	tap_note("%u VMs, %u ran, module in use %d times", made, ran, module_refcnt());
	tap_result(made == VM_COUNT && ran == made, "a_process_can_have_many_vms");
	for (i = 0; i < made; i++)
		vm_end(&vms[i]);
}

static void *run_vcpu(void *argument)
{
	struct vm vm = { .vcpu_fd = *(int *)argument };
	struct lguest_regs regs = {
		.rip = VM_KERNEL + VM_CODE, .rsp = VM_KERNEL + VM_STACK_TOP, .rflags = 2,
		.cr3 = VM_PML4, .kernel_mode = 1,
	};

	call(vm.vcpu_fd, LGUEST_SET_REGS, &regs);
	call(vm.vcpu_fd, LGUEST_RUN, NULL);
	return NULL;
}

/* All vCPUs at once in the same page tables, then one thread goes without a word. */
static int many_vcpus(struct vm *vm)
{
	pthread_t thread[LGUEST_MAX_VCPUS];
	int fd[LGUEST_MAX_VCPUS];
	struct vm own;
	int i;

	(void)vm;
	if (vm_make(&own))
		return 1;
	vm_spin(&own);
	fd[0] = own.vcpu_fd;
	for (i = 1; i < LGUEST_MAX_VCPUS; i++)
		fd[i] = call(own.fd, LGUEST_CREATE_VCPU, (void *)(long)i);
	for (i = 0; i < LGUEST_MAX_VCPUS; i++)
		pthread_create(&thread[i], NULL, run_vcpu, &fd[i]);
	usleep(300000);
	return 0;
}

static void check_lives(void)
{
	struct vm vm = make_or_die();

	vm_spin(&vm);
	vm_run(&vm, 20);
	expect(0, in_child(calls_are_refused, &vm), "another_process_gets_EPERM");
	expect(0, in_child(has_a_vm_too, &vm), "a_child_has_a_vm_of_its_own");
	expect(-EINTR, vm_run(&vm, 20), "the_parents_vm_still_runs");
	vm_end(&vm);
	expect(0, in_child(leaves_fds_to_a_child, &vm), "a_vm_without_its_launcher");
	tap_result(module_unused(), "a_vm_without_its_launcher_is_given_back");
	expect(0, in_child(execs_with_a_vm, &vm), "exec_with_a_vm_gets_EPERM");
	expect(0, in_child(memory_goes, &vm), "memory_that_goes_while_the_guest_runs");
	expect(0, in_child(many_vcpus, &vm), "all_vcpus_at_once_and_exit");
	expect(0, in_child(closes_while_it_runs, &vm), "task_work_closes_what_runs");
	tap_result(module_unused(), "all_is_given_back_by_exit");
}

/* What comes now, and why it could work. */
static void tries(const char *what)
{
	tap_note("tries: %s", what);
}

int main(int argc, char **argv)
{
	struct rlimit files = { 1024, 1024 };
	struct lguest_regs regs;
	unsigned int seed, calls;

	if (argc == 3 && !strcmp(argv[1], "--after-exec"))
		return call(atoi(argv[2]), LGUEST_GET_REGS, &regs) != -EPERM;
	if (module_refcnt() < 0)
		return tap_missing("lg.ko is not loaded");
	seed = argc > 1 ? (unsigned int)atoi(argv[1]) : (unsigned int)getpid();
	calls = argc > 2 ? (unsigned int)atoi(argv[2]) : FUZZ_CALLS;
	setrlimit(RLIMIT_NOFILE, &files);

	tries("calls of one kind of descriptor on another, and numbers that do not exist");
	check_vm_calls();
	tries("regions that overlap, overflow, lie in the kernel, or come once the guest has run");
	check_memory();
	tries("a VM through the descriptor of one, and by another process");
	check_another_vm();
	tries("registers that the CPU would refuse: IRET would fault in ring 0");
	check_vcpu();
	tries("more of the run page than there is, and its life behind its descriptors");
	check_mmap();
	tries("descriptors that are no eventfds, twice the same, and more than are allowed");
	check_eventfds();
	tries("a guest without memory, or page tables");
	check_first_run();
	tries("a flag that is set while nobody runs: LGUEST_RUN could sleep over it");
	check_immediate_exit();
	tries("memory that goes away, faults or is the run page, under a guest that runs in it");
	check_strange_memory();
	tap_result(module_unused(), "nothing_is_left_of_refused_calls");
	tries("as many VMs as descriptors: each has a window slot, pages, a notifier");
	check_many();
	tries("dying, fork, exec, munmap and close in each other's way: what is freed could be in use");
	check_lives();
	tries("any call with any argument from several threads: a lock, a limit or a check forgotten");
	tap_note("again with: ioctl_fuzz %u %u", seed, calls);
	expect(0, random_calls(seed, calls), "random_calls");
	tap_result(module_unused(), "nothing_is_left_of_random_calls");
	return tap_end();
}
