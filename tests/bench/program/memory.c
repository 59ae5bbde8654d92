// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page tables: mapping, faults, protection.
 */
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

#define PAGE		4096UL
/* At a fault Linux also maps the cached pages of the file around it: 16 pages at once. */
#define FAULT_AROUND	(16 * PAGE)

static char *memory;

static char *map(size_t size, int flags, int fd)
{
	char *address = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, 0);

	MUST(address == MAP_FAILED ? -1 : 0);
	return address;
}

static void touch(char *address, size_t pages)
{
	while (pages--) {
		*(volatile char *)address = 1;
		address += PAGE;
	}
}

/* --- Page faults: all pages of a new mapping, one after the other. -------------------- */

static void before_anonymous(unsigned int n)
{
	memory = map(n * PAGE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	/* Use small pages. Ignore an error: a kernel without huge pages refuses this. */
	madvise(memory, n * PAGE, MADV_NOHUGEPAGE);
}

static void run_touch(unsigned int n)
{
	touch(memory, n);
}

static void after_pages(unsigned int n)
{
	MUST(munmap(memory, n * PAGE));
}

static int file = -1;

static void before_file(unsigned int n)
{
	if (file < 0) {
		char block[PAGE] = { 1 };
		unsigned int i;

		file = MUST(open("/tmp/bench-pages", O_CREAT | O_RDWR, 0600));
		for (i = 0; i < n * (FAULT_AROUND / PAGE); i++)
			MUST(write(file, block, PAGE));
	}
	memory = map(n * FAULT_AROUND, MAP_PRIVATE, file);
}

static void run_file(unsigned int n)
{
	const volatile char *address = memory;

	while (n--) {
		(void)*address;
		address += FAULT_AROUND;
	}
}

static void after_file(unsigned int n)
{
	MUST(munmap(memory, n * FAULT_AROUND));
}

static pid_t sharer;

/* Start a child that only shares the pages. */
static void before_copy(unsigned int n)
{
	before_anonymous(n);
	touch(memory, n);
	sharer = MUST(fork());
	if (!sharer)
		for (;;)
			pause();
}

static void after_copy(unsigned int n)
{
	MUST(kill(sharer, SIGKILL));
	MUST(waitpid(sharer, NULL, 0));
	after_pages(n);
}

/* --- Mappings. ----------------------------------------------------------------------- */

static void map_touch_unmap(unsigned int n, size_t pages)
{
	while (n--) {
		char *address = map(pages * PAGE, MAP_PRIVATE | MAP_ANONYMOUS, -1);

		touch(address, pages);
		munmap(address, pages * PAGE);
	}
}

static void run_map_1(unsigned int n)
{
	map_touch_unmap(n, 1);
}

static void run_map_64(unsigned int n)
{
	map_touch_unmap(n, 64);
}

static void prepare_protect(void)
{
	before_anonymous(1);
	touch(memory, 1);
}

static void run_protect(unsigned int n)
{
	while (n--) {
		raw_syscall(SYS_mprotect, (long)memory, PAGE, PROT_READ);
		raw_syscall(SYS_mprotect, (long)memory, PAGE, PROT_READ | PROT_WRITE);
	}
}

/* The same, but also read from and write to the page. */
static void run_protect_touch(unsigned int n)
{
	while (n--) {
		raw_syscall(SYS_mprotect, (long)memory, PAGE, PROT_READ);
		(void)*(volatile char *)memory;
		raw_syscall(SYS_mprotect, (long)memory, PAGE, PROT_READ | PROT_WRITE);
		*(volatile char *)memory = 1;
	}
}

const struct op memory_ops[] = {
	{ "mprotect", 200, prepare_protect, NULL, run_protect, NULL },
	{ "mprotect_touch", 200, prepare_protect, NULL, run_protect_touch, NULL },
	{ "anonymous_fault", 400, NULL, before_anonymous, run_touch, after_pages },
	{ "file_fault", 100, NULL, before_file, run_file, after_file },
	{ "copy_fault", 300, NULL, before_copy, run_touch, after_copy },
	{ "map_1", 50, NULL, NULL, run_map_1, NULL },
	{ "map_64", 4, NULL, NULL, run_map_64, NULL },
	{ NULL, 0, NULL, NULL, NULL, NULL }
};
