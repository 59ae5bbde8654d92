/* SPDX-License-Identifier: GPL-2.0-only */
/* The guest ABI of include/lguest_abi.h. */
#ifndef _LG_LGUEST_H
#define _LG_LGUEST_H

#include "lg.h"

/* events.c: atomic */
enum lg_slow lg_deliver(struct lg_vcpu *vcpu);
enum lg_slow lg_system_call(struct lg_vcpu *vcpu);
enum lg_slow lg_iret(struct lg_vcpu *vcpu);

/* hypercalls.c */
enum lg_slow lg_hypercall(struct lg_vcpu *vcpu);
int lg_hypercall_slow(struct lg_vcpu *vcpu);
bool lg_hypercall_quickly(struct lg_vcpu *vcpu);

/* The guest's kinds of a flush are those of the mmu. */
static_assert((int)LGUEST_FLUSH_USER == LG_FLUSH_USER && (int)LGUEST_FLUSH_ALL == LG_FLUSH_ALL &&
	      (int)LGUEST_FLUSH_RANGE == LG_FLUSH_RANGE);

/* ring.c: atomic */
static inline bool lg_flush_kind_ok(u64 kind)
{
	return kind >= LGUEST_FLUSH_USER && kind <= LGUEST_FLUSH_RANGE;
}
long lg_simple_call(struct lg_vcpu *vcpu, u64 nr, const u64 arg[3]);
void lg_drain_ring(struct lg_vcpu *vcpu);

/* Does a call wait in the ring? */
static inline bool lg_ring_pending(const struct lg_vcpu *vcpu)
{
	return vcpu->lguest.data &&
	       READ_ONCE(vcpu->lguest.data->hcall_status[vcpu->lguest.ring_next]) == LGUEST_RING_PENDING;
}

/* data.c */
void lg_data_loaded(struct lg_vcpu *vcpu);
void lg_data_put(struct lg_vcpu *vcpu);
long lg_init_guest(struct lg_vcpu *vcpu, gva_t gva);
void lg_release_data(struct lg_vcpu *vcpu);
long lg_register_data(struct lg_vcpu *vcpu, gva_t gva, u64 gs_base);

/* smp.c */
long lg_vcpu_up(struct lg_vcpu *vcpu, u64 number, gva_t gva);
void lg_vcpu_down(struct lg_vcpu *vcpu);
void lg_vcpu_start(struct lg_vcpu *vcpu);
long lg_send_ipi(struct lg_vcpu *vcpu, u64 vector, u64 number);
long lg_kick_halted(struct lg_vcpu *vcpu, u64 number);

/* interrupts.c */
int lg_interrupt_next(struct lg_vcpu *vcpu);
bool lg_interrupt_waiting(struct lg_vcpu *vcpu);
void lg_set_timer(struct lg_vcpu *vcpu, u64 ns);

/* clock.c */
void lg_clock_register(struct lg_vcpu *vcpu);
void lg_clock_update(struct lg_vcpu *vcpu);
void lg_clock_steal(struct lg_vcpu *vcpu);

#endif /* _LG_LGUEST_H */
