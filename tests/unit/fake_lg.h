/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A fake lg.ko, for tests of the launcher with a guest. It replaces open() and ioctl() by the
 * linker's --wrap, and makes up the descriptors that they return.
 */
#ifndef _FAKE_LG_H
#define _FAKE_LG_H

#include "lguest_uapi.h"

#define VM_FD	900
#define OTHER_VM_FD	899	/* after a restart; the next one has VM_FD again */
#define VCPU_FD	901	/* of virtual CPU 0; those of the others follow */

/* What a test wants the fake to do. */
struct fake_lg {
	int open_error;		/* errno of opening /dev/lguest */
	unsigned long fail;	/* the ioctl that fails with ENOSPC */
	struct lguest_info info;
};
extern struct fake_lg fake_lg;

/* The test answers all other calls by this function. Return: what ioctl() returns. */
int fake_vm_ioctl(unsigned long request, void *argument);
int fake_vcpu_ioctl(unsigned int number, unsigned long request, void *argument);

struct lguest_run *fake_vcpu(unsigned int number);

/* The person, too, is a fake: */
int catch_output(int flags);
void *type_ctrl_a_x(void *terminal);

#endif /* _FAKE_LG_H */
