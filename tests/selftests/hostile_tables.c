// SPDX-License-Identifier: GPL-2.0-only
/*
 * hostile_tables: page tables that no Linux would make, some of them changed by one
 * virtual CPU while another uses them. What the guest sees is what a CPU would show it,
 * and the host keeps its own rules. Each case says what it tries and why it could work.
 *
 * hostile_tables NAME...: only these cases.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <time.h>
#include <unistd.h>

#include "guest.h"
#include "tap.h"

/* A second piece of memory, which the host may have in large pages. */
#define MORE		0x800000UL	/* Guest physical */
#define LARGE		0x200000UL
#define GIB		(1UL << 30)

/* A table for 2 MiB of VM_KERNEL's addresses, by number. */
#define REGION(n)	(VM_KERNEL + (n) * LARGE)
#define PDE(guest, n)	(vm_word(&(guest)->vm, VM_PD_HIGH)[n])
#define TABLE		VM_SPARE_TABLE

static uint8_t *more;

static void *more_word(uint64_t offset)
{
	return more + offset;
}

/* vCPU 0 runs @code to its end. */
static bool runs(struct guest *guest, guest_code_t code, uint64_t argument)
{
	return guest_start(&guest->vcpu[0], code, argument) && guest_finishes(&guest->vcpu[0]);
}

/* vCPU 1 runs @code in a thread, until guest_stop(). */
static bool spins(struct guest *guest, guest_code_t code, uint64_t argument)
{
	guest->vcpu[1].limit_ms = 0;
	return guest_start(&guest->vcpu[1], code, argument) && guest_go(&guest->vcpu[1]);
}

/* --- Tracing ------------------------------------------------------------------------ */

#define TRACING	"/sys/kernel/tracing/"

static bool put(const char *file, const char *text)
{
	int fd = open(file, O_WRONLY | O_TRUNC);
	bool done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return done;
}

/* On and off while no guest runs: to change code that runs is what the emulator is bad at. */
static bool trace(const char *event, bool on)
{
	char file[128];

	if (access(TRACING "trace", F_OK))
		mount("tracefs", TRACING, "tracefs", 0, NULL);
	snprintf(file, sizeof(file), TRACING "events/lguest/%s/enable", event);
	return (!on || (put(TRACING "buffer_size_kb", "4096") && put(TRACING "trace", ""))) &&
	       put(file, on ? "1" : "0");
}

/* Lines of the trace that have both, until it is emptied. */
static unsigned int traced(const char *one, const char *other)
{
	FILE *file = fopen(TRACING "trace", "r");
	char line[512];
	unsigned int n = 0;

	while (file && fgets(line, sizeof(line), file))
		n += strstr(line, one) && strstr(line, other);
	if (file)
		fclose(file);
	return n;
}

static long now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* --- The cases ------------------------------------------------------------------------ */

/*
 * A page of the one size comes where another virtual CPU's TLB has the other, which stops
 * a CPU with the iTLB multihit bug for good. The table stays in use elsewhere, so that
 * nothing is freed, and only the virtual CPU that made the change has flushed.
 */
static void guest_changes_size(uint64_t times)
{
	const uint64_t entry = VM_KERNEL + VM_PD_HIGH + 8;

	while (times--) {
		guest_write(entry, MORE | PTE_KERNEL | PTE_LARGE);
		guest_flush(REGION(1), REGION(2));
		guest_read(REGION(1));
		guest_write(entry, TABLE | PTE_KERNEL);
		guest_flush(REGION(1), REGION(2));
		guest_read(REGION(1));
	}
}

#define SIZE_CHANGES	500
#define MULTIHIT	"/sys/module/lg/parameters/itlb_multihit"

static void one_size_at_a_time(struct guest *guest)
{
	static const uint8_t jump_to_itself[] = { 0xeb, 0xfe };
	unsigned int i, large, stale;
	bool done;

	madvise(more, 2 * LARGE, MADV_HUGEPAGE);
	memcpy(more_word(0), jump_to_itself, 2);
	memcpy(more_word(LARGE), jump_to_itself, 2);
	for (i = 0; i < 512; i++)
		vm_word(&guest->vm, TABLE)[i] = (MORE + LARGE) | PTE_KERNEL;
	PDE(guest, 1) = PDE(guest, 2) = TABLE | PTE_KERNEL;
	if (!tap_result(put(MULTIHIT, "Y") && trace("lguest_resize", true),
			"the_rule_of_multihit_is_on_and_traced") ||
	    !tap_result(spins(guest, (guest_code_t)REGION(1), 0), "a_second_virtual_cpu_runs"))
		return;
	done = runs(guest, guest_changes_size, SIZE_CHANGES);
	guest_stop(&guest->vcpu[1]);
	trace("lguest_resize", false);
	put(MULTIHIT, "N");
	large = traced("lguest_resize: level 2 large", "stale");
	stale = traced("lguest_resize: ", "stale") - traced("lguest_resize: ", "stale 0");
	tap_note("%u large pages came, %u changes with another's TLB in use", large, stale);
	tap_result(done && large >= SIZE_CHANGES, "the_page_size_changes");
	tap_result(!stale, "nobody_runs_with_the_other_size");
}

/*
 * The launcher maps and unmaps memory of its own, as malloc() and threads do: none of that
 * may stop the guest. Counted: each change that does would take the lock of the whole shadow.
 */
static void guest_ends(uint64_t unused)
{
	(void)unused;
}

static void memory_elsewhere(struct guest *guest)
{
	unsigned int i;
	char *memory;

	more[0] = 1;
	if (!tap_result(runs(guest, guest_ends, 0) && trace("lguest_invalidate", true),
			"the_guest_has_run"))
		return;
	for (i = 0; i < 1000; i++) {
		memory = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		memory[0] = 1;
		munmap(memory, 65536);
	}
	i = traced("lguest_invalidate", "start");
	tap_result(!i, "memory_elsewhere_does_not_concern_it (%u)", i);
	madvise(more, LARGE, MADV_DONTNEED);
	i = traced("lguest_invalidate", "start");
	tap_result(i, "its_own_does (%u)", i);
	trace("lguest_invalidate", false);
}

/*
 * The guest reads a page of a range that the host is taking back, which takes long. Each try
 * that wrote the lock of the shadow would hold up the host, and all other virtual CPUs.
 */
static void guest_reads_for_ever(uint64_t gva)
{
	for (;;)
		guest_read(gva);
}

#define TAKEN		(128UL << 20)
#define TAKEN_AT	0x2000000UL	/* Guest physical */
#define TIMES		3U

static uint64_t alone(const struct guest_vcpu *vcpu)
{
	struct lguest_stats stats = {};

	return ioctl(vcpu->fd, LGUEST_GET_STATS, &stats) < 0 ? 0 : stats.shadow_alone;
}

static void range_under_way(struct guest *guest)
{
	uint8_t *memory = guest_memory(guest, TAKEN_AT, TAKEN);
	struct guest_vcpu *reader = &guest->vcpu[1];
	uint64_t before, tries = 0;
	uint64_t begin, us = 0;
	unsigned int i;

	PDE(guest, 1) = TAKEN_AT | PTE_KERNEL | PTE_LARGE;
	if (!tap_result(memory && spins(guest, guest_reads_for_ever, REGION(1)),
			"a_guest_reads_what_is_taken"))
		return;
	madvise(memory, TAKEN, MADV_NOHUGEPAGE);
	for (i = 0; i < TIMES; i++) {
		memset(memory, 1, TAKEN);
		usleep(20000);
		before = alone(reader);
		begin = now_us();
		madvise(memory, TAKEN, MADV_DONTNEED);
		us += now_us() - begin;
		tries += alone(reader) - before;
	}
	guest_stop(reader);
	munmap(memory, TAKEN);
	/* One a tick, which is a millisecond or four. */
	tap_note("%llu tries with the lock in %llu us", (unsigned long long)tries,
		 (unsigned long long)us);
	tap_result(tries <= 10 * TIMES + us / 1000, "its_tries_write_no_lock");
}

/*
 * All tables in one bucket of the hash that the shadow finds its pages by, if the guest knows
 * the hash: each flush then compares each table with each, with the shadow's lock held. A
 * Guest without such a choice is the measure.
 */
#define TABLES		8192U
#define TABLES_AT	0xffff960000000000	/* what entry 300 of the top-level table maps */
#define BUCKET(gfn)	((gfn) * 0x61c8864680b583eb >> 54)	/* hash_64() of Linux */

static void guest_flushes_tables(uint64_t flushes)
{
	uint64_t i;

	for (i = 0; i < TABLES; i++)
		guest_read(TABLES_AT + i * LARGE);
	for (i = 0; i < flushes; i++)
		guest_call(LHCALL_FLUSH_TLB, LGUEST_FLUSH_ALL, 0, 0, 0);
}

/* Tables in frames from 5 GiB on: all in one bucket, or one after the other. */
static void place_tables(struct guest *guest, uint8_t *memory, bool one_bucket)
{
	uint64_t gfn = 5 * GIB / 4096, *l2 = more_word(0);
	unsigned int i;

	vm_word(&guest->vm, VM_PML4)[300] = VM_SPARE_TABLE | PTE_KERNEL;
	for (i = 0; i < TABLES / 512; i++)
		vm_word(&guest->vm, VM_SPARE_TABLE)[i] = (MORE + i * 4096) | PTE_KERNEL;
	for (i = 0; i < TABLES; i++, gfn++) {
		while (one_bucket && BUCKET(gfn) != 7)
			gfn++;
		l2[i] = gfn * 4096 | PTE_KERNEL;
		*(uint64_t *)(memory + gfn * 4096 - 4 * GIB) = VM_USER_PHYS | PTE_KERNEL;
	}
}

/* How long five flushes of that take at best; -1: nothing came of it. */
static long flush_us(struct guest *guest, bool one_bucket)
{
	long best = -1, begin, us;
	struct lguest_init *init;
	uint8_t *memory;
	unsigned int i;

	if (!guest_make(guest, 1) || !(more = guest_memory(guest, MORE, 2 * LARGE)))
		return -1;
	memory = guest_memory(guest, 4 * GIB, 34 * GIB);
	if (!memory)
		return -1;
	madvise(memory, 34 * GIB, MADV_NOHUGEPAGE);
	place_tables(guest, memory, one_bucket);
	/* Nothing is there, and so all tables count as changed. */
	init = (struct lguest_init *)vm_word(&guest->vm, VM_INIT);
	init->dirty_map = 4 * GIB;
	init->dirty_map_size = 38 * GIB / 4096;
	for (i = 0; i < 3; i++) {
		begin = now_us();
		if (!runs(guest, guest_flushes_tables, i ? 5 : 1)) {
			best = -1;
			break;
		}
		us = now_us() - begin;
		if (i && (best < 0 || us < best))
			best = us;
	}
	munmap(memory, 34 * GIB);
	guest_end(guest);
	return best;
}

static void one_bucket(struct guest *guest)
{
	long all, one;

	guest_end(guest);
	all = flush_us(guest, false);
	one = flush_us(guest, true);
	tap_note("%u tables: %ld us, in one bucket of a known hash: %ld us", TABLES, all, one);
	tap_result(all > 0 && one > 0 && one < 8 * all, "a_bucket_cannot_be_filled");
}

/*
 * One table by two entries, of which a flush takes in the one in part and the other as a
 * whole: what the first part does not name must not be left out for having been there.
 */
#define TWICE	(REGION(2) + 3 * 4096)

static volatile uint64_t read_after_flush;

static void guest_flushes_one_of_two(uint64_t entry)
{
	guest_read(TWICE);
	guest_read(REGION(1) + 5 * 4096);
	guest_write(entry, (MORE + 4096) | PTE_KERNEL);
	guest_flush(REGION(1) + 4 * 4096, REGION(3));
	read_after_flush = guest_read(TWICE);
}

static void table_twice(struct guest *guest)
{
	uint64_t *table = vm_word(&guest->vm, TABLE);
	bool done;

	PDE(guest, 1) = PDE(guest, 2) = TABLE | PTE_KERNEL;
	table[3] = table[5] = MORE | PTE_KERNEL;
	*(uint64_t *)more_word(0) = 1;
	*(uint64_t *)more_word(4096) = 2;
	done = runs(guest, guest_flushes_one_of_two, VM_KERNEL + TABLE + 3 * 8);
	tap_result(done && read_after_flush == 2, "all_that_was_flushed_is_new (%llu)",
		   (unsigned long long)read_after_flush);
}

/*
 * A device's page that may be read, and a read of it that another thread turns into a write
 * after it has faulted and before the host looks at it.
 */
asm("	.section .rodata\n"
    "device_access:\n"
    "	mov	(%rdi), %eax\n"
    "	jmp	device_access\n"
    "device_access_end:\n"
    "	.text\n");
extern const char device_access[], device_access_end[];

/* A write has faulted, and is tried again: it may be a read by then. */
static void try_again(struct guest_exception *exception)
{
	(void)exception;
}

static void guest_uses_device(uint64_t gva)
{
	guest_handle(try_again);
	((guest_code_t)(VM_KERNEL + VM_CODE))(gva);
}

/* The first byte of the instruction: MOV to a register, and from it. */
#define MOV_LOAD	0x8b
#define MOV_STORE	0x89

static volatile bool flipping;

static void *flip(void *opcode)
{
	unsigned int i;

	while (flipping) {
		*(volatile uint8_t *)opcode ^= MOV_LOAD ^ MOV_STORE;
		for (i = 0; i < 300; i++)
			asm volatile("pause");
	}
	*(volatile uint8_t *)opcode = MOV_LOAD;
	return NULL;
}

static void device_read_only(struct guest *guest)
{
	struct guest_vcpu *vcpu = &guest->vcpu[0];
	const struct lguest_run *run = vcpu->run;
	unsigned int reads = 0, writes = 0;
	long end = now_us() + 4000000;
	pthread_t thread;

	PDE(guest, 1) = TABLE | PTE_KERNEL;
	vm_word(&guest->vm, TABLE)[0] = (LGUEST_HOLE_START + 0x3000) | PTE_PRESENT;
	memcpy(vm_word(&guest->vm, VM_CODE), device_access, device_access_end - device_access);
	vcpu->limit_ms = 5000;
	if (!tap_result(guest_start(vcpu, guest_uses_device, REGION(1)) &&
			guest_run(vcpu) == GUEST_EXIT && run->exit_reason == LGUEST_EXIT_MMIO,
			"the_guest_reads_a_device"))
		return;
	vcpu->limit_ms = 1000;
	flipping = true;
	pthread_create(&thread, NULL, flip, guest->vm.memory + VM_CODE);
	while (reads + writes < 5000 && now_us() < end) {
		if (guest_run(vcpu) != GUEST_EXIT || run->exit_reason != LGUEST_EXIT_MMIO)
			break;
		*(run->mmio.is_write ? &writes : &reads) += 1;
	}
	flipping = false;
	pthread_join(thread, NULL);
	guest_note(vcpu);
	tap_note("%u reads, %u writes", reads, writes);
	tap_result(reads > 100, "it_goes_on");
	tap_result(!writes, "it_never_writes_there");
}

/* --- Running them --------------------------------------------------------------------- */

static const struct {
	const char *name;
	void (*run)(struct guest *guest);
	unsigned int vcpus;
} cases[] = {
	{ "one_size_at_a_time", one_size_at_a_time, 2 },
	{ "memory_elsewhere", memory_elsewhere, 1 },
	{ "range_under_way", range_under_way, 2 },
	{ "one_bucket", one_bucket, 1 },
	{ "table_twice", table_twice, 1 },
	{ "device_read_only", device_read_only, 1 },
};

#define CASES	(sizeof(cases) / sizeof(cases[0]))

static bool wanted(const char *name, int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++)
		if (!strcmp(argv[i], name))
			return true;
	return argc == 1;
}

int main(int argc, char **argv)
{
	static struct guest guest;
	unsigned int i;

	if (module_refcnt() < 0)
		return tap_missing("lg.ko is not loaded");
	for (i = 0; i < CASES; i++) {
		if (!wanted(cases[i].name, argc, argv))
			continue;
		if (!tap_result(guest_make(&guest, cases[i].vcpus) &&
				(more = guest_memory(&guest, MORE, 2 * LARGE)),
				"%s: a_vm_is_made", cases[i].name))
			continue;
		cases[i].run(&guest);
		guest_end(&guest);
	}
	tap_result(module_unused(), "the_module_is_unused");
	return tap_end();
}
