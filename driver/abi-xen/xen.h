/* SPDX-License-Identifier: GPL-2.0-only */
/* Xen's ABI for paravirtual guests. */
#ifndef _LG_XEN_H
#define _LG_XEN_H

#include "lg.h"
#include "abi-xen/types.h"

/* memory.c: the guest's memory, by the addresses of its kernel */
enum lg_slow lg_xen_read(struct lg_vcpu *vcpu, gva_t gva, void *to, size_t bytes);
enum lg_slow lg_xen_push(struct lg_vcpu *vcpu, gva_t gva, const void *from, size_t bytes);
void *lg_xen_pin(struct lg_vm *vm, gpa_t gpa, size_t bytes, struct page **page);

/* events.c: atomic */
enum lg_slow lg_xen_deliver(struct lg_vcpu *vcpu);
enum lg_slow lg_xen_system_call(struct lg_vcpu *vcpu);
enum lg_slow lg_xen_iret(struct lg_vcpu *vcpu);
bool lg_xen_events_wait(const struct lg_vcpu *vcpu);
bool lg_xen_events_come(const struct lg_vcpu *vcpu);

/* hypercalls.c */
enum lg_slow lg_xen_hypercall(struct lg_vcpu *vcpu);
int lg_xen_hypercall_slow(struct lg_vcpu *vcpu);

/* cpu.c: descriptors, traps, callbacks, MSRs */
long lg_xen_set_trap_table(struct lg_vcpu *vcpu, gva_t gva);
long lg_xen_callback_op(struct lg_vcpu *vcpu, u64 op, gva_t gva);
long lg_xen_set_gdt(struct lg_vcpu *vcpu, gva_t frames, u64 entries);
long lg_xen_update_descriptor(struct lg_vcpu *vcpu, gpa_t gpa, u64 descriptor);
long lg_xen_set_segment_base(struct lg_vcpu *vcpu, u64 which, u64 base);
bool lg_xen_msr(struct lg_vcpu *vcpu, u32 number, bool write, u64 *value);
bool lg_xen_undefined(struct lg_vcpu *vcpu, const u8 *bytes);
void lg_xen_complete(struct lg_vcpu *vcpu);

/* tables.c: may sleep */
/* What has been done of a list of the guest's, and -ERESTART where the rest is to come later. */
struct lg_xen_list {
	gva_t gva;
	u64 count, done;
};
long lg_xen_mmu_update(struct lg_vcpu *vcpu, struct lg_xen_list *list);
long lg_xen_mmuext_op(struct lg_vcpu *vcpu, struct lg_xen_list *list);
long lg_xen_update_va_mapping(struct lg_vcpu *vcpu, gva_t gva, u64 value, u64 flags);

/* ports.c */
long lg_xen_event_channel_op(struct lg_vcpu *vcpu, u64 op, gva_t gva);
void lg_xen_raise_port(struct lg_vcpu *vcpu, unsigned int port);
void lg_xen_raise_virq(struct lg_vcpu *vcpu, unsigned int virq);
bool lg_xen_port_pending(struct lg_vm *vm, unsigned int port);
void lg_xen_ports_init(struct lg_xen_vm *xen);

/* vcpus.c */
long lg_xen_vcpu_op(struct lg_vcpu *vcpu, u64 op, u64 id, gva_t gva);
void lg_xen_vcpu_start(struct lg_vcpu *vcpu);

/* sched.c */
bool lg_xen_must_stop(struct lg_vcpu *vcpu, u64 done);
int lg_xen_sched_op(struct lg_vcpu *vcpu, u64 op, gva_t gva);

/* clock.c */
void lg_xen_clock_init(struct lg_vcpu *vcpu);
void lg_xen_clock_update(struct lg_vcpu *vcpu);
u64 lg_xen_now(const struct lg_vm *vm);

/* What the guest may be told to jump to in kernel mode. */
static inline bool lg_xen_code(u64 address)
{
	return lg_canonical(address) && address >> 63;
}

#endif /* _LG_XEN_H */
