/* SPDX-License-Identifier: GPL-2.0-only */
/* The CPU and the kernel of the host, as the other wings see them. window.h has the inside. */
#ifndef _LG_HOST_H
#define _LG_HOST_H

#include "lg.h"

/* cpu.c: fixed at load */
void lg_cpu_init(void);
extern bool lg_la57, lg_pcid, lg_pke, lg_int80;
extern u64 lg_unknown;

/*
 * An entry that maps nothing is 0 or lg_unknown. lg_unknown has P set, and address bits that
 * this CPU does not have, so that the page fault comes with RSVD set (SDM volume 3, 4.7):
 * host/probe.c has seen that happen. The CPU ignores bit 52, which tells lg_unknown from all
 * other entries.
 */
#define LG_ENTRY_UNKNOWN	(GENMASK_ULL(52, PAGE_SHIFT) | _PAGE_PRESENT)

/* probe.c */
void lg_cpu_probe(void);

/* window.c, enter.c: init, exit, attach and detach sleep; the others are atomic */
int lg_windows_init(void);
void lg_windows_exit(void);
int lg_windows_attach(struct mm_struct *mm);
void lg_windows_detach(struct mm_struct *mm);
u64 lg_window_load(struct lg_vcpu *vcpu, bool *elsewhere);
void lg_window_put(struct lg_vcpu *vcpu);
void lg_window_gdt(struct lg_vcpu *vcpu);
void lg_host_state_save(struct lg_vcpu *vcpu);
void lg_host_state_restore(struct lg_vcpu *vcpu);
void lg_window_enter(struct lg_vcpu *vcpu);
void lg_window_fault(struct lg_vcpu *vcpu, u64 *vector, u64 *error, u64 *offset);
unsigned long lg_host_handler(struct lg_vcpu *vcpu, u8 vector);

/* host_interrupt.S */
void lg_host_interrupt(unsigned long handler);
unsigned int lg_call_switcher(unsigned long entry, struct switcher_state *state);

/* fpu.c */
int lg_fpu_init(void);
void *lg_fpu_alloc(void);
void lg_fpu_begin(struct lg_vcpu *vcpu);
void lg_fpu_interrupted(struct lg_vcpu *vcpu);
void lg_fpu_end(struct lg_vcpu *vcpu, bool interrupted);

/* segments.c */
int lg_set_tls(struct lg_vcpu *vcpu, const u64 entries[3]);
u16 lg_check_selector(const struct lg_vcpu *vcpu, u16 selector);
bool lg_return_selectors_ok(const struct lg_vcpu *vcpu, u64 cs, u64 ss);

#endif /* _LG_HOST_H */
