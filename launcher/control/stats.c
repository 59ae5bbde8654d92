// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a guest costs: the host's counts, memory, and what the balloon knows. The person gets
 * them at the guest's end (--stats), and clients of the control socket while it runs.
 */
#include <inttypes.h>
#include <stddef.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "control/answer.h"
#include "base/compiler.h"
#include "lguest_abi.h"
#include "lguest_uapi.h"
#include "memory.h"
#include "base/message.h"
#include "control/stats.h"
#include "virtio/balloon.h"
#include "vm.h"

/* How long the guest may take to answer the balloon's question for numbers. */
#define BALLOON_MS	1000

/* The names of LHCALL_*, by number. */
#define NAME(number, name)	[LHCALL_##number] = #name
static const char * const hypercall_names[] = { LGUEST_HYPERCALLS(NAME) };

_Static_assert(sizeof(struct lguest_stats) % sizeof(uint64_t) == 0, "all of it is counts");
_Static_assert(ARRAY_SIZE(hypercall_names) == LHCALL_NR, "each hypercall has a name");

#define TEXT(vector, name, text)	[vector] = text
static const char * const exception_names[LGUEST_STATS_VECTORS] = { LGUEST_EXCEPTIONS(TEXT) };

/*
 * The counts in the order in which they are told. Some are arrays, with a name for each
 * element.
 */
static const struct count {
	const char *field;		/* of struct lguest_stats, and in JSON */
	const char *text;		/* for the person; of an array, in front of each name */
	size_t offset;
	unsigned int many;		/* elements of the array; 0: it is none */
	const char * const *names;
} counts[] = {
#define ONE(field, text)	{ #field, text, offsetof(struct lguest_stats, field), 0, NULL }
#define MANY(field, text, names)						\
	{ #field, text, offsetof(struct lguest_stats, field), ARRAY_SIZE(names), names }
	ONE(exits, "exits"),
	MANY(exceptions, "exception", exception_names),
	ONE(interrupts, "interrupts of the host"),
	ONE(nmis, "NMIs of the host"),
	ONE(direct_syscalls, "system calls in the switcher"),
	ONE(direct_returns, "returns in the switcher"),
	ONE(direct_events, "exceptions in the switcher"),
	ONE(direct_cr3_loads, "CR3 loads in the switcher"),
	ONE(syscalls, "system calls through C"),
	ONE(hypercalls, "hypercalls"),
	MANY(hypercall_nr, "hypercall", hypercall_names),
	ONE(ring_calls, "ring calls"),
	ONE(ring_drains, "ring drains"),
	ONE(injected, "events delivered"),
	ONE(mmio, "register accesses (mmio)"),
	ONE(kicks, "kicks by eventfd"),
	ONE(halts, "halts"),
	ONE(shadow_fills, "shadow entries made"),
	ONE(prefills, "shadow entries beside them"),
	ONE(prefills_used, "  of these, used"),
	ONE(prefills_wasted, "  of these, gone unused"),
	ONE(shadow_syncs, "shadow pages compared"),
	ONE(shadow_alone, "faults and flushes alone in the shadow"),
	ONE(shadow_pages, "shadow pages now"),
	ONE(flushes, "TLB flushes"),
	ONE(emulated, "instructions emulated"),
#undef ONE
#undef MANY
};

static const uint64_t *values(const struct lguest_stats *stats, const struct count *count)
{
	return (const uint64_t *)((const char *)stats + count->offset);
}

/* Get the counts of all virtual CPUs. Return: false if the host does not tell. */
static bool get_stats(struct vm *vm, struct lguest_stats *each)
{
	unsigned int i;

	for (i = 0; i < vm->vcpus; i++)
		if (ioctl(vm->vcpu[i].fd, LGUEST_GET_STATS, &each[i]) < 0)
			return false;
	return true;
}

static void add_up(const struct lguest_stats *each, unsigned int vcpus, struct lguest_stats *sum)
{
	uint64_t *to = (uint64_t *)sum;
	unsigned int i, j;

	memset(sum, 0, sizeof(*sum));
	for (i = 0; i < vcpus; i++)
		for (j = 0; j < sizeof(*sum) / sizeof(*to); j++)
			to[j] += ((const uint64_t *)&each[i])[j];
	/* These are of the whole VM, and each virtual CPU tells them. */
	sum->shadow_pages = each[0].shadow_pages;
	sum->prefills_used = each[0].prefills_used;
	sum->prefills_wasted = each[0].prefills_wasted;
}

static void print_stat(const char *name, uint64_t value)
{
	if (value)
		message("  %-32s %12" PRIu64, name, value);
}

static void print_exits(const struct lguest_stats *each, unsigned int vcpus)
{
	char name[32];
	unsigned int i;

	for (i = 0; vcpus > 1 && i < vcpus; i++) {
		snprintf(name, sizeof(name), "exits of CPU %u", i);
		print_stat(name, each[i].exits);
	}
}

static void print_count(const struct lguest_stats *stats, const struct count *count)
{
	const uint64_t *value = values(stats, count);
	char name[64];
	unsigned int i;

	if (!count->many)
		print_stat(count->text, *value);
	for (i = 0; i < count->many; i++) {
		snprintf(name, sizeof(name), "%s %s", count->text, count->names[i]);
		print_stat(name, value[i]);
	}
}

/**
 * stats_report() - tell the person what the guest made the host do; zeros are left out
 * @vm: the VM, complete
 */
void stats_report(struct vm *vm)
{
	struct lguest_stats each[LGUEST_MAX_VCPUS], sum;
	unsigned int i;

	if (!get_stats(vm, each)) {
		message("the host has no counts of this guest");
		return;
	}
	add_up(each, vm->vcpus, &sum);
	message("the guest made the host do this much:");
	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		print_count(&sum, &counts[i]);
		if (!i)
			print_exits(each, vm->vcpus);
	}
}

static json_t *counts_answer(const struct lguest_stats *stats)
{
	json_t *object = json_object();
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		const uint64_t *value = values(stats, &counts[i]);
		json_t *part;

		if (counts[i].many) {
			part = json_object();
			for (j = 0; j < counts[i].many; j++)
				json_object_set_new(part, counts[i].names[j], json_integer(value[j]));
		} else {
			part = json_integer(*value);
		}
		json_object_set_new(object, counts[i].field, part);
	}
	return object;
}

static int statm = -1;	/* /proc/self/statm: later the sandbox allows no names */

/**
 * stats_init() - open the files that the answers need
 */
void stats_init(void)
{
	statm = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
}

/* How many bytes of this process are in the memory of the host. */
static json_int_t resident(void)
{
	long long size = 0, pages = 0;
	char text[128] = "";

	if (pread(statm, text, sizeof(text) - 1, 0) > 0 &&
	    sscanf(text, "%lld %lld", &size, &pages) != 2)
		pages = 0;
	return pages * sysconf(_SC_PAGESIZE);
}

/* What the guest says of its memory is there only if it has said something. */
static json_t *balloon_answer(struct vm *vm)
{
	struct balloon_stats stats = { 0 };
	json_t *object, *guest = json_object();
	unsigned int i;

	/* A paused guest can't be asked. */
	if (vm->balloon)
		balloon_stats(vm->balloon, &stats, vm->pause.wanted ? 0 : BALLOON_MS);
	for (i = 0; i < ARRAY_SIZE(stats.value); i++)
		if (stats.known & 1U << i)
			json_object_set_new(guest, balloon_value_name(i),
					    json_integer(stats.value[i]));
	object = json_pack("{s:I, s:I, s:b, s:o}", "wanted", (json_int_t)stats.wanted,
			   "given", (json_int_t)stats.given, "fresh", stats.fresh,
			   "guest", guest);
	return object;
}

/**
 * stats_answer() - what the guest costs now
 * @vm: runs, or is paused
 * @name: what it is called
 * @state: "running" or "paused"
 *
 * Return: the answer on the control socket, or NULL if there is no memory.
 */
json_t *stats_answer(struct vm *vm, const char *name, const char *state)
{
	struct lguest_stats each[LGUEST_MAX_VCPUS];
	json_t *vcpus;
	unsigned int i;

	if (!get_stats(vm, each))
		return answer_refused("the host has no counts of it");
	vcpus = json_array();
	for (i = 0; i < vm->vcpus; i++)
		json_array_append_new(vcpus, counts_answer(&each[i]));
	return answer_done("{s:s, s:s, s:{s:I, s:I}, s:o, s:o}", "name", name, "state", state,
			   "memory", "size", (json_int_t)vm->memory.size,
			   "resident", resident(), "balloon", balloon_answer(vm),
			   "vcpus", vcpus);
}
