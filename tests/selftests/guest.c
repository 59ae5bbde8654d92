// SPDX-License-Identifier: GPL-2.0-only
/* The test's side of guest.h: a VM that has the program's image, its vCPUs, what they report. */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "guest_code.h"
#include "tap.h"

#define PAGE	4096UL
#define LARGE	0x200000UL
#define MOST	(25UL << 30)	/* in one piece, of 16 times what the host has */

extern const char __executable_start[], _end[];

/* --- Memory and page tables ------------------------------------------------------------- */

uint64_t guest_end_of_memory(void)
{
	return VM_SIZE + (((uintptr_t)_end - GUEST_IMAGE + PAGE - 1) & ~(PAGE - 1));
}

static void map_image(struct vm *vm)
{
	uint64_t gpa;

	vm_word(vm, VM_PDPT_LOW)[GUEST_IMAGE >> 30 & 511] = GUEST_PD_IMAGE | PTE_KERNEL;
	vm_word(vm, VM_PDPT_HIGH)[GUEST_IMAGE_HIGH >> 30 & 511] = GUEST_PD_IMAGE | PTE_KERNEL;
	for (gpa = VM_SIZE; gpa < guest_end_of_memory(); gpa += LARGE)
		vm_word(vm, GUEST_PD_IMAGE)[(gpa - VM_SIZE) / LARGE] = gpa | PTE_KERNEL | PTE_LARGE;
}

/* The VM's memory ends where the image begins, and so both are one region of the guest's. */
static int make_vm(struct vm *vm, bool xen)
{
	void *at = mmap((void *)(GUEST_IMAGE - VM_SIZE), VM_SIZE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	int err;

	if (at == MAP_FAILED)
		return -errno;
	err = xen ? vm_make_xen(vm, at, guest_end_of_memory()) :
		    vm_make_of(vm, at, guest_end_of_memory());
	if (err)
		return err;
	map_image(vm);
	*(struct lguest_init *)vm_word(vm, VM_INIT) = (struct lguest_init) {
		.abi_version = LGUEST_ABI_VERSION,
		.event_entry = (uintptr_t)guest_event_entry - GUEST_IMAGE + GUEST_IMAGE_HIGH,
		.syscall_entry = VM_KERNEL + VM_SYSCALL,
		.kernel_address = 0xffff800000000000,
	};
	return 0;
}

static bool make_vcpu(struct guest *guest, unsigned int nr)
{
	struct guest_vcpu *vcpu = &guest->vcpu[nr];

	*vcpu = (struct guest_vcpu) {
		.guest = guest, .nr = nr, .limit_ms = GUEST_LIMIT_MS,
		.fd = guest->vm.vcpu_fd, .run = guest->vm.run,
	};
	guest_cpus[nr] = (struct guest_cpu) {
		.self = &guest_cpus[nr], .nr = nr,
		.data = (struct lguest_data *)(VM_KERNEL + GUEST_DATA(nr)),
	};
	memset(((struct lguest_data *)vm_word(&guest->vm, GUEST_DATA(nr)))->hcall_status,
	       LGUEST_RING_DONE, LGUEST_RING_SLOTS);
	if (nr) {
		vcpu->fd = ioctl(guest->vm.fd, LGUEST_CREATE_VCPU, (unsigned long)nr);
		vcpu->run = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
	}
	if (vcpu->run == MAP_FAILED) {
		tap_note("no vCPU %u: %s", nr, strerror(errno));
		if (vcpu->fd >= 0)
			close(vcpu->fd);
		return false;
	}
	guest->vcpus++;
	return true;
}

static bool make_guest(struct guest *guest, unsigned int vcpus, bool xen)
{
	unsigned int nr;
	int err;

	guest->vcpus = 0;
	guest->next_table = GUEST_TABLES;
	if ((uintptr_t)__executable_start != GUEST_IMAGE) {
		tap_note("not linked at GUEST_IMAGE: see GUEST_PROGS in the Makefile");
		return false;
	}
	err = make_vm(&guest->vm, xen);
	if (err) {
		tap_note("no VM: %s", strerror(-err));
		return false;
	}
	for (nr = 0; nr < vcpus; nr++) {
		if (!make_vcpu(guest, nr)) {
			guest_end(guest);
			return false;
		}
	}
	return true;
}

bool guest_make(struct guest *guest, unsigned int vcpus)
{
	return make_guest(guest, vcpus, false);
}

bool guest_make_xen(struct guest *guest, unsigned int vcpus)
{
	return make_guest(guest, vcpus, true);
}

void guest_end(struct guest *guest)
{
	unsigned int nr;

	for (nr = 1; nr < guest->vcpus; nr++) {
		munmap(guest->vcpu[nr].run, PAGE);
		close(guest->vcpu[nr].fd);
	}
	guest->vcpus = 0;
	if (guest->vm.memory)
		vm_end(&guest->vm);
}

uint8_t *guest_memory(struct guest *guest, uint64_t gpa, size_t size)
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
		if (ioctl(guest->vm.fd, LGUEST_SET_MEMORY, &memory))
			return NULL;
	}
	return at;
}

uint64_t *guest_walk(struct guest *guest, uint64_t gva)
{
	return guest_entry_in(guest->vm.memory, gva);
}

/* The table that @entry points to, made if there is none. */
static uint64_t table_of(struct guest *guest, uint64_t *entry)
{
	if (!(*entry & PTE_PRESENT) && guest->next_table < GUEST_TABLES_END) {
		*entry = guest->next_table | PTE_ALL;
		guest->next_table += PAGE;
	}
	return *entry & PTE_PRESENT && !(*entry & PTE_LARGE) ? *entry & PTE_FRAME : 0;
}

bool guest_map(struct guest *guest, uint64_t gva, uint64_t gpa, uint64_t flags)
{
	unsigned int shift, last = flags & PTE_LARGE ? 21 : 12;
	uint64_t table = VM_PML4;
	uint64_t *entry;

	for (shift = 39;; shift -= 9) {
		entry = vm_word(&guest->vm, table) + (gva >> shift & 511);
		if (shift == last)
			break;
		table = table_of(guest, entry);
		if (!table) {
			tap_note("no table for 0x%llx", (unsigned long long)gva);
			return false;
		}
	}
	*entry = gpa | flags | PTE_PRESENT;
	return true;
}

bool guest_unmap(struct guest *guest, uint64_t gva)
{
	uint64_t *entry = guest_walk(guest, gva);

	if (entry)
		*entry = 0;
	return entry;
}

/* --- Running ------------------------------------------------------------------------------ */

static bool start(struct guest_vcpu *vcpu, void (*begin)(guest_code_t, uint64_t),
		  guest_code_t code, uint64_t argument)
{
	struct lguest_regs regs = {
		.rip = (uintptr_t)begin, .rdi = (uintptr_t)code, .rsi = argument,
		/* As if it had been called. */
		.rsp = VM_KERNEL + GUEST_STACK_TOP(vcpu->nr) - 8,
		.rflags = 2, .cr3 = VM_PML4, .kernel_mode = 1,
		.gs_base = (uintptr_t)&guest_cpus[vcpu->nr],
	};

	if (!ioctl(vcpu->fd, LGUEST_SET_REGS, &regs))
		return true;
	tap_note("vCPU %u: no registers: %s", vcpu->nr, strerror(errno));
	return false;
}

bool guest_start(struct guest_vcpu *vcpu, guest_code_t code, uint64_t argument)
{
	return start(vcpu, guest_begin, code, argument);
}

bool guest_start_bare(struct guest_vcpu *vcpu, guest_code_t code, uint64_t argument)
{
	return start(vcpu, guest_begin_bare, code, argument);
}

/* What the guest says of itself, if it is a message of guest_code.c. */
static bool message_in(const struct lguest_run *run, struct guest_message *message)
{
	if (run->exit_reason != LGUEST_EXIT_CONSOLE || run->console.length != sizeof(*message))
		return false;
	memcpy(message, run->console.data, sizeof(*message));
	return message->magic == GUEST_MAGIC;
}

enum guest_what guest_run(struct guest_vcpu *vcpu)
{
	struct lguest_run *run = vcpu->run;
	struct guest_message message;
	enum guest_what what;
	int err;

	do {
		err = vcpu_run(vcpu->fd, run, vcpu->limit_ms);
	} while (!err && run->exit_reason == LGUEST_EXIT_NONE);
	if (!err && message_in(run, &message)) {
		vcpu->said = message;
		return message.what;
	}
	if (err)
		what = err == -EINTR ? GUEST_TOO_LONG : GUEST_ERROR;
	else if (run->exit_reason == LGUEST_EXIT_SHUTDOWN &&
		 run->shutdown.reason == LGUEST_SHUTDOWN_POWEROFF)
		what = GUEST_IS_DONE;
	else
		what = GUEST_EXIT;
	vcpu->said = (struct guest_message) { .what = what, .value[0] = -err };
	return what;
}

void guest_note(const struct guest_vcpu *vcpu)
{
	const struct guest_message *said = &vcpu->said;
	const struct guest_exception *e = &said->exception;
	const struct lguest_run *run = vcpu->run;
	bool killed = run->exit_reason == LGUEST_EXIT_KILLED;

	switch (said->what) {
	case GUEST_ERROR:
		tap_note("vCPU %u: LGUEST_RUN: %s", vcpu->nr, strerror(said->value[0]));
		break;
	case GUEST_TOO_LONG:
		tap_note("vCPU %u: still running after %u ms", vcpu->nr, vcpu->limit_ms);
		break;
	case GUEST_EXIT:
		tap_note("vCPU %u: exit reason %u%s%s", vcpu->nr, run->exit_reason,
			 killed ? ": " : "", killed ? run->killed.reason : "");
		break;
	case GUEST_AT_SYNC:
		tap_note("vCPU %u: GUEST_SYNC(%llu)", vcpu->nr, (unsigned long long)said->value[0]);
		break;
	case GUEST_BROKE:
		tap_note("vCPU %u: %s:%u: %s does not hold (0x%llx, 0x%llx)", vcpu->nr, said->file,
			 said->line, said->text, (unsigned long long)said->value[0],
			 (unsigned long long)said->value[1]);
		break;
	case GUEST_FAULTED:
		tap_note("vCPU %u: vector %u, error code 0x%llx, address 0x%llx, at 0x%llx",
			 vcpu->nr, e->vector, (unsigned long long)e->error, (unsigned long long)e->cr2,
			 (unsigned long long)e->ip);
		break;
	case GUEST_IS_DONE:
		tap_note("vCPU %u: done", vcpu->nr);
		break;
	}
}

bool guest_syncs(struct guest_vcpu *vcpu, uint64_t number)
{
	if (guest_run(vcpu) == GUEST_AT_SYNC && vcpu->said.value[0] == number)
		return true;
	guest_note(vcpu);
	return false;
}

/* Silently, for the sake of threads: who waits says it. */
static void run_to_end(struct guest_vcpu *vcpu)
{
	while (guest_run(vcpu) == GUEST_AT_SYNC)
		;
}

bool guest_finishes(struct guest_vcpu *vcpu)
{
	run_to_end(vcpu);
	if (vcpu->said.what != GUEST_IS_DONE)
		guest_note(vcpu);
	return vcpu->said.what == GUEST_IS_DONE;
}

static void *in_thread(void *vcpu)
{
	run_to_end(vcpu);
	return NULL;
}

bool guest_go(struct guest_vcpu *vcpu)
{
	return !pthread_create(&vcpu->thread, NULL, in_thread, vcpu);
}

bool guest_wait(struct guest_vcpu *vcpu)
{
	pthread_join(vcpu->thread, NULL);
	if (vcpu->said.what != GUEST_IS_DONE)
		guest_note(vcpu);
	return vcpu->said.what == GUEST_IS_DONE;
}

void guest_stop(struct guest_vcpu *vcpu)
{
	*(volatile uint8_t *)&vcpu->run->immediate_exit = 1;
	pthread_join(vcpu->thread, NULL);
	vcpu->run->immediate_exit = 0;
}

bool guest_all_finish(struct guest *guest)
{
	unsigned int nr, gone;
	bool done = true;

	for (gone = 0; gone < guest->vcpus && guest_go(&guest->vcpu[gone]); gone++)
		;
	for (nr = 0; nr < gone; nr++)
		done &= guest_wait(&guest->vcpu[nr]);
	return done && gone == guest->vcpus;
}
