/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * The ABI between launcher and host: /dev/lguest.
 *
 * Opening /dev/lguest makes a VM; LGUEST_CREATE_VM on its fd makes another VM and
 * returns the new fd. LGUEST_CREATE_VCPU makes a virtual CPU and returns an fd, on
 * which LGUEST_RUN runs the guest in the calling thread. Only the process that has
 * made a VM may use ioctls on it and on its vCPUs (-EPERM for others).
 * Every struct has a fixed size, and reserved fields must be zero (-EINVAL).
 */
#ifndef _LGUEST_UAPI_H
#define _LGUEST_UAPI_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define LGUEST_API_VERSION	3
#define LGUEST_DEVICE		"/dev/lguest"

#define LGUEST_MAX_VCPUS	16
#define LGUEST_MAX_MEMORY	4	/* memory regions */
#define LGUEST_MAX_IOEVENTFD	256
#define LGUEST_REASON_MAX	256
#define LGUEST_MIN_SHADOW	64	/* the lowest limit of a VM's shadow pages */
#define LGUEST_SHADOW_BYTES	12288	/* memory that the host needs for each */

/* LGUEST_GET_INFO */
struct lguest_info {
	__u32 api_version;	/* LGUEST_API_VERSION of the module */
	__u32 abi_version;	/* LGUEST_ABI_VERSION of the module */
	__u32 run_size;		/* bytes to mmap of a vCPU fd */
	__u32 flags;		/* LGUEST_INFO_* */
	__u64 reserved[4];
};
#define LGUEST_INFO_PTI		1	/* host runs with page table isolation */
#define LGUEST_INFO_LA57	2	/* host runs with 5-level paging */
#define LGUEST_INFO_PCID	4	/* host runs with PCID */

/* LGUEST_SET_MEMORY: before the first LGUEST_RUN; 4 KiB units */
struct lguest_memory {
	__u64 guest_phys;
	__u64 size;		/* bytes */
	__u64 host_virt;	/* its address in the launcher */
	__u64 reserved;
};

/* LGUEST_SET_ABI: before any memory and vCPU; the argument is what the guest's kernel speaks */
#define LGUEST_ABI_LGUEST	0	/* lguest_abi.h: so it is without LGUEST_SET_ABI */
#define LGUEST_ABI_XEN		1	/* Xen's ABI for paravirtual guests, as Linux uses it */

/*
 * LGUEST_XEN_SETUP: of a VM with LGUEST_ABI_XEN, behind its memory and before its first vCPU.
 * Such a VM has no hole for devices: all of LGUEST_SET_MEMORY may be memory.
 */
struct lguest_xen_setup {
	__u64 shared_info;	/* guest physical address of the shared_info page, in memory */
	__u64 m2p_entry;	/* what slot 257 of each top-level page table holds, in memory */
	__u64 reserved[2];
};

/* LGUEST_CREATE_VCPU: the argument itself is the number, 0 first */

/* LGUEST_GET_REGS, LGUEST_SET_REGS on a vCPU */
struct lguest_regs {
	__u64 rax, rbx, rcx, rdx, rsi, rdi, rbp, rsp;
	__u64 r8, r9, r10, r11, r12, r13, r14, r15;
	__u64 rip, rflags, cs, ss;
	__u64 cr2, cr3;
	__u64 fs_base, gs_base, user_gs_base;
	__u32 kernel_mode;	/* 1: the guest's kernel, 0: its user space */
	__u32 reserved;
};

/* LGUEST_IRQFD: each signal of the eventfd raises the line */
struct lguest_irqfd {
	__s32 fd;
	__u32 line;		/* 1 to 63; with LGUEST_ABI_XEN an event channel's port */
	__u32 flags;		/* LGUEST_IRQFD_DEASSIGN or 0 */
	__u32 reserved;
};
#define LGUEST_IRQFD_DEASSIGN	1

/* LGUEST_IOEVENTFD: a 4-byte write of this value there signals the eventfd */
struct lguest_ioeventfd {
	__u64 guest_phys;
	__s32 fd;
	__u32 value;
	__u32 flags;		/* LGUEST_IOEVENTFD_* */
	__u32 reserved;
};
#define LGUEST_IOEVENTFD_DEASSIGN	1
#define LGUEST_IOEVENTFD_PORT		2	/* Xen: the guest's send to port value; guest_phys is 0 */

/* struct lguest_run.exit_reason */
#define LGUEST_EXIT_NONE	0
#define LGUEST_EXIT_MMIO	1	/* .mmio: do it, put what was read into .mmio.data, run again */
#define LGUEST_EXIT_SHUTDOWN	2	/* .shutdown: the guest has ended */
#define LGUEST_EXIT_KILLED	3	/* .killed: the host has ended the guest */
#define LGUEST_EXIT_CONSOLE	4	/* .console: print the data */
#define LGUEST_EXIT_HYPERCALL	6	/* .hypercall: put the answer into .hypercall.result, run again */
#define LGUEST_EXIT_CPUID	7	/* .cpuid: put what CPUID is to say there, run again */
#define LGUEST_EXIT_INTR	5	/* immediate_exit or a signal; LGUEST_RUN returned -EINTR */

/**
 * struct lguest_run - shared page of a vCPU: mmap(fd, run_size, offset 0)
 *
 * Belongs to the thread that calls LGUEST_RUN. But any thread, and a signal handler,
 * may set immediate_exit.
 */
struct lguest_run {
	/* Written by the launcher: 1 makes LGUEST_RUN return -EINTR at once. */
	__u8 immediate_exit;
	__u8 pad0[3];
	/* Written by the host at each return of LGUEST_RUN. */
	__u32 exit_reason;
	__u64 reserved[7];
	union {
		struct {
			__u64 guest_phys;
			__u64 data;	/* little endian, low length bytes */
			__u32 length;	/* 1, 2, 4 or 8 */
			__u32 is_write;
		} mmio;
		struct {
			__u32 reason;	/* LGUEST_SHUTDOWN_* of lguest_abi.h */
			__u32 pad;
			char message[1024];	/* NUL-terminated */
		} shutdown;
		struct {
			char reason[LGUEST_REASON_MAX];	/* NUL-terminated, for a person */
		} killed;
		struct {
			__u32 length;	/* bytes */
			__u32 pad;
			char data[2048];
		} console;
		struct {
			__u64 nr;	/* a hypercall of the Xen ABI that lg.ko leaves to the launcher */
			__u64 arg[5];
			__u64 cr3;	/* the top-level page table that guest addresses in arg[] go by */
			__s64 result;
		} hypercall;
		struct {
			__u32 leaf, subleaf;
			__u32 eax, ebx, ecx, edx;
		} cpuid;
		__u8 size[4032];
	};
};

/* LGUEST_GET_STATS on a vCPU; counts since it was made */
#define LGUEST_STATS_VECTORS	32
struct lguest_stats {
	__u64 exits;			/* all exits from the guest to lg.ko's C code */
	__u64 exceptions[LGUEST_STATS_VECTORS];	/* exits by exception vector */
	__u64 interrupts;		/* exits because the host had an interrupt */
	__u64 syscalls;			/* guest system calls that went through C */
	__u64 hypercalls;
	__u64 hypercall_nr[32];		/* by number */
	__u64 injected;			/* events delivered to the guest's kernel */
	__u64 mmio;			/* accesses to the devices' hole */
	__u64 kicks;			/* of these, those that signalled an eventfd */
	__u64 halts;
	__u64 shadow_fills;		/* shadow entries made */
	__u64 shadow_syncs;		/* shadow pages compared with the guest's */
	__u64 shadow_pages;		/* in use by the VM now */
	__u64 ring_calls;		/* asynchronous hypercalls done */
	__u64 flushes;			/* TLB flushes asked for */
	__u64 emulated;			/* instructions emulated */
	__u64 nmis;			/* NMIs of the host taken while the guest ran */
	__u64 direct_syscalls;		/* system calls that never left the switcher */
	__u64 direct_returns;		/* returns to user mode that never left it */
	__u64 direct_events;		/* exceptions that never left it */
	__u64 direct_cr3_loads;		/* changes of page tables that never left it */
	__u64 prefills;			/* shadow entries made beside those that faulted */
	__u64 ring_drains;		/* exits that found calls in the ring */
	__u64 prefills_used;		/* prefills of the whole VM that the CPU has used */
	__u64 prefills_wasted;		/* prefills of the whole VM that went unused */
	__u64 shadow_alone;		/* faults and flushes that wrote mmu_lock */
	__u64 reserved[7];
};

/*
 * A table of the exceptions (SDM volume 3, table 6-1): vector, name in counters, name for people.
 */
#define LGUEST_EXCEPTIONS(X)						\
	X(0, de, "#DE"), X(1, db, "#DB"), X(2, nmi, "NMI"), X(3, bp, "#BP"), \
	X(4, of, "#OF"), X(5, br, "#BR"), X(6, ud, "#UD"), X(7, nm, "#NM"), \
	X(8, df, "#DF"), X(9, old_mf, "coprocessor"), X(10, ts, "#TS"), \
	X(11, np, "#NP"), X(12, ss, "#SS"), X(13, gp, "#GP"), X(14, pf, "#PF"), \
	X(15, 15, "15"), X(16, mf, "#MF"), X(17, ac, "#AC"), X(18, mc, "#MC"), \
	X(19, xf, "#XM"), X(20, ve, "#VE"), X(21, cp, "#CP"), X(22, 22, "22"), \
	X(23, 23, "23"), X(24, 24, "24"), X(25, 25, "25"), X(26, 26, "26"), \
	X(27, 27, "27"), X(28, hv, "#HV"), X(29, vc, "#VC"), X(30, sx, "#SX"), \
	X(31, 31, "31")

/* A table of the hypercalls, each X(LHCALL_, its name in counters and traces). */
#define LGUEST_HYPERCALLS(X)						\
	X(FLUSH_ASYNC, flush_async), X(INIT, init), X(REGISTER, register), \
	X(SHUTDOWN, shutdown), X(CONSOLE, console), X(LOAD_CR3, load_cr3), \
	X(FLUSH_TLB, flush_tlb), X(FLUSH_MULTI, flush_multi), X(SET_PTE, set_pte), \
	X(RELEASE_PT, release_pt), X(SET_TIMER, set_timer), X(HALT, halt), \
	X(LOAD_TLS, load_tls), X(IRET, iret), X(INTERRUPT, interrupt), \
	X(SEND_IPI, send_ipi), X(VCPU_UP, vcpu_up), X(VCPU_DOWN, vcpu_down), \
	X(KICK, kick), X(DEBUG_PUTC, debug_putc)

#define LGUEST_IOC		0xb7
#define LGUEST_GET_INFO		_IOR(LGUEST_IOC, 0x00, struct lguest_info)
#define LGUEST_SET_MEMORY	_IOW(LGUEST_IOC, 0x01, struct lguest_memory)
#define LGUEST_CREATE_VCPU	_IO(LGUEST_IOC, 0x02)
#define LGUEST_IRQFD		_IOW(LGUEST_IOC, 0x03, struct lguest_irqfd)
#define LGUEST_IOEVENTFD	_IOW(LGUEST_IOC, 0x04, struct lguest_ioeventfd)
#define LGUEST_IRQ_LINE		_IO(LGUEST_IOC, 0x05)	/* the argument is the line */
#define LGUEST_PAUSE		_IO(LGUEST_IOC, 0x06)	/* 1: the VM's time stops; 0: it goes on */
#define LGUEST_SET_SHADOW_LIMIT	_IO(LGUEST_IOC, 0x07)	/* the argument is the most shadow pages */
#define LGUEST_CREATE_VM	_IO(LGUEST_IOC, 0x08)	/* one more, as if by open() */
#define LGUEST_SET_ABI		_IO(LGUEST_IOC, 0x09)	/* the argument is LGUEST_ABI_* */
#define LGUEST_XEN_SETUP	_IOW(LGUEST_IOC, 0x0a, struct lguest_xen_setup)
#define LGUEST_RUN		_IO(LGUEST_IOC, 0x10)
#define LGUEST_GET_REGS		_IOR(LGUEST_IOC, 0x11, struct lguest_regs)
#define LGUEST_SET_REGS		_IOW(LGUEST_IOC, 0x12, struct lguest_regs)
#define LGUEST_GET_STATS	_IOR(LGUEST_IOC, 0x13, struct lguest_stats)

#endif /* _LGUEST_UAPI_H */
