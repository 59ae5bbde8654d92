// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a thread owes the kernel before it runs a Guest: user_work.h. A file of its own, since
 * KVM's header has names that are ours, too.
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
	 * Before 6.18 it notes in a vCPU of KVM's that there was a signal: this one is
	 * nobody's, and what is noted there is never read.
	 */
	static struct kvm_run run;
	static struct kvm_vcpu nobody = { .run = &run };

	return xfer_to_guest_mode_handle_work(&nobody);
#endif
}
#endif
