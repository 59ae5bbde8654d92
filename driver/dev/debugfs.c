// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counters of what the guests make the host do, to be read while they run:
 *
 *   /sys/kernel/debug/lguest/PID-SERIAL/{stats,stats.json}	sums over the vCPUs
 *   .../vcpuN/{stats,stats.json}
 *
 * A running vCPU's mutex is held for as long as LGUEST_RUN takes, so take no mutex here. Each
 * counter is read once and is right by itself, but the counters of a running vCPU are read at
 * slightly different moments. What the switcher counts is as of the last time that the vCPU left
 * its window: a timer tick ago at most.
 *
 * debugfs_remove() waits for those who read a file, and nobody can read it later: so a VM may be
 * freed once debugfs_remove() has returned.
 */
#include <linux/atomic.h>
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/seq_file.h>

#include "lg.h"
#include "dev/dev.h"
#include "mmu/mmu.h"

#define WORDS		(sizeof(struct lguest_stats) / sizeof(u64))
#define WORD(field)	(offsetof(struct lguest_stats, field) / sizeof(u64))

struct counter {
	const char *name;
	unsigned int word;	/* of struct lguest_stats */
};

#define COUNTER(field)			{ #field, WORD(field) }
#define EXCEPTION(vector, name, text)	{ "exception_" #name, WORD(exceptions[vector]) }
#define HYPERCALL(number, name)		{ "hypercall_" #name, WORD(hypercall_nr[LHCALL_##number]) }

static const struct counter counters[] = {
	COUNTER(exits), COUNTER(interrupts), COUNTER(nmis), COUNTER(syscalls), COUNTER(hypercalls),
	COUNTER(direct_syscalls), COUNTER(direct_returns), COUNTER(direct_events),
	COUNTER(direct_cr3_loads), COUNTER(injected), COUNTER(emulated), COUNTER(mmio),
	COUNTER(kicks), COUNTER(halts), COUNTER(ring_calls), COUNTER(ring_drains), COUNTER(flushes),
	COUNTER(shadow_fills), COUNTER(prefills), COUNTER(shadow_syncs), COUNTER(shadow_alone),
	LGUEST_EXCEPTIONS(EXCEPTION),
	LGUEST_HYPERCALLS(HYPERCALL),
	/* These count for the whole VM. They are last: VCPU_COUNTERS ends before them. */
	COUNTER(prefills_used), COUNTER(prefills_wasted), COUNTER(shadow_pages),
};

#define VCPU_COUNTERS	(ARRAY_SIZE(counters) - 3)

/* A new counter or hypercall needs a name above. */
static_assert(ARRAY_SIZE(counters) ==
	      WORD(reserved) - (ARRAY_SIZE(((struct lguest_stats *)NULL)->hypercall_nr) - LHCALL_NR));

static struct dentry *debugfs_root;

/* Lines of text or, for a name with a dot, one JSON object with a line each, for jq and grep. */
static int show_counters(struct seq_file *m, const u64 *words, unsigned int count)
{
	bool json = strchr(m->file->f_path.dentry->d_name.name, '.');
	unsigned int i;

	for (i = 0; i < count; i++)
		seq_printf(m, json ? "%s\"%s\": %llu" : "%s%s %llu\n",
			   !json ? "" : i ? ",\n" : "{\n", counters[i].name, words[counters[i].word]);
	seq_puts(m, json ? "\n}\n" : "");
	return 0;
}

static void add_vcpu_stats(u64 *words, const struct lg_vcpu *vcpu)
{
	const u64 *from = (const u64 *)&vcpu->stats;
	unsigned int i;

	for (i = 0; i < WORDS; i++)
		words[i] += READ_ONCE(from[i]);
}

static void add_vm_stats(u64 *words, struct lg_vm *vm)
{
	struct lg_vcpu *vcpu;
	unsigned int i;

	lg_for_each_vcpu(i, vcpu, vm)
		add_vcpu_stats(words, vcpu);
	lg_mmu_stats(vm, (struct lguest_stats *)words);
}

static int vcpu_show(struct seq_file *m, void *unused)
{
	u64 words[WORDS] = {};

	add_vcpu_stats(words, m->private);
	return show_counters(m, words, VCPU_COUNTERS);
}
DEFINE_SHOW_ATTRIBUTE(vcpu);

static int vm_show(struct seq_file *m, void *unused)
{
	u64 words[WORDS] = {};

	add_vm_stats(words, m->private);
	return show_counters(m, words, ARRAY_SIZE(counters));
}
DEFINE_SHOW_ATTRIBUTE(vm);

/* Ignore errors: a VM works without its debugfs files. */

/** lg_debugfs_vm - make the files of a new VM of the calling process; sleeps */
void lg_debugfs_vm(struct lg_vm *vm)
{
	static atomic64_t serial = ATOMIC64_INIT(0);
	char name[32];

	snprintf(name, sizeof(name), "%d-%lld", task_tgid_nr(current),
		 atomic64_inc_return(&serial));
	vm->debugfs = debugfs_create_dir(name, debugfs_root);
	debugfs_create_file("stats", 0444, vm->debugfs, vm, &vm_fops);
	debugfs_create_file("stats.json", 0444, vm->debugfs, vm, &vm_fops);
}

/** lg_debugfs_vcpu - make the files of a new vCPU; lg_debugfs_remove() removes them, too; sleeps */
void lg_debugfs_vcpu(struct lg_vcpu *vcpu)
{
	struct dentry *dir;
	char name[16];

	snprintf(name, sizeof(name), "vcpu%u", vcpu->id);
	dir = debugfs_create_dir(name, vcpu->vm->debugfs);
	debugfs_create_file("stats", 0444, dir, vcpu, &vcpu_fops);
	debugfs_create_file("stats.json", 0444, dir, vcpu, &vcpu_fops);
}

/** lg_debugfs_remove - remove all files of @vm; sleeps until nobody reads them */
void lg_debugfs_remove(struct lg_vm *vm)
{
	debugfs_remove(vm->debugfs);
}

void lg_debugfs_init(void)
{
	debugfs_root = debugfs_create_dir("lguest", NULL);
}

void lg_debugfs_exit(void)
{
	debugfs_remove(debugfs_root);
}
