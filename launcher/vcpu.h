/* SPDX-License-Identifier: GPL-2.0-only */
/* A virtual CPU, as the launcher sees it. */
#ifndef _LAUNCHER_VCPU_H
#define _LAUNCHER_VCPU_H

#include <stddef.h>

#include "boot/boot.h"
#include "lguest_uapi.h"
#include "base/thread.h"

struct vm;

struct vcpu {
	struct vm *vm;
	unsigned int number;
	int fd;
	struct lguest_run *run;		/* mapped from fd, run_size bytes */
	size_t run_size;
	struct thread thread;		/* calls LGUEST_RUN; number 0: the main thread, never joined */
	int error;			/* errno of the LGUEST_RUN that failed, or 0 */
};

void vcpu_init(struct vcpu *vcpu, struct vm *vm, unsigned int number);
int vcpu_create(struct vcpu *vcpu, const struct lguest_info *info);
int vcpu_set_entry(struct vcpu *vcpu, const struct boot_entry *entry);
void vcpu_exit(struct vcpu *vcpu);

#endif /* _LAUNCHER_VCPU_H */
