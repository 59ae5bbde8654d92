// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's memory: ordinary private memory of this process, so all that the host does with
 * ordinary memory (swap, huge pages, merging) works. If another program serves a device of the
 * guest's, it is a file in memory that both programs map.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lguest_abi.h"
#include "memory.h"
#include "base/message.h"

#define HUGE_PAGE	(2UL << 20)

/* Ask for more address space than wanted, and give back what is not in whole huge pages. */
static void *reserve(uint64_t size)
{
	uint64_t before, over = HUGE_PAGE - PAGE_SIZE;
	char *base = mmap(NULL, size + over, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (base == MAP_FAILED)
		return base;
	before = -(uintptr_t)base % HUGE_PAGE;
	if (before)
		munmap(base, before);
	if (over - before)
		munmap(base + before + size, over - before);
	return base + before;
}

/**
 * guest_memory_init() - get memory for a guest, all zero
 * @memory: filled in
 * @size: bytes, a multiple of PAGE_SIZE
 *
 * Return: 0, or a negative errno after telling the person.
 */
int guest_memory_init(struct guest_memory *memory, uint64_t size)
{
	void *base = reserve(size);

	if (base == MAP_FAILED)
		return refuse(-errno, "the host has no %llu MiB of memory for the guest: %s",
			      (unsigned long long)size >> 20, strerror(errno));
	/* A core dump of the launcher needs no memory of the guest. */
	madvise(base, size, MADV_DONTDUMP);
	/* The launcher's own processes get no copy of it, either. */
	madvise(base, size, MADV_DONTFORK);
	memory->base = base;
	memory->size = size;
	memory->shared = false;
	memory->fd = -1;
	guest_memory_want_huge(memory, true);
	memory->low = size < LGUEST_HOLE_START ? size : LGUEST_HOLE_START;
	return 0;
}

/*
 * Map a file in memory in place of what is there. The file is sealed against shrinking, so that
 * another program that maps it need not fear SIGBUS.
 */
static int map_file(struct guest_memory *memory)
{
	int fd = memfd_create("lguest", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return -errno;
	if (ftruncate(fd, memory->size) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0 ||
	    mmap(memory->base, memory->size, PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_FIXED | MAP_NORESERVE, fd, 0) == MAP_FAILED) {
		int error = -errno;

		close(fd);
		return error;
	}
	memory->fd = fd;
	memory->shared = true;
	return 0;
}

/**
 * guest_memory_init_shared() - as guest_memory_init(), but other processes can map the memory
 * @memory: filled in, with the descriptor that they need
 * @size: bytes, a multiple of PAGE_SIZE
 *
 * Return: 0, or a negative errno after telling the person.
 */
int guest_memory_init_shared(struct guest_memory *memory, uint64_t size)
{
	int error = guest_memory_init(memory, size);

	if (error)
		return error;
	error = map_file(memory);
	if (error)
		return refuse(error, "the host has no memory for the guest that it can share: %s",
			      strerror(-error));
	madvise(memory->base, memory->size, MADV_DONTDUMP);
	madvise(memory->base, memory->size, MADV_DONTFORK);
	guest_memory_want_huge(memory, true);
	return 0;
}

/**
 * guest_memory_close_hole() - all of it lies in one piece, from 0 on
 * @memory: as guest_memory_init() left it, of a guest without devices in the hole
 */
void guest_memory_close_hole(struct guest_memory *memory)
{
	memory->low = memory->size;
}

/**
 * guest_memory_merge() - let the host merge pages that are the same (KSM)
 * @memory: the guest's memory
 *
 * The host merges while its ksmd runs; the administrator decides about that.
 *
 * Return: 0, or a negative errno after telling the person.
 */
int guest_memory_merge(const struct guest_memory *memory)
{
	if (!madvise(memory->base, memory->size, MADV_MERGEABLE))
		return 0;
	return refuse(-errno, "this host cannot merge memory: leave out --merge, or take a kernel with KSM");
}

/**
 * guest_memory_clear() - make all of it zero again, so that it takes no room
 * @memory: the guest's memory, which no other thread uses now
 *
 * The memory stays where it is: a program that serves a device of the guest's knows the place.
 *
 * Return: 0, or a negative errno after telling the person.
 */
int guest_memory_clear(const struct guest_memory *memory)
{
	if (!madvise(memory->base, memory->size, memory->shared ? MADV_REMOVE : MADV_DONTNEED))
		return 0;
	return refuse(-errno, "the host can't clear the guest's memory: %s", strerror(errno));
}

/**
 * guest_memory_exit() - give it back
 * @memory: as guest_memory_init() left it; no thread may use it any more
 */
void guest_memory_exit(struct guest_memory *memory)
{
	if (memory->base)
		munmap(memory->base, memory->size);
	if (memory->shared)
		close(memory->fd);
	memory->shared = false;
	memory->base = NULL;
	memory->size = 0;
	memory->low = 0;
}

/**
 * guest_memory_want_huge() - shall the host use huge pages?
 * @memory: the guest's memory
 * @wanted: it shall; else it makes no new ones
 */
void guest_memory_want_huge(const struct guest_memory *memory, bool wanted)
{
	/* lg.ko needs one entry for a huge page where it needs 512 for small pages. */
	madvise(memory->base, memory->size, wanted ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
}

/**
 * guest_memory_discard() - give memory back to the host: it reads as zero then
 * @memory: the guest's memory
 * @at: from guest_range()
 * @size: bytes; only pages that are whole in the range are given back
 */
void guest_memory_discard(const struct guest_memory *memory, void *at, uint64_t size)
{
	uint64_t start = (uint8_t *)at - memory->base, end = (start + size) & ~(PAGE_SIZE - 1);

	start = (start + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
	if (start < end)
		madvise(memory->base + start, end - start,
			memory->shared ? MADV_REMOVE : MADV_DONTNEED);
}

/**
 * guest_range() - turn a guest physical address into a pointer
 * @memory: the guest's memory
 * @gpa: any number: guests choose it
 * @size: bytes that the caller is going to use; any number
 *
 * This is the only way from a guest address to a pointer.
 *
 * Return: the pointer, or NULL if not all of the range is memory in one piece.
 */
void *guest_range(const struct guest_memory *memory, uint64_t gpa, uint64_t size)
{
	uint64_t high = memory->size - memory->low;

	if (gpa <= memory->low && size <= memory->low - gpa)
		return memory->base + gpa;
	if (gpa < LGUEST_HOLE_END)
		return NULL;
	gpa -= LGUEST_HOLE_END;
	if (gpa <= high && size <= high - gpa)
		return memory->base + memory->low + gpa;
	return NULL;
}
