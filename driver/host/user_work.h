/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Work that a thread has to do for the kernel before it runs a guest, and would do on the way
 * to user mode: let another task run (lazily, too), rseq, task_work, throttling by its cgroup.
 * The kernel has a function for it that was made for KVM's loop; our loop uses it, too.
 */
#ifndef _LG_USER_WORK_H
#define _LG_USER_WORK_H

#include <linux/sched/signal.h>
#include <linux/version.h>
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 18, 0)
#include <linux/entry-virt.h>
#else
#include <linux/entry-kvm.h>
#endif

#ifdef XFER_TO_GUEST_MODE_WORK
/* Call this with interrupts off, else the answer may be out of date. */
static inline bool lg_user_work_pending(void)
{
	return __xfer_to_guest_mode_work_pending();
}

/* Do the work; sleeps. Not 0: there is a signal. */
int lg_user_work(void);
#else
/* A kernel without KVM has no such function: go to user mode, but for need_resched(). */
static inline int lg_user_work(void)
{
#ifdef TIF_NEED_RESCHED_LAZY
	if (test_thread_flag(TIF_NEED_RESCHED_LAZY))
		return 1;
#endif
	return test_thread_flag(TIF_NOTIFY_RESUME);
}

static inline bool lg_user_work_pending(void)
{
	return need_resched() || lg_user_work();
}
#endif

#endif /* _LG_USER_WORK_H */
