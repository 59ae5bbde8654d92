// SPDX-License-Identifier: GPL-2.0-only
/*
 * hostile_tables: page tables that no Linux would make, some of them changed by one
 * virtual CPU while another uses them. What the Guest sees is what a CPU would show it,
 * and the Host keeps its own rules. Each case says what it tries and why it could work.
 *
 * hostile_tables NAME...: only these cases.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <time.h>
#include <unistd.h>

#include "tap.h"
#include "vm.h"

/* A second piece of memory, which the Host may have in large pages. */
#define MORE		0x800000UL	/* Guest physical */
#define LARGE		0x200000UL
#define GIB		(1UL << 30)
#define MOST		(25 * GIB)	/* in one piece, of 16 times what the Host has */

/* A table for 2 MiB of VM_KERNEL's addresses, by number. */
#define REGION(n)	(VM_KERNEL + (n) * LARGE)
#define PDE(vm, n)	(vm_word(vm, VM_PD_HIGH)[n])
#define TABLE		VM_SPARE_TABLE

#define CODE(name, text)						\
	asm("	.section .rodata\ncode_" #name ":\n" text "code_" #name "_end:\n	.text\n"); \
	extern const char code_##name[], code_##name##_end[]

#define POWEROFF							\
	"	mov	$3, %eax\n"	/* LHCALL_SHUTDOWN */		\
	"	mov	$1, %edi\n"	/* LGUEST_SHUTDOWN_POWEROFF */	\
	"	syscall\n"
/* From %r14 to %r15. */
#define FLUSH_RANGE							\
	"	mov	$6, %eax\n"	/* LHCALL_FLUSH_TLB */		\
	"	mov	$3, %edi\n"	/* LGUEST_FLUSH_RANGE */	\
	"	mov	%r14, %rsi\n"					\
	"	mov	%r15, %rdx\n"					\
	"	syscall\n"
_Static_assert(LHCALL_SHUTDOWN == 3 && LGUEST_SHUTDOWN_POWEROFF == 1 && LHCALL_FLUSH_TLB == 6 &&
	       LGUEST_FLUSH_RANGE == 3, "as in the code above");

#define LOAD(vm, gpa, name)						\
	memcpy(vm_word(vm, gpa), code_##name, code_##name##_end - code_##name)

static uint8_t *more;

static void *more_word(uint64_t offset)
{
	return more + offset;
}

/* @size bytes at @gpa, aligned as the Host's large pages are; NULL: not to be had. */
static uint8_t *add_memory(struct vm *vm, uint64_t gpa, size_t size)
{
	uint8_t *at = mmap(NULL, size + LARGE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	size_t done, part;

	if (at == MAP_FAILED)
		return NULL;
	at = (uint8_t *)(((uintptr_t)at + LARGE - 1) & ~(LARGE - 1));
	for (done = 0; done < size; done += part) {
		struct lguest_memory memory = {
			.guest_phys = gpa + done, .host_virt = (uintptr_t)at + done,
		};

		part = memory.size = size - done < MOST ? size - done : MOST;
		if (ioctl(vm->fd, LGUEST_SET_MEMORY, &memory))
			return NULL;
	}
	return at;
}

/* The exit reason, when the vCPU of @vm has run as long as it likes from VM_CODE on. */
static unsigned int run(struct vm *vm, struct lguest_regs *regs)
{
	regs->rip = VM_KERNEL + VM_CODE;
	regs->rsp = VM_KERNEL + VM_STACK_TOP;
	regs->rflags = 2;
	regs->cr3 = VM_PML4;
	regs->kernel_mode = 1;
	if (ioctl(vm->vcpu_fd, LGUEST_SET_REGS, regs) < 0 || vm_run(vm, 60000) ||
	    ioctl(vm->vcpu_fd, LGUEST_GET_REGS, regs) < 0)
		return LGUEST_EXIT_NONE;
	if (vm->run->exit_reason == LGUEST_EXIT_KILLED)
		tap_note("killed: %s", vm->run->killed.reason);
	return vm->run->exit_reason;
}

/* --- A second virtual CPU, which spins at @rip until it is told to stop ---------- */

struct spinner {
	struct vm vm;
	uint64_t rip;
	pthread_t thread;
};

static void *spin(void *argument)
{
	struct spinner *spinner = argument;
	struct lguest_regs regs = {
		.rip = spinner->rip, .rsp = VM_KERNEL + VM_STACK_TOP, .rflags = 2,
		.cr3 = VM_PML4, .kernel_mode = 1,
	};

	if (ioctl(spinner->vm.vcpu_fd, LGUEST_SET_REGS, &regs) < 0)
		return NULL;
	/* -EINTR may come for the Host's own reasons. */
	while (!*(volatile uint8_t *)&spinner->vm.run->immediate_exit)
		if (!ioctl(spinner->vm.vcpu_fd, LGUEST_RUN, 0))
			break;
	return NULL;
}

static bool start_spinner(struct spinner *spinner, const struct vm *vm, uint64_t rip)
{
	spinner->vm = *vm;
	spinner->rip = rip;
	spinner->vm.vcpu_fd = ioctl(vm->fd, LGUEST_CREATE_VCPU, 1);
	spinner->vm.run = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED,
			       spinner->vm.vcpu_fd, 0);
	return spinner->vm.run != MAP_FAILED &&
	       !pthread_create(&spinner->thread, NULL, spin, spinner);
}

static void stop_spinner(struct spinner *spinner)
{
	*(volatile uint8_t *)&spinner->vm.run->immediate_exit = 1;
	pthread_join(spinner->thread, NULL);
	munmap(spinner->vm.run, 4096);
	close(spinner->vm.vcpu_fd);
}

/* --- Tracing ------------------------------------------------------------------------ */

#define TRACING	"/sys/kernel/tracing/"

static bool put(const char *file, const char *text)
{
	int fd = open(file, O_WRONLY | O_TRUNC);
	bool done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return done;
}

/* On and off while no Guest runs: to change code that runs is what the emulator is bad at. */
static bool trace(const char *event, bool on)
{
	char file[128];

	if (access(TRACING "trace", F_OK))
		mount("tracefs", TRACING, "tracefs", 0, NULL);
	snprintf(file, sizeof(file), TRACING "events/lguest/%s/enable", event);
	return (!on || (put(TRACING "buffer_size_kb", "4096") && put(TRACING "trace", ""))) &&
	       put(file, on ? "1" : "0");
}

/* Lines of the trace that have both, until it is emptied. */
static unsigned int traced(const char *one, const char *other)
{
	FILE *file = fopen(TRACING "trace", "r");
	char line[512];
	unsigned int n = 0;

	while (file && fgets(line, sizeof(line), file))
		n += strstr(line, one) && strstr(line, other);
	if (file)
		fclose(file);
	return n;
}

static long now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* --- The cases ------------------------------------------------------------------------ */

/*
 * A page of the one size comes where another virtual CPU's TLB has the other, which stops
 * a CPU with the iTLB multihit bug for good. The table stays in use elsewhere, so that
 * nothing is freed, and only the virtual CPU that made the change has flushed.
 *
 * %rbx times: the large page (%r8) and the table (%r9) into the entry at %rcx.
 */
CODE(change_size,
     "1:	mov	%rcx, %r12\n"
     "	mov	%r8, (%r12)\n"
     FLUSH_RANGE
     "	mov	(%r14), %rax\n"
     "	mov	%r9, (%r12)\n"
     FLUSH_RANGE
     "	mov	(%r14), %rax\n"
     "	mov	%r12, %rcx\n"
     "	dec	%rbx\n"
     "	jnz	1b\n"
     POWEROFF);

#define SIZE_CHANGES	500
#define MULTIHIT	"/sys/module/lg/parameters/itlb_multihit"

static void one_size_at_a_time(struct vm *vm)
{
	static const uint8_t jump_to_itself[] = { 0xeb, 0xfe };
	struct lguest_regs regs = {
		.rbx = SIZE_CHANGES, .rcx = VM_KERNEL + VM_PD_HIGH + 8,
		.r8 = MORE | PTE_KERNEL | PTE_LARGE, .r9 = TABLE | PTE_KERNEL,
		.r14 = REGION(1), .r15 = REGION(2),
	};
	unsigned int i, exit, large, stale;
	struct spinner spinner;

	madvise(more, 2 * LARGE, MADV_HUGEPAGE);
	memcpy(more_word(0), jump_to_itself, 2);
	memcpy(more_word(LARGE), jump_to_itself, 2);
	for (i = 0; i < 512; i++)
		vm_word(vm, TABLE)[i] = (MORE + LARGE) | PTE_KERNEL;
	PDE(vm, 1) = PDE(vm, 2) = TABLE | PTE_KERNEL;
	LOAD(vm, VM_CODE, change_size);
	if (!tap_result(put(MULTIHIT, "Y") && trace("lguest_resize", true),
			"the_rule_of_multihit_is_on_and_traced") ||
	    !tap_result(start_spinner(&spinner, vm, REGION(1)), "a_second_virtual_cpu_runs"))
		return;
	exit = run(vm, &regs);
	stop_spinner(&spinner);
	trace("lguest_resize", false);
	put(MULTIHIT, "N");
	large = traced("lguest_resize: level 2 large", "stale");
	stale = traced("lguest_resize: ", "stale") - traced("lguest_resize: ", "stale 0");
	tap_note("%u large pages came, %u changes with another's TLB in use", large, stale);
	tap_result(exit == LGUEST_EXIT_SHUTDOWN && large >= SIZE_CHANGES, "the_page_size_changes");
	tap_result(!stale, "nobody_runs_with_the_other_size");
}

/*
 * The Launcher maps and unmaps memory of its own, as malloc() and threads do: none of that
 * may stop the Guest. Counted: each change that does would take the lock of the whole shadow.
 */
CODE(power_off, POWEROFF);

static void memory_elsewhere(struct vm *vm)
{
	struct lguest_regs regs = {};
	unsigned int i;
	char *memory;

	LOAD(vm, VM_CODE, power_off);
	more[0] = 1;
	if (!tap_result(run(vm, &regs) == LGUEST_EXIT_SHUTDOWN && trace("lguest_invalidate", true),
			"the_guest_has_run"))
		return;
	for (i = 0; i < 1000; i++) {
		memory = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		memory[0] = 1;
		munmap(memory, 65536);
	}
	i = traced("lguest_invalidate", "start");
	tap_result(!i, "memory_elsewhere_does_not_concern_it (%u)", i);
	madvise(more, LARGE, MADV_DONTNEED);
	i = traced("lguest_invalidate", "start");
	tap_result(i, "its_own_does (%u)", i);
	trace("lguest_invalidate", false);
}

/*
 * The Guest reads a page of a range that the Host is taking back, which takes long. Each try
 * that wrote the lock of the shadow would hold up the Host, and all other virtual CPUs.
 */
CODE(read_for_ever,
     "1:	mov	-0x7fe00000, %rax\n"	/* REGION(1) */
     "	jmp	1b\n");
_Static_assert(REGION(1) == -0x7fe00000UL, "as in the code above");

#define TAKEN		(128UL << 20)
#define TAKEN_AT	0x2000000UL	/* Guest physical */
#define TIMES		3U

static uint64_t alone(const struct spinner *spinner)
{
	struct lguest_stats stats = {};

	return ioctl(spinner->vm.vcpu_fd, LGUEST_GET_STATS, &stats) < 0 ? 0 : stats.shadow_alone;
}

static void range_under_way(struct vm *vm)
{
	uint8_t *memory = add_memory(vm, TAKEN_AT, TAKEN);
	uint64_t before, tries = 0;
	uint64_t begin, us = 0;
	struct spinner spinner;
	unsigned int i;

	PDE(vm, 1) = TAKEN_AT | PTE_KERNEL | PTE_LARGE;
	LOAD(vm, VM_CODE, read_for_ever);
	if (!tap_result(memory && start_spinner(&spinner, vm, VM_KERNEL + VM_CODE),
			"a_guest_reads_what_is_taken"))
		return;
	madvise(memory, TAKEN, MADV_NOHUGEPAGE);
	for (i = 0; i < TIMES; i++) {
		memset(memory, 1, TAKEN);
		usleep(20000);
		before = alone(&spinner);
		begin = now_us();
		madvise(memory, TAKEN, MADV_DONTNEED);
		us += now_us() - begin;
		tries += alone(&spinner) - before;
	}
	stop_spinner(&spinner);
	munmap(memory, TAKEN);
	/* One a tick, which is a millisecond or four. */
	tap_note("%llu tries with the lock in %llu us", (unsigned long long)tries,
		 (unsigned long long)us);
	tap_result(tries <= 10 * TIMES + us / 1000, "its_tries_write_no_lock");
}

/*
 * All tables in one bucket of the hash that the shadow finds its pages by, if the Guest knows
 * the hash: each flush then compares each table with each, with the shadow's lock held. A
 * Guest without such a choice is the measure.
 */
CODE(many_tables,
     "	mov	$1, %eax\n"	/* LHCALL_INIT */
     "	syscall\n"
     "1:	mov	(%rbx), %rax\n"
     "	add	$0x200000, %rbx\n"
     "	cmp	%r12, %rbx\n"
     "	jb	1b\n"
     "2:	mov	$6, %eax\n"	/* LHCALL_FLUSH_TLB */
     "	mov	$2, %edi\n"	/* LGUEST_FLUSH_ALL */
     "	syscall\n"
     "	dec	%r13\n"
     "	jnz	2b\n"
     POWEROFF);
_Static_assert(LHCALL_INIT == 1 && LGUEST_FLUSH_ALL == 2, "as in the code above");

#define TABLES		8192U
#define TABLES_AT	0xffff960000000000	/* what entry 300 of the top-level table maps */
#define BUCKET(gfn)	((gfn) * 0x61c8864680b583eb >> 54)	/* hash_64() of Linux */

/* Tables in frames from 5 GiB on: all in one bucket, or one after the other. */
static void place_tables(struct vm *vm, uint8_t *memory, bool one_bucket)
{
	uint64_t gfn = 5 * GIB / 4096, *l2 = more_word(0);
	unsigned int i;

	vm_word(vm, VM_PML4)[300] = VM_SPARE_TABLE | PTE_KERNEL;
	for (i = 0; i < TABLES / 512; i++)
		vm_word(vm, VM_SPARE_TABLE)[i] = (MORE + i * 4096) | PTE_KERNEL;
	for (i = 0; i < TABLES; i++, gfn++) {
		while (one_bucket && BUCKET(gfn) != 7)
			gfn++;
		l2[i] = gfn * 4096 | PTE_KERNEL;
		*(uint64_t *)(memory + gfn * 4096 - 4 * GIB) = VM_USER_PHYS | PTE_KERNEL;
	}
}

/* How long five flushes of that take at best; -1: nothing came of it. */
static long flush_us(bool one_bucket)
{
	long best = -1, begin, us;
	struct vm vm = {};
	uint8_t *memory;
	unsigned int i;

	if (vm_make(&vm) || !(more = add_memory(&vm, MORE, 2 * LARGE)))
		return -1;
	memory = add_memory(&vm, 4 * GIB, 34 * GIB);
	if (!memory)
		return -1;
	madvise(memory, 34 * GIB, MADV_NOHUGEPAGE);
	place_tables(&vm, memory, one_bucket);
	*(struct lguest_init *)vm_word(&vm, VM_INIT) = (struct lguest_init) {
		.abi_version = LGUEST_ABI_VERSION, .event_entry = VM_KERNEL + VM_EVENT,
		.syscall_entry = VM_KERNEL + VM_SYSCALL, .kernel_address = 0xffff800000000000,
		/* Nothing is there, and so all tables count as changed. */
		.dirty_map = 4 * GIB, .dirty_map_size = 38 * GIB / 4096,
	};
	LOAD(&vm, VM_CODE, many_tables);
	for (i = 0; i < 3; i++) {
		struct lguest_regs regs = {
			.rdi = VM_KERNEL + VM_INIT, .rbx = TABLES_AT,
			.r12 = TABLES_AT + TABLES * LARGE, .r13 = i ? 5 : 1,
		};

		begin = now_us();
		if (run(&vm, &regs) != LGUEST_EXIT_SHUTDOWN) {
			best = -1;
			break;
		}
		us = now_us() - begin;
		if (i && (best < 0 || us < best))
			best = us;
	}
	munmap(memory, 34 * GIB);
	vm_end(&vm);
	return best;
}

static void one_bucket(struct vm *vm)
{
	long all, one;

	(void)vm;
	all = flush_us(false);
	one = flush_us(true);
	tap_note("%u tables: %ld us, in one bucket of a known hash: %ld us", TABLES, all, one);
	tap_result(all > 0 && one > 0 && one < 8 * all, "a_bucket_cannot_be_filled");
}

/*
 * One table by two entries, of which a flush takes in the one in part and the other as a
 * whole: what the first part does not name must not be left out for having been there.
 */
CODE(table_twice,
     "	mov	(%r8), %rax\n"
     "	mov	(%r9), %rax\n"
     "	mov	%r10, (%r12)\n"
     FLUSH_RANGE
     "	mov	(%r8), %rbx\n"
     POWEROFF);

static void table_twice(struct vm *vm)
{
	struct lguest_regs regs = {
		.r8 = REGION(2) + 3 * 4096, .r9 = REGION(1) + 5 * 4096,
		.r10 = (MORE + 4096) | PTE_KERNEL, .r12 = VM_KERNEL + TABLE + 3 * 8,
		.r14 = REGION(1) + 4 * 4096, .r15 = REGION(3),
	};

	PDE(vm, 1) = PDE(vm, 2) = TABLE | PTE_KERNEL;
	vm_word(vm, TABLE)[3] = vm_word(vm, TABLE)[5] = MORE | PTE_KERNEL;
	*(uint64_t *)more_word(0) = 1;
	*(uint64_t *)more_word(4096) = 2;
	LOAD(vm, VM_CODE, table_twice);
	if (run(vm, &regs) != LGUEST_EXIT_SHUTDOWN)
		regs.rbx = 0;
	tap_result(regs.rbx == 2, "all_that_was_flushed_is_new (%llu)", (unsigned long long)regs.rbx);
}

/*
 * A device's page that may be read, and a read of it that another thread turns into a write
 * after it has faulted and before the Host looks at it.
 */
CODE(device_read,
     "	mov	$1, %eax\n"	/* LHCALL_INIT */
     "	mov	%r8, %rdi\n"
     "	syscall\n"
     "	mov	$2, %eax\n"	/* LHCALL_REGISTER */
     "	mov	%r9, %rdi\n"
     "	xor	%esi, %esi\n"
     "	syscall\n"
     "	.globl	code_device_access\n"
     "code_device_access:\n"
     "	mov	(%r12), %ebx\n"
     "	jmp	code_device_access\n");
CODE(device_event,
     "	movl	$0, (%r13)\n"
     "	jmp	*%r14\n");
extern const char code_device_access[];
_Static_assert(LHCALL_REGISTER == 2, "as in the code above");

/* The second byte of the instruction: MOV to a register, and from it. */
#define MOV_LOAD	0x8b
#define MOV_STORE	0x89

static volatile bool flipping;

static void *flip(void *opcode)
{
	unsigned int i;

	while (flipping) {
		*(volatile uint8_t *)opcode ^= MOV_LOAD ^ MOV_STORE;
		for (i = 0; i < 300; i++)
			asm volatile("pause");
	}
	*(volatile uint8_t *)opcode = MOV_LOAD;
	return NULL;
}

static void device_read_only(struct vm *vm)
{
	size_t at = VM_CODE + (code_device_access - code_device_read);
	struct lguest_regs regs = {
		.rip = VM_KERNEL + VM_CODE, .rsp = VM_KERNEL + VM_STACK_TOP, .rflags = 2,
		.cr3 = VM_PML4, .kernel_mode = 1,
		.r8 = VM_KERNEL + VM_INIT, .r9 = VM_KERNEL + VM_DATA, .r12 = REGION(1),
		.r13 = VM_KERNEL + VM_DATA + offsetof(struct lguest_data, event_valid),
		.r14 = VM_KERNEL + at,
	};
	unsigned int reads = 0, writes = 0;
	long end = now_us() + 4000000;
	pthread_t thread;
	int err = 0;

	PDE(vm, 1) = TABLE | PTE_KERNEL;
	vm_word(vm, TABLE)[0] = (LGUEST_HOLE_START + 0x3000) | PTE_PRESENT;
	*(struct lguest_init *)vm_word(vm, VM_INIT) = (struct lguest_init) {
		.abi_version = LGUEST_ABI_VERSION, .event_entry = VM_KERNEL + VM_EVENT,
		.syscall_entry = VM_KERNEL + VM_SYSCALL, .kernel_address = 0xffff800000000000,
	};
	LOAD(vm, VM_CODE, device_read);
	LOAD(vm, VM_EVENT, device_event);
	if (!tap_result(ioctl(vm->vcpu_fd, LGUEST_SET_REGS, &regs) >= 0 && !vm_run(vm, 5000) &&
			vm->run->exit_reason == LGUEST_EXIT_MMIO, "the_guest_reads_a_device"))
		return;
	flipping = true;
	pthread_create(&thread, NULL, flip, vm->memory + at + 1);
	while (!err && reads + writes < 5000 && now_us() < end) {
		err = vm_run(vm, 1000);
		if (vm->run->exit_reason != LGUEST_EXIT_MMIO)
			break;
		*(vm->run->mmio.is_write ? &writes : &reads) += 1;
	}
	flipping = false;
	pthread_join(thread, NULL);
	if (vm->run->exit_reason == LGUEST_EXIT_KILLED)
		tap_note("killed: %s", vm->run->killed.reason);
	tap_note("%u reads, %u writes, error %d", reads, writes, err);
	tap_result(reads > 100, "it_goes_on");
	tap_result(!writes, "it_never_writes_there");
}

/* --- Running them --------------------------------------------------------------------- */

static const struct {
	const char *name;
	void (*run)(struct vm *vm);
} cases[] = {
	{ "one_size_at_a_time", one_size_at_a_time },
	{ "memory_elsewhere", memory_elsewhere },
	{ "range_under_way", range_under_way },
	{ "one_bucket", one_bucket },
	{ "table_twice", table_twice },
	{ "device_read_only", device_read_only },
};

#define CASES	(sizeof(cases) / sizeof(cases[0]))

static bool wanted(const char *name, int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++)
		if (!strcmp(argv[i], name))
			return true;
	return argc == 1;
}

int main(int argc, char **argv)
{
	struct vm vm;
	unsigned int i;

	if (module_refcnt() < 0)
		return tap_missing("lg.ko is not loaded");
	for (i = 0; i < CASES; i++) {
		if (!wanted(cases[i].name, argc, argv))
			continue;
		if (!tap_result(!vm_make(&vm) && (more = add_memory(&vm, MORE, 2 * LARGE)),
				"%s: a_vm_is_made", cases[i].name))
			continue;
		cases[i].run(&vm);
		vm_end(&vm);
	}
	tap_result(module_unused(), "the_module_is_unused");
	return tap_end();
}
