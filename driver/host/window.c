// SPDX-License-Identifier: GPL-2.0-only
/*
 * The windows: for each CPU the pages that host and guest both map, and the two sets of page
 * tables that map them. switcher/switcher.h has the layout; enter.c uses the windows.
 *
 * The host's side of the page tables is written while a CPU comes up, under the CPU hotplug
 * lock. attach_lock guards which processes show it.
 */
#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/mm.h>
#include <linux/vmalloc.h>
#include <asm/cpufeature.h>
#include <asm/desc.h>

#include "lg.h"
#include "host/insn.h"
#include "host/window.h"

/* Slot 256 of the top level: SDM volume 3, 4.5; Documentation/arch/x86/x86_64/mm.rst */
#define WINDOW_SLOT	256
#define WINDOW_BASE_4	0xffff800000000000UL
#define WINDOW_BASE_5	0xff00000000000000UL
#define MAX_WINDOWS	(WINDOWS_PER_PT * 512)

static struct lg_window **windows;	/* by CPU number */
static u64 *host_tables[3];		/* from the PMD up, shared by all windows */
static u64 **host_pts;			/* last level, WINDOWS_PER_PT windows each */
static u64 text_pfns[WINDOW_TEXT_PAGES];
static int hotplug_state;

static_assert(sizeof(struct guest_regs) == REGS_WORDS * 8);
static_assert(offsetof(struct guest_regs, trap) == REGS_TRAP - REGS);
static_assert(offsetof(struct guest_regs, ip) == REGS_IP - REGS);
#define SAME_STATE(field, name) \
	static_assert(offsetof(struct switcher_state, field) == STATE_##name - WINDOW_STATE);
#define STATE_FIELDS(X) \
	X(host_cr3, HOST_CR3) X(nmi, NMI) X(mce, MCE) X(stores, STORES) X(scratch, SCRATCH) \
	X(speculation, SPECULATION) \
	X(guest_gdtr, GUEST_GDTR) X(guest_idtr, GUEST_IDTR) X(guest_tss, GUEST_TSS) \
	X(fault_vector, FAULT_VECTOR) X(fault_ip, FAULT_IP) X(vcpu, VCPU) \
	X(vcpu.cr3, CR3) X(vcpu.cr2, CR2) X(vcpu.fs_base, FS_BASE) \
	X(vcpu.gs_base, GS_BASE) X(vcpu.ds, DS) X(vcpu.gs, GS) X(vcpu.mode, MODE) \
	X(vcpu.kernel_root, KERNEL_ROOT) X(vcpu.user_root, USER_ROOT) \
	X(vcpu.kernel_gs_base, KERNEL_GS_BASE) X(vcpu.syscall_entry, SYSCALL_ENTRY) \
	X(vcpu.direct_faults, DIRECT_FAULTS) X(vcpu.direct_returns, DIRECT_RETURNS) \
	X(vcpu.event_entry, EVENT_ENTRY) X(vcpu.direct_events, DIRECT_EVENTS) \
	X(vcpu.direct_cr3_loads, DIRECT_CR3_LOADS) X(vcpu.last_fault, LAST_FAULT) \
	X(vcpu.noflush, NOFLUSH) X(vcpu.root_slot, ROOT_SLOT) \
	X(vcpu.fault_budget, FAULT_BUDGET) X(vcpu.direct_int80, DIRECT_INT80) \
	X(vcpu.roots, ROOTS)
STATE_FIELDS(SAME_STATE)
static_assert(sizeof(struct switcher_root) == 1 << ROOT_SHIFT);
static_assert(offsetof(struct switcher_root, user) == ROOT_USER);
static_assert(sizeof(struct switcher_state) <= PAGE_SIZE);
static_assert((WINDOW_PAGES + 2) << PAGE_SHIFT <= WINDOW_STRIDE);	/* lg_window_spare() */
#define SAME_HOST(field, offset) \
	static_assert(offsetof(struct switcher_host, field) == (offset) - WINDOW_HOST)
SAME_HOST(rsp, HOST_RSP);
SAME_HOST(gs_base, HOST_GS_BASE);
SAME_HOST(fs_base, HOST_FS_BASE);
SAME_HOST(gdtr, HOST_GDTR);
SAME_HOST(idtr, HOST_IDTR);
SAME_HOST(tss, HOST_TSS);

static void *new_window_page(void)
{
	return (void *)get_zeroed_page(GFP_KERNEL);
}

static u64 window_table_entry(void *table)
{
	return __pa(table) | ENTRY_TABLE;
}

/* Page tables */

static int alloc_host_tables(void)
{
	int i;

	for (i = 0; i < (lg_la57 ? 3 : 2); i++) {
		host_tables[i] = new_window_page();
		if (!host_tables[i])
			return -ENOMEM;
		if (i)
			host_tables[i][0] = window_table_entry(host_tables[i - 1]);
	}
	return 0;
}

static u64 host_window_entry(void)
{
	return window_table_entry(host_tables[lg_la57 ? 2 : 1]);
}

/*
 * Map the host's side of a window. The entries are written before slot 256 of any mm shows
 * them, and do not change afterwards: no TLB can be stale.
 */
static int map_host_side(struct lg_window *w, int cpu)
{
	unsigned int pt = cpu / WINDOWS_PER_PT, i;
	u64 *entry;

	if (!host_pts[pt]) {
		host_pts[pt] = new_window_page();
		if (!host_pts[pt])
			return -ENOMEM;
		host_tables[0][pt] = window_table_entry(host_pts[pt]);
	}
	entry = &host_pts[pt][(cpu % WINDOWS_PER_PT) * (WINDOW_STRIDE >> PAGE_SHIFT)];
	for (i = 0; i < WINDOW_PAGES; i++) {
		if (i < WINDOW_TEXT_PAGES)
			entry[i] = text_pfns[i] << PAGE_SHIFT | ENTRY_TEXT;
		else if (w->pages[i])
			entry[i] = __pa(w->pages[i]) | ENTRY_DATA;
	}
	entry[WINDOW_IDT >> PAGE_SHIFT] &= ~_PAGE_RW;
	return 0;
}

static int map_guest_side(struct lg_window *w, int cpu)
{
	unsigned int first = (cpu % WINDOWS_PER_PT) * (WINDOW_STRIDE >> PAGE_SHIFT), i;
	u64 *host = host_pts[cpu / WINDOWS_PER_PT], *table;

	w->guest_pt = new_window_page();
	if (!w->guest_pt)
		return -ENOMEM;
	for (i = 0; i < WINDOW_PAGES; i++)
		if (i != WINDOW_HOST >> PAGE_SHIFT)
			w->guest_pt[first + i] = host[first + i];

	table = w->guest_pt;
	for (i = 0; i < (lg_la57 ? 3 : 2); i++) {
		w->guest_tables[i] = new_window_page();
		if (!w->guest_tables[i])
			return -ENOMEM;
		w->guest_tables[i][i ? 0 : cpu / WINDOWS_PER_PT] = window_table_entry(table);
		table = w->guest_tables[i];
	}
	w->guest_entry = window_table_entry(table);
	return 0;
}

/* Descriptor tables */

static void fill_idt(struct lg_window *w)
{
	gate_desc *idt = (void *)w->pages[WINDOW_IDT >> PAGE_SHIFT];
	int i;

	for (i = 0; i < LG_VECTORS; i++) {
		unsigned long stub = w->va + i * 16;
		gate_desc *gate = &idt[i];

		gate->offset_low = (u16)stub;
		gate->offset_middle = (u16)(stub >> 16);
		gate->offset_high = (u32)(stub >> 32);
		gate->segment = __KERNEL_CS;
		gate->bits.type = GATE_INTERRUPT;
		gate->bits.p = 1;
		/* The guest may use INT3 and INTO; other INT n arrive as #GP. */
		gate->bits.dpl = i == 3 || i == 4 || (i == LG_INT80 && lg_int80) ? 3 : 0;
		gate->bits.ist = i == 8 ? IST_DF : i == 2 ? IST_NMI :
				 i == 1 ? IST_DB : i == 18 ? IST_MCE : 0;
	}
}

static void fill_tss(struct lg_window *w)
{
	struct x86_hw_tss *tss = (void *)w->pages[WINDOW_GDT >> PAGE_SHIFT] +
				 (WINDOW_TSS - WINDOW_GDT);
	tss_desc desc;
	int i;

	tss->sp0 = w->va + WINDOW_STACK_TOP;
	for (i = 1; i <= 4; i++)
		tss->ist[i - 1] = w->va + WINDOW_IST_TOP(i);
	/* Behind the limit, so there is no I/O bitmap: every port is #GP (SDM volume 1, 19.5.2). */
	tss->io_bitmap_base = sizeof(*tss);
	set_tssldt_descriptor(&desc, w->va + WINDOW_TSS, DESC_TSS, sizeof(*tss) - 1);
	memcpy(window_state(w)->guest_tss, &desc, sizeof(desc));
}

/* Linux's layout, but without an LDT; lg_window_gdt() adds the vCPU's TLS. */
static void fill_gdt(struct lg_window *w, const struct desc_struct *host)
{
	struct desc_struct *gdt = window_gdt(w);
	struct switcher_state *state = window_state(w);
	int i;

	for (i = GDT_ENTRY_KERNEL32_CS; i <= GDT_ENTRY_DEFAULT_USER_CS; i++)
		gdt[i] = host[i];
	gdt[GDT_ENTRY_CPUNODE] = host[GDT_ENTRY_CPUNODE];
	state->guest_gdtr.limit = GDT_BYTES - 1;
	state->guest_gdtr.base = w->va + WINDOW_GDT;
	state->guest_idtr.limit = LG_VECTORS * sizeof(gate_desc) - 1;
	state->guest_idtr.base = w->va + WINDOW_IDT;
}

static void free_window(struct lg_window *w)
{
	int i;

	if (!w)
		return;
	for (i = 0; i < WINDOW_PAGES; i++)
		free_page((unsigned long)w->pages[i]);
	for (i = 0; i < ARRAY_SIZE(w->guest_tables); i++)
		free_page((unsigned long)w->guest_tables[i]);
	free_page((unsigned long)w->guest_pt);
	kfree(w);
}

/* Runs on each CPU that comes up. A CPU that goes down keeps its window. */
static int window_cpu_online(unsigned int cpu)
{
	struct lg_window *w;
	struct desc_ptr gdtr;
	int i, err = -ENOMEM;

	if (windows[cpu])
		return 0;
	w = kzalloc(sizeof(*w), GFP_KERNEL);
	if (!w)
		return -ENOMEM;
	w->va = (lg_la57 ? WINDOW_BASE_5 : WINDOW_BASE_4) + (unsigned long)cpu * WINDOW_STRIDE;
	w->entry = window_alias(w, switcher_enter);
	for (i = WINDOW_TEXT_PAGES; i < WINDOW_PAGES; i++) {
		if (i == WINDOW_DATA >> PAGE_SHIFT)
			continue;
		w->pages[i] = new_window_page();
		if (!w->pages[i])
			goto fail;
	}
	err = map_host_side(w, cpu);
	if (!err)
		err = map_guest_side(w, cpu);
	if (err)
		goto fail;
	native_store_gdt(&gdtr);
	fill_idt(w);
	fill_tss(w);
	fill_gdt(w, (void *)gdtr.address);
	window_state(w)->speculation = lg_speculation();
	windows[cpu] = w;
	return 0;
fail:
	free_window(w);
	return err;
}

/**
 * lg_windows_init - make a window for each CPU that is up or comes up later
 *
 * Process context. 0 or -errno.
 */
int lg_windows_init(void)
{
	int i, err = -ENOMEM;

	if (nr_cpu_ids > MAX_WINDOWS)
		return -ENODEV;
	for (i = 0; i < WINDOW_TEXT_PAGES; i++)
		text_pfns[i] = vmalloc_to_pfn(switcher_text + i * PAGE_SIZE);
	windows = kcalloc(nr_cpu_ids, sizeof(*windows), GFP_KERNEL);
	host_pts = kcalloc(DIV_ROUND_UP(nr_cpu_ids, WINDOWS_PER_PT), sizeof(*host_pts),
			   GFP_KERNEL);
	if (windows && host_pts)
		err = alloc_host_tables();
	if (!err) {
		hotplug_state = cpuhp_setup_state(CPUHP_AP_ONLINE_DYN, "lguest:online",
						  window_cpu_online, NULL);
		err = hotplug_state < 0 ? hotplug_state : 0;
	}
	if (err)
		lg_windows_exit();
	else
		lg_speculation_report();
	return err;
}

/* Set PGE again if we have cleared it. Changing it flushes the whole TLB. Interrupts off. */
void lg_window_restore_cr4(struct lg_window *w)
{
	u64 cr4 = native_read_cr4() | w->cr4_cleared;

	lockdep_assert_irqs_disabled();
	lg_write_cr4(cr4 & ~X86_CR4_PGE);
	lg_write_cr4(cr4);
	w->cr4_cleared = 0;
}

static void restore_cr4_ipi(void *unused)
{
	struct lg_window *w = windows[smp_processor_id()];

	if (w)
		lg_window_restore_cr4(w);
}

/** lg_windows_exit - the reverse of lg_windows_init(); there is no VM; sleeps */
void lg_windows_exit(void)
{
	int i;

	if (hotplug_state > 0)
		cpuhp_remove_state(hotplug_state);
	for (i = 0; windows && i < nr_cpu_ids; i++)
		free_window(windows[i]);
	for (i = 0; host_pts && i < DIV_ROUND_UP(nr_cpu_ids, WINDOWS_PER_PT); i++)
		free_page((unsigned long)host_pts[i]);
	for (i = 0; i < ARRAY_SIZE(host_tables); i++)
		free_page((unsigned long)host_tables[i]);
	kfree(host_pts);
	kfree(windows);
}

/*
 * Slot 256 of a launcher's page tables shows the windows for as long as the launcher has VMs.
 * With KPTI this is the kernel's copy of the pgd: the user's copy never shows them.
 */
static DEFINE_MUTEX(attach_lock);
static LIST_HEAD(attached);

struct attached_mm {
	struct list_head list;
	struct mm_struct *mm;
	unsigned int vms;
};

static struct attached_mm *find_attached(struct mm_struct *mm)
{
	struct attached_mm *a;

	lockdep_assert_held(&attach_lock);
	list_for_each_entry(a, &attached, list)
		if (a->mm == mm)
			return a;
	return NULL;
}

static u64 *window_slot(struct mm_struct *mm)
{
	return (u64 *)mm->pgd + WINDOW_SLOT;
}

/* A limit, since each VM of a process hears of every change of the process's memory. */
#define MAX_VMS		256

/**
 * lg_windows_attach - show the windows in @mm, for one more VM
 * @mm: of the calling process
 *
 * Sleeps. -EBUSY: slot 256 is in use; -EMFILE: too many VMs; -ENOMEM.
 */
int lg_windows_attach(struct mm_struct *mm)
{
	struct attached_mm *a;
	int err = 0;

	mutex_lock(&attach_lock);
	a = find_attached(mm);
	if (!a) {
		a = kzalloc(sizeof(*a), GFP_KERNEL_ACCOUNT);
		if (!a) {
			err = -ENOMEM;
		} else if (READ_ONCE(*window_slot(mm))) {
			kfree(a);
			err = -EBUSY;
		} else {
			a->mm = mm;
			list_add(&a->list, &attached);
			WRITE_ONCE(*window_slot(mm), host_window_entry());
		}
	}
	if (!err && a->vms >= MAX_VMS)
		err = -EMFILE;
	if (!err)
		a->vms++;
	mutex_unlock(&attach_lock);
	return err;
}

/** lg_windows_detach - a VM of @mm is gone; the last one takes the windows away; sleeps */
void lg_windows_detach(struct mm_struct *mm)
{
	struct attached_mm *a;

	mutex_lock(&attach_lock);
	a = find_attached(mm);
	if (a && !--a->vms) {
		/*
		 * Stale TLB entries stay correct while the module is loaded: windows never move.
		 * Nobody is left to use them, either.
		 */
		WRITE_ONCE(*window_slot(mm), 0);
		list_del(&a->list);
		kfree(a);
	}
	/* The last VM is gone: give the host its global pages back. */
	if (list_empty(&attached))
		on_each_cpu(restore_cr4_ipi, NULL, 1);
	mutex_unlock(&attach_lock);
}

/**
 * lg_window_spare - write an entry of the host's tables for a page that nothing uses
 * @page: which one, 0 or 1
 * @entry: the entry; it maps nothing, so that no TLB keeps it
 *
 * For lg_cpu_probe(), at load. Return: the address of the page.
 */
unsigned long __init lg_window_spare(unsigned int page, u64 entry)
{
	unsigned int cpu = cpumask_first(cpu_online_mask);
	unsigned int index = (cpu % WINDOWS_PER_PT) * (WINDOW_STRIDE >> PAGE_SHIFT) +
			     WINDOW_PAGES + page;

	WRITE_ONCE(host_pts[cpu / WINDOWS_PER_PT][index], entry);
	return windows[cpu]->va + ((unsigned long)(WINDOW_PAGES + page) << PAGE_SHIFT);
}

/* The window of @cpu; NULL: the CPU has not been up since the module was loaded. */
struct lg_window *lg_window_of(unsigned int cpu)
{
	return windows[cpu];
}
