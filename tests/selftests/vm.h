/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A small launcher for tests: a VM of 4 MiB whose page tables the test makes
 * itself, as include/lguest_abi.h says.
 *
 *   guest physical             guest virtual
 *   0 - 2 MiB                  the same, and from VM_KERNEL on; supervisor
 *   2 - 4 MiB                  4 - 6 MiB (VM_USER); the user's
 */
#ifndef _VM_H
#define _VM_H

/* Guest physical */
#define VM_SIZE		0x400000
#define VM_PML4		0x1000
#define VM_PDPT_LOW	0x2000
#define VM_PD_LOW	0x3000
#define VM_PDPT_HIGH	0x4000
#define VM_PD_HIGH	0x5000
#define VM_SPARE_TABLE	0x6000	/* four pages for a test's own tables */
#define VM_CODE		0x10000	/* where the guest starts */
#define VM_EVENT	0x12000	/* its event entry */
#define VM_SYSCALL	0x13000	/* its system call entry */
#define VM_DATA		0x20000	/* struct lguest_data */
#define VM_INIT		0x21000	/* struct lguest_init */
#define VM_SHARED_INFO	0x23000	/* of a VM with Xen's ABI */
#define VM_TABLE	0x22000	/* what a test hands to its guest */
#define VM_STACK_TOP	0x40000
#define VM_USER_PHYS	0x200000

/* Guest virtual */
#define VM_KERNEL	0xffffffff80000000
#define VM_USER		0x400000

#ifndef __ASSEMBLER__
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include "lguest_abi.h"
#include "lguest_uapi.h"

#define PTE_PRESENT	0x001ULL
#define PTE_WRITE	0x002ULL
#define PTE_USER	0x004ULL
#define PTE_LARGE	0x080ULL
#define PTE_KERNEL	(PTE_PRESENT | PTE_WRITE)
#define PTE_ALL		(PTE_KERNEL | PTE_USER)
#define PTE_FRAME	0x000ffffffffff000ULL

struct vm {
	int fd, vcpu_fd;
	uint8_t *memory;
	struct lguest_run *run;
};

/* vm.c: all return 0 or -errno, and say nothing */
int vm_make(struct vm *vm);		/* memory with page tables, one vCPU, its run page */
/* The same in @memory, VM_SIZE bytes from mmap(); the guest has @size, and so what follows. */
int vm_make_of(struct vm *vm, void *memory, size_t size);
/* The same with LGUEST_ABI_XEN; slot 257 leads to the first of the spare tables. */
int vm_make_xen(struct vm *vm, void *memory, size_t size);
int vm_start_at(struct vm *vm, uint64_t rip);
int vm_spin(struct vm *vm);		/* its guest is a jump to itself */
int vm_run(struct vm *vm, unsigned int ms);	/* until an exit, or -EINTR after so long */
/* The same of any vCPU; 0: no limit. */
int vcpu_run(int vcpu_fd, struct lguest_run *run, unsigned int ms);
void vm_end(struct vm *vm);
void make_ldt(void);			/* for this process, with a data segment, 0x07 */
uint64_t *vm_word(struct vm *vm, uint64_t gpa);
int module_refcnt(void);		/* of lg.ko; -1: not loaded */
int module_unused(void);		/* 1 once it is 0; waits for up to 5 s */
#endif /* !__ASSEMBLER__ */
#endif /* _VM_H */
