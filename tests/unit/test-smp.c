// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guests with several CPUs: a function of the test does what a virtual CPU does in
 * LGUEST_RUN, in the thread that calls LGUEST_RUN.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/virtio_mmio.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/compiler.h"
#include "fake_lg.h"
#include "lguest_abi.h"
#include "base/message.h"
#include "report.h"
#include "run.h"
#include "control/stats.h"
#include "terminal/terminal.h"
#include "unit.h"
#include "vm.h"
#include "wrap.h"

#define MIB	(1ULL << 20)
#define ALL	LGUEST_MAX_VCPUS

/* What LGUEST_RUN does on one virtual CPU. Return: 0 or a negative errno. */
typedef int behaviour(unsigned int number);

static struct {
	unsigned int created;		/* how many virtual CPUs were made */
	unsigned int refuse;		/* creating this one fails; 0: none fails */
	unsigned int registers;		/* calls of LGUEST_SET_REGS for number 0 */
	struct lguest_run *run[ALL];
	behaviour *behaviour[ALL];
	unsigned int calls[ALL];	/* of LGUEST_RUN; each thread has its own */
	pthread_t thread[ALL];		/* the thread that called LGUEST_RUN */
	atomic_uint entered;		/* how many virtual CPUs have called it */
} lg;

static int threads_left = -1;	/* so many more pthread_create() succeed; -1: all do */

static struct vm vm;
static struct boot_entry entry = { .rip = 0xffffffff81000000, .rsi = 0x1000, .cr3 = 0x4000 };

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
			  void *(*body)(void *), void *argument)
{
	if (!threads_left)
		return EAGAIN;
	if (threads_left > 0)
		threads_left--;
	return __real_pthread_create(thread, attributes, body, argument);
}

static int run(unsigned int number)
{
	int error;

	if (!lg.calls[number]++) {
		lg.thread[number] = pthread_self();
		lg.entered++;
	}
	error = READ_ONCE(lg.run[number]->immediate_exit) ? -EINTR : lg.behaviour[number](number);
	errno = -error;
	return error ? -1 : 0;
}

int fake_vm_ioctl(unsigned long request, void *argument)
{
	unsigned int number = (uintptr_t)argument;

	if (request != LGUEST_CREATE_VCPU)
		return 0;
	ck_assert_uint_eq(number, lg.created);
	if (number && number == lg.refuse) {
		errno = ENOSPC;
		return -1;
	}
	lg.created++;
	lg.run[number] = fake_vcpu(number);
	return VCPU_FD + number;
}

int fake_vcpu_ioctl(unsigned int number, unsigned long request, void *argument)
{
	struct lguest_stats *stats = argument;
	struct lguest_regs *regs = argument;

	switch (request) {
	case LGUEST_SET_REGS:
		ck_assert_uint_eq(number, 0);
		ck_assert_uint_eq(regs->rip, entry.rip);
		lg.registers++;
		return 0;
	case LGUEST_GET_REGS:
		*regs = (struct lguest_regs){ .rip = 0x1000 + number, .kernel_mode = 1 };
		return 0;
	case LGUEST_GET_STATS:
		*stats = (struct lguest_stats){ .exits = 100 + number, .halts = 1,
						.shadow_pages = 77 };
		stats->exceptions[14] = number;
		return 0;
	case LGUEST_RUN:
		return run(number);
	default:
		errno = ENOTTY;
		return -1;
	}
}

/* --- What virtual CPUs do. ------------------------------------------------ */

/* Stay in the kernel until a signal comes: not started, halted, or at work. */
static int waits(unsigned int number)
{
	sigset_t wake_up, old;
	int error = -EINTR;

	sigemptyset(&wake_up);
	sigaddset(&wake_up, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &wake_up, &old);
	if (!READ_ONCE(lg.run[number]->immediate_exit)) {
		sigdelset(&old, SIGUSR1);
		error = ppoll(NULL, 0, NULL, &old) < 0 ? -errno : 0;
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return error;
}

/* Wait until all virtual CPUs are here. */
static void wait_for_all(void)
{
	while (lg.entered < vm.vcpus)
		usleep(100);
}

static int ends(unsigned int number, uint32_t reason)
{
	wait_for_all();
	lg.run[number]->exit_reason = LGUEST_EXIT_SHUTDOWN;
	lg.run[number]->shutdown.reason = reason;
	snprintf(lg.run[number]->shutdown.message, 64, "panic on %u", number);
	return 0;
}

static int powers_off(unsigned int number)
{
	return ends(number, LGUEST_SHUTDOWN_POWEROFF);
}

static int restarts(unsigned int number)
{
	return ends(number, LGUEST_SHUTDOWN_RESTART);
}

static int panics(unsigned int number)
{
	return ends(number, LGUEST_SHUTDOWN_CRASH);
}

static int is_killed(unsigned int number)
{
	wait_for_all();
	lg.run[number]->exit_reason = LGUEST_EXIT_KILLED;
	snprintf(lg.run[number]->killed.reason, LGUEST_REASON_MAX, "killed on %u", number);
	return 0;
}

static int fails(unsigned int number)
{
	(void)number;
	return -ENXIO;
}

/* Use registers of the console and the random number generator, whether that makes sense or not. */
static int uses_registers(unsigned int number)
{
	static _Thread_local unsigned int seed;
	struct lguest_run *page = lg.run[number];

	if (lg.calls[number] > 20000)
		return powers_off(number);
	if (!seed)
		seed = number + 1;
	page->exit_reason = LGUEST_EXIT_MMIO;
	page->mmio.guest_phys = 0xd0000000 + rand_r(&seed) % 3 * 0x1000 + rand_r(&seed) % 0x108 * 4;
	page->mmio.length = 4;
	page->mmio.is_write = rand_r(&seed) % 2;
	page->mmio.data = rand_r(&seed) >> (rand_r(&seed) % 4 ? 27 : 0);
	return 0;
}

static void print(unsigned int number, const char *text)
{
	lg.run[number]->exit_reason = LGUEST_EXIT_CONSOLE;
	lg.run[number]->console.length = strlen(text);
	memcpy(lg.run[number]->console.data, text, strlen(text));
}

static int prints_then_waits(unsigned int number)
{
	char line[64];

	if (lg.calls[number] > 20) {
		lg.entered++;
		lg.behaviour[number] = waits;
		return waits(number);
	}
	snprintf(line, sizeof(line), "<%02u what this CPU has to say>\n", number);
	print(number, line);
	return 0;
}

/* Print; number 0 ends when all the others have printed everything. */
static int prints_then_powers_off(unsigned int number)
{
	if (lg.calls[number] <= 20)
		return prints_then_waits(number);
	while (lg.entered < 2 * vm.vcpus - 1)
		usleep(100);
	return powers_off(number);
}

static int prints_forever(unsigned int number)
{
	static char text[1025];

	memset(text, 'x', sizeof(text) - 1);
	print(number, text);
	return 0;
}

/* --- What tests do. ------------------------------------------------------- */

static unsigned int times_said(const char *words)
{
	unsigned int count = 0;
	const char *at;

	for (at = unit_said; (at = strstr(at, words)); at++)
		count++;
	return count;
}

/* Ignores messages, where several threads may print at once. */
static void ignore(const char *text)
{
	(void)text;
}

/* Start a VM whose virtual CPUs all do the same. */
static void start(unsigned int cpus, behaviour *all)
{
	struct options options = { .memory = 16 * MIB, .cpus = cpus };
	unsigned int i;

	memset(&lg, 0, sizeof(lg));
	unit_remember();
	for (i = 0; i < ALL; i++)
		lg.behaviour[i] = all;
	ck_assert_int_eq(vm_init(&vm, &options, false), 0);
	ck_assert_int_eq(vm_start(&vm, &entry), 0);
}

/* Free everything, and check that no thread is left. */
static void finish(void)
{
	unsigned int i;

	for (i = 0; i < vm.vcpus; i++)
		ck_assert(!vm.vcpu[i].thread.started);
	vm_exit(&vm);
	ck_assert_int_eq(fcntl(VM_FD, F_GETFD), -1);
	for (i = 0; i < ALL; i++) {
		ck_assert_int_eq(fcntl(VCPU_FD + i, F_GETFD), -1);
		if (lg.run[i])
			munmap(lg.run[i], 4096);
	}
}

/* --- The tests. ----------------------------------------------------------- */

START_TEST(each_cpu_has_its_thread_and_the_first_one_boots)
{
	unsigned int i, j;

	start(ALL, waits);
	lg.behaviour[0] = powers_off;
	ck_assert_uint_eq(lg.created, ALL);
	ck_assert_uint_eq(lg.registers, 1);
	ck_assert_int_eq(run_guest(&vm), RUN_POWEROFF);
	ck_assert_uint_eq(lg.entered, ALL);
	ck_assert(pthread_equal(lg.thread[0], pthread_self()));
	for (i = 0; i < ALL; i++)
		for (j = 0; j < i; j++)
			ck_assert(!pthread_equal(lg.thread[i], lg.thread[j]));
	finish();
	ck_assert_str_eq(unit_said, "");
}
END_TEST

START_TEST(one_cpu_is_the_main_thread_alone)
{
	start(1, powers_off);
	threads_left = 0;
	ck_assert_int_eq(run_guest(&vm), RUN_POWEROFF);
	ck_assert_uint_eq(lg.created, 1);
	finish();
}
END_TEST

START_TEST(any_cpu_may_end_the_guest)
{
	unsigned int i;

	for (i = 0; i < 4; i++) {
		start(4, waits);
		lg.behaviour[i] = powers_off;
		ck_assert_int_eq(run_guest(&vm), RUN_POWEROFF);
		finish();
		start(4, waits);
		lg.behaviour[i] = restarts;
		ck_assert_int_eq(run_guest(&vm), RUN_RESTART);
		finish();
		ck_assert_str_eq(unit_said, "");
	}
}
END_TEST

START_TEST(crash_report_is_of_the_cpu_that_crashed)
{
	start(4, waits);
	lg.behaviour[2] = panics;
	ck_assert_int_eq(run_guest(&vm), RUN_CRASHED);
	ck_assert_uint_eq(times_said("its registers on its CPU 2, in its kernel:"), 1);
	ck_assert_uint_eq(times_said("rip 0000000000001002"), 1);
	ck_assert_uint_eq(times_said("the guest's kernel panicked: panic on 2\n"), 1);
	finish();
}
END_TEST

START_TEST(many_ends_make_one_report)
{
	char registers[64], reason[64];
	int i;

	for (i = 0; i < 20; i++) {
		start(ALL, is_killed);
		ck_assert_int_eq(run_guest(&vm), RUN_CRASHED);
		ck_assert_uint_eq(times_said("the host ended the guest"), 1);
		ck_assert_uint_eq(times_said("its registers"), 1);
		snprintf(registers, sizeof(registers), "on its CPU %u,", vm.ended_by->number);
		snprintf(reason, sizeof(reason), "killed on %u\n", vm.ended_by->number);
		ck_assert_uint_eq(times_said(registers), 1);
		ck_assert_uint_eq(times_said(reason), 1);
		finish();
	}
}
END_TEST

START_TEST(run_that_fails_on_any_cpu_is_a_crash)
{
	unsigned int i;

	for (i = 0; i < 4; i++) {
		start(4, waits);
		lg.behaviour[i] = fails;
		ck_assert_int_eq(run_guest(&vm), RUN_CRASHED);
		ck_assert_uint_eq(times_said("the host can't run the guest: No such device"), 1);
		finish();
		/* All virtual CPUs but one fail at once. */
		start(ALL, fails);
		lg.behaviour[i] = waits;
		ck_assert_int_eq(run_guest(&vm), RUN_CRASHED);
		ck_assert_uint_eq(times_said("the host can't run the guest"), 1);
		finish();
	}
}
END_TEST

START_TEST(cpu_that_can_not_be_made_is_told)
{
	struct options options = { .memory = MIB, .cpus = 4 };

	lg.refuse = 2;
	ck_assert_int_eq(vm_init(&vm, &options, false), 0);
	unit_refused(vm_start(&vm, &entry), "the host refuses a virtual CPU: No space left");
	finish();
}
END_TEST

START_TEST(thread_that_can_not_be_made_is_told)
{
	unsigned int i;

	for (i = 0; i < 3; i++) {
		start(4, waits);
		threads_left = i;
		ck_assert_int_eq(run_guest(&vm), RUN_NOT_STARTED);
		ck_assert_uint_eq(times_said("\n"), 1);
		ck_assert_uint_eq(times_said("can't start a thread"), 1);
		ck_assert_uint_eq(lg.calls[0], 0);
		threads_left = -1;
		finish();
	}
}
END_TEST

/* Under tests/local/unit-tsan.sh this test looks for races in the devices. */
START_TEST(registers_may_be_used_by_all_at_once)
{
	start(8, uses_registers);
	message_sink = ignore;
	ck_assert_int_eq(run_guest(&vm), RUN_POWEROFF);
	finish();
}
END_TEST

START_TEST(early_output_of_several_cpus_is_not_mixed)
{
	unsigned int count[8] = { 0 }, number, i;
	int output = catch_output(0), end;
	static char text[16384];
	const char *at = text;

	start(8, prints_then_waits);
	lg.behaviour[0] = prints_then_powers_off;
	ck_assert_int_eq(run_guest(&vm), RUN_POWEROFF);
	finish();
	ck_assert_int_gt(read(output, text, sizeof(text) - 1), 0);
	for (; *at; at += end) {
		end = 0;
		ck_assert_int_eq(sscanf(at, "<%2u what this CPU has to say>\n%n", &number, &end), 1);
		ck_assert_int_gt(end, 0);
		ck_assert_uint_lt(number, 8);
		count[number]++;
	}
	for (i = 0; i < 8; i++)
		ck_assert_uint_eq(count[i], 20);
}
END_TEST

static void leave_it(behaviour *all)
{
	pthread_t typist;
	int ours, its;

	ck_assert_int_eq(openpty(&ours, &its, NULL, NULL, NULL), 0);
	dup2(its, STDIN_FILENO);
	start(4, all);
	ck_assert(terminal_is_raw());
	pthread_create(&typist, NULL, type_ctrl_a_x, &ours);
	ck_assert_int_eq(run_guest(&vm), RUN_LEFT);
	pthread_join(typist, NULL);
	finish();
	terminal_restore();
	close(ours);
	close(its);
}

START_TEST(ctrl_a_x_stops_all_cpus)
{
	leave_it(waits);
}
END_TEST

/* All virtual CPUs wait for output: one in write(), the others for that one. */
START_TEST(ctrl_a_x_stops_cpus_whose_output_nobody_reads)
{
	int i;

	for (i = 0; i < 5; i++) {
		int output = catch_output(0);

		leave_it(prints_forever);
		close(output);
	}
}
END_TEST

/* A deadly signal ends the program although it has several threads. */
START_TEST(deadly_signal_ends_all_and_restores_the_terminal)
{
	struct termios settings;
	int ours, its, status;
	pid_t child;

	ck_assert_int_eq(openpty(&ours, &its, NULL, NULL, NULL), 0);
	child = fork();
	if (!child) {
		dup2(its, STDIN_FILENO);
		terminal_init();
		start(4, waits);
		run_guest(&vm);
		_exit(99);
	}
	do {
		usleep(10000);
		tcgetattr(its, &settings);
	} while (settings.c_lflag & ICANON);
	usleep(100000);
	kill(child, SIGTERM);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	tcgetattr(its, &settings);
	ck_assert(settings.c_lflag & ICANON);
}
END_TEST

START_TEST(stats_are_the_sum_over_the_cpus)
{
	start(4, waits);
	stats_report(&vm);
	ck_assert_uint_eq(times_said("  exits                                     406\n"), 1);
	ck_assert_uint_eq(times_said("  exits of CPU 0                            100\n"), 1);
	ck_assert_uint_eq(times_said("  exits of CPU 3                            103\n"), 1);
	ck_assert_uint_eq(times_said("  exception #PF                               6\n"), 1);
	ck_assert_uint_eq(times_said("  halts                                       4\n"), 1);
	ck_assert_uint_eq(times_said("  shadow pages now                           77\n"), 1);
	finish();
	start(1, waits);
	stats_report(&vm);
	ck_assert_uint_eq(times_said("  exits                                     100\n"), 1);
	ck_assert_uint_eq(times_said("exits of CPU"), 0);
	finish();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("several CPUs");

	UNIT_ADD(suite, each_cpu_has_its_thread_and_the_first_one_boots);
	UNIT_ADD(suite, one_cpu_is_the_main_thread_alone);
	UNIT_ADD(suite, any_cpu_may_end_the_guest);
	UNIT_ADD(suite, crash_report_is_of_the_cpu_that_crashed);
	UNIT_ADD(suite, many_ends_make_one_report);
	UNIT_ADD(suite, run_that_fails_on_any_cpu_is_a_crash);
	UNIT_ADD(suite, cpu_that_can_not_be_made_is_told);
	UNIT_ADD(suite, thread_that_can_not_be_made_is_told);
	UNIT_ADD(suite, registers_may_be_used_by_all_at_once);
	UNIT_ADD(suite, early_output_of_several_cpus_is_not_mixed);
	UNIT_ADD(suite, ctrl_a_x_stops_all_cpus);
	UNIT_ADD(suite, ctrl_a_x_stops_cpus_whose_output_nobody_reads);
	UNIT_ADD(suite, deadly_signal_ends_all_and_restores_the_terminal);
	UNIT_ADD(suite, stats_are_the_sum_over_the_cpus);
	return unit_run(suite);
}
