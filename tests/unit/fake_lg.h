/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lg.ko, for tests of the launcher with a guest: open() and ioctl() are ours (the linker's
 * --wrap), and so are the file descriptors that they give.
 */
#ifndef _FAKE_LG_H
#define _FAKE_LG_H

#include "lguest_uapi.h"

#define VM_FD	900
#define OTHER_VM_FD	899	/* when the guest has restarted, in turn with VM_FD */
#define VCPU_FD	901	/* of CPU 0; those of others follow */

/* What a test wants of it. */
struct fake_lg {
	int open_error;		/* errno of opening /dev/lguest */
	unsigned long fail;	/* the ioctl that fails with ENOSPC */
	struct lguest_info info;
};
extern struct fake_lg fake_lg;

/* The other calls are the test's to answer. Return: ioctl()'s. */
int fake_vm_ioctl(unsigned long request, void *argument);
int fake_vcpu_ioctl(unsigned int number, unsigned long request, void *argument);

struct lguest_run *fake_vcpu(unsigned int number);

/* Beside the host, the person: */
int catch_output(int flags);
void *type_ctrl_a_x(void *terminal);

#endif /* _FAKE_LG_H */
