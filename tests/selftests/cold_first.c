// SPDX-License-Identifier: GPL-2.0-only
/*
 * cold_first: a host that is short of memory takes what is needed least.
 *
 * Shadow pages first: they are charged to the launcher's memory cgroup, and are given up
 * when that is short of memory, but not for another's need.
 *
 * Then it swaps out what the guest does not use, and leaves alone what it uses all the time.
 * Of the guest's pages every second one is hot: read again and again. A memory cgroup has
 * room for the hot ones and not for a buffer of the launcher's beside them. Only the shadow
 * page tables know which pages are hot: fails if the host does not get to know, and so
 * swaps hot pages out as often as others, to have them back at once.
 *
 * Swaps to /dev/vda (tests/hostvm --scratch), whatever is there.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"
#include "tap.h"

#define CGROUP		"/sys/fs/cgroup/"
#define MIB		(1UL << 20)
#define PAGE		4096UL
#define GUEST		(24 * MIB)	/* half of it hot */
#define GUEST_PHYS	0x800000UL
#define GUEST_GVA	(VM_KERNEL + 2 * MIB)
#define COLD		(32 * MIB)	/* the launcher's */
#define ROOM		"41943040"	/* 40 MiB for all */

/* How often the guest has read all that is hot. */
static volatile uint64_t rounds;

/* Write each page once, then read every second one for ever. */
static void guest_has_hot_pages(uint64_t unused)
{
	uint64_t at;

	(void)unused;
	for (at = GUEST_GVA; at < GUEST_GVA + GUEST; at += PAGE)
		guest_write(at, at);
	for (;;) {
		rounds++;
		for (at = GUEST_GVA; at < GUEST_GVA + GUEST; at += 2 * PAGE)
			guest_read(at);
	}
}

static const char *disk;

static bool put(const char *file, const char *text)
{
	int fd = open(file, O_WRONLY);
	bool done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return done;
}

/* A swap area, as mkswap makes it: include/linux/swap.h. */
static bool swap_on(void)
{
	static uint8_t head[PAGE];
	int fd = open(disk, O_WRONLY);
	off_t size = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);
	uint32_t info[3] = { 1, size / PAGE - 1, 0 };
	bool done;

	memcpy(head + 1024, info, sizeof(info));
	memcpy(head + PAGE - 10, "SWAPSPACE2", 10);
	done = fd >= 0 && pwrite(fd, head, PAGE, 0) == PAGE && !fsync(fd);
	if (fd >= 0)
		close(fd);
	return done && !swapon(disk, 0);
}

static bool small_cgroup(void)
{
	char pid[16];

	if (access(CGROUP "cgroup.procs", F_OK))
		mount("cgroup2", CGROUP, "cgroup2", 0, NULL);
	put(CGROUP "cgroup.subtree_control", "+memory");
	mkdir(CGROUP "cold_first", 0755);
	snprintf(pid, sizeof(pid), "%d", getpid());
	return put(CGROUP "cold_first/memory.max", ROOM) &&
	       put(CGROUP "cold_first/cgroup.procs", pid);
}

static unsigned long swapped_in(void)
{
	FILE *file = fopen("/proc/vmstat", "r");
	unsigned long n = 0;
	char line[128];

	while (file && fgets(line, sizeof(line), file))
		sscanf(line, "pswpin %lu", &n);
	if (file)
		fclose(file);
	return n;
}

/* Of every second page from @at on, how many are swapped out: Documentation/admin-guide/mm/pagemap.rst */
static unsigned int swapped_out(const uint8_t *at, size_t bytes)
{
	int fd = open("/proc/self/pagemap", O_RDONLY);
	unsigned int n = 0;
	uint64_t entry;
	size_t i;

	for (i = 0; fd >= 0 && i < bytes; i += 2 * PAGE)
		if (pread(fd, &entry, 8, ((uintptr_t)at + i) / PAGE * 8) == 8)
			n += entry >> 62 & 1;
	if (fd >= 0)
		close(fd);
	return n;
}

static uint8_t *small_pages(size_t size)
{
	uint8_t *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		return NULL;
	madvise(at, size, MADV_NOHUGEPAGE);
	return at;
}

/* For the guest, at GUEST_PHYS. */
static void *add_small_pages(struct guest *guest, size_t size)
{
	uint8_t *at = small_pages(size);
	struct lguest_memory more = {
		.guest_phys = GUEST_PHYS, .size = size, .host_virt = (uintptr_t)at,
	};

	return at && !ioctl(guest->vm.fd, LGUEST_SET_MEMORY, &more) ? at : NULL;
}

/* So many more times has the guest read all that is hot; 20 s at most. */
static bool guest_goes_on(unsigned int times)
{
	uint64_t goal = rounds + times;
	unsigned int ms;

	for (ms = 0; rounds < goal && ms < 20000; ms++)
		usleep(1000);
	return rounds >= goal;
}

static void watch(uint8_t *memory)
{
	unsigned int i, hot, cold, of = GUEST / PAGE / 2;
	uint8_t *buffer = small_pages(COLD);
	unsigned long in = swapped_in();
	bool goes_on = buffer;

	for (i = 0; goes_on && i < COLD / PAGE; i++) {
		buffer[i * PAGE] = 1;
		if (i % 64 == 0)
			goes_on = guest_goes_on(2);
	}
	in = swapped_in() - in;
	hot = swapped_out(memory, GUEST);
	cold = swapped_out(memory + PAGE, GUEST);
	tap_note("of %u hot and %u cold pages %u and %u are swapped out; %lu came back", of, of, hot,
		 cold, in);
	tap_result(goes_on, "the_guest_goes_on");
	tap_result(cold > of / 8, "cold_pages_are_swapped_out");
	tap_result(hot < cold / 8, "hot_pages_are_not");
	tap_result(in < of / 16, "few_pages_have_to_come_back");
}

#define TABLES	500U

/* One page every 2 MiB: a table for each. */
static void guest_uses_tables(uint64_t tables)
{
	uint64_t i;

	for (i = 0; i < tables; i++)
		guest_read(GUEST_GVA + i * 2 * MIB);
}

static unsigned int shadow_pages(const struct guest *guest)
{
	struct lguest_stats stats = {};

	return ioctl(guest->vm.vcpu_fd, LGUEST_GET_STATS, &stats) < 0 ? 0 : stats.shadow_pages;
}

/* Someone else's cgroup: a child that has some memory of its own. */
static bool other_is_short_of_memory(void)
{
	int to[2], from[2], status;
	char byte = 0, pid[16];
	pid_t child;
	bool done;

	mkdir(CGROUP "cold_other", 0755);
	if (pipe(to) || pipe(from))
		return false;
	child = fork();
	if (!child) {
		snprintf(pid, sizeof(pid), "%d", getpid());
		put(CGROUP "cold_other/cgroup.procs", pid);
		memset(small_pages(8 * MIB), 1, 8 * MIB);
		done = write(from[1], &byte, 1) == 1 && read(to[0], &byte, 1) == 1;
		_exit(!done);
	}
	done = child > 0 && read(from[0], &byte, 1) == 1;
	/* It says -EAGAIN when there was less than that. */
	put(CGROUP "cold_other/memory.reclaim", "6M");
	done &= write(to[1], &byte, 1) == 1 && waitpid(child, &status, 0) == child;
	rmdir(CGROUP "cold_other");
	return done;
}

static void shadow_of_a_cgroup(void)
{
	unsigned int i, made, after_other, after;
	static struct guest guest;
	uint64_t *tables = NULL;

	if (!tap_result(guest_make(&guest, 1) && (tables = add_small_pages(&guest, 4 * MIB)),
			"a_vm_with_many_tables_is_made"))
		return;
	for (i = 0; i < TABLES; i++) {
		vm_word(&guest.vm, VM_PD_HIGH)[1 + i] = (GUEST_PHYS + i * PAGE) | PTE_KERNEL;
		tables[i * PAGE / 8] = VM_USER_PHYS | PTE_KERNEL;
	}
	tap_result(guest_start(&guest.vcpu[0], guest_uses_tables, TABLES) &&
		   guest_finishes(&guest.vcpu[0]), "it_uses_them");
	made = shadow_pages(&guest);
	tap_result(other_is_short_of_memory(), "another_cgroup_is_short_of_memory");
	after_other = shadow_pages(&guest);
	/* Its pages may be swapped, too: ask for more than once. */
	for (i = 0; i < 5; i++)
		put(CGROUP "cold_first/memory.reclaim", "8M");
	after = shadow_pages(&guest);
	tap_note("%u shadow pages, %u after another's need, %u after its own", made, after_other, after);
	tap_result(made >= TABLES && after_other == made, "shadow_pages_stay_for_another_cgroup");
	tap_result(after < made * 3 / 4, "they_go_for_its_own");
	guest_end(&guest);
}

static void hot_and_cold_pages(void)
{
	static struct guest guest;
	struct guest_vcpu *vcpu = &guest.vcpu[0];
	void *memory = NULL;
	unsigned int i;

	if (!tap_result(guest_make(&guest, 1) && (memory = add_small_pages(&guest, GUEST)) &&
			guest_start(vcpu, guest_has_hot_pages, 0), "a_vm_is_made"))
		return;
	for (i = 0; i < GUEST / (2 * MIB); i++)
		vm_word(&guest.vm, VM_PD_HIGH)[1 + i] =
			(GUEST_PHYS + i * 2 * MIB) | PTE_KERNEL | PTE_LARGE;
	vcpu->limit_ms = 0;
	if (tap_result(guest_go(vcpu) && guest_goes_on(10), "the_guest_runs"))
		watch(memory);
	guest_stop(vcpu);
	guest_end(&guest);
}

int main(void)
{
	if (module_refcnt() < 0)
		return tap_missing("lg.ko is not loaded");
	disk = getenv("LG_SCRATCH");
	if (!disk || access(disk, F_OK))
		return tap_missing("no disk to swap to: LG_SCRATCH names none");
	if (!tap_result(swap_on() && small_cgroup(), "there_is_swap_and_little_memory"))
		return tap_end();
	shadow_of_a_cgroup();
	hot_and_cold_pages();
	put(CGROUP "cgroup.procs", "0");
	rmdir(CGROUP "cold_first");
	swapoff(disk);
	tap_result(module_unused(), "the_module_is_unused");
	return tap_end();
}
