/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of lg.ko share. Read Documentation/journey.md for the order.
 *
 * Locks, outermost first:
 *
 *   lg_vcpu.mutex      one thread at a time runs a vCPU or touches its state;
 *                      all of struct lg_vcpu that names no other rule
 *   lg_vm.lock         the VM's configuration: memory, vCPUs, eventfds
 *   lg_vm.mmu_lock     everything shadow; it spins, since the mmu_notifier's
 *                      callbacks take it. Written with interrupts on, so that a
 *                      CPU that waits for it still answers IPIs; the Host may ask
 *                      with its page tables' locks held (young pages). Who reads it
 *                      may, with the next two, change entries of level 1.
 *   lg_shadow_page.busy  its entries, and that they are what the Guest's say;
 *                      never waited for: who does not get it writes mmu_lock
 *   lg_vm.clock_lock   when its clock is shifted; a leaf, below
 *                      vcpu/clock.c's list of all VMs
 *   LG_SPTES_BUSY      a frame's list of shadow entries, for some instructions, interrupts off
 *
 * "Atomic" below means: preemption off, between lg_fpu_begin() and
 * lg_fpu_end(), with the vCPU's state in this CPU's window.
 */
#ifndef _LG_H
#define _LG_H

#include <linux/bitops.h>
#include <linux/hrtimer.h>
#include <linux/io.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/kref.h>
#include <linux/list_lru.h>
#include <linux/mmu_notifier.h>
#include <linux/mutex.h>
#include <linux/nospec.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <asm/desc_defs.h>
#include <asm/processor-flags.h>

#include "lguest_uapi.h"
#include "switcher.h"
#include "abi-lguest/types.h"
#include "io/types.h"
#include "mmu/types.h"

#define LG_VECTORS	256
#define LG_INT80	0x80	/* Linux's system call vector for 32-bit programs */

struct lg_abi;
struct lg_window;

struct lg_vm {
	struct kref kref;
	struct mm_struct *mm;		/* mmgrab()bed: its pgd has the windows */
	struct mmu_notifier notifier;
	struct shrinker *shrinker;
	struct list_lru lru;		/* has the token, and so knows its memory cgroup */
	struct list_head *token;	/* charged as the shadow pages are */
	struct mutex lock;
	struct lg_memory_slot slots[LGUEST_MAX_MEMORY];	/* fixed at the first run */
	unsigned int nr_slots;
	bool started;
	struct lg_vcpu *vcpus[LGUEST_MAX_VCPUS];	/* set once, under lock */
	struct list_head irqfds, ioeventfds;		/* under lock */

	rwlock_t mmu_lock;
	struct lg_mmu mmu;

	const struct lg_abi *abi;	/* fixed */
	struct lg_lguest_vm lguest;
	struct list_head clock_list;	/* all VMs: vcpu/clock.c */
	spinlock_t clock_lock;		/* who writes these: */
	u64 clock_start;		/* ktime when the VM's clock was 0, ns */
	u64 tsc_offset;			/* ticks it was paused, or the Host slept; not 0: RDTSC traps */
	u64 paused_ns, paused_tsc;	/* since when it is, or 0 */

	struct dentry *debugfs;		/* its folder there, or an error */

	/* Set once, by lg_kill(); the reason is for the person at the Launcher. */
	unsigned long dead;
	char reason[LGUEST_REASON_MAX];
};

/* switcher_vcpu.mode */
enum lg_mode { LG_USER = MODE_USER, LG_KERNEL = MODE_KERNEL };

/* lg_vcpu.state: see abi-lguest/smp.c */
enum lg_vcpu_state { LG_VCPU_RUNNING, LG_VCPU_DOWN, LG_VCPU_STARTING, LG_VCPU_START };

/* Why the atomic part of the run loop was left. */
enum lg_slow {
	LG_FAST = 0,		/* not at all: go on */
	LG_SLOW_WORK,		/* interrupt, reschedule, signal, kick */
	LG_SLOW_FAULT_IN,	/* vcpu->fault_hva must be made present */
	LG_SLOW_MEMORY,		/* the shadow cache wants filling */
	LG_SLOW_WAIT,		/* the mmu_notifier is at work at vcpu->fault_hva */
	LG_SLOW_MMIO,		/* instruction at ip touches vcpu->mmio_gpa */
	LG_SLOW_EMULATE,	/* instruction at ip may be one we know */
	LG_SLOW_HYPERCALL,	/* one that needs to sleep */
	LG_SLOW_HALT,
	LG_SLOW_SPLIT_LOCK,	/* the Host wants those to be slow */
	LG_SLOW_DEAD,
};

struct lg_vcpu {
	struct lg_vm *vm;
	const struct lg_abi *abi;	/* the VM's */
	unsigned int id;
	struct mutex mutex;
	struct task_struct *task;	/* who runs it, while it runs */
	struct lguest_run *run;		/* a page, mmapped by the Launcher */

	/* The Guest's registers. In the window while loaded, here otherwise. */
	struct guest_regs *regs;
	struct switcher_vcpu *cpu;
	struct guest_regs saved_regs;
	struct switcher_vcpu saved_cpu;
	struct lg_window *window;	/* NULL while not loaded */

	u64 cr3;			/* the Guest's, without NOFLUSH */
	struct desc_struct tls[3];	/* checked */

	struct page *shared_page;	/* pinned: Guest, Host and Switcher have it mapped; or NULL */
	struct lg_lguest_vcpu lguest;

	struct lg_root roots[LG_ROOTS];
	struct lg_root *root;		/* the current one */
	struct lg_root *published[LG_ROOTS];	/* behind switcher_vcpu.roots */
	u64 root_clock;
	u64 root_slot;			/* switcher_vcpu.root_slot, as far as we know */
	u64 window_entry;		/* slot 256 of all roots */
	u64 serial;			/* of all vCPUs there ever were */
	struct lg_window *last_window;	/* where it was entered last */
	u64 generation;			/* lg_mmu.generation at the last flush */
	struct page **pages;		/* room for the 512 of a large page */
	struct lg_path path_cache[LG_PATHS];	/* by address */

	/* An exception to deliver before anything else. */
	bool exception_pending;
	u8 exception_vector;
	u64 exception_error, exception_address;	/* the latter for a page fault */
	bool stepping;			/* TF is ours: out of the noirq range */

	enum lg_vcpu_state state;
	struct lg_flush flush;

	/* Interrupts, and NMI as bit 2: set from anywhere, with set_bit(). */
	unsigned long pending[BITS_TO_LONGS(LG_VECTORS)];
	unsigned long kicked;		/* bit 0: leave the Guest and look */
	bool unhalted;			/* the next halt, or this one, ends */
	int running_cpu;		/* in Guest mode there; -1: not */
	wait_queue_head_t halted;
	struct hrtimer timer;

	u64 run_delay;			/* of @task when last looked at, ns */
	u64 steal;			/* that it waited for a CPU, ns */

	u64 dr6;			/* of the last #DB */
	unsigned long split_locks_until;	/* jiffies: loaded before, it may make some */
	void *fpu;			/* XSAVE area */
	u64 host_xfd;			/* MSR_IA32_XFD, while the Guest's state is loaded */
	hva_t fault_hva;		/* for LG_SLOW_FAULT_IN */
	bool fault_write;
	struct lg_last_frame last_frame;
	gpa_t mmio_gpa;
	struct lg_mmio mmio;

	/* Read by dev/debugfs.c at any time. direct_*: as of lg_window_put() */
	struct lguest_stats stats;
};

/* The atomic part of the thread that holds @vcpu's mutex. Nothing without lockdep. */
static inline void lg_assert_atomic(const struct lg_vcpu *vcpu)
{
	lockdep_assert_held(&vcpu->mutex);
	lockdep_assert_preemption_disabled();
}

/* The same, with interrupts off. */
static inline void lg_assert_irqs_off(const struct lg_vcpu *vcpu)
{
	lockdep_assert_held(&vcpu->mutex);
	lockdep_assert_irqs_disabled();
}

/* All there are: whoever sees one sees all of it, and it stays until the VM goes. */
#define lg_for_each_vcpu(i, vcpu, vm)						\
	for ((i) = 0; (i) < LGUEST_MAX_VCPUS; (i)++)				\
		if (!((vcpu) = smp_load_acquire(&(vm)->vcpus[i]))) {} else

/* run.c, exits.c */
int lg_run(struct lg_vcpu *vcpu);
enum lg_slow lg_exit(struct lg_vcpu *vcpu);
bool lg_exit_quickly(struct lg_vcpu *vcpu);

/* emulate.c: may sleep */
int lg_emulate(struct lg_vcpu *vcpu);

#endif /* _LG_H */
