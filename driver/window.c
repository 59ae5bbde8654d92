// SPDX-License-Identifier: GPL-2.0-only
/*
 * The windows: for each CPU the pages that Host and Guest both map, the two
 * sets of page tables that map them, and the registers that stand aside while
 * a Guest runs. switcher/switcher.h has the layout.
 *
 * A window is written by its own CPU alone, with preemption off; the page
 * tables of the Host's side are written while a CPU comes up, under the CPU
 * hotplug lock.
 */
#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/mm.h>
#include <linux/vmalloc.h>
#include <asm/cpufeature.h>
#include <asm/debugreg.h>
#include <asm/desc.h>
#include <asm/msr-index.h>
#include <asm/nospec-branch.h>
#include <asm/trapnr.h>

#include "compat.h"
#include "host.h"
#include "lg.h"

#ifndef MSR_IA32_U_CET
#define MSR_IA32_U_CET	0x6a0
#endif

#define ENTRY_TABLE	(_PAGE_PRESENT | _PAGE_RW | _PAGE_ACCESSED | _PAGE_DIRTY)
#define ENTRY_TEXT	(_PAGE_PRESENT | _PAGE_ACCESSED)
#define ENTRY_DATA	(ENTRY_TABLE | _PAGE_NX)

/* Slot 256 of the top level: SDM volume 3, 4.5; Documentation/arch/x86/x86_64/mm.rst */
#define WINDOW_SLOT	256
#define WINDOW_BASE_4	0xffff800000000000UL
#define WINDOW_BASE_5	0xff00000000000000UL
#define WINDOWS_PER_PT	(PMD_SIZE / WINDOW_STRIDE)
#define MAX_WINDOWS	(WINDOWS_PER_PT * 512)

/* What SYSCALL and SYSENTER use, while no Guest is loaded. */
struct host_msr_values {
	u64 lstar, cstar, sysenter_cs;
};

/**
 * struct lg_window - one CPU's window
 * @msrs_away: the MSRs are the Guest's
 * @va: its address on both sides
 * @pages: its pages as the Host sees them; NULL for the text and the alias
 * @guest_pt: the Guest side's last-level table
 * @guest_tables: the Guest side's other tables, from the last level up
 * @guest_entry: what a root's slot 256 holds to show this window
 * @msrs: valid while @msrs_away
 * @pebs: MSR_IA32_PEBS_ENABLE of the Host, if not zero, while a vCPU is loaded
 * @debugctl: likewise MSR_IA32_DEBUGCTLMSR
 * @u_cet: likewise MSR_IA32_U_CET
 * @cr4_cleared: PGE, if a Guest's entry had to clear it
 * @host_dr7: while the Guest runs, if the Host has breakpoints
 */
struct lg_window {
	unsigned long va;
	u8 *pages[WINDOW_PAGES];
	u64 *guest_pt;
	u64 *guest_tables[3];
	u64 guest_entry;
	struct host_msr_values msrs;
	bool msrs_away;
	u64 pebs, debugctl, u_cet;
	u64 cr4_cleared;
	u64 host_dr7;
};

static struct lg_window **windows;	/* by CPU number */
static u64 *host_tables[3];		/* from the PMD up, shared by all windows */
static u64 **host_pts;			/* last level, WINDOWS_PER_PT windows each */
static u64 text_pfns[WINDOW_TEXT_PAGES];
static int hotplug_state;

static_assert(sizeof(struct guest_regs) == REGS_WORDS * 8);
static_assert(offsetof(struct guest_regs, trap) == REGS_TRAP - REGS);
static_assert(offsetof(struct guest_regs, ip) == REGS_IP - REGS);
#define SAME_STATE(field, offset) \
	static_assert(offsetof(struct switcher_state, field) == (offset) - WINDOW_STATE)
SAME_STATE(host_cr3, STATE_HOST_CR3);
SAME_STATE(nmi, STATE_NMI);
SAME_STATE(mce, STATE_MCE);
SAME_STATE(scratch, STATE_SCRATCH);
SAME_STATE(guest_gdtr, STATE_GUEST_GDTR);
SAME_STATE(guest_idtr, STATE_GUEST_IDTR);
SAME_STATE(guest_tss, STATE_GUEST_TSS);
SAME_STATE(fault_vector, STATE_FAULT_VECTOR);
SAME_STATE(fault_ip, STATE_FAULT_IP);
SAME_STATE(vcpu, STATE_VCPU);
SAME_STATE(vcpu.cr3, STATE_CR3);
SAME_STATE(vcpu.cr2, STATE_CR2);
SAME_STATE(vcpu.fs_base, STATE_FS_BASE);
SAME_STATE(vcpu.gs_base, STATE_GS_BASE);
SAME_STATE(vcpu.ds, STATE_DS);
SAME_STATE(vcpu.gs, STATE_GS);
#define SAME_HOST(field, offset) \
	static_assert(offsetof(struct switcher_host, field) == (offset) - WINDOW_HOST)
SAME_HOST(rsp, HOST_RSP);
SAME_HOST(gs_base, HOST_GS_BASE);
SAME_HOST(fs_base, HOST_FS_BASE);
SAME_HOST(gdtr, HOST_GDTR);
SAME_HOST(idtr, HOST_IDTR);
SAME_HOST(tss, HOST_TSS);

static struct switcher_state *window_state(struct lg_window *w)
{
	return (void *)w->pages[WINDOW_STATE >> PAGE_SHIFT];
}

static struct switcher_host *window_host(struct lg_window *w)
{
	return (void *)w->pages[WINDOW_HOST >> PAGE_SHIFT];
}

static struct guest_regs *window_regs(struct lg_window *w)
{
	return (void *)w->pages[WINDOW_STACK >> PAGE_SHIFT] + (REGS & ~PAGE_MASK);
}

static struct desc_struct *window_gdt(struct lg_window *w)
{
	return (void *)w->pages[WINDOW_GDT >> PAGE_SHIFT];
}

static void *new_page(void)
{
	return (void *)get_zeroed_page(GFP_KERNEL);
}

static u64 table_entry(void *table)
{
	return __pa(table) | ENTRY_TABLE;
}

static u64 window_alias(struct lg_window *w, const char *label)
{
	return w->va + (label - switcher_text);
}

/* Page tables */

static int alloc_host_tables(void)
{
	int i;

	for (i = 0; i < (lg_la57 ? 3 : 2); i++) {
		host_tables[i] = new_page();
		if (!host_tables[i])
			return -ENOMEM;
		if (i)
			host_tables[i][0] = table_entry(host_tables[i - 1]);
	}
	return 0;
}

static u64 host_entry(void)
{
	return table_entry(host_tables[lg_la57 ? 2 : 1]);
}

/*
 * The Host's side of a window. Its entries are there before slot 256 of any mm
 * shows them, and are never changed while they are: no TLB can be stale.
 */
static int map_host_side(struct lg_window *w, int cpu)
{
	unsigned int pt = cpu / WINDOWS_PER_PT, i;
	u64 *entry;

	if (!host_pts[pt]) {
		host_pts[pt] = new_page();
		if (!host_pts[pt])
			return -ENOMEM;
		host_tables[0][pt] = table_entry(host_pts[pt]);
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

	w->guest_pt = new_page();
	if (!w->guest_pt)
		return -ENOMEM;
	for (i = 0; i < WINDOW_PAGES; i++)
		if (i != WINDOW_HOST >> PAGE_SHIFT)
			w->guest_pt[first + i] = host[first + i];

	table = w->guest_pt;
	for (i = 0; i < (lg_la57 ? 3 : 2); i++) {
		w->guest_tables[i] = new_page();
		if (!w->guest_tables[i])
			return -ENOMEM;
		w->guest_tables[i][i ? 0 : cpu / WINDOWS_PER_PT] = table_entry(table);
		table = w->guest_tables[i];
	}
	w->guest_entry = table_entry(table);
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
		/* INT3 and INTO are the Guest's own; INT n is seen as #GP. */
		gate->bits.dpl = i == 3 || i == 4 ? 3 : 0;
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
	/* Past the limit: no I/O bitmap, so every port is #GP (SDM volume 1, 19.5.2). */
	tss->io_bitmap_base = sizeof(*tss);
	set_tssldt_descriptor(&desc, w->va + WINDOW_TSS, DESC_TSS, sizeof(*tss) - 1);
	memcpy(window_state(w)->guest_tss, &desc, sizeof(desc));
}

/* Linux's layout without what is not for Guests: LDT; TLS comes with the vCPU. */
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

/* Runs on each CPU as it comes up; the window outlives the CPU's going down. */
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
	for (i = WINDOW_TEXT_PAGES; i < WINDOW_PAGES; i++) {
		if (i == WINDOW_DATA >> PAGE_SHIFT)
			continue;
		w->pages[i] = new_page();
		if (!w->pages[i])
			goto fail;
	}
	err = map_host_side(w, cpu);
	if (!err)
		err = map_guest_side(w, cpu);
	if (err)
		goto fail;
	lg_sgdt(&gdtr);
	fill_idt(w);
	fill_tss(w);
	fill_gdt(w, (void *)gdtr.address);
	windows[cpu] = w;
	return 0;
fail:
	free_window(w);
	return err;
}

/**
 * lg_windows_init - make a window for each CPU, now and as they come up
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
	return err;
}

static void restore_cr4(void *unused)
{
	struct lg_window *w = windows[smp_processor_id()];

	if (w && w->cr4_cleared) {
		lg_write_cr4(lg_read_cr4() | w->cr4_cleared);
		w->cr4_cleared = 0;
	}
}

/* The last VM is gone: the Host may have its global pages again. */
static void restore_host_cr4(void)
{
	on_each_cpu(restore_cr4, NULL, 1);
}

/** lg_windows_exit - the reverse of lg_windows_init(); no VM lives */
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
 * Slot 256 of a Launcher's page tables, for as long as it has VMs. With KPTI
 * this is the kernel's half of the pgd: the user's half never shows it.
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

	list_for_each_entry(a, &attached, list)
		if (a->mm == mm)
			return a;
	return NULL;
}

static u64 *window_slot(struct mm_struct *mm)
{
	return (u64 *)mm->pgd + WINDOW_SLOT;
}

/** lg_windows_attach - show the windows in @mm; sleeps. -EBUSY: slot in use. */
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
			WRITE_ONCE(*window_slot(mm), host_entry());
		}
	}
	if (!err)
		a->vms++;
	mutex_unlock(&attach_lock);
	return err;
}

/** lg_windows_detach - a VM of @mm is gone; sleeps */
void lg_windows_detach(struct mm_struct *mm)
{
	struct attached_mm *a;

	mutex_lock(&attach_lock);
	a = find_attached(mm);
	if (a && !--a->vms) {
		/*
		 * Entries that a TLB still has stay true for as long as the
		 * module is loaded: windows move never. Nobody is left to use
		 * them either.
		 */
		WRITE_ONCE(*window_slot(mm), 0);
		list_del(&a->list);
		kfree(a);
	}
	if (list_empty(&attached))
		restore_host_cr4();
	mutex_unlock(&attach_lock);
}

/* Loading a vCPU */

static void guest_msrs(struct lg_window *w)
{
	w->msrs.lstar = lg_rdmsr(MSR_LSTAR);
	w->msrs.cstar = lg_rdmsr(MSR_CSTAR);
	w->msrs.sysenter_cs = lg_rdmsr(MSR_IA32_SYSENTER_CS);
	lg_wrmsr(MSR_LSTAR, window_alias(w, switcher_syscall));
	lg_wrmsr(MSR_CSTAR, window_alias(w, switcher_syscall32));
	/* SYSENTER with a null CS is #GP (SDM volume 2, SYSENTER). */
	lg_wrmsr(MSR_IA32_SYSENTER_CS, 0);
	w->msrs_away = true;
}

static void host_msrs(struct lg_window *w)
{
	if (!w->msrs_away)
		return;
	lg_wrmsr(MSR_LSTAR, w->msrs.lstar);
	lg_wrmsr(MSR_CSTAR, w->msrs.cstar);
	lg_wrmsr(MSR_IA32_SYSENTER_CS, w->msrs.sysenter_cs);
	w->msrs_away = false;
}

/*
 * KVM of 6.1 reads the Host's values in an IPI, so there they are back before
 * each sti; later ones read them where no vCPU of ours can be loaded.
 */
static bool msrs_each_entry(void)
{
	return LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0);
}

/*
 * What the Host uses on this CPU and must not act while Guest page tables are
 * loaded: debug stores, which the CPU writes to linear addresses, and the
 * Launcher's shadow stack. Nobody turns them on before lg_window_put(): that
 * takes a context switch or an interrupt, and both end the atomic part.
 */
static u64 quiet_msr(bool there, u32 msr)
{
	u64 value = there ? lg_rdmsr(msr) : 0;

	if (value)
		lg_wrmsr(msr, 0);
	return value;
}

static void quiet_host_features(struct lg_window *w)
{
	w->pebs = quiet_msr(boot_cpu_has(X86_FEATURE_PEBS), MSR_IA32_PEBS_ENABLE);
	w->debugctl = quiet_msr(boot_cpu_has(X86_FEATURE_BTS), MSR_IA32_DEBUGCTLMSR);
#ifdef X86_FEATURE_USER_SHSTK
	w->u_cet = quiet_msr(boot_cpu_has(X86_FEATURE_USER_SHSTK), MSR_IA32_U_CET);
#endif
}

static void restore_host_features(struct lg_window *w)
{
	if (w->pebs)
		lg_wrmsr(MSR_IA32_PEBS_ENABLE, w->pebs);
	if (w->debugctl)
		lg_wrmsr(MSR_IA32_DEBUGCTLMSR, w->debugctl);
	if (w->u_cet)
		lg_wrmsr(MSR_IA32_U_CET, w->u_cet);
}

/* What the Host's registers hold now: another CPU's, if we have moved. */
static void sample_host(struct lg_window *w)
{
	struct switcher_host *host = window_host(w);
	struct desc_ptr gdtr, idtr;

	lg_sgdt(&gdtr);
	lg_sidt(&idtr);
	host->gdtr.limit = gdtr.size;
	host->gdtr.base = gdtr.address;
	host->idtr.limit = idtr.size;
	host->idtr.base = idtr.address;
	memcpy(host->tss, (struct desc_struct *)gdtr.address + GDT_ENTRY_TSS, sizeof(host->tss));
	host->tss[0] &= ~(2ULL << 40);	/* available: LTR will mark it busy */
	host->gs_base = lg_read_gs_base();
}

/** lg_window_gdt - what the GDT has of the loaded @vcpu; also when that changes */
void lg_window_gdt(struct lg_vcpu *vcpu)
{
	struct desc_struct *gdt;

	if (!vcpu->window)
		return;
	gdt = window_gdt(vcpu->window);
	memcpy(&gdt[GDT_ENTRY_TLS_MIN], vcpu->tls, sizeof(vcpu->tls));
	/* getcpu() of Linux's vDSO reads the CPU's number from the limit. */
	gdt[GDT_ENTRY_CPUNODE].limit0 = vcpu->id;
	gdt[GDT_ENTRY_CPUNODE].limit1 = 0;
}

/**
 * lg_window_load - put @vcpu's state into this CPU's window
 * @vcpu: the virtual CPU; its mutex is held
 *
 * Preemption off, until lg_window_put().
 */
void lg_window_load(struct lg_vcpu *vcpu)
{
	int cpu = smp_processor_id();
	struct lg_window *w = windows[cpu];
	unsigned int data = (cpu % WINDOWS_PER_PT) * (WINDOW_STRIDE >> PAGE_SHIFT) +
			    (WINDOW_DATA >> PAGE_SHIFT);

	*window_regs(w) = vcpu->saved_regs;
	window_state(w)->vcpu = vcpu->saved_cpu;
	vcpu->regs = window_regs(w);
	vcpu->cpu = &window_state(w)->vcpu;
	vcpu->window = w;
	lg_window_gdt(vcpu);
	/* Guest TLBs are flushed at the entry: see lg_root_cr3(). */
	w->guest_pt[data] = vcpu->data_page ?
			    (u64)page_to_pfn(vcpu->data_page) << PAGE_SHIFT | ENTRY_DATA : 0;
	lg_root_set_window(vcpu, w->guest_entry);
	sample_host(w);
	/* The Launcher's own are null: it is 64-bit code. */
	loadsegment(ds, 0);
	loadsegment(es, 0);
	local_irq_disable();
	if (!msrs_each_entry())
		guest_msrs(w);
	quiet_host_features(w);
	local_irq_enable();
}

/** lg_window_put - take @vcpu's state out again; preemption still off */
void lg_window_put(struct lg_vcpu *vcpu)
{
	struct lg_window *w = vcpu->window;

	vcpu->saved_regs = *vcpu->regs;
	vcpu->saved_cpu = *vcpu->cpu;
	vcpu->regs = &vcpu->saved_regs;
	vcpu->cpu = &vcpu->saved_cpu;
	vcpu->window = NULL;
	local_irq_disable();
	host_msrs(w);
	restore_host_features(w);
	local_irq_enable();
}

/*
 * CR4 while the Guest runs. Global entries of the Host would outlive the CR3
 * load at addresses that the Guest uses too (SDM volume 3, 4.10.2.4). The Host
 * may set PGE again at any time from its own copy, hence at each entry; a
 * change of PGE flushes everything (4.10.4.1). LASS would keep ring 3 out of
 * the upper half, where the Guest's kernel lives.
 */
#ifndef X86_CR4_LASS
#define X86_CR4_LASS	0
#endif

static u64 guest_cr4(struct lg_window *w)
{
	u64 cr4 = lg_read_cr4();

	if (cr4 & (X86_CR4_PGE | X86_CR4_LASS)) {
		w->cr4_cleared |= cr4 & X86_CR4_PGE;
		lg_write_cr4(cr4 & ~(X86_CR4_PGE | X86_CR4_LASS));
	}
	return cr4;
}

/* The CPU's buffers may hold the Host's data: as on each return to user mode. */
static void clear_cpu_buffers(void)
{
	static const u16 ds = __KERNEL_DS;

	if (boot_cpu_has_bug(X86_BUG_MDS) || boot_cpu_has_bug(X86_BUG_TAA) ||
	    boot_cpu_has_bug(X86_BUG_MMIO_STALE_DATA) || boot_cpu_has_bug(X86_BUG_RFDS))
		asm volatile("verw %0" : : "m" (ds) : "cc");
}

static void guest_speculation(bool guest)
{
	if (cpu_feature_enabled(X86_FEATURE_KERNEL_IBRS)) {
		u64 host = this_cpu_read(x86_spec_ctrl_current);

		lg_wrmsr(MSR_IA32_SPEC_CTRL, guest ? host & ~SPEC_CTRL_IBRS : host);
	}
	if (guest)
		clear_cpu_buffers();
}

/* The Switcher loads these in ring 0, where a bad one would fault. */
static void check_selectors(struct lg_vcpu *vcpu)
{
	struct switcher_vcpu *cpu = vcpu->cpu;
	struct guest_regs *regs = vcpu->regs;

	if (!lg_return_selectors_ok(vcpu, regs->cs, regs->ss))
		regs->ss = __USER_DS;

	cpu->ds = lg_check_selector(vcpu, cpu->ds);
	cpu->es = lg_check_selector(vcpu, cpu->es);
	cpu->fs = lg_check_selector(vcpu, cpu->fs);
	cpu->gs = lg_check_selector(vcpu, cpu->gs);
}

/**
 * lg_window_enter - run the Guest until something happens
 * @vcpu: the virtual CPU; its mutex is held
 *
 * Interrupts off. regs->trap tells what happened.
 */
void lg_window_enter(struct lg_vcpu *vcpu)
{
	struct lg_window *w = vcpu->window;
	u32 host_pkru = 0;
	u64 cr4;

	if (msrs_each_entry())
		guest_msrs(w);
	cr4 = guest_cr4(w);
	/* NOFLUSH on the way back: nobody but us touched the Host's PCIDs. */
	window_state(w)->host_cr3 = lg_read_cr3() | (lg_pcid ? BIT_ULL(63) : 0);
	vcpu->cpu->cr3 = lg_root_cr3(vcpu);
	if (vcpu->cpu->ds | vcpu->cpu->es | vcpu->cpu->fs | vcpu->cpu->gs |
	    (vcpu->regs->ss ^ __USER_DS))
		check_selectors(vcpu);
	if (hw_breakpoint_active()) {
		w->host_dr7 = lg_read_dr7();
		lg_write_dr7(0);
	}
	if (lg_pke) {
		host_pkru = lg_read_pkru();
		lg_write_pkru(vcpu->mode == LG_USER ? vcpu->user_pkru : 0);
	}
	guest_speculation(true);

	vcpu->stats.nmis += lg_call_switcher(window_alias(w, switcher_enter), window_state(w));

	guest_speculation(false);
	/* Before an interrupt of the Host has a #DB of its own. */
	if (vcpu->regs->trap == X86_TRAP_DB) {
		vcpu->dr6 = lg_read_dr6();
		lg_write_dr6(DR6_RESERVED);
	}
	if (lg_pke) {
		if (vcpu->mode == LG_USER)
			vcpu->user_pkru = lg_read_pkru();
		lg_write_pkru(host_pkru);
	}
	if (hw_breakpoint_active())
		lg_write_dr7(w->host_dr7);
	if (cr4 & X86_CR4_LASS)
		lg_write_cr4(lg_read_cr4() | X86_CR4_LASS);
	if (msrs_each_entry())
		host_msrs(w);
}

/* TRAP_RING0: what the Switcher saw, for lg_kill(). */
void lg_window_fault(struct lg_vcpu *vcpu, u64 *vector, u64 *error, u64 *offset)
{
	struct switcher_state *state = window_state(vcpu->window);

	*vector = state->fault_vector & 0xff;
	*error = state->fault_error;
	*offset = state->fault_ip - vcpu->window->va;
}

/* The Host's handler for @vector, from its own IDT. */
unsigned long lg_host_handler(struct lg_vcpu *vcpu, u8 vector)
{
	const gate_desc *idt = (void *)window_host(vcpu->window)->idtr.base;

	return gate_offset(&idt[vector]);
}
