// SPDX-License-Identifier: GPL-2.0-only
/* A machine of one CPU, for tests of the launcher. */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "fake_guest.h"
#include "fake_lg.h"
#include "unit.h"

struct machine machine;
struct vm vm;
const struct boot_entry entry = { .rip = 0xffffffff81000000, .rsi = 0x1000, .cr3 = 0x4000 };

static void (*the_guest)(void);
static bool has_thread;
static sem_t go, stopped;

static void *run_guest_thread(void *argument)
{
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, NULL);
	sem_wait(&go);
	the_guest();
	return argument;
}

/* LGUEST_RUN: let the guest run to its next exit. */
static int run(void)
{
	pthread_t thread;

	if (machine.run_error) {
		errno = machine.run_error;
		return -1;
	}
	if (!has_thread) {
		sem_init(&go, 0, 0);
		sem_init(&stopped, 0, 0);
		pthread_create(&thread, NULL, run_guest_thread, NULL);
		has_thread = true;
	}
	sem_post(&go);
	if (sem_wait(&stopped) < 0)
		return -1;	/* EINTR */
	return 0;
}

int fake_vm_ioctl(unsigned long request, void *argument)
{
	switch (request) {
	case LGUEST_SET_MEMORY:
		machine.memory[machine.memories++] = *(struct lguest_memory *)argument;
		return 0;
	case LGUEST_CREATE_VCPU:
		machine.run = fake_vcpu(0);
		return VCPU_FD;
	case LGUEST_IRQFD:
		machine.irqfd[machine.irqfds++] = *(struct lguest_irqfd *)argument;
		return 0;
	case LGUEST_IOEVENTFD:
		machine.ioeventfd[machine.ioeventfds++] = *(struct lguest_ioeventfd *)argument;
		return 0;
	default:
		errno = ENOTTY;
		return -1;
	}
}

int fake_vcpu_ioctl(unsigned int number, unsigned long request, void *argument)
{
	ck_assert_uint_eq(number, 0);
	switch (request) {
	case LGUEST_SET_REGS:
		machine.regs = *(struct lguest_regs *)argument;
		return 0;
	case LGUEST_GET_REGS:
		*(struct lguest_regs *)argument = machine.regs;
		return 0;
	case LGUEST_GET_STATS:
		memset(argument, 0, sizeof(struct lguest_stats));
		((struct lguest_stats *)argument)->exits = 12345;
		return 0;
	case LGUEST_RUN:
		return run();
	default:
		errno = ENOTTY;
		return -1;
	}
}

void guest_exit(uint32_t reason)
{
	machine.run->exit_reason = reason;
	sem_post(&stopped);
	sem_wait(&go);
}

uint64_t guest_read(uint64_t gpa)
{
	machine.run->mmio.guest_phys = gpa;
	machine.run->mmio.length = 4;
	machine.run->mmio.is_write = 0;
	machine.run->mmio.data = 0x1234567812345678;
	guest_exit(LGUEST_EXIT_MMIO);
	return machine.run->mmio.data;
}

void guest_write(uint64_t gpa, uint32_t value)
{
	machine.run->mmio.guest_phys = gpa;
	machine.run->mmio.length = 4;
	machine.run->mmio.is_write = 1;
	machine.run->mmio.data = value;
	guest_exit(LGUEST_EXIT_MMIO);
}

void guest_print(const char *text)
{
	machine.run->console.length = strlen(text);
	memcpy(machine.run->console.data, text, strlen(text));
	guest_exit(LGUEST_EXIT_CONSOLE);
}

void guest_shutdown(uint32_t reason, const char *text)
{
	machine.run->shutdown.reason = reason;
	snprintf(machine.run->shutdown.message, LGUEST_MESSAGE_MAX, "%s", text);
	guest_exit(LGUEST_EXIT_SHUTDOWN);
}

void guest_poweroff(void)
{
	guest_shutdown(LGUEST_SHUTDOWN_POWEROFF, "");
}

/* Start a VM with this guest and @size bytes of memory. */
int start(void (*guest)(void), uint64_t size)
{
	struct options options = { .memory = size, .cpus = 1 };
	int error;

	the_guest = guest;
	error = vm_init(&vm, &options, false);
	if (!error)
		error = vm_start(&vm, &entry);
	return error;
}

void good_start(void (*guest)(void))
{
	ck_assert_msg(!start(guest, 64 * MIB), "%s", unit_last_message);
}
