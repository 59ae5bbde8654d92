/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What all files of lg.ko share. Documentation/journey.md says in which order to read them.
 *
 * Locks, outermost first:
 *
 *   lg_vcpu.mutex      all fields of struct lg_vcpu that name no other rule: one thread at a time
 *                      runs a vCPU or touches its state
 *   lg_vm.lock         the VM's configuration: memory, vCPUs, eventfds
 *   lg_vm.mmu_lock     the shadow page tables. It spins, since the mmu_notifier's callbacks
 *                      take it, some of them with the host's page-table locks held (young
 *                      pages). Take it for writing with interrupts on, so that a CPU that
 *                      waits for it still answers IPIs. Holding it for reading, together
 *                      with the two locks below, is enough to change level-1 entries.
 *   lg_shadow_page.busy  the entries of one page, and that they agree with the guest's.
 *                      Nobody waits for it: whoever does not get it takes mmu_lock for
 *                      writing
 *   LG_SPTES_BUSY      one list of shadow entries; held for some instructions, interrupts off
 *
 * lg_vm.clock_lock guards the VM's clock. It is taken below the lock of vcpu/clock.c's list of all
 * VMs, and no other lock is taken below it.
 *
 * "Atomic" below means: preemption off, between lg_fpu_begin() and lg_fpu_end(), with the vCPU's
 * state in this CPU's window.
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
struct lg_xen_vcpu;
struct lg_xen_vm;

struct lg_vm {
	struct kref kref;
	struct mm_struct *mm;		/* the launcher's, by mmgrab(); its pgd has the windows */
	struct mmu_notifier notifier;
	struct shrinker *shrinker;
	struct list_lru lru;		/* has the token, and so knows the VM's memory cgroup */
	struct list_head *token;	/* charged to the same cgroup as the shadow pages */
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
	struct lg_xen_vm *xen;		/* abi-xen/types.h; NULL: the guest speaks another ABI */
	struct list_head clock_list;	/* all VMs: vcpu/clock.c */
	spinlock_t clock_lock;		/* guards writes of these: */
	u64 clock_start;		/* ktime when the VM's clock was 0, ns */
	u64 tsc_offset;			/* for pauses and the host's sleep; not 0: RDTSC traps */
	u64 paused_ns, paused_tsc;	/* both clocks at the start of the pause, or 0 */

	struct dentry *debugfs;		/* its folder in debugfs, or an error */

	/* lg_kill() sets these once; the reason is for the person at the launcher. */
	unsigned long dead;
	char reason[LGUEST_REASON_MAX];
};

/* switcher_vcpu.mode */
enum lg_mode { LG_USER = MODE_USER, LG_KERNEL = MODE_KERNEL };

/* lg_vcpu.state: see abi-lguest/smp.c */
enum lg_vcpu_state { LG_VCPU_RUNNING, LG_VCPU_DOWN, LG_VCPU_STARTING, LG_VCPU_START };

/* Why was the atomic part of the run loop left? */
enum lg_slow {
	LG_FAST = 0,		/* it was not: go on */
	LG_SLOW_WORK,		/* interrupt, reschedule, signal, kick */
	LG_SLOW_FAULT_IN,	/* vcpu->fault_hva must be made present */
	LG_SLOW_MEMORY,		/* the mmu needs spare shadow pages */
	LG_SLOW_WAIT,		/* the mmu_notifier is at work at vcpu->fault_hva */
	LG_SLOW_MMIO,		/* instruction at ip touches vcpu->mmio_gpa */
	LG_SLOW_EMULATE,	/* instruction at ip may be one that lg_emulate() knows */
	LG_SLOW_HYPERCALL,	/* a hypercall that needs to sleep */
	LG_SLOW_HALT,
	LG_SLOW_SPLIT_LOCK,	/* the host wants split locks to be slow */
	LG_SLOW_DEAD,
};

struct lg_vcpu {
	struct lg_vm *vm;
	const struct lg_abi *abi;	/* the VM's */
	unsigned int id;
	struct mutex mutex;
	struct task_struct *task;	/* the thread that runs it, while it runs */
	struct lguest_run *run;		/* a page, mmapped by the launcher */

	/* The guest's registers: in the window while loaded, else in saved_*. */
	struct guest_regs *regs;
	struct switcher_vcpu *cpu;
	struct guest_regs saved_regs;
	struct switcher_vcpu saved_cpu;
	struct lg_window *window;	/* NULL while not loaded */

	u64 cr3;			/* the guest's, without NOFLUSH */
	struct desc_struct tls[3];	/* checked by lg_set_tls() */

	struct page *shared_page;	/* pinned, mapped by guest, host and switcher; or NULL */
	struct lg_lguest_vcpu lguest;
	struct lg_xen_vcpu *xen;	/* abi-xen/types.h, or NULL */

	struct lg_root roots[LG_ROOTS];
	struct lg_root *root;		/* the current one */
	struct lg_root *published[LG_ROOTS];	/* by slot of switcher_vcpu.roots */
	u64 root_clock;
	u64 root_slot;			/* switcher_vcpu.root_slot when we last looked */
	u64 window_entry;		/* slot 256 of all roots */
	u64 serial;			/* no other vCPU ever has the same */
	struct lg_window *last_window;	/* where it was loaded last */
	u64 generation;			/* lg_mmu.generation at the last flush */
	struct page **pages;		/* room for the 512 pages of a large page */
	struct lg_path path_cache[LG_PATHS];	/* by address */

	/* An exception to deliver before anything else. */
	bool exception_pending;
	u8 exception_vector;
	u64 exception_error, exception_address;	/* address: of a page fault */
	bool stepping;			/* we have set TF, to step out of the noirq range */

	enum lg_vcpu_state state;
	struct lg_flush flush;

	/* Pending interrupts, and NMI as bit 2: set in any context, with set_bit(). */
	unsigned long pending[BITS_TO_LONGS(LG_VECTORS)];
	unsigned long kicked;		/* bit 0: leave the guest and look */
	bool unhalted;			/* this halt, or the next one, ends */
	int running_cpu;		/* the CPU that runs the guest with it; -1: none */
	wait_queue_head_t halted;
	struct hrtimer timer;

	u64 run_delay;			/* @task's sched_info.run_delay when last read, ns */
	u64 steal;			/* time that it has waited for a CPU, ns */

	u64 dr6;			/* DR6 of the last #DB */
	unsigned long split_locks_until;	/* jiffies; loads before allow split locks */
	void *fpu;			/* XSAVE area */
	u64 host_xfd;			/* MSR_IA32_XFD, while the guest's state is loaded */
	hva_t fault_hva;		/* for LG_SLOW_FAULT_IN */
	bool fault_write;
	struct lg_last_frame last_frame;
	gpa_t mmio_gpa;
	struct lg_mmio mmio;

	/* dev/debugfs.c reads these at any time. lg_window_put() brings direct_* up to date. */
	struct lguest_stats stats;
};

/* Assert: this is atomic, and the thread holds @vcpu's mutex. Does nothing without lockdep. */
static inline void lg_assert_atomic(const struct lg_vcpu *vcpu)
{
	lockdep_assert_held(&vcpu->mutex);
	lockdep_assert_preemption_disabled();
}

/* Assert: interrupts are off, and the thread holds @vcpu's mutex. */
static inline void lg_assert_irqs_off(const struct lg_vcpu *vcpu)
{
	lockdep_assert_held(&vcpu->mutex);
	lockdep_assert_irqs_disabled();
}

/*
 * All vCPUs of @vm, without a lock: each is complete when it is seen, and stays until the VM goes.
 */
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
