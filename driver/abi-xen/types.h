/* SPDX-License-Identifier: GPL-2.0-only */
/* What a VM and a virtual CPU hold for abi-xen/. lg.h knows the names alone. */
#ifndef _LG_XEN_TYPES_H
#define _LG_XEN_TYPES_H

#include <linux/spinlock.h>
#include <linux/types.h>
#include <xen/interface/xen.h>
#include <xen/interface/event_channel.h>
#include <xen/interface/vcpu.h>

#define LG_XEN_PORTS	((unsigned int)EVTCHN_2L_NR_CHANNELS)
#define LG_XEN_VIRQS	2	/* VIRQ_TIMER and VIRQ_DEBUG */

enum lg_xen_port_kind { LG_XEN_FREE, LG_XEN_LAUNCHER, LG_XEN_VIRQ, LG_XEN_IPI };

struct lg_xen_port {
	u8 kind;		/* enum lg_xen_port_kind */
	u8 vcpu;		/* whom its events are for */
	u8 virq;
};

struct lg_xen_vm {
	/* Taken in any context, interrupts off; a leaf but for wait queues: */
	spinlock_t lock;
	struct lg_xen_port ports[EVTCHN_2L_NR_CHANNELS];	/* under lock */
	/* Fixed by lg_xen_setup(), before there are vCPUs: */
	struct page *shared_page;	/* pinned */
	struct shared_info *shared;	/* the guest writes there, too */
};

struct lg_xen_vcpu {
	/* In shared_info, or where the guest has registered it once: changed under lg_xen_vm.lock. */
	struct vcpu_info *info;
	struct page *info_page;		/* pinned, or NULL: it is in shared_info */
	int poll_port;			/* SCHEDOP_poll waits for it; -1: none */
	u16 virq_port[LG_XEN_VIRQS];	/* 0: none; under lg_xen_vm.lock */

	struct trap_info traps[256];	/* by vector; addresses are canonical, 0: none */
	u64 event_callback, syscall_callback;	/* canonical, or 0 */
	bool syscall_masks;
	u64 kernel_sp;
	u64 user_gs_base;		/* canonical; of user mode while the kernel runs */
	bool nmi_runs;			/* the guest's handler has not returned yet */
	u64 gdt_frame;			/* of the first 512 descriptors, or ~0 */
	u64 tls[3];			/* as the guest wrote them */
	u64 dr6;
	enum { LG_XEN_NOTHING, LG_XEN_HYPERCALL, LG_XEN_CPUID } awaited;	/* from the launcher */
	/* Of VCPUOP_initialise, or NULL; whoever takes it out by xchg() frees it. */
	struct vcpu_guest_context *start;
	bool has_run;			/* and was taken down: VCPUOP_up lets it go on */
};

#endif /* _LG_XEN_TYPES_H */
