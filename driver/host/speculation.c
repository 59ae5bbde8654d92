// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the Host's kernel does on its way to and from user mode against what this CPU
 * guesses, and lg.ko and the Switcher have to do likewise: the Guest is user mode to the
 * CPU. Documentation/threat-model.md has the table.
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

/* The Host's data stays in buffers that the Guest can sample; on AMD this is TSA. */
static bool needs_verw(void)
{
	return boot_cpu_has_bug(X86_BUG_MDS) || boot_cpu_has_bug(X86_BUG_TAA) ||
	       boot_cpu_has_bug(X86_BUG_MMIO_STALE_DATA) || boot_cpu_has_bug(X86_BUG_RFDS) ||
	       boot_cpu_has_bug(X86_BUG_TSA);
}

/*
 * Indirect branches of the Host's are predicted by the Guest's branch history, and the CPU
 * has no BHI_DIS_S, or that is off. (If it is on it is so for good, for ring 0.)
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

/* Near RETs are predicted by what branches the Guest has made: lg_call_switcher(). */
static bool needs_returns_untrained(void)
{
	return boot_cpu_has(X86_FEATURE_UNRET) || boot_cpu_has(X86_FEATURE_SRSO_ALIAS) ||
	       boot_cpu_has(X86_FEATURE_ENTRY_IBPB) || boot_cpu_has(X86_FEATURE_IBPB_ON_VMEXIT);
}

/** lg_speculation - SPECULATION_* for this Host; never changes */
u8 lg_speculation(void)
{
	return (needs_verw() ? SPECULATION_VERW : 0) |
	       (needs_history_cleared() ? SPECULATION_HISTORY : 0) |
	       (needs_returns_untrained() ? SPECULATION_RETURNS : 0);
}

/* Does the Host use IBPB between processes? Later kernels do not tell modules. */
static bool host_uses_ibpb(void)
{
#ifdef X86_FEATURE_USE_IBPB
	return boot_cpu_has(X86_FEATURE_USE_IBPB);
#else
	return boot_cpu_has(X86_FEATURE_IBPB) && !cpu_mitigations_off();
#endif
}

/**
 * lg_speculation_load - a vCPU of a process is about to run on this CPU
 * @w: this CPU's window
 * @process: its number, never used again (mm_context_t.ctx_id)
 *
 * Guests of two processes must not steer each other's branches. The Host does an IBPB
 * between processes of which one has asked for it; for Guests it need not be asked.
 * Preemption off.
 */
void lg_speculation_load(struct lg_window *w, u64 process)
{
	if (w->last_process && w->last_process != process && host_uses_ibpb())
		lg_wrmsr(MSR_IA32_PRED_CMD, PRED_CMD_IBPB);
	w->last_process = process;
}

/**
 * lg_speculation_put - a Guest has run on this CPU, and its Launcher may next
 *
 * Then the Host does an IBPB on its way to user mode, as for KVM's (VMSCAPE).
 * Preemption off.
 */
void lg_speculation_put(void)
{
#ifdef X86_FEATURE_IBPB_EXIT_TO_USER
	if (boot_cpu_has(X86_FEATURE_IBPB_EXIT_TO_USER))
		this_cpu_write(x86_ibpb_exit_to_user, true);
#endif
}

/** lg_speculation_report - what this CPU costs every exit; at load */
void lg_speculation_report(void)
{
	u8 what = lg_speculation();

	if (what)
		pr_info("at each exit:%s%s%s\n",
			what & SPECULATION_VERW ? " CPU buffers cleared;" : "",
			what & SPECULATION_HISTORY ? " branch history cleared;" : "",
			what & SPECULATION_RETURNS ? " returns untrained;" : "");
}
