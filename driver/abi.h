/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The seam between the loop and a guest ABI: the functions of a guest ABI that run.c, exits.c and
 * the wings below call. The mmu, the host's side and the virtual CPU know no other way to a guest
 * ABI.
 *
 * dispatch.h calls the functions that every exit needs; for lguest's own ABI that costs a compare.
 * The others are called rarely enough for a pointer.
 */
#ifndef _LG_ABI_H
#define _LG_ABI_H

#include <linux/types.h>

#include "lg.h"

/**
 * struct lg_abi - a guest ABI
 * @name: for messages
 * @hole_start: first guest physical address that has devices, not memory
 * @hole_end: the address after the last; @hole_start: there is no such hole
 * @first_line: first interrupt line that an irqfd or LGUEST_IRQ_LINE may use
 * @end_line: the line after the last
 *
 * The vCPU's mutex is held in all that take a vCPU, @raise and @timer aside. Atomic:
 * @deliver, @system_call, @hypercall, @drain, @loaded, @put. Interrupts off, no lock waited
 * for, nobody woken: @quickly, @calls_wait.
 *
 * @has_pcids: the low bits of the guest's CR3 say which address space it is
 * @vm_init: LGUEST_SET_ABI; sleeps; 0 or -errno. NULL in our own, which needs none
 * @vm_exit: the reverse, for the VM's end; sleeps; NULL with @vm_init
 * @create: a vCPU is made; sleeps; 0 or -errno. NULL: there is nothing to do
 * @deliver: give the guest's kernel one exception or interrupt that it can take now. Returns
 *	LG_FAST, or what must be done first where it may sleep; then nothing has happened yet,
 *	what was pending still is, and @deliver is called again
 * @system_call: SYSCALL in the guest's user mode
 * @hypercall: SYSCALL in its kernel mode
 * @quickly: do a hypercall that needs little, between two entries; false: @hypercall has to do it
 * @hypercall_slow: do a call for which @hypercall has returned LG_SLOW_HYPERCALL; may sleep.
 *	0: run the guest again; 1: run->exit_reason is set
 * @calls_wait: has the guest left calls to be done before it runs again?
 * @drain: do these calls, until another task needs this CPU
 * @loaded: the vCPU is in this CPU's window and about to run: update its clock, and the like
 * @put: the vCPU is about to leave the window
 * @waiting: would a halt end? Any context
 * @exception_address: CR2, as the guest's kernel reads it
 * @set_irqs: do CLI or STI of the guest's kernel
 * @msr: RDMSR or WRMSR of the guest's kernel; false: #GP. NULL: they read as 0 and do nothing
 * @undefined: #UD in the guest's kernel: LG_INSN_MAX bytes at %rip; true: run->exit_reason is
 *	set. NULL: never
 * @complete: LGUEST_RUN begins: what the launcher was asked for is in the run page. NULL: nothing
 * @user_gs_base: the GS base of the guest's user mode, while its kernel runs
 * @user_gate: may the guest's user mode use INT @vector?
 * @start: wait until a vCPU that is down is started, for a signal, or for the VM's end; sleeps
 * @release: the vCPU goes away: give back what it shares with the guest; sleeps
 * @raise: raise an interrupt line of a device; any context
 * @timer: the vCPU's timer has fired; hard interrupt
 */
struct lg_abi {
	const char *name;
	gpa_t hole_start, hole_end;
	unsigned int first_line, end_line;

	bool has_pcids;

	int (*vm_init)(struct lg_vm *vm);
	void (*vm_exit)(struct lg_vm *vm);
	int (*create)(struct lg_vcpu *vcpu);
	enum lg_slow (*deliver)(struct lg_vcpu *vcpu);
	enum lg_slow (*system_call)(struct lg_vcpu *vcpu);
	enum lg_slow (*hypercall)(struct lg_vcpu *vcpu);
	bool (*quickly)(struct lg_vcpu *vcpu);
	int (*hypercall_slow)(struct lg_vcpu *vcpu);
	bool (*calls_wait)(const struct lg_vcpu *vcpu);
	void (*drain)(struct lg_vcpu *vcpu);
	void (*loaded)(struct lg_vcpu *vcpu);
	void (*put)(struct lg_vcpu *vcpu);
	bool (*waiting)(struct lg_vcpu *vcpu);
	u64 (*exception_address)(const struct lg_vcpu *vcpu);
	void (*set_irqs)(struct lg_vcpu *vcpu, bool on);
	bool (*msr)(struct lg_vcpu *vcpu, u32 number, bool write, u64 *value);
	bool (*undefined)(struct lg_vcpu *vcpu, const u8 *bytes);
	void (*complete)(struct lg_vcpu *vcpu);
	u64 (*user_gs_base)(const struct lg_vcpu *vcpu);
	bool (*user_gate)(const struct lg_vcpu *vcpu, u8 vector);
	void (*start)(struct lg_vcpu *vcpu);
	void (*release)(struct lg_vcpu *vcpu);
	void (*raise)(struct lg_vcpu *vcpu, unsigned int line);
	void (*timer)(struct lg_vcpu *vcpu);
};

extern const struct lg_abi lg_abi_lguest, lg_abi_xen;

/* abi-xen/abi.c */
int lg_xen_setup(struct lg_vm *vm, const struct lguest_xen_setup *args);

#endif /* _LG_ABI_H */
