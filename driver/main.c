// SPDX-License-Identifier: GPL-2.0-only
/*
 * lg.ko: insmod and rmmod.
 *
 * Refuse unsuitable hosts here, with one log line and -ENODEV, instead of crashing later.
 */
#define pr_fmt(fmt) "lguest: " fmt

#include <linux/cc_platform.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <asm/cpufeature.h>
#include <asm/processor-flags.h>

#include "lg.h"
#include "dev/dev.h"
#include "host/compat.h"
#include "host/host.h"
#include "host/insn.h"
#include "mmu/mmu.h"
#include "vcpu/vcpu.h"

#ifndef X86_CR4_FRED
#define X86_CR4_FRED	0
#endif

/* Why can this host not run guests? NULL: it can. */
static const char *host_unfit(void)
{
	u64 cr4 = native_read_cr4();

	/*
	 * lg_vm.mmu_lock is taken with preemption off, and must not sleep: with PREEMPT_RT it
	 * would.
	 */
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

static struct miscdevice lg_device = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "lguest",
	.fops	= &lg_vm_fops,
	.mode	= 0600,
};

static int __init lg_init(void)
{
	const char *why = host_unfit();
	int err;

	if (why) {
		pr_err("cannot run here: %s\n", why);
		return -ENODEV;
	}
	lg_cpu_init();
	err = lg_notifier_init();
	if (err)
		return err;
	err = lg_windows_init();
	if (err) {
		pr_err("cannot make the windows for the switcher (error %d)\n", err);
		goto notifier;
	}
	lg_cpu_probe();
	err = lg_clock_init();
	if (err)
		goto windows;
	lg_debugfs_init();
	err = misc_register(&lg_device);
	if (err)
		goto debugfs;
	pr_info("ready: guest ABI %u, KPTI %s, %d-level paging, PCID %s\n", LGUEST_ABI_VERSION,
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
