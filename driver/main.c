// SPDX-License-Identifier: GPL-2.0-only
/*
 * lg.ko: what happens at insmod and rmmod, and how a VM dies.
 *
 * What this Host cannot do is said here, in one line and with -ENODEV, and not
 * found out later by a crash.
 */
#define pr_fmt(fmt) "lguest: " fmt

#include <linux/cc_platform.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <asm/cpufeature.h>
#include <asm/processor-flags.h>

#include "host/insn.h"
#include "lg.h"

/* Of this Host; fixed at load. */
bool lg_la57, lg_pcid, lg_pke, lg_int80;
/* A shadow entry that was never looked at; 0: this CPU has no reserved bits that fault. */
u64 lg_unknown;

/**
 * lg_kill - end a Guest that cannot or must not go on
 * @vm: the VM
 * @fmt: the reason, as printf() takes it
 *
 * Any context. The first reason is the one that the Launcher prints.
 */
void lg_kill(struct lg_vm *vm, const char *fmt, ...)
{
	struct lg_vcpu *vcpu;
	unsigned int i;
	va_list args;

	if (cmpxchg(&vm->dead, 0, 1))
		return;
	va_start(args, fmt);
	vsnprintf(vm->reason, sizeof(vm->reason), fmt, args);
	va_end(args);
	smp_store_release(&vm->dead, 2);
	lg_for_each_vcpu(i, vcpu, vm)
		lg_kick(vcpu);
}

#ifndef X86_CR4_FRED
#define X86_CR4_FRED	0
#endif

/* Why not, or NULL. */
static const char *host_unfit(void)
{
	u64 cr4 = native_read_cr4();

	/* lg_vm.mmu_lock is taken with preemption or interrupts off; there, such locks sleep. */
	if (IS_ENABLED(CONFIG_PREEMPT_RT))
		return "this is a real-time kernel (PREEMPT_RT), whose spinlocks sleep: boot one without";
	if (boot_cpu_has(X86_FEATURE_XENPV))
		return "this kernel itself is a Xen PV guest, and slot 256 is Xen's";
	if (cc_platform_has(CC_ATTR_MEM_ENCRYPT))
		return "its memory is encrypted (SME, SEV or TDX): boot with mem_encrypt=off if it can be helped";
	if (!boot_cpu_has(X86_FEATURE_NX))
		return "the CPU has no NX, or it is switched off";
	if (!(cr4 & X86_CR4_FSGSBASE))
		return "the CPU has no FSGSBASE (Intel before Ivy Bridge, AMD before Excavator), or it is switched off";
	if (cr4 & X86_CR4_FRED)
		return "FRED event delivery is on: boot with fred=off";
	if (lg_fpu_init())
		return "the CPU has no XSAVE, or it is switched off";
	return NULL;
}

/*
 * Is vector 0x80 the Host's own gate for system calls, so that no device can
 * ever have it? Then a Guest's INT $0x80 may arrive by itself, too.
 */
static bool host_has_int80(void)
{
	struct desc_ptr idtr;
	const gate_desc *gate;

	store_idt(&idtr);
	gate = (const gate_desc *)idtr.address + LG_INT80;
	return gate->bits.p && gate->bits.dpl == 3;
}

/* They end at 0x7fe in a kernel that can have KPTI, else at 0xffe. Ours: mmu/roots.c */
#define PCIDS_COLLIDE (boot_cpu_has(X86_FEATURE_PTI) || \
	!(IS_ENABLED(CONFIG_MITIGATION_PAGE_TABLE_ISOLATION) || IS_ENABLED(CONFIG_PAGE_TABLE_ISOLATION)))

static struct miscdevice lg_device = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "lguest",
	.fops	= &lg_vm_fops,
	.mode	= 0600,
};

/* What the CPU says of itself, or does when it is tried: behind lg_windows_init(). */
static void __init choose_unknown(void)
{
	u32 ebx;

	if ((lg_cpuid(0x80000008, &ebx) & 0xff) >= 52)
		return;
	if (lg_unknown_faults())
		lg_unknown = LG_ENTRY_UNKNOWN;
	else
		pr_notice("reserved bits in page tables don't fault by themselves, as if this CPU had more address bits than it says: page faults of Guests take an exit more\n");
}

static int __init lg_init(void)
{
	const char *why = host_unfit();
	u64 cr4 = native_read_cr4();
	u32 ebx;
	int err;

	if (why) {
		pr_err("cannot run here: %s\n", why);
		return -ENODEV;
	}
	lg_cpuid(0x80000008, &ebx);
	lg_la57 = cr4 & X86_CR4_LA57;
	/* What Linux hands out for INVLPGB (AMD APM volume 3, E.4.7) may be ours. */
	lg_pcid = (cr4 & X86_CR4_PCIDE) && !((ebx & BIT(3)) && PCIDS_COLLIDE);
	lg_pke = cr4 & X86_CR4_PKE;
	lg_int80 = host_has_int80();
	err = lg_notifier_init();
	if (err)
		return err;
	err = lg_windows_init();
	if (err) {
		pr_err("no windows for the Switcher (error %d)\n", err);
		goto notifier;
	}
	choose_unknown();
	err = lg_clock_init();
	if (err)
		goto windows;
	lg_debugfs_init();
	err = misc_register(&lg_device);
	if (err)
		goto debugfs;
	pr_info("ready: Guest ABI %u, KPTI %s, %d-level paging, PCID %s\n", LGUEST_ABI_VERSION,
		boot_cpu_has(X86_FEATURE_PTI) ? "on" : "off", lg_la57 ? 5 : 4,
		lg_pcid ? "on" : "off");
	return 0;
debugfs:
	lg_debugfs_exit();
	lg_clock_exit();
windows:
	lg_windows_exit();
notifier:
	lg_notifier_exit();
	return err;
}

static void __exit lg_exit_module(void)
{
	misc_deregister(&lg_device);
	lg_debugfs_exit();
	lg_clock_exit();
	lg_windows_exit();
	lg_notifier_exit();
}

module_init(lg_init);
module_exit(lg_exit_module);
MODULE_AUTHOR("the lguest developers");
MODULE_DESCRIPTION("lguest: Linux guests without hardware virtualisation");
MODULE_LICENSE("GPL");
