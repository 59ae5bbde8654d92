/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ABI between Guest and Host: the page that each virtual CPU shares with
 * the Host, the events that arrive through it, and the hypercalls.
 *
 * This file is the only thing that the Guest kernel and lg.ko have in common;
 * the Guest's patch series carries a copy of it, and a test holds the two
 * together.  Documentation/abi.md tells the same in prose.
 *
 * The Guest's kernel and its user space both run in ring 3.  Which of the two
 * is running ("the mode") is Host state: it is never read back from a selector.
 */
#ifndef _LGUEST_ABI_H
#define _LGUEST_ABI_H

/* Changes with every change that an old Guest or Host would misread. */
#define LGUEST_ABI_VERSION	2

/*
 * How the Launcher finds the entry point: an ELF note of this name in the
 * Guest's vmlinux.  ENTRY holds a 64-bit Guest virtual address, ABI a 32-bit
 * version.
 */
#define LGUEST_ELFNOTE_NAME	"LGuest"
#define LGUEST_ELFNOTE_ENTRY	1
#define LGUEST_ELFNOTE_ABI	2

/*
 * The Guest's state at the entry point: kernel mode, interrupts off,
 * %rsi = Guest physical address of struct boot_params, all other registers
 * and the GS base zero, %cr3 = page tables that the Launcher made: the first
 * LGUEST_BOOT_MAPPED bytes of Guest memory (or all of it, if less) at 0, at
 * 0xffff888000000000 and (the first GiB at most) at 0xffffffff80000000, in
 * 2 MiB pages.
 */
#define LGUEST_BOOT_MAPPED	(4ULL << 30)

/* boot_params.hdr.hardware_subarch: X86_SUBARCH_LGUEST */
#define LGUEST_SUBARCH		1

/*
 * Guest physical space: memory from 0 to LGUEST_HOLE_START, the devices'
 * registers in the hole, more memory from LGUEST_HOLE_END.
 */
#define LGUEST_HOLE_START	0xd0000000ULL
#define LGUEST_HOLE_END		0x100000000ULL

/*
 * Hypercalls: SYSCALL in kernel mode; number in %rax, arguments in %rdi, %rsi,
 * %rdx, %r10; result in %rax (0 or a negative errno unless said otherwise).
 * %rcx and %r11 are lost, as SYSCALL does; all else is kept.
 */
#define LHCALL_FLUSH_ASYNC	0  /* nothing: the ring is drained at every exit */
#define LHCALL_INIT		1  /* (&struct lguest_init) early; if again, the last counts */
#define LHCALL_REGISTER		2  /* (gva of lguest_data, kernel GS base): this vCPU's */
#define LHCALL_SHUTDOWN		3  /* (LGUEST_SHUTDOWN_*, gva of a string or 0): no return */
#define LHCALL_CONSOLE		4  /* (gva, length): early console output; returns bytes written */
#define LHCALL_LOAD_CR3		5  /* (CR3 with PCID and NOFLUSH, as MOV to CR3 takes it) */
#define LHCALL_FLUSH_TLB	6  /* (LGUEST_FLUSH_*, start, end): this vCPU */
#define LHCALL_FLUSH_MULTI	7  /* (LGUEST_FLUSH_*, start, end, mask): bit n: vCPU n */
#define LHCALL_SET_PTE		8  /* (gpa of the entry, new value): a hint */
#define LHCALL_RELEASE_PT	9  /* (gfn): no page table any more: a hint */
#define LHCALL_SET_TIMER	10 /* (nanoseconds from now): one interrupt on line 0; ~0 cancels */
#define LHCALL_HALT		11 /* (): until an interrupt is pending, irq_enabled or not */
#define LHCALL_LOAD_TLS		12 /* (entry 0, 1, 2): the three TLS descriptors of the GDT */
#define LHCALL_IRET		13 /* (): to lguest_data.iret, with its ax, cx and r11 */
#define LHCALL_INTERRUPT	14 /* (): deliver what is pending and not blocked, if irq_enabled */
#define LHCALL_SEND_IPI		15 /* (vector, vCPU number); 2 is an NMI */
#define LHCALL_VCPU_UP		16 /* (vCPU number, &struct lguest_vcpu_up); -EBUSY: it is up */
#define LHCALL_VCPU_DOWN	17 /* (): this vCPU, no return until it is brought up again */
#define LHCALL_KICK		18 /* (vCPU number): end its HALT */
#define LHCALL_DEBUG_PUTC	19 /* reserved: -ENOSYS */
#define LHCALL_NR		20

/* LHCALL_SHUTDOWN */
#define LGUEST_SHUTDOWN_POWEROFF	1
#define LGUEST_SHUTDOWN_RESTART		2
#define LGUEST_SHUTDOWN_CRASH		3	/* the message is the panic's */

/* LHCALL_FLUSH_*: what may be stale, in the terms of SDM volume 3, 4.10.4.1 */
#define LGUEST_FLUSH_USER	1	/* non-global entries of the current PCID */
#define LGUEST_FLUSH_ALL	2	/* everything, global entries too */
#define LGUEST_FLUSH_RANGE	3	/* INVLPG for each page from start to end */

/* The most that one LHCALL_CONSOLE takes, and the longest message, in bytes. */
#define LGUEST_CONSOLE_MAX	4096
#define LGUEST_MESSAGE_MAX	1024

/*
 * Interrupt lines: line n arrives as vector 32 + n. Line 0 is the timer.
 * Vectors from LGUEST_FIRST_IPI on are sent by LHCALL_SEND_IPI.
 */
#define LGUEST_TIMER_LINE	0
#define LGUEST_LINES		64
#define LGUEST_FIRST_VECTOR	32
#define LGUEST_FIRST_IPI	(LGUEST_FIRST_VECTOR + LGUEST_LINES)

#define LGUEST_RING_SLOTS	64
#define LGUEST_RING_DONE	0xff	/* slot is free: the Guest may fill it */
#define LGUEST_RING_PENDING	0	/* slot holds a call for the Host */

/* Offsets for assembly; checked against the struct by both sides. */
#define LGUEST_DATA_irq_enabled		0x000
#define LGUEST_DATA_irq_pending		0x008
#define LGUEST_DATA_cr2			0x010
#define LGUEST_DATA_sp0			0x018
#define LGUEST_DATA_user_gs_base	0x020
#define LGUEST_DATA_event_valid		0x028
#define LGUEST_DATA_event_vector	0x02c
#define LGUEST_DATA_event_error		0x030
#define LGUEST_DATA_event_ip		0x038
#define LGUEST_DATA_event_cs		0x040
#define LGUEST_DATA_event_flags		0x048
#define LGUEST_DATA_event_sp		0x050
#define LGUEST_DATA_event_ss		0x058
#define LGUEST_DATA_syscall_sp		0x060
#define LGUEST_DATA_iret_ip		0x068
#define LGUEST_DATA_iret_cs		0x070
#define LGUEST_DATA_iret_flags		0x078
#define LGUEST_DATA_iret_sp		0x080
#define LGUEST_DATA_iret_ss		0x088
#define LGUEST_DATA_iret_ax		0x090
#define LGUEST_DATA_iret_cx		0x098
#define LGUEST_DATA_iret_r11		0x0a0
#define LGUEST_DATA_syscall_ip		0x108
#define LGUEST_DATA_syscall_flags	0x110
#define LGUEST_DATA_hcall_status	0x200
#define LGUEST_DATA_hcalls		0x240
#define LGUEST_DATA_SIZE		4096

#ifndef __ASSEMBLER__
#include <linux/types.h>

/* One call of the ring. The meaning is that of the LHCALL_* of that number. */
struct lguest_ring_entry {
	__u64 nr;
	__u64 arg[3];
};

/* The frame of an event or of a return: as the CPU would push or pop it. */
struct lguest_frame {
	__u64 ip;
	__u64 cs;	/* RPL 0 (__KERNEL_CS) for kernel mode, the real one for user mode */
	__u64 flags;	/* IF is the Guest's, from irq_enabled */
	__u64 sp;
	__u64 ss;
};

/* The same layout as Linux's struct pvclock_vcpu_time_info. */
struct lguest_clock {
	__u32 version;		/* odd while the Host writes */
	__u32 pad0;
	__u64 tsc_timestamp;	/* TSC when system_time was right */
	__u64 system_time;	/* ns since the VM was made */
	__u32 tsc_to_system_mul;
	__s8  tsc_shift;
	__u8  flags;
	__u8  pad[2];
};

/**
 * struct lguest_data - what one virtual CPU shares with the Host; one page
 *
 * The Guest kernel keeps it at a fixed place in its per-CPU area and tells the
 * Host where with LHCALL_REGISTER.  The Guest can write all of it at any time:
 * the Host reads each field once and believes nothing.
 */
struct lguest_data {
	/* Written by the Guest. Bit 9, as in EFLAGS. Host clears it with each event. */
	__u64 irq_enabled;
	/* Written by the Host when something waits for irq_enabled; cleared by it. */
	__u64 irq_pending;
	/* Written by the Host with each #PF: the faulting address. */
	__u64 cr2;
	/* Written by the Guest: the stack for events from user mode. */
	__u64 sp0;
	/*
	 * GS base of user mode. Host: written on the way to kernel mode, read
	 * on the way to user mode. (FS base stays in the register.)
	 */
	__u64 user_gs_base;

	/*
	 * The event record: Host writes it, sets event_valid and enters the
	 * Guest at lguest_init.event_entry in kernel mode with the kernel GS
	 * base, irq_enabled = 0 and %rsp = sp0 (from user mode) or the
	 * interrupted one (from kernel mode). No other register changes. The
	 * Guest copies the record to its stack and clears event_valid. Until
	 * then interrupts wait, and a second exception ends the Guest.
	 */
	__u32 event_valid;
	__u32 event_vector;	/* 0 to 255 */
	__u64 event_error;	/* error code, ~0 for a vector that has none */
	struct lguest_frame event;

	/*
	 * Written by the Host with a system call (SYSCALL in user mode): user
	 * %rsp. The Guest starts at lguest_init.syscall_entry with %rsp = sp0,
	 * irq_enabled = 0, and %rcx and %r11 undefined: what SYSCALL puts there
	 * is in syscall_ip and syscall_flags.
	 */
	__u64 syscall_sp;

	/* Written by the Guest before LHCALL_IRET. */
	struct lguest_frame iret;
	__u64 iret_ax;
	__u64 iret_cx;
	__u64 iret_r11;

	/* Written by the Guest: interrupt lines that it wants held (bit n: line n). */
	__u64 blocked_interrupts;

	/* Written by the Host at LHCALL_INIT, LHCALL_REGISTER and wherever needed. */
	__u64 time_sec;		/* wall clock when the VM's clock was 0, s since the epoch */
	__u64 time_nsec;
	__u32 tsc_khz;		/* 0: the TSC is no good as a clock here, use .clock */
	__u32 vcpu;		/* this virtual CPU's number */
	__u64 steal_ns;		/* time this vCPU waited for a CPU of the Host */
	__u32 preempted;	/* not zero: no CPU of the Host runs this vCPU */
	__u32 pad0;
	__u64 reserve_mem;	/* bytes below the end of virtual space that the Host keeps: 0 */
	struct lguest_clock clock;
	/* Written by the Host with each #DB: DR6 as the CPU had it. */
	__u64 dr6;
	/* Written by the Host with a system call, beside syscall_sp. */
	__u64 syscall_ip;	/* behind the SYSCALL */
	__u64 syscall_flags;

	/* What LHCALL_HALT and pv spinlocks may leave here for later versions. */
	__u8  pad1[0x200 - 0x118];

	/* The ring of asynchronous hypercalls, drained in order at every exit. */
	__u8  hcall_status[LGUEST_RING_SLOTS];
	struct lguest_ring_entry hcalls[LGUEST_RING_SLOTS];
	__u8  pad2[LGUEST_DATA_SIZE - LGUEST_DATA_hcalls -
		   LGUEST_RING_SLOTS * sizeof(struct lguest_ring_entry)];
};

/* LHCALL_INIT. All addresses are Guest virtual, in the kernel half. */
struct lguest_init {
	__u32 abi_version;	/* LGUEST_ABI_VERSION */
	__u32 syscall_vec;	/* INT vector open to user mode beside 3 and 4; 0: none */
	__u64 event_entry;
	__u64 syscall_entry;
	/*
	 * [noirq_start, noirq_end): kernel code that has set irq_enabled but
	 * not yet finished its return to kernel mode. Nothing is delivered
	 * while %rip is there.
	 */
	__u64 noirq_start;
	__u64 noirq_end;
	__u64 kernel_address;	/* where the Guest kernel's half begins */
	/*
	 * One byte for each page of Guest memory, Guest physical address and
	 * number of bytes: the Guest writes 1 when it has changed a page
	 * table in that page, the Host takes it back to 0 when it has seen
	 * it. 0, 0: the Guest keeps no such map.
	 */
	__u64 dirty_map;
	__u64 dirty_map_size;
};

/* LHCALL_VCPU_UP: the other processor's first state, in kernel mode. */
struct lguest_vcpu_up {
	__u64 ip;
	__u64 sp;
	__u64 cr3;
	__u64 gs_base;
	__u64 data;		/* gva of its lguest_data */
};

#endif /* !__ASSEMBLER__ */
#endif /* _LGUEST_ABI_H */
