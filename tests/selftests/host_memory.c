// SPDX-License-Identifier: GPL-2.0-only
/*
 * host_memory: the guest has its memory as the host has it. Reading leaves alone what
 * the host shares; writing gets a copy, as it would any program; what the host does not
 * let the launcher write, the guest does not write.
 *
 * The guest's kernel reads or writes the 2 MiB at VM_USER, of which the test has
 * made what it is about. Each of these fails if lg.ko asks for pages to write where
 * the guest only reads, or has an entry that is wider than the launcher's own.
 */
#define _GNU_SOURCE
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "guest.h"
#include "tap.h"

#define BYTES	(2UL << 20)
#define MUCH	(3UL << 30)
#define PAGES	(BYTES / 4096)
#define WORDS	(4096 / sizeof(uint64_t))
#define PIECES	(8UL << 20)	/* Guest physical, beyond the VM's own memory */

/* What the guest does, and the sum of what it has read. */
static struct {
	uint64_t at, pages, value;	/* a value of 0: it only reads */
	volatile uint64_t sum;
} work;

static void guest_touches(uint64_t unused)
{
	uint64_t i, at, sum = 0;

	(void)unused;
	for (i = 0; i < work.pages; i++) {
		at = work.at + i * 4096;
		if (work.value)
			guest_write(at, work.value);
		sum += guest_read(at);
	}
	work.sum = sum;
}

static uint64_t *page(struct guest *guest, unsigned int i)
{
	return vm_word(&guest->vm, VM_USER_PHYS + i * 4096);
}

/* Of the 2 MiB, what is the launcher's own, in KiB. */
static long own_kib(struct guest *guest)
{
	FILE *file = fopen("/proc/self/smaps", "r");
	unsigned long start, end;
	bool inside = false;
	char line[256];
	long kib, sum = 0;

	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			inside = start >= (uintptr_t)page(guest, 0) &&
				 start < (uintptr_t)page(guest, 0) + BYTES;
		else if (inside && sscanf(line, "Anonymous: %ld kB", &kib) == 1)
			sum += kib;
	}
	if (file)
		fclose(file);
	return sum;
}

/* Let the guest touch the pages [first, first + pages): does it come to its end? */
static bool touch(struct guest *guest, unsigned int first, unsigned int pages, uint64_t value)
{
	work.at = VM_USER + first * 4096;
	work.pages = pages;
	work.value = value;
	return guest_start(&guest->vcpu[0], guest_touches, 0) && guest_finishes(&guest->vcpu[0]);
}

static bool reads(struct guest *guest, uint64_t wanted)
{
	return touch(guest, 0, PAGES, 0) && work.sum == wanted;
}

static bool writes(struct guest *guest, unsigned int first, unsigned int pages, uint64_t value)
{
	return touch(guest, first, pages, value) && work.sum == pages * value;
}

/* The 2 MiB of @guest are of a file, in which the first word of each page is 1. */
static uint64_t *map_file(struct guest *guest, int protection)
{
	int fd = memfd_create("host_memory", 0);
	uint64_t *file;
	unsigned int i;

	if (fd < 0 || ftruncate(fd, BYTES) ||
	    mmap(page(guest, 0), BYTES, protection, MAP_PRIVATE | MAP_FIXED, fd, 0) == MAP_FAILED)
		return NULL;
	file = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	for (i = 0; file != MAP_FAILED && i < PAGES; i++)
		file[i * WORDS] = 1;
	return file == MAP_FAILED ? NULL : file;
}

static bool all_are_1(const uint64_t *file)
{
	unsigned int i;

	for (i = 0; i < PAGES; i++)
		if (file[i * WORDS] != 1)
			return false;
	return true;
}

static void file_memory(struct guest *guest)
{
	uint64_t *file = map_file(guest, PROT_READ | PROT_WRITE);

	tap_result(file && reads(guest, PAGES), "guest_reads_a_file");
	tap_result(own_kib(guest) == 0, "reading_copies_nothing");
	tap_result(writes(guest, 7, 1, 100), "guest_writes_a_page_of_it");
	/* From here on the guest's entry is dirty, and only the host's say no. */
	tap_result(own_kib(guest) == 4 && *page(guest, 7) == 100, "that_page_alone_is_copied");
	tap_result(reads(guest, PAGES - 1 + 100), "guest_reads_what_it_wrote");
	tap_result(own_kib(guest) == 4, "reading_again_copies_nothing");
	tap_result(writes(guest, 0, PAGES, 5) && own_kib(guest) == (long)BYTES / 1024,
		   "guest_writes_all_pages");
	tap_result(file && all_are_1(file), "the_file_is_as_it_was");
}

static void zero_memory(struct guest *guest)
{
	/* In huge pages the host has a zero page of its own for it, or none. */
	madvise(page(guest, 0), BYTES, MADV_NOHUGEPAGE);
	/* And the one that the VM's page tables are in may reach into it. */
	madvise(page(guest, 0), BYTES, MADV_DONTNEED);
	tap_result(reads(guest, 0), "guest_reads_untouched_memory");
	tap_result(own_kib(guest) == 0, "reading_it_takes_no_memory");
	tap_result(writes(guest, 3, 2, 9) && *page(guest, 3) == 9 && *page(guest, 4) == 9,
		   "guest_writes_two_pages");
	tap_result(own_kib(guest) == 8, "two_pages_are_taken");
	tap_result(reads(guest, 18) && own_kib(guest) == 8, "reading_it_again_takes_no_more");
	madvise(page(guest, 0), BYTES, MADV_DONTNEED);
	tap_result(reads(guest, 0) && own_kib(guest) == 0, "what_is_given_back_reads_as_0");
}

/* fork() makes pages that the guest has just written read only, until they are copied. */
static void forked_memory(struct guest *guest)
{
	int status = 1, to[2];
	bool written = writes(guest, 0, PAGES, 1);
	char byte = 0;
	pid_t child;

	child = pipe(to) ? -1 : fork();
	if (child == 0) {
		/* When the guest has written: what was at the time of the fork. */
		if (read(to[0], &byte, 1) != 1)
			_exit(1);
		_exit(all_are_1(page(guest, 0)) ? 0 : 2);
	}
	tap_result(written && reads(guest, PAGES), "guest_reads_after_fork");
	tap_result(writes(guest, 0, PAGES, 3), "guest_writes_after_fork");
	if (child > 0 && write(to[1], &byte, 1) == 1)
		waitpid(child, &status, 0);
	tap_result(status == 0, "the_child_sees_none_of_it");
}

static void read_only_memory(struct guest *guest)
{
	uint64_t *file = map_file(guest, PROT_READ);
	const struct lguest_run *run = guest->vm.run;

	tap_result(file && reads(guest, PAGES), "guest_reads_read_only_memory");
	tap_result(!touch(guest, 0, 1, 8) && run->exit_reason == LGUEST_EXIT_KILLED &&
		   strstr(run->killed.reason, "no memory"), "and_ends_when_it_writes_there");
	tap_result(file && *page(guest, 0) == 1 && all_are_1(file), "nothing_was_written");
}

/* How long the host takes at best to have all of @size bytes back, in ns. */
static long give_back_ns(void *memory, size_t size)
{
	struct timespec begin, end;
	long best = 1000000000, ns;
	unsigned int i;

	for (i = 0; i < 100; i++) {
		clock_gettime(CLOCK_MONOTONIC, &begin);
		madvise(memory, size, MADV_DONTNEED);
		clock_gettime(CLOCK_MONOTONIC, &end);
		ns = (end.tv_sec - begin.tv_sec) * 1000000000 + end.tv_nsec - begin.tv_nsec;
		if (ns < best)
			best = ns;
	}
	return best;
}

/* Three GiB more, of which nothing is mapped: takes thirty times as long if each frame is looked at. */
static void much_memory(struct guest *guest)
{
	struct lguest_memory memory = { .guest_phys = LGUEST_HOLE_END, .size = MUCH };
	void *much = mmap(NULL, MUCH, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	long little, all;

	memory.host_virt = (uintptr_t)much;
	tap_result(much != MAP_FAILED && !ioctl(guest->vm.fd, LGUEST_SET_MEMORY, &memory) &&
		   writes(guest, 0, PAGES, 1), "guest_with_much_memory_runs");
	little = give_back_ns(page(guest, 0), BYTES);
	all = give_back_ns(much, MUCH);
	tap_note("2 MiB: %ld ns, 3 GiB: %ld ns", little, all);
	tap_result(all < 20 * little, "what_is_not_mapped_costs_the_host_nothing");
	tap_result(reads(guest, 0), "what_was_mapped_is_gone");
	munmap(much, MUCH);
}

/*
 * The guest has 2 MiB in one piece that the host has in three: the middle one lies
 * elsewhere, and in its place the launcher has something that is none of the guest's.
 */
static void memory_in_pieces(struct guest *guest)
{
	struct lguest_memory pieces[] = {
		{ .guest_phys = PIECES, .size = 5 * 4096 },
		{ .guest_phys = PIECES + 5 * 4096, .size = 5 * 4096 },
		{ .guest_phys = PIECES + 10 * 4096, .size = BYTES - 10 * 4096 },
	};
	uint64_t *one = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t *other = mmap(NULL, 5 * 4096, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t *entry = vm_word(&guest->vm, VM_PD_LOW + (VM_USER >> 21) * 8);
	unsigned int i;

	pieces[0].host_virt = (uintptr_t)one;
	pieces[1].host_virt = (uintptr_t)other;
	pieces[2].host_virt = (uintptr_t)(one + 10 * WORDS);
	for (i = 0; i < 3; i++)
		if (ioctl(guest->vm.fd, LGUEST_SET_MEMORY, &pieces[i]))
			tap_note("no memory at 0x%llx", (unsigned long long)pieces[i].guest_phys);
	for (i = 0; i < PAGES; i++)
		one[i * WORDS] = 1;
	for (i = 0; i < 5; i++)
		other[i * WORDS] = 100;
	*entry = PIECES | (*entry & ~(uint64_t)VM_USER_PHYS);
	tap_result(reads(guest, PAGES - 5 + 5 * 100), "guest_reads_memory_in_pieces");
	tap_result(writes(guest, 0, PAGES, 7) && one[4 * WORDS] == 7 && one[10 * WORDS] == 7 &&
		   other[0] == 7 && other[4 * WORDS] == 7, "guest_writes_it");
	tap_result(one[5 * WORDS] == 1 && one[9 * WORDS] == 1,
		   "what_lies_between_is_the_launchers");
	munmap(one, BYTES);
	munmap(other, 5 * 4096);
}

int main(void)
{
	static const struct {
		void (*run)(struct guest *);
		const char *tries;
	} tests[] = {
		{ file_memory, "writes through pages of a file that others map: an entry that is "
			       "writable too early would change the file" },
		{ zero_memory, "writes to the zero page, which all programs of the host share" },
		{ forked_memory, "writes to pages that a child of the launcher's shares until then" },
		{ read_only_memory, "writes where the launcher itself may not" },
		{ much_memory, "more memory than there is: what the host keeps for it must not grow with it" },
		{ memory_in_pieces, "pieces that lie apart: a frame could be counted from the wrong one" },
	};
	static struct guest guest;
	unsigned int i;

	if (module_refcnt() < 0)
		return tap_missing("lg.ko is not loaded");
	for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		if (!guest_make(&guest, 1)) {
			tap_result(false, "a_vm_is_made");
			continue;
		}
		tap_note("tries: %s", tests[i].tries);
		tests[i].run(&guest);
		guest_end(&guest);
	}
	tap_result(module_unused(), "the_module_is_unused");
	return tap_end();
}
