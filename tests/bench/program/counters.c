// SPDX-License-Identifier: GPL-2.0-only
/*
 * LD_PRELOAD=counters.so lguest ...: at each SIGUSR2, write lg.ko's counters of the
 * vCPU to /tmp/counters, a line each: "NUMBER NAME". Only the process that has opened
 * /dev/lguest may ask for them, and only between two LGUEST_RUN: where the handler
 * of a signal is.
 *
 * This file and "counters" in ../count-exits are all that knows how
 * counters are read.
 */
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lguest_abi.h"
#include "lguest_uapi.h"

#define FIELD(name)	{ offsetof(struct lguest_stats, name) / sizeof(__u64), #name }

static const struct {
	unsigned int word;
	const char *name;
} fields[] = {
	FIELD(exits), FIELD(interrupts), FIELD(syscalls), FIELD(hypercalls), FIELD(injected),
	FIELD(mmio), FIELD(kicks), FIELD(halts), FIELD(shadow_fills), FIELD(shadow_syncs),
	FIELD(shadow_pages), FIELD(ring_calls), FIELD(flushes), FIELD(emulated), FIELD(nmis),
	FIELD(direct_syscalls), FIELD(direct_returns), FIELD(direct_events), FIELD(direct_cr3_loads),
	FIELD(prefills),
};

static const char *const hypercalls[] = {
	[LHCALL_FLUSH_ASYNC] = "flush_async", [LHCALL_INIT] = "init", [LHCALL_REGISTER] = "register",
	[LHCALL_SHUTDOWN] = "shutdown", [LHCALL_CONSOLE] = "console", [LHCALL_LOAD_CR3] = "load_cr3",
	[LHCALL_FLUSH_TLB] = "flush_tlb", [LHCALL_FLUSH_MULTI] = "flush_multi",
	[LHCALL_SET_PTE] = "set_pte", [LHCALL_RELEASE_PT] = "release_pt",
	[LHCALL_SET_TIMER] = "set_timer", [LHCALL_HALT] = "halt", [LHCALL_LOAD_TLS] = "load_tls",
	[LHCALL_IRET] = "iret", [LHCALL_INTERRUPT] = "interrupt", [LHCALL_SEND_IPI] = "send_ipi",
	[LHCALL_VCPU_UP] = "vcpu_up", [LHCALL_VCPU_DOWN] = "vcpu_down", [LHCALL_KICK] = "kick",
	[LHCALL_DEBUG_PUTC] = "debug_putc",
};

static int vcpu_fd = -1;

/* The launcher's own calls pass by here: one of them names the vCPU. */
int ioctl(int fd, unsigned long request, ...)
{
	va_list arguments;
	void *argument;

	va_start(arguments, request);
	argument = va_arg(arguments, void *);
	va_end(arguments);
	if (request == LGUEST_RUN)
		vcpu_fd = fd;
	return syscall(SYS_ioctl, fd, request, argument);
}

static void write_counters(int signal)
{
	static struct lguest_stats stats;
	const __u64 *words = (const __u64 *)&stats;
	unsigned int i;
	FILE *file;

	(void)signal;
	if (syscall(SYS_ioctl, vcpu_fd, LGUEST_GET_STATS, &stats) < 0)
		return;
	file = fopen("/tmp/counters.new", "w");
	if (!file)
		return;
	for (i = 0; i < sizeof(fields) / sizeof(*fields); i++)
		fprintf(file, "%llu %s\n", words[fields[i].word], fields[i].name);
	for (i = 0; i < LGUEST_STATS_VECTORS; i++)
		fprintf(file, "%llu exception_%u\n", stats.exceptions[i], i);
	for (i = 0; i < sizeof(hypercalls) / sizeof(*hypercalls); i++)
		if (hypercalls[i])
			fprintf(file, "%llu hypercall_%s\n", stats.hypercall_nr[i], hypercalls[i]);
	fclose(file);
	rename("/tmp/counters.new", "/tmp/counters");
}

__attribute__((constructor)) static void start(void)
{
	struct sigaction action = { .sa_handler = write_counters };

	sigaction(SIGUSR2, &action, NULL);
}
