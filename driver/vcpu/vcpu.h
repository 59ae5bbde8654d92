/* SPDX-License-Identifier: GPL-2.0-only */
/* A virtual CPU, for the wings above: kicks, registers, what is pending, the VM's clock. */
#ifndef _LG_VCPU_H
#define _LG_VCPU_H

#include "lg.h"
#include "vcpu/flags.h"

/* kick.c */
__printf(2, 3) void lg_kill(struct lg_vm *vm, const char *fmt, ...);
void lg_kick(struct lg_vcpu *vcpu);
void lg_vcpu_leave_guest(const struct lg_vcpu *vcpu);
void lg_leave_guest(struct lg_vm *vm, u64 mask);
int lg_halt(struct lg_vcpu *vcpu);
bool lg_wait_for_start(struct lg_vcpu *vcpu);

/* pending.c */
void lg_exception(struct lg_vcpu *vcpu, u8 vector, u64 error);
void lg_page_fault(struct lg_vcpu *vcpu, gva_t gva, u64 error);
void lg_interrupt(struct lg_vcpu *vcpu, u8 vector);
enum hrtimer_restart lg_timer_fires(struct hrtimer *timer);

/* regs.c */
void lg_reset_regs(struct lg_vcpu *vcpu, u64 ip, u64 sp, u64 gs_base);

/* clock.c */
void lg_clock_scale(u32 khz, u32 *mul, s8 *shift);
int lg_clock_pause(struct lg_vm *vm, unsigned long on);
int lg_clock_wait(void);
void lg_clock_open(struct lg_vm *vm);
void lg_clock_close(struct lg_vm *vm);
int lg_clock_init(void);
void lg_clock_exit(void);

#endif /* _LG_VCPU_H */
