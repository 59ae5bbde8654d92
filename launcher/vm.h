/* SPDX-License-Identifier: GPL-2.0-only */
/* A virtual machine: its memory, its devices, and what lg.ko knows of it. */
#ifndef _LAUNCHER_VM_H
#define _LAUNCHER_VM_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "boot.h"
#include "lguest_uapi.h"
#include "memory.h"
#include "options.h"
#include "virtio/virtio.h"

/* The console, the random number generator, and the disks. */
#define VM_MAX_DEVICES	(2 + OPTIONS_MAX_DISKS)

struct vm {
	int fd;				/* /dev/lguest */
	int vcpu_fd;
	struct lguest_run *run;		/* mapped from vcpu_fd, run_size bytes */
	size_t run_size;
	struct guest_memory memory;
	unsigned int devices;
	struct virtio_device device[VM_MAX_DEVICES];
	pthread_t vcpu_thread;		/* the main thread */
	atomic_bool leaving;		/* the person typed Ctrl-A x */
};

int vm_open_device(const char *path, struct lguest_info *info);
int vm_init(struct vm *vm, const struct options *options);
int vm_start(struct vm *vm, const struct boot_entry *entry);
void vm_exit(struct vm *vm);
char *vm_describe_devices(const struct vm *vm);
struct virtio_device *vm_find_device(struct vm *vm, uint64_t gpa, uint64_t *offset);

#endif /* _LAUNCHER_VM_H */
