// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's side of guest.h: all of this runs in the guest. A report to the test is the
 * LHCALL_CONSOLE of a struct guest_message: it ends LGUEST_RUN, needs no event entry, and
 * the guest goes on with the next one.
 */
#include "guest_code.h"

/* In the order of guest_entry.S. */
struct saved_registers {
	uint64_t rax, rcx, r11, rbp, r10, r9, r8, rdx, rsi, rdi;
};

struct guest_cpu guest_cpus[GUEST_MAX_VCPUS];

static struct guest_cpu *this_cpu(void)
{
	struct guest_cpu *cpu;

	asm volatile("mov %%gs:0, %0" : "=r" (cpu));
	return cpu;
}

static void say(struct guest_message *message)
{
	message->magic = GUEST_MAGIC;
	guest_call(LHCALL_CONSOLE, (uintptr_t)message, sizeof(*message), 0, 0);
}

static void __attribute__((noreturn)) say_for_ever(struct guest_message *message)
{
	for (;;)
		say(message);
}

void guest_sync(uint64_t number)
{
	say(&(struct guest_message) { .what = GUEST_AT_SYNC, .value[0] = number });
}

void guest_broke(const char *file, unsigned int line, const char *text, uint64_t a, uint64_t b)
{
	say_for_ever(&(struct guest_message) {
		.what = GUEST_BROKE, .file = file, .line = line, .text = text, .value = { a, b },
	});
}

void guest_power_off(void)
{
	for (;;)
		guest_call(LHCALL_SHUTDOWN, LGUEST_SHUTDOWN_POWEROFF, 0, 0, 0);
}

unsigned int guest_number(void)
{
	return this_cpu()->nr;
}

struct lguest_data *guest_data(void)
{
	return this_cpu()->data;
}

void guest_ready(void)
{
	struct guest_cpu *cpu = this_cpu();

	guest_call(LHCALL_INIT, VM_KERNEL + VM_INIT, 0, 0, 0);
	guest_call(LHCALL_REGISTER, (uintptr_t)cpu->data, (uintptr_t)cpu, 0, 0);
}

void guest_begin_bare(guest_code_t code, uint64_t argument)
{
	code(argument);
	guest_power_off();
}

void guest_begin(guest_code_t code, uint64_t argument)
{
	guest_ready();
	guest_begin_bare(code, argument);
}

const struct guest_exception *guest_try(guest_code_t code, uint64_t argument)
{
	struct guest_cpu *cpu = this_cpu();
	int caught = guest_try_call(code, argument, &cpu->try_sp);

	cpu->try_sp = 0;
	return caught ? &cpu->caught : NULL;
}

void guest_handle(guest_handler_t handler)
{
	this_cpu()->handler = handler;
}

/* From guest_event_entry, in assembly. */
void guest_event(struct saved_registers *registers);
void guest_event(struct saved_registers *registers)
{
	struct guest_cpu *cpu = this_cpu();
	struct lguest_data *data = cpu->data;
	struct lguest_frame frame = data->event;
	struct guest_exception exception = {
		.vector = data->event_vector, .error = data->event_error, .cr2 = data->cr2,
		.ip = frame.ip, .sp = frame.sp, .flags = frame.flags,
	};

	/* From here on the host may write the next one there. */
	*(volatile uint32_t *)&data->event_valid = 0;
	if (cpu->try_sp && exception.vector < LGUEST_FIRST_VECTOR) {
		cpu->caught = exception;
		frame.ip = (uintptr_t)guest_try_caught;
		frame.sp = cpu->try_sp;
		registers->rax = 1;
		cpu->try_sp = 0;
	} else if (cpu->handler) {
		cpu->handler(&exception);
		frame.ip = exception.ip;
	} else {
		say_for_ever(&(struct guest_message) {
			.what = GUEST_FAULTED, .exception = exception,
		});
	}
	data->iret = frame;
	data->iret_ax = registers->rax;
	data->iret_cx = registers->rcx;
	data->iret_r11 = registers->r11;
}

uint64_t *guest_entry_in(uint8_t *memory, uint64_t gva)
{
	uint64_t table = VM_PML4, *entry;
	unsigned int shift;

	for (shift = 39;; shift -= 9) {
		entry = (uint64_t *)(memory + table) + (gva >> shift & 511);
		if (shift == 12 || (shift == 21 && *entry & PTE_LARGE))
			return entry;
		if (!(*entry & PTE_PRESENT))
			return NULL;
		table = *entry & PTE_FRAME;
	}
}

uint64_t *guest_entry(uint64_t gva)
{
	return guest_entry_in((uint8_t *)VM_KERNEL, gva);
}

void guest_flush(uint64_t start, uint64_t end)
{
	guest_call(LHCALL_FLUSH_TLB, LGUEST_FLUSH_RANGE, start, end, 0);
}

void guest_flush_others(uint64_t start, uint64_t end)
{
	guest_call(LHCALL_FLUSH_MULTI, LGUEST_FLUSH_RANGE, start, end, ~0ULL);
}
