// SPDX-License-Identifier: GPL-2.0-only
/*
 * page_tables: threads rewrite entries of one page table while others use them.
 *
 * Each page of 2 MiB has an owner among the threads, who makes it read-only, makes it
 * writable and puts another page in its place, and says so when the kernel is done. Then
 * all threads try them. One that can write where that is forbidden, cannot where it is
 * allowed, or sees the page that was there before, has a stale entry.
 *
 * Runs as well on any Linux, where it must pass too.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "tap.h"

#define PAGE	4096UL
#define PAGES	512U
#define REGION	(PAGES * PAGE)
#define THREADS	4U
#define ROUNDS	2500U
#define LOOKS	4U

enum kind { CHANGING, READ_ONLY, WRITABLE };

/* By page: how often it changed, times 4, and its kind. Only its owner writes it. */
static _Atomic uint64_t states[PAGES];
/* By page: what its first word is to be. */
static _Atomic uint64_t contents[PAGES];
static volatile uint64_t *region;
static atomic_uint writes, refusals, wrong_writes, wrong_refusals, stale_pages;

static _Thread_local sigjmp_buf refused;

static void on_fault(int signal)
{
	(void)signal;
	siglongjmp(refused, 1);
}

static volatile uint64_t *page_at(unsigned int page)
{
	return region + page * (PAGE / sizeof(*region));
}

static bool can_write(unsigned int page)
{
	if (sigsetjmp(refused, 0))
		return false;
	page_at(page)[1] = page;
	return true;
}

static void look(unsigned int page)
{
	uint64_t before = atomic_load(&states[page]), wanted = atomic_load(&contents[page]);
	uint64_t found = page_at(page)[0];
	bool written = can_write(page);

	if (atomic_load(&states[page]) != before || before % 4 == CHANGING)
		return;
	atomic_fetch_add(written ? &writes : &refusals, 1);
	atomic_fetch_add(&stale_pages, found != wanted);
	atomic_fetch_add(&wrong_writes, written && before % 4 == READ_ONLY);
	atomic_fetch_add(&wrong_refusals, !written && before % 4 == WRITABLE);
}

static void another_page(unsigned int page, uint64_t content)
{
	if (mmap((void *)page_at(page), PAGE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
		abort();
	page_at(page)[0] = content;
	atomic_store(&contents[page], content);
}

/* Readable all the time, but for the moment in which another page comes. */
static void change(unsigned int page, unsigned int how)
{
	uint64_t number = atomic_load(&states[page]) / 4 + 1;

	atomic_store(&states[page], number * 4 + CHANGING);
	if (how == 0)
		another_page(page, number);
	else if (mprotect((void *)page_at(page), PAGE,
			  how == 1 ? PROT_READ : PROT_READ | PROT_WRITE))
		abort();
	atomic_store(&states[page], number * 4 + (how == 1 ? READ_ONLY : WRITABLE));
}

static void *work(void *argument)
{
	unsigned int me = (uintptr_t)argument, seed = me, round, i;

	for (round = 0; round < ROUNDS; round++) {
		unsigned int page = rand_r(&seed) % (PAGES / THREADS) * THREADS + me;

		change(page, round % 3);
		/* The one that just changed and its neighbours, of which others are changing. */
		for (i = 0; i < LOOKS; i++)
			look(rand_r(&seed) % 32 + (page & ~31U));
	}
	return NULL;
}

int main(void)
{
	struct sigaction action = { .sa_handler = on_fault, .sa_flags = SA_NODEFER };
	char *memory = mmap(NULL, 2 * REGION, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pthread_t threads[THREADS];
	uintptr_t i;

	if (memory == MAP_FAILED)
		return TAP_FAIL;
	sigaction(SIGSEGV, &action, NULL);
	region = (void *)(((uintptr_t)memory + REGION - 1) & ~(REGION - 1));
	madvise((void *)region, REGION, MADV_NOHUGEPAGE);
	for (i = 0; i < PAGES; i++)
		change(i, 0);
	for (i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, work, (void *)i))
			return TAP_FAIL;
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);

	tap_note("%u writes, %u refused", writes, refusals);
	tap_result(writes > THREADS * ROUNDS / 2 && refusals > THREADS * ROUNDS / 4,
		   "pages_were_tried");
	tap_result(!wrong_writes, "no_write_to_what_is_read_only (%u)", wrong_writes);
	tap_result(!wrong_refusals, "no_fault_on_what_is_writable (%u)", wrong_refusals);
	tap_result(!stale_pages, "no_page_that_was_replaced (%u)", stale_pages);
	return tap_end();
}
