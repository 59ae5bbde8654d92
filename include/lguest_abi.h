/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ABI between guest and host: the page that each virtual CPU shares with
 * the host, the events that arrive through it, and the hypercalls.
 *
 * This file is the only thing that the guest's kernel and lg.ko have in common:
 * the guest's patch series carries a copy of it, and a test says that the two
 * are equal. Documentation/abi.md says the same in prose.
 *
 * The guest's kernel and its user space both run in ring 3. Which of the two
 * is running ("the mode") is the host's state, never read from a selector.
 */
#ifndef _LGUEST_ABI_H
#define _LGUEST_ABI_H

/* Grows with each change that an old guest or an old host would misread. */
#define LGUEST_ABI_VERSION	2

/*
 * How the launcher finds the entry point: an ELF note of this name in the
 * guest's vmlinux. ENTRY holds a 64-bit guest virtual address, ABI a 32-bit
 * version.
 */
#define LGUEST_ELFNOTE_NAME	"LGuest"
#define LGUEST_ELFNOTE_ENTRY	1
#define LGUEST_ELFNOTE_ABI	2

/*
 * The guest's state at the entry point: kernel mode, interrupts off,
 * %rsi = guest physical address of struct boot_params, all other registers
 * and the GS base zero. %cr3 = page tables that the launcher made, of 2 MiB
 * pages: they map the first LGUEST_BOOT_MAPPED bytes of guest memory (or all
 * of it, if that is less) at 0 and at 0xffff888000000000, and at most the
 * first GiB of it at 0xffffffff80000000.
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
#define LHCALL_FLUSH_ASYNC	0  /* (): does nothing; every exit drains the ring */
#define LHCALL_INIT		1  /* (&struct lguest_init): early; the last call counts */
#define LHCALL_REGISTER		2  /* (gva of lguest_data, kernel GS base): set this vCPU's */
#define LHCALL_SHUTDOWN		3  /* (LGUEST_SHUTDOWN_*, gva of a string or 0): never returns */
#define LHCALL_CONSOLE		4  /* (gva, length): early console output; returns bytes written */
#define LHCALL_LOAD_CR3		5  /* (CR3 with PCID and NOFLUSH, as MOV to CR3 takes it) */
#define LHCALL_FLUSH_TLB	6  /* (LGUEST_FLUSH_*, start, end): flush this vCPU's */
#define LHCALL_FLUSH_MULTI	7  /* (LGUEST_FLUSH_*, start, end, mask): others'; bit n: vCPU n */
#define LHCALL_SET_PTE		8  /* (gpa of the entry, new value): a hint */
#define LHCALL_RELEASE_PT	9  /* (gfn): this page is no page table any more: a hint */
#define LHCALL_SET_TIMER	10 /* (nanoseconds from now): one interrupt on line 0; ~0: none */
#define LHCALL_HALT		11 /* (): sleep until an interrupt is pending, irq_enabled or not */
#define LHCALL_LOAD_TLS		12 /* (entry 0, 1, 2): the three TLS descriptors of the GDT */
#define LHCALL_IRET		13 /* (): go on at lguest_data.iret, with its ax, cx and r11 */
#define LHCALL_INTERRUPT	14 /* (): deliver what is pending and not blocked, if irq_enabled */
#define LHCALL_SEND_IPI		15 /* (vector, vCPU number); 2 is an NMI */
#define LHCALL_VCPU_UP		16 /* (vCPU number, &struct lguest_vcpu_up): start it; -EBUSY: up */
#define LHCALL_VCPU_DOWN	17 /* (): stop this vCPU, until VCPU_UP starts it anew */
#define LHCALL_KICK		18 /* (vCPU number): end its HALT */
#define LHCALL_DEBUG_PUTC	19 /* Reserved: -ENOSYS */
#define LHCALL_NR		20

/* LHCALL_SHUTDOWN */
#define LGUEST_SHUTDOWN_POWEROFF	1
#define LGUEST_SHUTDOWN_RESTART		2
#define LGUEST_SHUTDOWN_CRASH		3	/* the message is the panic's */

/* LHCALL_FLUSH_*: what may be stale (SDM volume 3, 4.10.4.1) */
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
#define LGUEST_RING_DONE	0xff	/* slot is free: the guest may fill it */
#define LGUEST_RING_PENDING	0	/* slot holds a call that the host has to do */

/* Offsets for assembly; both sides check them against the struct. */
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

/* One call of the ring. It means what the LHCALL_* of that number means. */
struct lguest_ring_entry {
	__u64 nr;
	__u64 arg[3];
};

/* The frame of an event or of a return, as the CPU would push or pop it. */
struct lguest_frame {
	__u64 ip;
	__u64 cs;	/* RPL 0 (__KERNEL_CS) for kernel mode, the real selector for user mode */
	__u64 flags;	/* IF stands for irq_enabled */
	__u64 sp;
	__u64 ss;
};

/* Has the layout of Linux's struct pvclock_vcpu_time_info. */
struct lguest_clock {
	__u32 version;		/* odd while the host writes */
	__u32 pad0;
	__u64 tsc_timestamp;	/* the TSC at system_time */
	__u64 system_time;	/* ns since the VM was made */
	__u32 tsc_to_system_mul;
	__s8  tsc_shift;
	__u8  flags;
	__u8  pad[2];
};

/**
 * struct lguest_data - what one virtual CPU shares with the host; one page
 *
 * The guest's kernel keeps it at a fixed place in its per-CPU area, and tells
 * the host with LHCALL_REGISTER where that is. The guest can write all of it at
 * any time: the host reads each field once and trusts none.
 */
struct lguest_data {
	/* Written by the guest: bit 9, as in EFLAGS. The host clears it with each event. */
	__u64 irq_enabled;
	/* Written by the host: not 0 while an interrupt waits for irq_enabled. */
	__u64 irq_pending;
	/* Written by the host with each #PF: the faulting address. */
	__u64 cr2;
	/* Written by the guest: the stack for events from user mode. */
	__u64 sp0;
	/*
	 * GS base of user mode. The host writes it on the way to kernel mode and
	 * reads it on the way to user mode. (The FS base stays in its register.)
	 */
	__u64 user_gs_base;

	/*
	 * The event record. The host writes it, sets event_valid and enters the
	 * guest at lguest_init.event_entry, in kernel mode, with the kernel's GS
	 * base and irq_enabled = 0. %rsp is sp0 if the event came in user mode;
	 * else it stays as it was. No other register changes. The guest copies
	 * the record to its stack and clears event_valid. Until then interrupts
	 * wait, and a second exception ends the guest.
	 */
	__u32 event_valid;
	__u32 event_vector;	/* 0 to 255 */
	__u64 event_error;	/* error code, ~0 for a vector that has none */
	struct lguest_frame event;

	/*
	 * Written by the host at a system call (SYSCALL in user mode): the user's
	 * %rsp. The guest goes on at lguest_init.syscall_entry with %rsp = sp0,
	 * irq_enabled = 0, and %rcx and %r11 undefined: what SYSCALL puts there
	 * is in syscall_ip and syscall_flags.
	 */
	__u64 syscall_sp;

	/* Written by the guest before LHCALL_IRET. */
	struct lguest_frame iret;
	__u64 iret_ax;
	__u64 iret_cx;
	__u64 iret_r11;

	/* Written by the guest: bit n is set while line n shall not interrupt. */
	__u64 blocked_interrupts;

	/* Written by the host at LHCALL_INIT, LHCALL_REGISTER and wherever needed. */
	__u64 time_sec;		/* wall clock when the VM's clock was 0: seconds since the epoch */
	__u64 time_nsec;
	__u32 tsc_khz;		/* 0: the TSC is no clock here, use .clock */
	__u32 vcpu;		/* this virtual CPU's number */
	__u64 steal_ns;		/* ns that this vCPU has waited for a CPU of the host */
	__u32 preempted;	/* not 0: no CPU of the host runs this vCPU */
	__u32 pad0;
	__u64 reserve_mem;	/* bytes below the end of virtual space that the host keeps: 0 */
	struct lguest_clock clock;
	/* Written by the host with each #DB: DR6 as the CPU had it. */
	__u64 dr6;
	/* Written by the host at a system call, beside syscall_sp. */
	__u64 syscall_ip;	/* behind the SYSCALL */
	__u64 syscall_flags;

	/* Reserved. */
	__u8  pad1[0x200 - 0x118];

	/* The ring of asynchronous hypercalls. Every exit drains it, in order. */
	__u8  hcall_status[LGUEST_RING_SLOTS];
	struct lguest_ring_entry hcalls[LGUEST_RING_SLOTS];
	__u8  pad2[LGUEST_DATA_SIZE - LGUEST_DATA_hcalls -
		   LGUEST_RING_SLOTS * sizeof(struct lguest_ring_entry)];
};

/* LHCALL_INIT. All addresses are guest virtual, in the kernel half. */
struct lguest_init {
	__u32 abi_version;	/* LGUEST_ABI_VERSION */
	__u32 syscall_vec;	/* INT vector that user mode may use beside 3 and 4; 0: none */
	__u64 event_entry;
	__u64 syscall_entry;
	/*
	 * [noirq_start, noirq_end): kernel code that has set irq_enabled but not
	 * yet finished its return to kernel mode. The host delivers nothing while
	 * %rip is there.
	 */
	__u64 noirq_start;
	__u64 noirq_end;
	__u64 kernel_address;	/* where the guest kernel's half begins */
	/*
	 * A map with one byte for each page of guest memory: its guest physical
	 * address and number of bytes. The guest writes 1 when it has changed a
	 * page table in that page, and the host writes 0 when it has seen that.
	 * 0, 0: the guest keeps no such map.
	 */
	__u64 dirty_map;
	__u64 dirty_map_size;
};

/* LHCALL_VCPU_UP: the other vCPU's first state, in kernel mode. */
struct lguest_vcpu_up {
	__u64 ip;
	__u64 sp;
	__u64 cr3;
	__u64 gs_base;
	__u64 data;		/* gva of its lguest_data */
};

#endif /* !__ASSEMBLER__ */
#endif /* _LGUEST_ABI_H */
