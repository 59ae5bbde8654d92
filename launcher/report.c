// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the person learns of the Guest: its end, and what it cost.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "compiler.h"
#include "lguest_abi.h"
#include "memory.h"
#include "message.h"
#include "recent.h"
#include "report.h"
#include "terminal.h"
#include "vm.h"

#define LAST_LINES	20
#define CODE_BYTES	16
#define STACK_WORDS	12

#define PTE_PRESENT	0x001ULL
#define PTE_PAGE_SIZE	0x080ULL
#define PTE_ADDRESS	0x000ffffffffff000ULL

/*
 * Guest virtual to ours, through the Guest's own page tables (SDM volume 3,
 * 4.5), for as many bytes as are asked for, within one page.
 */
static const void *guest_virtual(const struct guest_memory *memory, uint64_t cr3, uint64_t gva,
				 unsigned int size)
{
	uint64_t table = cr3 & PTE_ADDRESS, page_mask = 0;
	int level;

	for (level = 4; level > 0; level--) {
		int shift = 12 + 9 * (level - 1);
		const uint64_t *entry = guest_range(memory, table + (gva >> shift & 511) * 8, 8);

		if (!entry || !(*entry & PTE_PRESENT))
			return NULL;
		page_mask = (1ULL << shift) - 1;
		table = *entry & PTE_ADDRESS;
		if ((level == 3 || level == 2) && (*entry & PTE_PAGE_SIZE))
			break;
	}
	if (gva % PAGE_SIZE + size > PAGE_SIZE)
		return NULL;
	return guest_range(memory, (table & ~page_mask) | (gva & page_mask), size);
}

static void print_code(const struct vm *vm, const struct lguest_regs *regs)
{
	const uint8_t *code = guest_virtual(&vm->memory, regs->cr3, regs->rip, CODE_BYTES);
	char text[3 * CODE_BYTES + 1];
	int i;

	for (i = 0; code && i < CODE_BYTES; i++)
		sprintf(text + 3 * i, " %02x", code[i]);
	message("  code at rip:%s", code ? text : " not there to be read");
}

static void print_stack(const struct vm *vm, const struct lguest_regs *regs)
{
	int i;

	for (i = 0; i < STACK_WORDS; i += 2) {
		const uint64_t *word = guest_virtual(&vm->memory, regs->cr3, regs->rsp + 8 * i, 16);

		if (!word)
			return;
		message("  stack %+4d: %016" PRIx64 " %016" PRIx64, 8 * i, word[0], word[1]);
	}
}

static void print_registers(struct vcpu *vcpu)
{
	const struct vm *vm = vcpu->vm;
	char where[32] = "";
	struct lguest_regs r;

	if (ioctl(vcpu->fd, LGUEST_GET_REGS, &r) < 0) {
		message("its registers can't be had");
		return;
	}
	if (vm->vcpus > 1)
		snprintf(where, sizeof(where), " on its CPU %u", vcpu->number);
	message("its registers%s, in %s:", where, r.kernel_mode ? "its kernel" : "its user space");
#define REGISTERS(a, b, c)						\
	message("  %-3s %016llx  %-3s %016llx  %-3s %016llx",	\
		#a, (unsigned long long)r.a, #b, (unsigned long long)r.b,	\
		#c, (unsigned long long)r.c)
	REGISTERS(rax, rbx, rcx);
	REGISTERS(rdx, rsi, rdi);
	REGISTERS(rbp, rsp, r8);
	REGISTERS(r9, r10, r11);
	REGISTERS(r12, r13, r14);
	REGISTERS(r15, cr2, cr3);
#undef REGISTERS
	message("  rip %016" PRIx64 "  rflags %08" PRIx64 "  cs %04" PRIx64 "  ss %04" PRIx64,
		(uint64_t)r.rip, (uint64_t)r.rflags, (uint64_t)r.cs, (uint64_t)r.ss);
	message("  fs  %016" PRIx64 "  gs  %016" PRIx64 "  user gs %016" PRIx64,
		(uint64_t)r.fs_base, (uint64_t)r.gs_base, (uint64_t)r.user_gs_base);
	print_code(vm, &r);
	print_stack(vm, &r);
}

/* What is on the person's terminal already is not said again. */
static void print_recent(void)
{
	char text[4096 + 1], *line, *rest = text;

	if (terminal_output_is_tty())
		return;
	text[recent_get(text, sizeof(text) - 1, LAST_LINES)] = '\0';
	if (!*text)
		return;
	message("the last lines of its console:");
	while ((line = strsep(&rest, "\n")))
		message("  %s", line);
}

/**
 * report_crash() - the Guest has ended, and not because it wanted to
 * @vcpu: on which virtual CPU; none runs, and the VM is still all there
 * @what: what happened, in a few words
 * @reason: more of it, from the Guest or lg.ko
 */
void report_crash(struct vcpu *vcpu, const char *what, const char *reason)
{
	char clean[LGUEST_MESSAGE_MAX];
	size_t i;

	/* A Guest's message is one line, and can't play with the terminal. */
	for (i = 0; i < sizeof(clean) - 1 && reason[i]; i++)
		clean[i] = reason[i] >= ' ' && reason[i] <= '~' ? reason[i] : ' ';
	while (i && clean[i - 1] == ' ')
		i--;
	clean[i] = '\0';
	print_recent();
	print_registers(vcpu);
	message("%s%s%s", what, i ? ": " : "", clean);
}

static void print_stat(const char *name, uint64_t value)
{
	if (value)
		message("  %-32s %12" PRIu64, name, value);
}

/* The names of LHCALL_*, by number. */
static const char * const hypercall_names[] = {
	[LHCALL_FLUSH_ASYNC] = "flush async",
	[LHCALL_INIT] = "init",
	[LHCALL_REGISTER] = "register",
	[LHCALL_SHUTDOWN] = "shutdown",
	[LHCALL_CONSOLE] = "console",
	[LHCALL_LOAD_CR3] = "load cr3",
	[LHCALL_FLUSH_TLB] = "flush tlb",
	[LHCALL_FLUSH_MULTI] = "flush multi",
	[LHCALL_SET_PTE] = "set pte",
	[LHCALL_RELEASE_PT] = "release page table",
	[LHCALL_SET_TIMER] = "set timer",
	[LHCALL_HALT] = "halt",
	[LHCALL_LOAD_TLS] = "load tls",
	[LHCALL_IRET] = "iret",
	[LHCALL_INTERRUPT] = "interrupt",
	[LHCALL_SEND_IPI] = "send ipi",
	[LHCALL_VCPU_UP] = "vcpu up",
	[LHCALL_VCPU_DOWN] = "vcpu down",
	[LHCALL_KICK] = "kick",
	[LHCALL_DEBUG_PUTC] = "debug putc",
};

_Static_assert(sizeof(struct lguest_stats) % sizeof(uint64_t) == 0, "all of it is counts");
_Static_assert(ARRAY_SIZE(hypercall_names) == LHCALL_NR,
	       "each hypercall has a name");

/* The names of the CPU's exceptions, SDM volume 3, table 6-1. */
static const char * const exception_names[LGUEST_STATS_VECTORS] = {
	"#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM", "#DF", "coprocessor", "#TS", "#NP",
	"#SS", "#GP", "#PF", "15", "#MF", "#AC", "#MC", "#XM", "#VE", "#CP", "22", "23", "24", "25",
	"26", "27", "#HV", "#VC", "#SX", "31",
};

static void print_counts(const char *kind, const char * const *names, const uint64_t *counts,
			 unsigned int count)
{
	char name[64];
	unsigned int i;

	for (i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "%s %s", kind, names[i]);
		print_stat(name, counts[i]);
	}
}

/* All of a VM's virtual CPUs. Return: false if the Host does not tell. */
static bool sum_stats(struct vm *vm, struct lguest_stats *sum, uint64_t *exits)
{
	struct lguest_stats one;
	uint64_t *to = (uint64_t *)sum, *from = (uint64_t *)&one;
	unsigned int i, j;

	memset(sum, 0, sizeof(*sum));
	for (i = 0; i < vm->vcpus; i++) {
		if (ioctl(vm->vcpu[i].fd, LGUEST_GET_STATS, &one) < 0)
			return false;
		exits[i] = one.exits;
		for (j = 0; j < sizeof(one) / sizeof(*from); j++)
			to[j] += from[j];
		/* This one is the VM's, and each virtual CPU tells it. */
		sum->shadow_pages = one.shadow_pages;
	}
	return true;
}

static void print_exits(const struct vm *vm, const uint64_t *exits)
{
	char name[32];
	unsigned int i;

	for (i = 0; vm->vcpus > 1 && i < vm->vcpus; i++) {
		snprintf(name, sizeof(name), "exits of CPU %u", i);
		print_stat(name, exits[i]);
	}
}

/**
 * report_stats() - what the Guest made the Host do; zeros are left out
 * @vm: the VM, all of it still there; none of its virtual CPUs runs
 */
void report_stats(struct vm *vm)
{
	uint64_t exits[LGUEST_MAX_VCPUS];
	struct lguest_stats stats;

	if (!sum_stats(vm, &stats, exits)) {
		message("the host has no counts of this guest");
		return;
	}
	message("the guest made the host do this much:");
	print_stat("exits", stats.exits);
	print_exits(vm, exits);
	print_counts("exception", exception_names, (const uint64_t *)stats.exceptions,
		     LGUEST_STATS_VECTORS);
	print_stat("interrupts of the host", stats.interrupts);
	print_stat("NMIs of the host", stats.nmis);
	print_stat("system calls in the Switcher", stats.direct_syscalls);
	print_stat("returns in the Switcher", stats.direct_returns);
	print_stat("exceptions in the Switcher", stats.direct_events);
	print_stat("CR3 loads in the Switcher", stats.direct_cr3_loads);
	print_stat("system calls through C", stats.syscalls);
	print_stat("hypercalls", stats.hypercalls);
	print_counts("hypercall", hypercall_names, (const uint64_t *)stats.hypercall_nr, LHCALL_NR);
	print_stat("ring calls", stats.ring_calls);
	print_stat("ring drains", stats.ring_drains);
	print_stat("events delivered", stats.injected);
	print_stat("register accesses (mmio)", stats.mmio);
	print_stat("kicks by eventfd", stats.kicks);
	print_stat("halts", stats.halts);
	print_stat("shadow entries made", stats.shadow_fills);
	print_stat("shadow entries beside them", stats.prefills);
	print_stat("shadow pages compared", stats.shadow_syncs);
	print_stat("shadow pages now", stats.shadow_pages);
	print_stat("TLB flushes", stats.flushes);
	print_stat("instructions emulated", stats.emulated);
}
