// SPDX-License-Identifier: GPL-2.0-only
/*
 * Computing, system calls and signals.
 */
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <ucontext.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"

#define PAGE		4096
#define FILE_PATH	"/tmp/bench-file"

/* --- Only the processor and its memory. ---------------------------------------- */

#define WALK_PAGES	64
#define WALK_PLACES	512		/* a cache line each, eight to the page */

static struct place {
	struct place *next;
	uint64_t value;
} *places;

/* Make a chain through 256 KiB; each link lies in another page than the one before. */
static void prepare_compute(void)
{
	char *memory = mmap(NULL, WALK_PAGES * PAGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned int i;

	MUST(memory == MAP_FAILED ? -1 : 0);
	for (i = 0; i < WALK_PLACES; i++) {
		struct place *place = (struct place *)(memory + i % WALK_PAGES * PAGE + i / 64 * 512);
		unsigned int next = (i + 211) % WALK_PLACES;

		place->next = (struct place *)(memory + next % WALK_PAGES * PAGE + next / 64 * 512);
		place->value = i;
	}
	places = (struct place *)memory;
}

static void run_compute(unsigned int n)
{
	struct place *place = places;
	uint64_t sum = 1;

	while (n--) {
		sum = sum * 6364136223846793005ULL + place->value;
		sum ^= sum >> 29;
		place->value = sum;
		place = place->next;
	}
	asm volatile("" : : "r" (sum));
}

/* --- System calls. --------------------------------------------------------------- */

static int fd;
static char byte;

static void run_null(unsigned int n)
{
	while (n--)
		raw_syscall(SYS_getppid, 0, 0, 0);
}

static void prepare_read(void)
{
	fd = MUST(open("/dev/zero", O_RDONLY));
}

static void run_read(unsigned int n)
{
	while (n--)
		raw_syscall(SYS_read, fd, (long)&byte, 1);
}

static void prepare_write(void)
{
	fd = MUST(open("/dev/null", O_WRONLY));
}

static void run_write(unsigned int n)
{
	while (n--)
		raw_syscall(SYS_write, fd, (long)&byte, 1);
}

static void prepare_file(void)
{
	MUST(close(MUST(open(FILE_PATH, O_CREAT | O_RDWR, 0600))));
}

static void run_stat(unsigned int n)
{
	struct stat status;

	while (n--)
		raw_syscall(SYS_stat, (long)FILE_PATH, (long)&status, 0);
}

static void run_open_close(unsigned int n)
{
	while (n--)
		raw_syscall(SYS_close, raw_syscall(SYS_open, (long)FILE_PATH, O_RDONLY, 0), 0, 0);
}

static void run_clock(unsigned int n)
{
	struct timespec now;

	while (n--)
		clock_gettime(CLOCK_MONOTONIC, &now);
}

/* --- Signals. -------------------------------------------------------------------- */

static volatile unsigned int signals;
static long self;

static void count_signal(int number)
{
	(void)number;
	signals++;
}

static void run_signal_install(unsigned int n)
{
	struct sigaction action = { .sa_handler = count_signal };

	while (n--)
		sigaction(SIGUSR1, &action, NULL);
}

static void prepare_signal(void)
{
	run_signal_install(1);
	self = getpid();
}

static void run_signal(unsigned int n)
{
	unsigned int want = signals + n;

	while (n--)
		raw_syscall(SYS_kill, self, SIGUSR1, 0);
	if (signals != want)
		give_up("not every signal came");
}

/* --- A fault that the program handles. ----------------------------------------------- */

static char *forbidden;

/* Skip MOVB $0, (%rdi), which is three bytes long. */
static void skip_store(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)info;
	((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP] += 3;
	signals++;
}

static void prepare_protection_fault(void)
{
	struct sigaction action = { .sa_sigaction = skip_store, .sa_flags = SA_SIGINFO };

	forbidden = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	MUST(forbidden == MAP_FAILED ? -1 : 0);
	MUST(sigaction(SIGSEGV, &action, NULL));
}

static void run_protection_fault(unsigned int n)
{
	unsigned int want = signals + n;

	asm volatile("movb (%0), %%al" : : "D" (forbidden) : "rax", "memory");
	while (n--)
		asm volatile(".byte 0xc6, 0x07, 0x00" : : "D" (forbidden) : "memory");
	if (signals != want)
		give_up("not every fault was handled");
}

const struct op call_ops[] = {
	{ "compute", 50000, prepare_compute, NULL, run_compute, NULL },
	{ "null", 3000, NULL, NULL, run_null, NULL },
	{ "read", 2000, prepare_read, NULL, run_read, NULL },
	{ "write", 2000, prepare_write, NULL, run_write, NULL },
	{ "stat", 500, prepare_file, NULL, run_stat, NULL },
	{ "open_close", 300, prepare_file, NULL, run_open_close, NULL },
	{ "clock", 10000, NULL, NULL, run_clock, NULL },
	{ "signal_install", 2000, NULL, NULL, run_signal_install, NULL },
	{ "signal", 300, prepare_signal, NULL, run_signal, NULL },
	{ "protection_fault", 300, prepare_protection_fault, NULL, run_protection_fault, NULL },
	{ NULL, 0, NULL, NULL, NULL, NULL }
};
