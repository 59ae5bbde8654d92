/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest's memory: one piece of the launcher's address space, which the
 * guest sees in two parts, below and above the hole where its devices are.
 */
#ifndef _LAUNCHER_MEMORY_H
#define _LAUNCHER_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE_SIZE	4096ULL

struct guest_memory {
	uint8_t *base;	/* guest physical address 0 in our address space */
	uint64_t size;	/* bytes, a multiple of PAGE_SIZE */
	uint64_t low;	/* how many of them are below the hole; the others start at LGUEST_HOLE_END */
	bool shared;	/* other processes can map it, too, by this descriptor: */
	int fd;
};

int guest_memory_init(struct guest_memory *memory, uint64_t size);
int guest_memory_init_shared(struct guest_memory *memory, uint64_t size);
void guest_memory_close_hole(struct guest_memory *memory);
int guest_memory_merge(const struct guest_memory *memory);
int guest_memory_clear(const struct guest_memory *memory);
void guest_memory_exit(struct guest_memory *memory);
void guest_memory_discard(const struct guest_memory *memory, void *at, uint64_t size);
void guest_memory_want_huge(const struct guest_memory *memory, bool wanted);
void *guest_range(const struct guest_memory *memory, uint64_t gpa, uint64_t size);

#endif /* _LAUNCHER_MEMORY_H */
