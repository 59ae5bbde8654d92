// SPDX-License-Identifier: GPL-2.0-only
/*
 * The two ABIs: each offset for assembly is that of the struct's field, and no struct
 * changes its size unnoticed.
 */
#include <stddef.h>

#include "lguest_abi.h"
#include "lguest_uapi.h"
#include "unit.h"

#define OFFSET(name, member) \
	ck_assert_uint_eq(offsetof(struct lguest_data, member), LGUEST_DATA_##name)

START_TEST(event_page_is_laid_out_as_the_assembly_thinks)
{
	OFFSET(irq_enabled, irq_enabled);
	OFFSET(irq_pending, irq_pending);
	OFFSET(cr2, cr2);
	OFFSET(sp0, sp0);
	OFFSET(user_gs_base, user_gs_base);
	OFFSET(event_valid, event_valid);
	OFFSET(event_vector, event_vector);
	OFFSET(event_error, event_error);
	OFFSET(event_ip, event.ip);
	OFFSET(event_cs, event.cs);
	OFFSET(event_flags, event.flags);
	OFFSET(event_sp, event.sp);
	OFFSET(event_ss, event.ss);
	OFFSET(syscall_sp, syscall_sp);
	OFFSET(iret_ip, iret.ip);
	OFFSET(iret_cs, iret.cs);
	OFFSET(iret_flags, iret.flags);
	OFFSET(iret_sp, iret.sp);
	OFFSET(iret_ss, iret.ss);
	OFFSET(iret_ax, iret_ax);
	OFFSET(iret_cx, iret_cx);
	OFFSET(iret_r11, iret_r11);
	OFFSET(hcall_status, hcall_status);
	OFFSET(hcalls, hcalls);
	ck_assert_uint_eq(sizeof(struct lguest_data), LGUEST_DATA_SIZE);
}
END_TEST

START_TEST(event_page_has_no_hidden_padding)
{
	ck_assert_uint_eq(offsetof(struct lguest_data, blocked_interrupts), 0xa8);
	ck_assert_uint_eq(offsetof(struct lguest_data, time_sec), 0xb0);
	ck_assert_uint_eq(offsetof(struct lguest_data, tsc_khz), 0xc0);
	ck_assert_uint_eq(offsetof(struct lguest_data, steal_ns), 0xc8);
	ck_assert_uint_eq(offsetof(struct lguest_data, reserve_mem), 0xd8);
	ck_assert_uint_eq(offsetof(struct lguest_data, clock), 0xe0);
	ck_assert_uint_eq(offsetof(struct lguest_data, dr6), 0x100);
	ck_assert_uint_eq(offsetof(struct lguest_data, syscall_ip), LGUEST_DATA_syscall_ip);
	ck_assert_uint_eq(offsetof(struct lguest_data, syscall_flags),
			  LGUEST_DATA_syscall_flags);
	ck_assert_uint_eq(offsetof(struct lguest_data, pad1), 0x118);
	ck_assert_uint_eq(sizeof(struct lguest_clock), 32);
	ck_assert_uint_eq(sizeof(struct lguest_frame), 40);
	ck_assert_uint_eq(sizeof(struct lguest_ring_entry), 32);
	ck_assert_uint_eq(sizeof(struct lguest_init), 64);
	ck_assert_uint_eq(sizeof(struct lguest_vcpu_up), 40);
}
END_TEST

START_TEST(run_page_is_one_page)
{
	ck_assert_uint_eq(sizeof(struct lguest_run), 4096);
	ck_assert_uint_eq(offsetof(struct lguest_run, immediate_exit), 0);
	ck_assert_uint_eq(offsetof(struct lguest_run, exit_reason), 4);
	ck_assert_uint_eq(offsetof(struct lguest_run, mmio), 64);
	ck_assert_uint_eq(offsetof(struct lguest_run, mmio.data), 72);
	ck_assert_uint_eq(offsetof(struct lguest_run, mmio.is_write), 84);
	ck_assert_uint_eq(offsetof(struct lguest_run, shutdown.message), 72);
	ck_assert_uint_eq(offsetof(struct lguest_run, console.data), 72);
	ck_assert_uint_eq(sizeof(((struct lguest_run *)0)->shutdown.message), LGUEST_MESSAGE_MAX);
}
END_TEST

START_TEST(ioctl_structs_keep_their_size)
{
	ck_assert_uint_eq(sizeof(struct lguest_info), 48);
	ck_assert_uint_eq(sizeof(struct lguest_memory), 32);
	ck_assert_uint_eq(sizeof(struct lguest_regs), 208);
	ck_assert_uint_eq(sizeof(struct lguest_irqfd), 16);
	ck_assert_uint_eq(sizeof(struct lguest_ioeventfd), 24);
	ck_assert_uint_eq(sizeof(struct lguest_stats), 8 * (1 + 32 + 3 + 32 + 11 + 16));
	ck_assert_int_le(LHCALL_NR, 32);
}
END_TEST

START_TEST(devices_are_between_the_two_parts_of_memory)
{
	ck_assert_uint_lt(LGUEST_HOLE_START, LGUEST_HOLE_END);
	ck_assert_uint_eq(LGUEST_HOLE_START % (2 << 20), 0);
	ck_assert_uint_le(LGUEST_HOLE_END, LGUEST_BOOT_MAPPED);
	ck_assert_int_eq(LGUEST_FIRST_IPI, 96);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ABI");

	UNIT_ADD(suite, event_page_is_laid_out_as_the_assembly_thinks);
	UNIT_ADD(suite, event_page_has_no_hidden_padding);
	UNIT_ADD(suite, run_page_is_one_page);
	UNIT_ADD(suite, ioctl_structs_keep_their_size);
	UNIT_ADD(suite, devices_are_between_the_two_parts_of_memory);
	return unit_run(suite);
}
