/* SPDX-License-Identifier: GPL-2.0-only */
/* Devices, as far as the module knows them: MMIO and eventfds. */
#ifndef _LG_IO_H
#define _LG_IO_H

#include "lg.h"

/* mmio.c: may sleep */
int lg_emulate_mmio(struct lg_vcpu *vcpu);
void lg_complete_mmio(struct lg_vcpu *vcpu);

/* eventfds.c */
int lg_irqfd(struct lg_vm *vm, const struct lguest_irqfd *args);
int lg_ioeventfd(struct lg_vm *vm, const struct lguest_ioeventfd *args);
void lg_eventfds_release(struct lg_vm *vm);
void lg_port_signal(struct lg_vm *vm, u32 port);
bool lg_ioeventfd_write(struct lg_vm *vm, gpa_t gpa, u32 value);

#endif /* _LG_IO_H */
