/* SPDX-License-Identifier: GPL-2.0-only */
/* A virtual machine: its memory, its devices, and what lg.ko knows of it. */
#ifndef _LAUNCHER_VM_H
#define _LAUNCHER_VM_H

#include <stdatomic.h>
#include <stdbool.h>

#include "agent.h"
#include "boot/boot.h"
#include "option/config.h"
#include "lguest_uapi.h"
#include "memory.h"
#include "pause.h"
#include "vcpu.h"
#include "virtio/virtio.h"

/* Console, random number generator, balloon, what the person asks for, and a share. */
#define VM_MAX_DEVICES	(4 + OPTIONS_MAX_DEVICES)

struct xen;

struct vm {
	int fd;				/* /dev/lguest */
	unsigned int vcpus;
	struct vcpu vcpu[LGUEST_MAX_VCPUS];
	struct guest_memory memory;
	uint64_t shadow;		/* options.shadow */
	unsigned int devices;
	struct virtio_device device[VM_MAX_DEVICES];
	struct virtio_device *console;	/* one of device[], which ports are added to */
	struct virtio_device *balloon;	/* another one of device[], for balloon_set() */
	struct agent agent;
	struct xen *xen;		/* the Guest speaks Xen's ABI, and has none of those; or NULL */

	struct lguest_info info;	/* what lg.ko says of itself */
	bool started;			/* the devices have their threads */

	/* What the threads of virtual CPUs tell each other; see run.c. */
	pthread_mutex_t lock;		/* held to change running, and to keep it as it is */
	atomic_bool running;		/* run_guest() is at work */
	atomic_bool stopping;		/* all threads of virtual CPUs must end */
	atomic_bool leaving;		/* as stopping; by Ctrl-A x or from outside */
	_Atomic(struct vcpu *) ended_by;	/* the first that saw the guest's end */
	struct pause pause;
};

int vm_open_device(const char *path, struct lguest_info *info);
int vm_init(struct vm *vm, const struct options *options, bool xen);
int vm_open(struct vm *vm);
int vm_start(struct vm *vm, const struct boot_entry *entry);
int vm_restart(struct vm *vm);
void vm_exit(struct vm *vm);
void vm_set_running(struct vm *vm, bool running);
void vm_wake_main(struct vm *vm);
void vm_end_begins(struct vm *vm);
void vm_leave(struct vm *vm);
int vm_power_down(struct vm *vm);
char *vm_describe_devices(const struct vm *vm);
struct virtio_device *vm_find_device(struct vm *vm, uint64_t gpa, uint64_t *offset);

#endif /* _LAUNCHER_VM_H */
