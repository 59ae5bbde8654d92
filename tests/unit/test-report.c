// SPDX-License-Identifier: GPL-2.0-only
/* The report that a person gets when a guest has crashed. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/compiler.h"
#include "fake_guest.h"
#include "fake_lg.h"
#include "base/message.h"
#include "report.h"
#include "run.h"
#include "unit.h"

static void was_said(const char *words)
{
	ck_assert_msg(strstr(unit_said, words) != NULL, "'%s' is not in:\n%s", words, unit_said);
}

static void guest_panics(void)
{
	guest_print("[    0.1] one of the last lines\n[    0.2] the last\033[2J line\n");
	guest_shutdown(LGUEST_SHUTDOWN_CRASH, "VFS: Unable to mount\nroot \033[2Jfs\n");
}

START_TEST(panic_is_reported_with_all_there_is)
{
	catch_output(O_NONBLOCK);
	good_start(guest_panics);
	unit_remember();
	machine.regs.r12 = 0xdeadbeef;
	ck_assert_int_eq(run_guest(&vm), RUN_CRASHED);
	was_said("the last lines of its console:\n  [    0.1] one of the last lines\n");
	was_said("  [    0.2] the last?[2J line\n");
	was_said("its registers, in its kernel:");
	was_said("r12 00000000deadbeef");
	was_said("rip ffffffff81000000");
	/* Only one line, and nothing that a terminal would act on. */
	was_said("the guest's kernel panicked: VFS: Unable to mount root ?[2Jfs\n");
	vm_exit(&vm);
}
END_TEST

static void guest_is_killed(void)
{
	snprintf(machine.run->killed.reason, LGUEST_REASON_MAX, "triple fault at 0x%lx",
		 0xffffffff81001234);
	guest_exit(LGUEST_EXIT_KILLED);
}

START_TEST(end_by_the_host_is_reported_with_code_and_stack)
{
	uint64_t *table;

	good_start(guest_is_killed);
	unit_remember();
	/* Page tables that map everything to 0, with pages of 1 GiB. */
	table = (uint64_t *)(vm.memory.base + 0x4000);
	table[511] = 0x5003;
	((uint64_t *)(vm.memory.base + 0x5000))[510] = 0x83;
	memcpy(vm.memory.base + 0x1000000, "\x0f\x0b\xcc", 3);
	memcpy(vm.memory.base + 0x2000000, "\x21\x43\x65\x87", 4);
	machine.regs.rsp = 0xffffffff82000000;
	ck_assert_int_eq(run_guest(&vm), RUN_CRASHED);
	was_said("code at rip: 0f 0b cc 00");
	was_said("stack   +0: 0000000087654321");
	was_said("the host ended the guest: triple fault at 0xffffffff81001234\n");
	vm_exit(&vm);
}
END_TEST

/* A dying guest's page tables may hold anything. */
START_TEST(hostile_page_tables_do_not_hurt_the_report)
{
	static const uint64_t hostile[] = {
		~0ULL, 0xffffffffff003, 0x4000003, 0xd0000003, 0x4003, 0x4083, 1,
	};
	size_t i;

	good_start(guest_poweroff);
	unit_remember();
	for (i = 0; i < 2 * ARRAY_SIZE(hostile); i++) {
		((uint64_t *)(vm.memory.base + 0x4000))[511] = hostile[i / 2];
		((uint64_t *)(vm.memory.base + 0x4000))[0] = hostile[i / 2];
		machine.regs.rip = i & 1 ? 0 : 0xffffffff81000ff8;
		machine.regs.rsp = 0xffffffff81000ffc;
		machine.regs.cr3 = i & 1 ? 0x4000 : hostile[i / 2];
		unit_remember();
		report_crash(&vm.vcpu[0], "test", "test");
		was_said("code at rip:");
	}
	vm_exit(&vm);
}
END_TEST

static void guest_lies(void)
{
	machine.run->console.length = 0xffffffff;
	memset(machine.run->console.data, 'x', sizeof(machine.run->console.data));
	guest_exit(LGUEST_EXIT_CONSOLE);
	memset(machine.run->shutdown.message, 'y', sizeof(machine.run->shutdown.message));
	machine.run->shutdown.reason = 1234;
	guest_exit(LGUEST_EXIT_SHUTDOWN);
}

START_TEST(lengths_in_the_run_page_are_bounded)
{
	int output = catch_output(O_NONBLOCK);
	char text[4096];

	good_start(guest_lies);
	unit_remember();
	ck_assert_int_eq(run_guest(&vm), RUN_CRASHED);
	ck_assert_int_eq(read(output, text, sizeof(text)), 2048);
	vm_exit(&vm);
}
END_TEST

START_TEST(run_that_fails_is_a_crash)
{
	good_start(guest_poweroff);
	unit_remember();
	machine.run_error = EIO;
	ck_assert_int_eq(run_guest(&vm), RUN_CRASHED);
	was_said("the host can't run the guest: Input/output error");
	vm_exit(&vm);
}
END_TEST

/* A running guest can cause messages: only some of them a minute are printed. */
START_TEST(what_a_guest_makes_us_say_is_limited)
{
	int i;

	message_limit(true);
	for (i = 0; i < 1000; i++)
		message("line %d", i);
	ck_assert_int_ge(unit_messages, 10);
	ck_assert_int_le(unit_messages, 100);
	ck_assert_ptr_nonnull(strstr(unit_last_message, "no more of this"));
	message_limit(false);
	unit_forget();
	for (i = 0; i < 1000; i++)
		message("line %d", i);
	ck_assert_int_eq(unit_messages, 1000);
	/* A restart does not allow the guest more messages. */
	unit_forget();
	message_limit(true);
	for (i = 0; i < 1000; i++)
		message("line %d", i);
	ck_assert_int_eq(unit_messages, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("report");

	UNIT_ADD(suite, panic_is_reported_with_all_there_is);
	UNIT_ADD(suite, end_by_the_host_is_reported_with_code_and_stack);
	UNIT_ADD(suite, hostile_page_tables_do_not_hurt_the_report);
	UNIT_ADD(suite, lengths_in_the_run_page_are_bounded);
	UNIT_ADD(suite, run_that_fails_is_a_crash);
	UNIT_ADD(suite, what_a_guest_makes_us_say_is_limited);
	return unit_run(suite);
}
