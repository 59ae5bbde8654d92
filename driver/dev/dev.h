/* SPDX-License-Identifier: GPL-2.0-only */
/* The file descriptors of the launcher, and the files in debugfs. */
#ifndef _LG_DEV_H
#define _LG_DEV_H

#include "lg.h"

/* vm.c, vcpu.c */
extern const struct file_operations lg_vm_fops;
void lg_vm_put(struct lg_vm *vm);
int lg_vcpu_create(struct lg_vm *vm, unsigned long id);
void lg_vcpu_free(struct lg_vcpu *vcpu);

/* debugfs.c: sleeps */
void lg_debugfs_init(void);
void lg_debugfs_exit(void);
void lg_debugfs_vm(struct lg_vm *vm);
void lg_debugfs_vcpu(struct lg_vcpu *vcpu);
void lg_debugfs_remove(struct lg_vm *vm);

#endif /* _LG_DEV_H */
