// SPDX-License-Identifier: GPL-2.0-only
/*
 * Work for the kernel before a guest runs: see user_work.h. This is a file of its own, since
 * KVM's header uses names that are ours, too.
 */
#include <linux/kvm_host.h>

#include "host/user_work.h"

#ifdef XFER_TO_GUEST_MODE_WORK
int lg_user_work(void)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 18, 0)
	return xfer_to_guest_mode_handle_work();
#else
	/*
	 * Before 6.18 the function wants a vCPU of KVM's, to note a signal there: give it one
	 * that nobody reads.
	 */
	static struct kvm_run run;
	static struct kvm_vcpu nobody = { .run = &run };

	return xfer_to_guest_mode_handle_work(&nobody);
#endif
}
#endif
