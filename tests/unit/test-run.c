// SPDX-License-Identifier: GPL-2.0-only
/*
 * The launcher's whole life with a Guest, where this file is lg.ko and the
 * Guest: open() and ioctl() are ours (the linker's --wrap), and the Guest is a
 * function in a thread of its own, which stops at each exit.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/virtio_config.h>
#include <linux/virtio_mmio.h>
#include <poll.h>
#include <pty.h>
#include <semaphore.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "compiler.h"
#include "images.h"
#include "lguest_abi.h"
#include "message.h"
#include "report.h"
#include "run.h"
#include "terminal.h"
#include "unit.h"
#include "vm.h"
#include "wrap.h"

#define VM_FD	900
#define VCPU_FD	901
#define MIB	(1ULL << 20)

/* What a test wants of lg.ko, and what lg.ko was told. */
static struct {
	int open_error;			/* errno of opening /dev/lguest */
	int run_error;			/* errno of LGUEST_RUN */
	unsigned long fail;		/* the ioctl that fails with ENOSPC */
	struct lguest_info info;
	struct lguest_memory memory[2];
	int memories;
	struct lguest_regs regs;
	struct lguest_run *run;
	struct lguest_irqfd irqfd[4];
	int irqfds;
	struct lguest_ioeventfd ioeventfd[8];
	int ioeventfds;
	sem_t go, stopped;
	void (*guest)(void);
	bool has_guest;
	pthread_t thread;
} lg = {
	.info = { .api_version = LGUEST_API_VERSION, .abi_version = LGUEST_ABI_VERSION,
		  .run_size = 4096 },
};

static struct vm vm;
static struct boot_entry entry = { .rip = 0xffffffff81000000, .rsi = 0x1000, .cr3 = 0x4000 };

int __wrap_open(const char *path, int flags, ...)
{
	int memory;

	if (strcmp(path, LGUEST_DEVICE))
		return __real_open(path, flags, 0600);
	if (lg.open_error) {
		errno = lg.open_error;
		return -1;
	}
	memory = memfd_create("vm", 0);
	dup2(memory, VM_FD);
	close(memory);
	return VM_FD;
}

static int create_vcpu(void)
{
	int memory = memfd_create("vcpu", 0);

	ck_assert_int_eq(ftruncate(memory, 4096), 0);
	dup2(memory, VCPU_FD);
	close(memory);
	lg.run = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, VCPU_FD, 0);
	return VCPU_FD;
}

static void *run_guest_thread(void *argument)
{
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, NULL);
	sem_wait(&lg.go);
	lg.guest();
	return argument;
}

/* From one exit of the Guest to the next. */
static int run(void)
{
	if (lg.run_error) {
		errno = lg.run_error;
		return -1;
	}
	if (!lg.has_guest) {
		sem_init(&lg.go, 0, 0);
		sem_init(&lg.stopped, 0, 0);
		pthread_create(&lg.thread, NULL, run_guest_thread, NULL);
		lg.has_guest = true;
	}
	sem_post(&lg.go);
	if (sem_wait(&lg.stopped) < 0)
		return -1;	/* EINTR */
	return 0;
}

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	va_list list;
	void *argument;

	va_start(list, request);
	argument = va_arg(list, void *);
	va_end(list);
	if (fd != VM_FD && fd != VCPU_FD)
		return __real_ioctl(fd, request, argument);
	if (request == lg.fail) {
		errno = ENOSPC;
		return -1;
	}
	switch (request) {
	case LGUEST_GET_INFO:
		memcpy(argument, &lg.info, sizeof(lg.info));
		return 0;
	case LGUEST_SET_MEMORY:
		lg.memory[lg.memories++] = *(struct lguest_memory *)argument;
		return 0;
	case LGUEST_CREATE_VCPU:
		return create_vcpu();
	case LGUEST_SET_REGS:
		lg.regs = *(struct lguest_regs *)argument;
		return 0;
	case LGUEST_GET_REGS:
		*(struct lguest_regs *)argument = lg.regs;
		return 0;
	case LGUEST_IRQFD:
		lg.irqfd[lg.irqfds++] = *(struct lguest_irqfd *)argument;
		return 0;
	case LGUEST_IOEVENTFD:
		lg.ioeventfd[lg.ioeventfds++] = *(struct lguest_ioeventfd *)argument;
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

/* --- What a Guest does. --------------------------------------------------- */

static void guest_exit(uint32_t reason)
{
	lg.run->exit_reason = reason;
	sem_post(&lg.stopped);
	sem_wait(&lg.go);
}

static uint64_t guest_read(uint64_t gpa)
{
	lg.run->mmio.guest_phys = gpa;
	lg.run->mmio.length = 4;
	lg.run->mmio.is_write = 0;
	lg.run->mmio.data = 0x1234567812345678;
	guest_exit(LGUEST_EXIT_MMIO);
	return lg.run->mmio.data;
}

static void guest_write(uint64_t gpa, uint32_t value)
{
	lg.run->mmio.guest_phys = gpa;
	lg.run->mmio.length = 4;
	lg.run->mmio.is_write = 1;
	lg.run->mmio.data = value;
	guest_exit(LGUEST_EXIT_MMIO);
}

static void guest_print(const char *text)
{
	lg.run->console.length = strlen(text);
	memcpy(lg.run->console.data, text, strlen(text));
	guest_exit(LGUEST_EXIT_CONSOLE);
}

static void guest_shutdown(uint32_t reason, const char *text)
{
	lg.run->shutdown.reason = reason;
	snprintf(lg.run->shutdown.message, LGUEST_MESSAGE_MAX, "%s", text);
	guest_exit(LGUEST_EXIT_SHUTDOWN);
}

static void guest_poweroff(void)
{
	guest_shutdown(LGUEST_SHUTDOWN_POWEROFF, "");
}

/* Start a VM of this size for this Guest. */
static int start(void (*guest)(void), uint64_t size)
{
	struct options options = { .memory = size, .cpus = 1 };
	int error;

	lg.guest = guest;
	error = vm_init(&vm, &options);
	if (!error)
		error = vm_start(&vm, &entry);
	return error;
}

static void good_start(void (*guest)(void))
{
	ck_assert_msg(!start(guest, 64 * MIB), "%s", unit_last_message);
}

/* Standard output goes to a pipe from here on. Return: its other end. */
static int catch_output(void)
{
	int out[2];

	ck_assert_int_eq(pipe2(out, O_NONBLOCK), 0);
	dup2(out[1], STDOUT_FILENO);
	close(out[1]);
	return out[0];
}

static void output_is(int fd, const char *expected)
{
	char text[4096] = "";

	ck_assert_int_ge(read(fd, text, sizeof(text) - 1), 0);
	ck_assert_str_eq(text, expected);
}

/* --- The tests. ----------------------------------------------------------- */

START_TEST(host_learns_all_of_the_machine)
{
	int i;

	ck_assert_int_eq(start(guest_poweroff, 5ULL << 30), 0);
	ck_assert_int_eq(lg.memories, 2);
	ck_assert_uint_eq(lg.memory[0].guest_phys, 0);
	ck_assert_uint_eq(lg.memory[0].size, LGUEST_HOLE_START);
	ck_assert_uint_eq(lg.memory[0].host_virt, (uintptr_t)vm.memory.base);
	ck_assert_uint_eq(lg.memory[1].guest_phys, LGUEST_HOLE_END);
	ck_assert_uint_eq(lg.memory[1].size, (5ULL << 30) - LGUEST_HOLE_START);
	ck_assert_uint_eq(lg.memory[1].host_virt, (uintptr_t)vm.memory.base + LGUEST_HOLE_START);
	ck_assert_uint_eq(lg.regs.rip, entry.rip);
	ck_assert_uint_eq(lg.regs.rsi, entry.rsi);
	ck_assert_uint_eq(lg.regs.cr3, entry.cr3);
	ck_assert_uint_eq(lg.regs.rflags, 2);
	ck_assert_uint_eq(lg.regs.kernel_mode, 1);
	ck_assert_int_eq(lg.irqfds, 3);
	ck_assert_int_eq(lg.ioeventfds, 8);
	for (i = 0; i < 3; i++)
		ck_assert_uint_eq(lg.irqfd[i].line, i + 1);
	ck_assert_uint_eq(lg.ioeventfd[0].guest_phys, 0xd0000050);
	ck_assert_uint_eq(lg.ioeventfd[3].guest_phys, 0xd0000050);
	ck_assert_uint_eq(lg.ioeventfd[3].value, 3);
	ck_assert_uint_eq(lg.ioeventfd[4].guest_phys, 0xd0001050);
	ck_assert_uint_eq(lg.ioeventfd[7].guest_phys, 0xd0002050);
	ck_assert_uint_eq(lg.ioeventfd[7].value, 2);
	ck_assert_int_eq(run_guest(&vm), RUN_POWEROFF);
	vm_exit(&vm);
	ck_assert_int_eq(fcntl(VM_FD, F_GETFD), -1);
	ck_assert_int_eq(fcntl(VCPU_FD, F_GETFD), -1);
	ck_assert_int_eq(unit_messages, 0);
}
END_TEST

START_TEST(kernel_learns_where_the_devices_are)
{
	struct options options = { .memory = MIB };
	char *text;

	ck_assert_int_eq(vm_init(&vm, &options), 0);
	text = vm_describe_devices(&vm);
	ck_assert_str_eq(text,
			 "virtio_mmio.device=512@0xd0000000:1 virtio_mmio.device=512@0xd0001000:2 "
			 "virtio_mmio.device=512@0xd0002000:3");
	free(text);
	vm_exit(&vm);
}
END_TEST

START_TEST(failures_of_the_host_are_told)
{
	static const unsigned long calls[] = {
		LGUEST_SET_MEMORY, LGUEST_CREATE_VCPU, LGUEST_SET_REGS, LGUEST_IRQFD,
		LGUEST_IOEVENTFD,
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		lg.fail = calls[i];
		unit_refused(start(guest_poweroff, MIB), "the host refuses");
		vm_exit(&vm);
		ck_assert_int_eq(fcntl(VM_FD, F_GETFD), -1);
		lg.memories = lg.irqfds = lg.ioeventfds = 0;
	}
	lg.fail = LGUEST_GET_INFO;
	unit_refused(start(guest_poweroff, MIB), "does not answer");
	vm_exit(&vm);
}
END_TEST

START_TEST(no_device_and_no_permission_are_told_apart)
{
	static const struct { int error; const char *words; } cases[] = {
		{ ENOENT, "not loaded: make && sudo insmod lg.ko" }, { ENXIO, "not loaded" },
		{ ENODEV, "not loaded" }, { EACCES, "no permission" }, { EPERM, "no permission" },
		{ EMFILE, "Too many open files" },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		lg.open_error = cases[i].error;
		unit_refused(start(guest_poweroff, MIB), cases[i].words);
		vm_exit(&vm);
	}
}
END_TEST

START_TEST(another_module_version_is_refused)
{
	lg.info.api_version = 77;
	unit_refused(start(guest_poweroff, MIB), "has versions 77 and");
	vm_exit(&vm);
	lg.info.api_version = LGUEST_API_VERSION;
	lg.info.abi_version = 78;
	unit_refused(start(guest_poweroff, MIB), "and 78 of its interfaces");
	vm_exit(&vm);
}
END_TEST

static void guest_prints(void)
{
	guest_print("first line\nsecond ");
	guest_print("line\n");
	guest_poweroff();
}

START_TEST(early_output_arrives_as_it_is)
{
	int output = catch_output();

	good_start(guest_prints);
	ck_assert_int_eq(run_guest(&vm), RUN_POWEROFF);
	output_is(output, "first line\nsecond line\n");
	vm_exit(&vm);
}
END_TEST

START_TEST(early_output_gets_carriage_returns_on_a_raw_terminal)
{
	struct termios settings;
	char text[256] = "";
	int ours, its;

	ck_assert_int_eq(openpty(&ours, &its, NULL, NULL, NULL), 0);
	dup2(its, STDIN_FILENO);
	dup2(its, STDOUT_FILENO);
	good_start(guest_prints);
	ck_assert(terminal_is_raw());
	ck_assert_int_eq(run_guest(&vm), RUN_POWEROFF);
	vm_exit(&vm);
	ck_assert_int_gt(read(ours, text, sizeof(text) - 1), 0);
	ck_assert_str_eq(text, "first line\r\nsecond line\r\n");
	tcgetattr(its, &settings);
	ck_assert(!(settings.c_lflag & ICANON));
	terminal_restore();
	tcgetattr(its, &settings);
	ck_assert(settings.c_lflag & ICANON);
}
END_TEST

/* Answers that the Guest got, looked at when it is over. */
static uint64_t answer[8];

static void guest_probes(void)
{
	answer[0] = guest_read(0xd0000000);
	answer[1] = guest_read(0xd0000008);
	answer[2] = guest_read(0xd0001008);
	answer[3] = guest_read(0xd0003008);	/* no such device */
	answer[4] = guest_read(0xd0000208);	/* after the first one's registers */
	answer[5] = guest_read(0xcfffffff);
	guest_write(0xd0003070, 1);
	guest_write(0xdfffffff, 1);
	guest_write(0xd0000070, 1);
	answer[6] = guest_read(0xd0000070);
	guest_poweroff();
}

START_TEST(registers_are_those_of_the_right_device)
{
	good_start(guest_probes);
	ck_assert_int_eq(run_guest(&vm), RUN_POWEROFF);
	vm_exit(&vm);
	ck_assert_uint_eq(answer[0], 0x74726976);
	ck_assert_uint_eq(answer[1], 3);	/* console */
	ck_assert_uint_eq(answer[2], 4);	/* random numbers */
	ck_assert_uint_eq(answer[3], 0);
	ck_assert_uint_eq(answer[4], 0);
	ck_assert_uint_eq(answer[5], 0);
	ck_assert_uint_eq(answer[6], 1);
}
END_TEST

static void signal_kick(uint64_t gpa, uint32_t value)
{
	uint64_t one = 1;
	int i;

	for (i = 0; i < lg.ioeventfds; i++)
		if (lg.ioeventfd[i].guest_phys == gpa && lg.ioeventfd[i].value == value)
			ck_assert_int_eq(write(lg.ioeventfd[i].fd, &one, 8), 8);
}

/* The console's driver, from probe to one line of output and its interrupt. */
static void guest_drives_console(void)
{
	static const uint32_t set_up[][2] = {
		{ VIRTIO_MMIO_STATUS, 0 }, { VIRTIO_MMIO_STATUS, 1 }, { VIRTIO_MMIO_STATUS, 3 },
		{ VIRTIO_MMIO_DRIVER_FEATURES_SEL, 1 }, { VIRTIO_MMIO_DRIVER_FEATURES, 1 },
		{ VIRTIO_MMIO_STATUS, 11 }, { VIRTIO_MMIO_QUEUE_SEL, 1 }, { VIRTIO_MMIO_QUEUE_NUM, 8 },
		{ VIRTIO_MMIO_QUEUE_DESC_LOW, 0x10000 }, { VIRTIO_MMIO_QUEUE_AVAIL_LOW, 0x11000 },
		{ VIRTIO_MMIO_QUEUE_USED_LOW, 0x12000 }, { VIRTIO_MMIO_QUEUE_READY, 1 },
		{ VIRTIO_MMIO_STATUS, 15 },
	};
	uint8_t *memory = (uint8_t *)(uintptr_t)lg.memory[0].host_virt;
	struct pollfd line = { .fd = lg.irqfd[0].fd, .events = POLLIN };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(set_up); i++)
		guest_write(0xd0000000 + set_up[i][0], set_up[i][1]);
	memcpy(memory + 0x13000, "hello from hvc0\r\n", 17);
	*(struct vring_desc *)(memory + 0x10000) = (struct vring_desc){ 0x13000, 17, 0, 0 };
	__atomic_store_n((uint16_t *)(memory + 0x11002), 1, __ATOMIC_RELEASE);
	signal_kick(0xd0000050, 1);
	answer[0] = poll(&line, 1, 10000);
	answer[1] = guest_read(0xd0000000 + VIRTIO_MMIO_INTERRUPT_STATUS);
	answer[2] = READ_ONCE(*(uint16_t *)(memory + 0x12002));
	guest_poweroff();
}

START_TEST(console_works_by_eventfds)
{
	int output = catch_output();

	good_start(guest_drives_console);
	ck_assert_int_eq(run_guest(&vm), RUN_POWEROFF);
	ck_assert_uint_eq(answer[0], 1);
	ck_assert_uint_eq(answer[1], 1);
	ck_assert_uint_eq(answer[2], 1);
	output_is(output, "hello from hvc0\r\n");
	vm_exit(&vm);
}
END_TEST

static void guest_restarts(void)
{
	guest_shutdown(LGUEST_SHUTDOWN_RESTART, "");
}

START_TEST(restart_is_told_from_poweroff)
{
	good_start(guest_restarts);
	ck_assert_int_eq(run_guest(&vm), RUN_RESTART);
	vm_exit(&vm);
	ck_assert_int_eq(unit_messages, 0);
}
END_TEST

static char said[32768];

static void remember(const char *text)
{
	strncat(said, text, sizeof(said) - strlen(said) - 2);
	strcat(said, "\n");
}

static void was_said(const char *words)
{
	ck_assert_msg(strstr(said, words) != NULL, "'%s' is not in:\n%s", words, said);
}

static void guest_panics(void)
{
	guest_print("[    0.1] one of the last lines\n[    0.2] the last line\n");
	guest_shutdown(LGUEST_SHUTDOWN_CRASH, "VFS: Unable to mount\nroot \033[2Jfs\n");
}

START_TEST(panic_is_reported_with_all_there_is)
{
	catch_output();
	good_start(guest_panics);
	message_sink = remember;
	lg.regs.r12 = 0xdeadbeef;
	ck_assert_int_eq(run_guest(&vm), RUN_CRASHED);
	was_said("the last lines of its console:\n  [    0.1] one of the last lines\n");
	was_said("  [    0.2] the last line\n");
	was_said("its registers, in its kernel:");
	was_said("r12 00000000deadbeef");
	was_said("rip ffffffff81000000");
	/* One line, and no tricks with the terminal. */
	was_said("the guest's kernel panicked: VFS: Unable to mount root  [2Jfs\n");
	vm_exit(&vm);
}
END_TEST

static void guest_is_killed(void)
{
	snprintf(lg.run->killed.reason, LGUEST_REASON_MAX, "triple fault at 0x%lx",
		 0xffffffff81001234);
	guest_exit(LGUEST_EXIT_KILLED);
}

START_TEST(end_by_the_host_is_reported_with_code_and_stack)
{
	uint64_t *table;

	good_start(guest_is_killed);
	message_sink = remember;
	/* Page tables that map all as 1 GiB pages to 0. */
	table = (uint64_t *)(vm.memory.base + 0x4000);
	table[511] = 0x5003;
	((uint64_t *)(vm.memory.base + 0x5000))[510] = 0x83;
	memcpy(vm.memory.base + 0x1000000, "\x0f\x0b\xcc", 3);
	memcpy(vm.memory.base + 0x2000000, "\x21\x43\x65\x87", 4);
	lg.regs.rsp = 0xffffffff82000000;
	ck_assert_int_eq(run_guest(&vm), RUN_CRASHED);
	was_said("code at rip: 0f 0b cc 00");
	was_said("stack   +0: 0000000087654321");
	was_said("the host ended the guest: triple fault at 0xffffffff81001234\n");
	vm_exit(&vm);
}
END_TEST

/* A Guest's page tables may say anything when it dies. */
START_TEST(hostile_page_tables_do_not_hurt_the_report)
{
	static const uint64_t hostile[] = {
		~0ULL, 0xffffffffff003, 0x4000003, 0xd0000003, 0x4003, 0x4083, 1,
	};
	size_t i;

	good_start(guest_poweroff);
	message_sink = remember;
	for (i = 0; i < 2 * ARRAY_SIZE(hostile); i++) {
		((uint64_t *)(vm.memory.base + 0x4000))[511] = hostile[i / 2];
		((uint64_t *)(vm.memory.base + 0x4000))[0] = hostile[i / 2];
		lg.regs.rip = i & 1 ? 0 : 0xffffffff81000ff8;
		lg.regs.rsp = 0xffffffff81000ffc;
		lg.regs.cr3 = i & 1 ? 0x4000 : hostile[i / 2];
		said[0] = '\0';
		report_crash(&vm.vcpu[0], "test", "test");
		was_said("code at rip:");
	}
	vm_exit(&vm);
}
END_TEST

static void guest_lies(void)
{
	lg.run->console.length = 0xffffffff;
	memset(lg.run->console.data, 'x', sizeof(lg.run->console.data));
	guest_exit(LGUEST_EXIT_CONSOLE);
	memset(lg.run->shutdown.message, 'y', sizeof(lg.run->shutdown.message));
	lg.run->shutdown.reason = 1234;
	guest_exit(LGUEST_EXIT_SHUTDOWN);
}

START_TEST(lengths_in_the_run_page_are_bounded)
{
	int output = catch_output();
	char text[4096];

	good_start(guest_lies);
	message_sink = remember;
	ck_assert_int_eq(run_guest(&vm), RUN_CRASHED);
	ck_assert_int_eq(read(output, text, sizeof(text)), 2048);
	vm_exit(&vm);
}
END_TEST

START_TEST(run_that_fails_is_a_crash)
{
	good_start(guest_poweroff);
	message_sink = remember;
	lg.run_error = EIO;
	ck_assert_int_eq(run_guest(&vm), RUN_CRASHED);
	was_said("the host can't run the guest: Input/output error");
	vm_exit(&vm);
}
END_TEST

static void guest_hangs(void)
{
	pause();
}

static void *type_ctrl_a_x(void *argument)
{
	usleep(200000);
	ck_assert_int_eq(write(*(int *)argument, "\1x", 2), 2);
	return NULL;
}

START_TEST(ctrl_a_x_ends_a_guest_that_hangs)
{
	pthread_t typist;
	int ours, its;

	ck_assert_int_eq(openpty(&ours, &its, NULL, NULL, NULL), 0);
	dup2(its, STDIN_FILENO);
	good_start(guest_hangs);
	pthread_create(&typist, NULL, type_ctrl_a_x, &ours);
	ck_assert_int_eq(run_guest(&vm), RUN_LEFT);
	ck_assert_uint_eq(lg.run->immediate_exit, 1);
	pthread_join(typist, NULL);
	vm_exit(&vm);
	terminal_restore();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("run");

	UNIT_ADD(suite, host_learns_all_of_the_machine);
	UNIT_ADD(suite, kernel_learns_where_the_devices_are);
	UNIT_ADD(suite, failures_of_the_host_are_told);
	UNIT_ADD(suite, no_device_and_no_permission_are_told_apart);
	UNIT_ADD(suite, another_module_version_is_refused);
	UNIT_ADD(suite, early_output_arrives_as_it_is);
	UNIT_ADD(suite, early_output_gets_carriage_returns_on_a_raw_terminal);
	UNIT_ADD(suite, registers_are_those_of_the_right_device);
	UNIT_ADD(suite, console_works_by_eventfds);
	UNIT_ADD(suite, restart_is_told_from_poweroff);
	UNIT_ADD(suite, panic_is_reported_with_all_there_is);
	UNIT_ADD(suite, end_by_the_host_is_reported_with_code_and_stack);
	UNIT_ADD(suite, hostile_page_tables_do_not_hurt_the_report);
	UNIT_ADD(suite, lengths_in_the_run_page_are_bounded);
	UNIT_ADD(suite, run_that_fails_is_a_crash);
	UNIT_ADD(suite, ctrl_a_x_ends_a_guest_that_hangs);
	return unit_run(suite);
}
