// SPDX-License-Identifier: GPL-2.0-only
/* The launcher's life with a guest, from start to end. */
#include <errno.h>
#include <fcntl.h>
#include <linux/virtio_config.h>
#include <linux/virtio_mmio.h>
#include <poll.h>
#include <pthread.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/compiler.h"
#include "fake_guest.h"
#include "fake_lg.h"
#include "run.h"
#include "terminal/terminal.h"
#include "unit.h"

static void output_is(int fd, const char *expected)
{
	char text[4096] = "";

	ck_assert_int_ge(read(fd, text, sizeof(text) - 1), 0);
	ck_assert_str_eq(text, expected);
}

START_TEST(host_learns_all_of_the_machine)
{
	int i;

	ck_assert_int_eq(start(guest_poweroff, 5ULL << 30), 0);
	ck_assert_int_eq(machine.memories, 2);
	ck_assert_uint_eq(machine.memory[0].guest_phys, 0);
	ck_assert_uint_eq(machine.memory[0].size, LGUEST_HOLE_START);
	ck_assert_uint_eq(machine.memory[0].host_virt, (uintptr_t)vm.memory.base);
	ck_assert_uint_eq(machine.memory[1].guest_phys, LGUEST_HOLE_END);
	ck_assert_uint_eq(machine.memory[1].size, (5ULL << 30) - LGUEST_HOLE_START);
	ck_assert_uint_eq(machine.memory[1].host_virt, (uintptr_t)vm.memory.base + LGUEST_HOLE_START);
	ck_assert_uint_eq(machine.regs.rip, entry.rip);
	ck_assert_uint_eq(machine.regs.rsi, entry.rsi);
	ck_assert_uint_eq(machine.regs.cr3, entry.cr3);
	ck_assert_uint_eq(machine.regs.rflags, 2);
	ck_assert_uint_eq(machine.regs.kernel_mode, 1);
	ck_assert_int_eq(machine.irqfds, 3);
	ck_assert_int_eq(machine.ioeventfds, 8);
	for (i = 0; i < 3; i++)
		ck_assert_uint_eq(machine.irqfd[i].line, i + 1);
	ck_assert_uint_eq(machine.ioeventfd[0].guest_phys, 0xd0000050);
	ck_assert_uint_eq(machine.ioeventfd[3].guest_phys, 0xd0000050);
	ck_assert_uint_eq(machine.ioeventfd[3].value, 3);
	ck_assert_uint_eq(machine.ioeventfd[4].guest_phys, 0xd0001050);
	ck_assert_uint_eq(machine.ioeventfd[7].guest_phys, 0xd0002050);
	ck_assert_uint_eq(machine.ioeventfd[7].value, 2);
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

	ck_assert_int_eq(vm_init(&vm, &options, false), 0);
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
		fake_lg.fail = calls[i];
		unit_refused(start(guest_poweroff, MIB), "the host refuses");
		vm_exit(&vm);
		ck_assert_int_eq(fcntl(VM_FD, F_GETFD), -1);
		machine.memories = machine.irqfds = machine.ioeventfds = 0;
	}
	fake_lg.fail = LGUEST_GET_INFO;
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
		fake_lg.open_error = cases[i].error;
		unit_refused(start(guest_poweroff, MIB), cases[i].words);
		vm_exit(&vm);
	}
}
END_TEST

START_TEST(another_module_version_is_refused)
{
	fake_lg.info.api_version = 77;
	unit_refused(start(guest_poweroff, MIB), "has versions 77 and");
	vm_exit(&vm);
	fake_lg.info.api_version = LGUEST_API_VERSION;
	fake_lg.info.abi_version = 78;
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
	int output = catch_output(O_NONBLOCK);

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

/* What the guest read; the test checks it when the guest has ended. */
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

	for (i = 0; i < machine.ioeventfds; i++)
		if (machine.ioeventfd[i].guest_phys == gpa && machine.ioeventfd[i].value == value)
			ck_assert_int_eq(write(machine.ioeventfd[i].fd, &one, 8), 8);
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
	uint8_t *memory = (uint8_t *)(uintptr_t)machine.memory[0].host_virt;
	struct pollfd line = { .fd = machine.irqfd[0].fd, .events = POLLIN };
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
	int output = catch_output(O_NONBLOCK);

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

static void guest_hangs(void)
{
	pause();
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
	ck_assert_uint_eq(machine.run->immediate_exit, 1);
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
	UNIT_ADD(suite, ctrl_a_x_ends_a_guest_that_hangs);
	return unit_run(suite);
}
