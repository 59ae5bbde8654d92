// SPDX-License-Identifier: GPL-2.0-only
/*
 * Speculation: what the host's kernel does about it on the way to and from user mode, lg.ko and
 * the switcher have to do, too, since the guest is user mode to the CPU. The table is in
 * Documentation/threat-model.md.
 */
#define pr_fmt(fmt) "lguest: " fmt

#include <linux/cpu.h>
#include <linux/printk.h>
#include <asm/cpufeature.h>
#include <asm/msr-index.h>
#include <asm/nospec-branch.h>

#include "host/insn.h"
#include "host/window.h"

#ifndef X86_BUG_TSA
#define X86_BUG_TSA	X86_BUG_MDS
#endif
#ifdef X86_FEATURE_CLEAR_BHB_VMEXIT
#define X86_FEATURE_CLEAR_BHB_LOOP_ON_VMEXIT	X86_FEATURE_CLEAR_BHB_VMEXIT
#endif

/* Can the guest sample the host's data in buffers of the CPU? On AMD this is TSA. */
static bool needs_verw(void)
{
	return boot_cpu_has_bug(X86_BUG_MDS) || boot_cpu_has_bug(X86_BUG_TAA) ||
	       boot_cpu_has_bug(X86_BUG_MMIO_STALE_DATA) || boot_cpu_has_bug(X86_BUG_RFDS) ||
	       boot_cpu_has_bug(X86_BUG_TSA);
}

/*
 * Does the guest's branch history predict indirect branches of the host? It does where the CPU
 * has no BHI_DIS_S, or the kernel has it off. (Where it is on, it is always on in ring 0.)
 */
static bool needs_history_cleared(void)
{
#ifdef X86_FEATURE_CLEAR_BHB_LOOP
	return boot_cpu_has(X86_FEATURE_CLEAR_BHB_LOOP) ||
	       boot_cpu_has(X86_FEATURE_CLEAR_BHB_LOOP_ON_VMEXIT);
#else
	return false;
#endif
}

/* Do the guest's branches predict near RETs of the host? See lg_call_switcher(). */
static bool needs_returns_untrained(void)
{
	return boot_cpu_has(X86_FEATURE_UNRET) || boot_cpu_has(X86_FEATURE_SRSO_ALIAS) ||
	       boot_cpu_has(X86_FEATURE_ENTRY_IBPB) || boot_cpu_has(X86_FEATURE_IBPB_ON_VMEXIT);
}

/** lg_speculation - SPECULATION_* for this host; never changes */
u8 lg_speculation(void)
{
	return (needs_verw() ? SPECULATION_VERW : 0) |
	       (needs_history_cleared() ? SPECULATION_HISTORY : 0) |
	       (needs_returns_untrained() ? SPECULATION_RETURNS : 0);
}

/* Does the host use IBPB between processes? Later kernels do not tell modules. */
static bool host_uses_ibpb(void)
{
#ifdef X86_FEATURE_USE_IBPB
	return boot_cpu_has(X86_FEATURE_USE_IBPB);
#else
	return boot_cpu_has(X86_FEATURE_IBPB) && !cpu_mitigations_off();
#endif
}

/**
 * lg_speculation_load - keep guests of two processes from steering each other's branches
 * @w: this CPU's window
 * @process: number of the process whose vCPU is about to run, never used again
 *	(mm_context_t.ctx_id)
 *
 * The host does an IBPB between two processes if one of them has asked for it; guests get it
 * without asking. Preemption off.
 */
void lg_speculation_load(struct lg_window *w, u64 process)
{
	if (w->last_process && w->last_process != process && host_uses_ibpb())
		lg_wrmsr(MSR_IA32_PRED_CMD, PRED_CMD_IBPB);
	w->last_process = process;
}

/**
 * lg_speculation_put - a guest has run on this CPU, and its launcher may run next
 *
 * Ask the host for an IBPB on the way to user mode, as KVM does (VMSCAPE). Preemption off.
 */
void lg_speculation_put(void)
{
#ifdef X86_FEATURE_IBPB_EXIT_TO_USER
	if (boot_cpu_has(X86_FEATURE_IBPB_EXIT_TO_USER))
		this_cpu_write(x86_ibpb_exit_to_user, true);
#endif
}

/** lg_speculation_report - log what every exit does about this CPU's speculation; at load */
void lg_speculation_report(void)
{
	u8 what = lg_speculation();

	if (what)
		pr_info("at each exit:%s%s%s\n",
			what & SPECULATION_VERW ? " CPU buffers cleared;" : "",
			what & SPECULATION_HISTORY ? " branch history cleared;" : "",
			what & SPECULATION_RETURNS ? " returns untrained;" : "");
}
