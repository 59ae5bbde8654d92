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
 *   lg_vm.clock_lock   when its clock is shifted; a leaf, below abi-lguest/clock.c's list of all VMs
 *   LG_PLACES_BUSY     a frame's list of places, for some instructions, interrupts off
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

#include "lguest_abi.h"
#include "lguest_uapi.h"
#include "switcher.h"

/* Which address space a number is in. */
typedef u64 gva_t;	/* Guest virtual */
typedef u64 gpa_t;	/* Guest physical */
typedef u64 gfn_t;	/* Guest physical frame: gpa >> 12 */
typedef unsigned long hva_t;	/* Launcher virtual */
/* pfn: Host physical frame, kvm's u64 as in the rest of the kernel */

#define LG_VECTORS	256
#define LG_INT80	0x80	/* Linux's system call vector for 32-bit programs */
#define LG_ROOTS	SWITCHER_ROOTS	/* Guest CR3 values that a vCPU keeps roots for */

struct lg_shadow_page;
struct lg_window;
extern unsigned int lg_shadow_limit;

/* An entry of a shadow page, as its page's number * 512 + index. 0: none. */
typedef u32 lg_place_t;
#define LG_PLACES_BUSY	BIT(31)		/* in the head of a list: somebody changes it */

struct lg_memory_slot {
	gfn_t first, frames;
	hva_t hva;
	/* Which shadow entries map each frame: see mmu/rmap.c */
	lg_place_t *places, *large_places;	/* 4 KiB; 2 MiB */
	u8 *no_large;		/* by 2 MiB: the Host has it in pieces */
};

struct lg_ioeventfd {
	struct list_head list;	/* lg_vm.ioeventfds, under lg_vm.lock */
	gpa_t gpa;
	u32 value;
	struct eventfd_ctx *ctx;
};

/* Shadow page tables of a VM: see mmu/pages.c. Written under lg_vm.mmu_lock, atomics aside. */
#define LG_SHADOW_HASH_BITS	10
struct lg_mmu {
	struct hlist_head hash[1 << LG_SHADOW_HASH_BITS];
	u64 hash_secret;		/* odd: the hash is the upper bits of a product with it */
	struct list_head pages;		/* all but roots: the last is the next to be given up */
	unsigned int count, limit;	/* shadow pages */
	bool fixed;			/* the slots: from here on they are, and are compared */
	unsigned int invalidating;	/* mmu_notifier: ranges being invalidated, all of them */
	hva_t invalid_start, invalid_end;	/* in here, in the Launcher */
	u64 invalidated;		/* ranges that were, ever */
	wait_queue_head_t quiet;	/* until one is done */
	atomic64_t generation;		/* counts entries that became narrower */
	u64 resized;			/* generation when one above level 1 last became so */
	u64 tables;			/* counts changes of entries that point to tables */
	u64 sync_clock;			/* counts rounds of mmu/sync.c */
	atomic64_t prefills_used, prefills_wasted;	/* of those dropped or compared */
	hva_t dirty_map;		/* lguest_init.dirty_map in the Launcher; 0: none */
	u64 dirty_map_size;
	struct list_head freed;		/* unlinked, to be freed once no TLB has them */
	struct list_head unused;	/* ready for the next faults */
	unsigned int nr_unused;
	struct lg_shadow_page **by_id;	/* all pages in use, by number */
	unsigned long *ids;		/* bitmap: numbers in use */
	unsigned int nr_ids, id_hint;
};

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

	struct lguest_init abi;		/* checked copy of what LHCALL_INIT gave */
	bool abi_ready;
	struct list_head clock_list;	/* all VMs: abi-lguest/clock.c */
	spinlock_t clock_lock;		/* who writes these: */
	u64 clock_start;		/* ktime when the VM's clock was 0, ns */
	u64 tsc_offset;			/* ticks it was paused, or the Host slept; not 0: RDTSC traps */
	u64 paused_ns, paused_tsc;	/* since when it is, or 0 */

	struct dentry *debugfs;		/* its folder there, or an error */

	/* Set once, by lg_kill(); the reason is for the person at the Launcher. */
	unsigned long dead;
	char reason[LGUEST_REASON_MAX];
};

/* One cached Guest CR3 and the pages that shadow it: mmu/pages.c. */
struct lg_root {
	gfn_t gfn;			/* of the Guest's top-level table; ~0: free */
	struct lg_shadow_page *kernel, *user;
	u64 used;			/* when, in lg_vcpu.root_clock */
};

/* A way from a root down to a table that was gone lately: good while no entry on it changed. */
#define LG_PATHS	8
struct lg_path {
	struct lg_shadow_page *root, *table;
	gva_t gva;			/* in 2 MiB */
	u64 tables;			/* lg_mmu.tables of then */
	bool writable;			/* as far as the levels above say */
	bool compared;			/* guest[] is what the shadow says, too: */
	u64 guest[5];			/* by level, the Guest's entries at: */
	hva_t hva[5];			/* in the Launcher; the table's first for level 1 */
};

/* switcher_vcpu.mode */
enum lg_mode { LG_USER = MODE_USER, LG_KERNEL = MODE_KERNEL };

/* lg_vcpu.state: see abi-lguest/smp.c */
enum lg_vcpu_state { LG_VCPU_RUNNING, LG_VCPU_DOWN, LG_VCPU_STARTING, LG_VCPU_START };

/* A flush that another vCPU wants. Written under mmu_lock. */
struct lg_flush {
	u64 kind;			/* LGUEST_FLUSH_*; 0: none */
	gva_t start, end;
};

/* Why the atomic part of the run loop was left. */
enum lg_slow {
	LG_FAST = 0,		/* not at all: go on */
	LG_SLOW_WORK,		/* interrupt, reschedule, signal, kick */
	LG_SLOW_FAULT_IN,	/* vcpu->fault_hva must be made present */
	LG_SLOW_MEMORY,		/* the shadow cache wants filling */
	LG_SLOW_WAIT,		/* the mmu_notifier is at work at vcpu->fault_hva */
	LG_SLOW_WALK,		/* mmu/fault.c: the short way will not do */
	LG_SLOW_MMIO,		/* instruction at ip touches vcpu->mmio_gpa */
	LG_SLOW_EMULATE,	/* instruction at ip may be one we know */
	LG_SLOW_HYPERCALL,	/* one that needs to sleep */
	LG_SLOW_HALT,
	LG_SLOW_SPLIT_LOCK,	/* the Host wants those to be slow */
	LG_SLOW_DEAD,
};

/* What lg_fault_in() found last: good while lg_mmu.invalidated is the same. */
struct lg_found {
	hva_t hva;
	u64 frame, invalidated;
};

/* An access to a device that the Launcher is to do. */
struct lg_mmio {
	bool pending, write, sign;
	u8 reg, bytes, extend;	/* extend: bytes of the register that are written */
	u64 data, next_ip;
};

struct lg_vcpu {
	struct lg_vm *vm;
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

	struct lguest_data *data;	/* pinned page, as the kernel sees it */
	struct page *data_page;
	unsigned int ring_next;		/* slot to look at next */

	struct lg_root roots[LG_ROOTS];
	struct lg_root *root;		/* the current one */
	struct lg_root *published[LG_ROOTS];	/* behind switcher_vcpu.roots */
	u64 root_clock;
	u64 root_place;			/* switcher_vcpu.root_place, as far as we know */
	u64 window_entry;		/* slot 256 of all roots */
	u64 serial;			/* of all vCPUs there ever were */
	struct lg_window *last_window;	/* where it was entered last */
	u64 generation;			/* lg_mmu.generation at the last flush */
	struct page **pages;		/* room for the 512 of a large page */
	struct lg_path paths[LG_PATHS];	/* by address */

	/* An exception to deliver before anything else. */
	bool exception_pending;
	u8 exception_vector;
	u64 exception_error;
	bool stepping;			/* TF is ours: out of the no-interrupt window */

	enum lg_vcpu_state state;
	struct lguest_vcpu_up start;	/* valid in LG_VCPU_START */
	struct lg_flush flush;

	/* Interrupts, and NMI as bit 2: set from anywhere, with set_bit(). */
	unsigned long pending[BITS_TO_LONGS(LG_VECTORS)];
	unsigned long kicked;		/* bit 0: leave the Guest and look */
	bool unhalted;			/* LHCALL_KICK: the next HALT, or this one, ends */
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
	struct lg_found found;
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

/* main.c */
extern bool lg_la57, lg_pcid, lg_pke, lg_int80;
extern u64 lg_unknown;
__printf(2, 3) void lg_kill(struct lg_vm *vm, const char *fmt, ...);

/* host/probe.c */
bool lg_unknown_faults(void);

/* dev/vm.c, dev/vcpu.c */
extern const struct file_operations lg_vm_fops;
void lg_vm_put(struct lg_vm *vm);
int lg_vcpu_create(struct lg_vm *vm, unsigned long id);
void lg_vcpu_free(struct lg_vcpu *vcpu);
void lg_kick(struct lg_vcpu *vcpu);
void lg_reset_regs(struct lg_vcpu *vcpu, u64 ip, u64 sp, u64 gs_base);
int lg_irqfd(struct lg_vm *vm, const struct lguest_irqfd *args);
int lg_ioeventfd(struct lg_vm *vm, const struct lguest_ioeventfd *args);
void lg_eventfds_release(struct lg_vm *vm);
bool lg_ioeventfd_write(struct lg_vm *vm, gpa_t gpa, u32 value);
int lg_notifier_init(void);
void lg_notifier_exit(void);
int lg_notifier_register(struct lg_vm *vm);
void lg_notifier_unregister(struct lg_vm *vm);
void lg_notifier_fix_slots(struct lg_vm *vm);
void lg_notifier_wait(struct lg_vcpu *vcpu);

/* dev/debugfs.c: sleeps */
void lg_debugfs_init(void);
void lg_debugfs_exit(void);
void lg_debugfs_vm(struct lg_vm *vm);
void lg_debugfs_vcpu(struct lg_vcpu *vcpu);
void lg_debugfs_remove(struct lg_vm *vm);

/* host/window.c, host/enter.c: all but init and exit with interrupts off or atomic */
int lg_windows_init(void);
void lg_windows_exit(void);
int lg_windows_attach(struct mm_struct *mm);
void lg_windows_detach(struct mm_struct *mm);
void lg_window_load(struct lg_vcpu *vcpu);
void lg_window_put(struct lg_vcpu *vcpu);
void lg_window_gdt(struct lg_vcpu *vcpu);
void lg_window_open(struct lg_vcpu *vcpu);
void lg_window_close(struct lg_vcpu *vcpu);
void lg_window_enter(struct lg_vcpu *vcpu);
void lg_window_fault(struct lg_vcpu *vcpu, u64 *vector, u64 *error, u64 *offset);
unsigned long lg_host_handler(struct lg_vcpu *vcpu, u8 vector);

/* host_interrupt.S */
void lg_host_interrupt(unsigned long handler);
unsigned int lg_call_switcher(unsigned long entry, struct switcher_state *state);

/* run.c, exits.c */
int lg_run(struct lg_vcpu *vcpu);
int lg_halt(struct lg_vcpu *vcpu);
enum lg_slow lg_exit(struct lg_vcpu *vcpu);
bool lg_exit_quickly(struct lg_vcpu *vcpu);

/* abi-lguest/events.c: atomic */
u64 lg_runnable_flags(u64 flags);
void lg_exception(struct lg_vcpu *vcpu, u8 vector, u64 error);
enum lg_slow lg_deliver(struct lg_vcpu *vcpu);
enum lg_slow lg_system_call(struct lg_vcpu *vcpu);
enum lg_slow lg_iret(struct lg_vcpu *vcpu);

/* abi-lguest/hypercalls.c */
enum lg_slow lg_hypercall(struct lg_vcpu *vcpu);
int lg_hypercall_slow(struct lg_vcpu *vcpu);
bool lg_hypercall_quickly(struct lg_vcpu *vcpu);
void lg_drain_ring(struct lg_vcpu *vcpu);
static inline bool lg_ring_pending(const struct lg_vcpu *vcpu)
{
	return vcpu->data &&
	       READ_ONCE(vcpu->data->hcall_status[vcpu->ring_next]) == LGUEST_RING_PENDING;
}

void lg_release_data(struct lg_vcpu *vcpu);
long lg_register_data(struct lg_vcpu *vcpu, gva_t gva, u64 gs_base);

/* abi-lguest/smp.c */
long lg_vcpu_up(struct lg_vcpu *vcpu, u64 number, gva_t gva);
void lg_vcpu_down(struct lg_vcpu *vcpu);
void lg_vcpu_start(struct lg_vcpu *vcpu);
long lg_send_ipi(struct lg_vcpu *vcpu, u64 vector, u64 number);
long lg_kick_halted(struct lg_vcpu *vcpu, u64 number);
void lg_flush_multi(struct lg_vcpu *vcpu, u64 kind, gva_t start, gva_t end, u64 mask);
void lg_flush_requested(struct lg_vcpu *vcpu);

/* abi-lguest/interrupts.c */
void lg_interrupt(struct lg_vcpu *vcpu, u8 vector);
int lg_interrupt_next(struct lg_vcpu *vcpu);
bool lg_interrupt_waiting(struct lg_vcpu *vcpu);
void lg_set_timer(struct lg_vcpu *vcpu, u64 ns);
enum hrtimer_restart lg_timer_fires(struct hrtimer *timer);

/* abi-lguest/clock.c */
void lg_clock_register(struct lg_vcpu *vcpu);
void lg_clock_update(struct lg_vcpu *vcpu);
int lg_clock_pause(struct lg_vm *vm, unsigned long on);
void lg_clock_steal(struct lg_vcpu *vcpu);
int lg_clock_wait(void);
void lg_clock_open(struct lg_vm *vm);
void lg_clock_close(struct lg_vm *vm);
int lg_clock_init(void);
void lg_clock_exit(void);

/* host/fpu.c */
int lg_fpu_init(void);
void *lg_fpu_alloc(void);
void lg_fpu_begin(struct lg_vcpu *vcpu);
void lg_fpu_interrupted(struct lg_vcpu *vcpu);
void lg_fpu_end(struct lg_vcpu *vcpu, bool interrupted);

/* host/segments.c */
int lg_set_tls(struct lg_vcpu *vcpu, const u64 entries[3]);
u16 lg_check_selector(const struct lg_vcpu *vcpu, u16 selector);
bool lg_return_selectors_ok(const struct lg_vcpu *vcpu, u64 cs, u64 ss);

/* mmu/memory.c */
int lg_set_memory(struct lg_vm *vm, const struct lguest_memory *args);

/*
 * The slot that @gfn is in; NULL: none. @gfn is the Guest's word: it is made such that
 * no speculation behind a wrong guess in here looks behind the slot with it, either.
 */
static inline struct lg_memory_slot *lg_slot_of(struct lg_vm *vm, gfn_t *gfn)
{
	struct lg_memory_slot *slot;

	for (slot = vm->slots; slot < vm->slots + vm->nr_slots; slot++) {
		gfn_t frame = *gfn - slot->first;

		if (frame >= slot->frames)
			continue;
		*gfn = slot->first + array_index_nospec(frame, slot->frames);
		return slot;
	}
	return NULL;
}

/* Where the Launcher has @gfn; 0: nowhere. */
static inline hva_t lg_gfn_to_hva(struct lg_vm *vm, gfn_t gfn)
{
	const struct lg_memory_slot *slot = lg_slot_of(vm, &gfn);

	return slot ? slot->hva + ((gfn - slot->first) << PAGE_SHIFT) : 0;
}

/* Is the mmu_notifier at work there? Without mmu_lock: perhaps. */
static inline bool lg_invalidating(const struct lg_vm *vm, hva_t hva, size_t bytes)
{
	return READ_ONCE(vm->mmu.invalidating) && hva < READ_ONCE(vm->mmu.invalid_end) &&
	       hva + bytes > READ_ONCE(vm->mmu.invalid_start);
}

bool lg_in_hole(gpa_t gpa);
int lg_fault_in(struct lg_vcpu *vcpu, hva_t hva, bool write);
int lg_read_gva(struct lg_vcpu *vcpu, gva_t gva, void *to, size_t bytes);
int lg_write_gva(struct lg_vcpu *vcpu, gva_t gva, const void *from, size_t bytes);

static inline bool lg_canonical(u64 address)
{
	return (u64)((s64)(address << 16) >> 16) == address;
}

/* mmu/walk.c */
#define LG_PT_LEVELS	4
#define LG_ENTRY_FRAME(entry)	(((entry) & GENMASK_ULL(51, PAGE_SHIFT)) >> PAGE_SHIFT)

/* Levels by number: 4 = PML4 ... 1 = page table. */
static inline unsigned int lg_table_index(gva_t gva, int level)
{
	return gva >> (PAGE_SHIFT + 9 * (level - 1)) & 511;
}

struct lg_walk {
	gva_t gva;
	int leaf;			/* level that maps it: 1, 2 or 3 */
	u64 entry[LG_PT_LEVELS + 1];	/* by level, as read, with A and D as set */
	gpa_t gpa;			/* of the byte at gva */
	bool user, writable, executable;	/* all levels together */
	u64 error;			/* #PF error code when it fails */
	hva_t hva;			/* what to make present when it must be tried again */
};
enum lg_walk_result { LG_WALK_OK, LG_WALK_FAULT, LG_WALK_AGAIN, LG_WALK_DEAD };
enum lg_walk_result lg_walk(struct lg_vcpu *vcpu, gva_t gva, u64 access,
			    struct lg_walk *walk);
int lg_read_entry(struct lg_vm *vm, gpa_t gpa, u64 *entry, hva_t *hva);
int lg_read_entries(struct lg_vm *vm, gpa_t gpa, u64 *entries, unsigned int count);
bool lg_reserved_bits(u64 entry, int level);

/* emulate.c: may sleep */
int lg_emulate_mmio(struct lg_vcpu *vcpu);
void lg_complete_mmio(struct lg_vcpu *vcpu);
int lg_emulate(struct lg_vcpu *vcpu);

#include "mmu/shadow.h"

#endif /* _LG_H */
