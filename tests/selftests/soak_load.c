// SPDX-License-Identifier: GPL-2.0-only
/*
 * soak_load SECONDS MIB: for so long, fork, exec, map, protect, signal and talk through
 * pipes, beside MIB of memory whose every page is known. Nothing may be lost.
 *
 * Runs as well on any Linux. Half of the memory is of pages that occur many times, so
 * that a host can merge them. Prints for each part how often it was done, or what was
 * wrong; ends with 0 if nothing was.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE	4096UL
#define WORDS	(PAGE / sizeof(uint64_t))

static time_t end;
static char *self;

static bool time_is_left(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec < end;
}

static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 31) * 0x7fb5d329728ea185;
	x = (x ^ x >> 27) * 0x81dadef4bc2dd44d;
	return x ^ x >> 33;
}

static void fill(uint64_t *page, uint64_t seed)
{
	unsigned int i;

	for (i = 0; i < WORDS; i++)
		page[i] = mix(seed + i);
}

static bool holds(const uint64_t *page, uint64_t seed)
{
	unsigned int i;

	for (i = 0; i < WORDS; i++)
		if (page[i] != mix(seed + i))
			return false;
	return true;
}

/* --- The parts: each a process of its own; what they return is how often, or -1. ------ */

/* Pages with an odd number are one of sixteen, the others are like no other. */
static uint64_t seed_of(unsigned long number, uint32_t generation)
{
	return number % 2 ? number / 2 % 16 << 32 : (uint64_t)number << 32 | generation << 10;
}

static uint64_t *memory;
static uint32_t *generation;

static bool make_memory(unsigned long pages)
{
	unsigned long i;

	generation = calloc(pages, sizeof(*generation));
	memory = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (!generation || memory == MAP_FAILED || madvise(memory, pages * PAGE, MADV_DONTFORK))
		return false;
	for (i = 0; i < pages; i++)
		fill(memory + i * WORDS, seed_of(i, 0));
	return true;
}

static long keep_memory(unsigned long pages)
{
	unsigned long i, rounds = 0;
	uint64_t random = 1;

	for (; time_is_left(); rounds++) {
		random = mix(random + rounds);
		i = random % pages;
		if (!holds(memory + i * WORDS, seed_of(i, generation[i])))
			goto lost;
		/* Mostly read: written pages are merged no more. */
		if (random >> 60 == 0)
			fill(memory + i * WORDS, seed_of(i, ++generation[i]));
		if (rounds % 1024 == 0)
			usleep(1000);
	}
	for (i = 0; i < pages; i++)
		if (!holds(memory + i * WORDS, seed_of(i, generation[i])))
			goto lost;
	return rounds;
lost:
	printf("page %lu of memory is not what was written\n", i);
	return -1;
}

/* The child sees what was at the fork, and changes nothing here. */
static long fork_often(unsigned long pages)
{
	uint64_t *copied = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned long i;
	long rounds;
	int status;

	for (rounds = 0; time_is_left(); rounds++) {
		for (i = 0; i < pages; i++)
			fill(copied + i * WORDS, rounds * pages + i);
		if (fork() == 0) {
			for (i = 0; i < pages; i++) {
				if (!holds(copied + i * WORDS, rounds * pages + i))
					_exit(1);
				fill(copied + i * WORDS, ~i);
			}
			_exit(0);
		}
		if (wait(&status) < 0 || status)
			return -1;
		for (i = 0; i < pages; i++)
			if (!holds(copied + i * WORDS, rounds * pages + i))
				return -1;
	}
	return rounds;
}

static long exec_often(unsigned long unused)
{
	long rounds;
	int status;

	(void)unused;
	for (rounds = 0; time_is_left(); rounds++) {
		if (fork() == 0) {
			execl(self, self, "--exec", NULL);
			_exit(1);
		}
		if (wait(&status) < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 42)
			return -1;
	}
	return rounds;
}

static long map_often(unsigned long pages)
{
	uint64_t *mapped;
	unsigned long i;
	long rounds;

	for (rounds = 0; time_is_left(); rounds++) {
		mapped = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (mapped == MAP_FAILED)
			return -1;
		for (i = 0; i < pages; i++) {
			if (mapped[i * WORDS])
				return -1;
			fill(mapped + i * WORDS, rounds + i);
		}
		if (mprotect(mapped, pages / 2 * PAGE, PROT_READ) ||
		    madvise(mapped + pages / 2 * WORDS, PAGE, MADV_DONTNEED) ||
		    mapped[pages / 2 * WORDS] || !holds(mapped, rounds) ||
		    mprotect(mapped, pages / 2 * PAGE, PROT_READ | PROT_WRITE))
			return -1;
		mapped = mremap(mapped, pages * PAGE, 2 * pages * PAGE, MREMAP_MAYMOVE);
		if (mapped == MAP_FAILED || !holds(mapped + WORDS, rounds + 1) ||
		    munmap(mapped, 2 * pages * PAGE))
			return -1;
	}
	return rounds;
}

static volatile sig_atomic_t signals;

static void on_signal(int number)
{
	(void)number;
	signals++;
}

/* A child that stops the parent's wait each time; and a fault that a handler takes. */
static long signal_often(unsigned long unused)
{
	struct sigaction action = { .sa_handler = on_signal };
	sigset_t block, old;
	long rounds = 0;
	pid_t child;

	(void)unused;
	sigaction(SIGUSR1, &action, NULL);
	sigemptyset(&block);
	sigaddset(&block, SIGUSR1);
	sigprocmask(SIG_BLOCK, &block, &old);
	child = fork();
	if (child == 0) {
		for (;;) {
			sigsuspend(&old);
			if (kill(getppid(), SIGUSR1))
				_exit(1);
		}
	}
	for (; time_is_left(); rounds++) {
		if (kill(child, SIGUSR1))
			return -1;
		sigsuspend(&old);
		if (signals != rounds + 1)
			return -1;
	}
	kill(child, SIGKILL);
	return wait(NULL) == child ? rounds : -1;
}

static long pipe_often(unsigned long unused)
{
	uint64_t there[WORDS], back[WORDS];
	int to[2], from[2];
	long rounds = 0;

	(void)unused;
	if (pipe(to) || pipe(from))
		return -1;
	if (fork() == 0) {
		close(to[1]);
		while (read(to[0], there, sizeof(there)) == sizeof(there))
			if (write(from[1], there, sizeof(there)) != sizeof(there))
				break;
		_exit(0);
	}
	for (; time_is_left(); rounds++) {
		fill(there, rounds);
		if (write(to[1], there, sizeof(there)) != sizeof(there) ||
		    read(from[0], back, sizeof(back)) != sizeof(back) || !holds(back, rounds))
			return -1;
	}
	close(to[1]);
	return wait(NULL) > 0 ? rounds : -1;
}

static int run(const char *name, long (*part)(unsigned long), unsigned long pages)
{
	long count = part(pages);

	if (count < 0)
		printf("FAILED %s (%s)\n", name, strerror(errno));
	else
		printf("ok %s %ld\n", name, count);
	fflush(stdout);
	return count <= 0;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		long (*part)(unsigned long);
		unsigned long pages;
	} parts[] = {
		{ "fork", fork_often, 64 }, { "exec", exec_often, 0 }, { "map", map_often, 64 },
		{ "signal", signal_often, 0 }, { "pipe", pipe_often, 0 },
	};
	struct timespec now;
	int status, bad = 0;
	unsigned int i;

	if (argc == 2 && !strcmp(argv[1], "--exec"))
		return 42;
	if (argc != 3) {
		fprintf(stderr, "usage: soak_load SECONDS MIB\n");
		return 2;
	}
	if (!make_memory(atol(argv[2]) << 8)) {
		printf("FAILED memory (%s)\n", strerror(errno));
		return 1;
	}
	self = argv[0][0] == '/' ? argv[0] : "/proc/self/exe";
	clock_gettime(CLOCK_MONOTONIC, &now);
	end = now.tv_sec + atol(argv[1]);
	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (fork() == 0)
			_exit(run(parts[i].name, parts[i].part, parts[i].pages));
	bad += run("memory", keep_memory, atol(argv[2]) << 8);
	while (wait(&status) > 0)
		bad += status != 0;
	return bad != 0;
}
