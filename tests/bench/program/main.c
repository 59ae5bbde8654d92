// SPDX-License-Identifier: GPL-2.0-only
/*
 * bench: how many ticks of the time stamp counter an operation takes.
 *
 *   bench [--rounds R] [OPERATION...]   measure these, or all that need no devices
 *   bench --list                        names and counts
 *   bench --count R [OPERATION...]      do R rounds at once, and stop before and after them
 *   bench --stamp                       tell the time stamp counter: "started TSC"
 *   bench --sink                        in the host: receive the streams of devices.c
 *
 * Prints lines of words, for a program to read:
 *   init TSC                            when main() began
 *   calibrate TICKS INSTRUCTIONS        of a loop that does nothing
 *   result OPERATION TICKS COUNT        the best round, and how many operations it has
 *   at OPERATION WHERE N KIB            stopped; a line of input continues; at the first
 *                                       stop KIB is the size of all processes' page tables
 *   failed OPERATION WHAT
 *   end
 *
 * As the first process of a machine it mounts what it needs, and ends the machine
 * when it is done: the environment (which has the words of the kernel's command line)
 * says how in bench_end=reboot|poweroff, and has the arguments in bench_args=.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

#define ROUNDS		12
#define COUNT_AT_LEAST	64	/* operations */
#define MAX_ARGUMENTS	32

const char *bench_path;

/* What a measuring process tells its parent. */
static struct report {
	uint64_t best;		/* ticks of the best round */
	bool done;
	char failure[128];
} *report;

static const struct op *const all_ops[] = { call_ops, memory_ops, process_ops, device_ops, share_ops };

noreturn void give_up(const char *what)
{
	snprintf(report->failure, sizeof(report->failure), "%s: %s", what, strerror(errno));
	_exit(1);
}

static const struct op *find_op(const char *name)
{
	unsigned int i;

	for (i = 0; i < sizeof(all_ops) / sizeof(*all_ops); i++) {
		const struct op *op;

		for (op = all_ops[i]; op->name; op++)
			if (!strcmp(op->name, name))
				return op;
	}
	return NULL;
}

static uint64_t one_round(const struct op *op)
{
	uint64_t start, end;

	if (op->before)
		op->before(op->count);
	mark(MARK_BEGIN);
	start = read_tsc();
	op->run(op->count);
	end = read_tsc();
	mark(MARK_END);
	if (op->after)
		op->after(op->count);
	return end - start;
}

/* Measure, in a child process. The first rounds warm up: the best one counts. */
static void measure_here(const struct op *op, unsigned int rounds)
{
	if (op->prepare)
		op->prepare();
	report->best = UINT64_MAX;
	while (rounds--) {
		uint64_t ticks = one_round(op);

		if (ticks < report->best)
			report->best = ticks;
	}
	report->done = true;
}

/* Run function() in a child process. Return: true if it reached its end. */
static bool in_process(void (*function)(const struct op *, unsigned int), const struct op *op,
		       unsigned int number)
{
	int status;
	pid_t child;

	memset(report, 0, sizeof(*report));
	fflush(stdout);
	mark(MARK_OP);
	child = fork();
	if (!child) {
		function(op, number);
		_exit(0);
	}
	while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (!report->done)
		printf("failed %s %s\n", op->name, *report->failure ? report->failure : "it died");
	return report->done;
}

static void measure(const struct op *op, unsigned int rounds)
{
	if (in_process(measure_here, op, rounds))
		printf("result %s %llu %u\n", op->name, (unsigned long long)report->best, op->count);
}

/* Return: KiB of all page tables, as the kernel counts them. */
static unsigned long page_tables(void)
{
	unsigned long kib = 0;
	char line[128];
	FILE *file = fopen("/proc/meminfo", "r");

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "PageTables: %lu", &kib) == 1)
			break;
	if (file)
		fclose(file);
	return kib;
}

/* For a counter outside: print where we are, and wait for a line of input. */
static void stop(const struct op *op, const char *where, unsigned int n)
{
	char byte;

	printf("at %s %s %u %lu\n", op->name, where, n, strcmp(where, "ready") ? 0 : page_tables());
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) == 1 && byte != '\n' && byte != '\r')
		;
}

/*
 * Count, in a child process: two rounds to warm up, then one between stops. All memory
 * that the operation uses must have been used before the stops: its first use has exits
 * of its own, and more of them where the host has no huge pages.
 */
static void count_here(const struct op *op, unsigned int n)
{
	int round;

	if (op->prepare)
		op->prepare();
	for (round = 0; round < 3; round++) {
		if (op->before)
			op->before(n);
		if (round == 2) {
			stop(op, "ready", n);
			stop(op, "begin", n);
		}
		op->run(n);
		if (round == 2)
			stop(op, "end", n);
		if (op->after)
			op->after(n);
	}
	report->done = true;
}

static void count(const struct op *op, unsigned int rounds)
{
	unsigned int n = rounds * op->count;

	in_process(count_here, op, n < COUNT_AT_LEAST ? COUNT_AT_LEAST : n);
}

static void calibrate(void)
{
	const uint64_t turns = 100000;
	uint64_t start, end, best = UINT64_MAX, left;
	int i;

	for (i = 0; i < 5; i++) {
		left = turns;
		start = read_tsc();
		asm volatile("1: dec %0; jnz 1b" : "+r" (left));
		end = read_tsc();
		if (end - start < best)
			best = end - start;
	}
	printf("calibrate %llu %llu\n", (unsigned long long)best, (unsigned long long)(2 * turns));
}

static void list(void)
{
	unsigned int i;

	for (i = 0; i < sizeof(all_ops) / sizeof(*all_ops); i++) {
		const struct op *op;

		for (op = all_ops[i]; op->name; op++)
			printf("%s %u\n", op->name, op->count);
	}
}

static int run(int argc, char **argv)
{
	void (*function)(const struct op *, unsigned int) = measure;
	unsigned int rounds = ROUNDS, i;

	if (argc > 1 && !strcmp(argv[1], "--list")) {
		list();
		return 0;
	}
	report = mmap(NULL, sizeof(*report), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (report == MAP_FAILED)
		return 1;
	if (argc > 2 && argv[1][0] == '-') {
		if (!strcmp(argv[1], "--count"))
			function = count;
		rounds = atoi(argv[2]);
		argc -= 2;
		argv += 2;
	}
	calibrate();
	if (argc < 2) {
		for (i = 0; i < sizeof(all_ops) / sizeof(*all_ops); i++) {
			const struct op *op;

			for (op = all_ops[i]; all_ops[i] != device_ops && all_ops[i] != share_ops && op->name; op++)
				function(op, rounds);
		}
	}
	for (i = 1; i < (unsigned int)argc; i++) {
		if (find_op(argv[i]))
			function(find_op(argv[i]), rounds);
		else
			printf("failed %s there is no such operation\n", argv[i]);
	}
	printf("end\n");
	fflush(stdout);
	return 0;
}

/* The machine's first process: nobody else will mount anything. */
static void first_process(void)
{
	static const char *const folders[] = { "/proc", "/sys", "/tmp", "/dev" };
	unsigned int i;

	for (i = 0; i < sizeof(folders) / sizeof(*folders); i++)
		mkdir(folders[i], 0755);
	mount("none", "/dev", "devtmpfs", 0, NULL);
	mount("none", "/proc", "proc", 0, NULL);
	mount("none", "/sys", "sysfs", 0, NULL);
	mount("none", "/tmp", "tmpfs", 0, NULL);
	setenv("PATH", "/bin", 1);
}

static noreturn void end_machine(void)
{
	const char *how = getenv("bench_end");

	sync();
	reboot(how && !strcmp(how, "reboot") ? RB_AUTOBOOT : RB_POWER_OFF);
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	uint64_t first = read_tsc();
	char *words[MAX_ARGUMENTS + 1] = { argv[0] };
	char *more;

	if (argc == 2 && !strcmp(argv[1], BENCH_NOTHING))
		return 0;
	if (argc == 2 && !strcmp(argv[1], "--stamp")) {
		printf("started %llu\n", (unsigned long long)first);
		return 0;
	}
	if (argc == 2 && !strcmp(argv[1], "--sink"))
		sink();
	bench_path = argv[0];
	if (getpid() != 1)
		return run(argc, argv);

	first_process();
	printf("init %llu\n", (unsigned long long)first);
	more = getenv("bench_args");
	argc = 1;
	for (more = more ? strtok(more, ",") : NULL; more && argc < MAX_ARGUMENTS; more = strtok(NULL, ","))
		words[argc++] = more;
	run(argc, words);
	end_machine();
}
