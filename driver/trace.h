/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints, for ftrace, perf and trace-cmd. A tracepoint that is off costs a NOP.
 *
 * They hold numbers only; the thread tells which VM it is. lguest_entry and lguest_exit come in
 * pairs, outside of lg_window_enter(): what is attached to a tracepoint is ordinary kernel code,
 * and needs the host's registers. It finds them, but for those that lg_host_state_save() has set
 * aside.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM lguest

#if !defined(_LG_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _LG_TRACE_H

#include <linux/tracepoint.h>

#include "lguest_abi.h"
#include "lguest_uapi.h"
#include "switcher.h"
#include "mmu/types.h"

#define LG_TRACE_MODES							\
	{ MODE_USER, "user" }, { MODE_KERNEL, "kernel" }

/* All other numbers are vectors of interrupts. */
#define LG_TRACE_TRAP(vector, name, text)	{ vector, text }
#define LG_TRACE_TRAPS							\
	LGUEST_EXCEPTIONS(LG_TRACE_TRAP),				\
	{ TRAP_SYSCALL, "syscall" }, { TRAP_ABORTED, "aborted" },	\
	{ TRAP_RING0, "ring0" }, { TRAP_SYSCALL32, "syscall32" }

/* Let readers of the format see the values of these enumerators. */
TRACE_DEFINE_ENUM(LG_FLUSH_USER);
TRACE_DEFINE_ENUM(LG_FLUSH_ALL);
TRACE_DEFINE_ENUM(LG_FLUSH_RANGE);

#define LG_TRACE_FLUSHES						\
	{ LG_FLUSH_USER, "user" }, { LG_FLUSH_ALL, "all" },		\
	{ LG_FLUSH_RANGE, "range" }

#define LG_TRACE_CALL(number, name)	{ LHCALL_##number, #name }

TRACE_EVENT(lguest_entry,
	TP_PROTO(unsigned int vcpu, u8 mode, u64 ip),
	TP_ARGS(vcpu, mode, ip),
	TP_STRUCT__entry(
		__field(u32, vcpu) __field(u8, mode) __field(u64, ip)
	),
	TP_fast_assign(
		__entry->vcpu = vcpu;
		__entry->mode = mode;
		__entry->ip = ip;
	),
	TP_printk("vcpu %u %s ip 0x%llx", __entry->vcpu,
		  __print_symbolic(__entry->mode, LG_TRACE_MODES), __entry->ip)
);

/* Mode and address of the guest at the exit; error and cr2 mean something with #PF only. */
TRACE_EVENT(lguest_exit,
	TP_PROTO(unsigned int vcpu, u32 trap, u8 mode, u64 ip, u64 error, u64 cr2),
	TP_ARGS(vcpu, trap, mode, ip, error, cr2),
	TP_STRUCT__entry(
		__field(u32, vcpu) __field(u32, trap) __field(u8, mode) __field(u64, ip)
		__field(u64, error) __field(u64, cr2)
	),
	TP_fast_assign(
		__entry->vcpu = vcpu;
		__entry->trap = trap;
		__entry->mode = mode;
		__entry->ip = ip;
		__entry->error = error;
		__entry->cr2 = cr2;
	),
	TP_printk("vcpu %u trap %s %s ip 0x%llx error 0x%llx cr2 0x%llx", __entry->vcpu,
		  __print_symbolic(__entry->trap, LG_TRACE_TRAPS),
		  __print_symbolic(__entry->mode, LG_TRACE_MODES),
		  __entry->ip, __entry->error, __entry->cr2)
);

/* An exception or interrupt goes to the guest's kernel; error ~0: it has no error code. */
TRACE_EVENT(lguest_inject,
	TP_PROTO(unsigned int vcpu, u32 vector, u64 error),
	TP_ARGS(vcpu, vector, error),
	TP_STRUCT__entry(
		__field(u32, vcpu) __field(u32, vector) __field(u64, error)
	),
	TP_fast_assign(
		__entry->vcpu = vcpu;
		__entry->vector = vector;
		__entry->error = error;
	),
	TP_printk("vcpu %u vector %s error 0x%llx", __entry->vcpu,
		  __print_symbolic(__entry->vector, LG_TRACE_TRAPS), __entry->error)
);

/* Level 1: 4 KiB. Level 2: 2 MiB; gfn and pfn are still those of the address. */
TRACE_EVENT(lguest_shadow_fill,
	TP_PROTO(unsigned int vcpu, u64 gva, u64 gfn, u64 pfn, u8 level, u64 error),
	TP_ARGS(vcpu, gva, gfn, pfn, level, error),
	TP_STRUCT__entry(
		__field(u32, vcpu) __field(u8, level) __field(u64, gva) __field(u64, gfn)
		__field(u64, pfn) __field(u64, error)
	),
	TP_fast_assign(
		__entry->vcpu = vcpu;
		__entry->level = level;
		__entry->gva = gva;
		__entry->gfn = gfn;
		__entry->pfn = pfn;
		__entry->error = error;
	),
	TP_printk("vcpu %u gva 0x%llx gfn 0x%llx pfn 0x%llx level %u error 0x%llx",
		  __entry->vcpu, __entry->gva, __entry->gfn, __entry->pfn, __entry->level,
		  __entry->error)
);

/* The host changes this memory of the launcher, and some of it is guest memory. */
TRACE_EVENT(lguest_invalidate,
	TP_PROTO(unsigned long start, unsigned long end),
	TP_ARGS(start, end),
	TP_STRUCT__entry(
		__field(unsigned long, start) __field(unsigned long, end)
	),
	TP_fast_assign(
		__entry->start = start;
		__entry->end = end;
	),
	TP_printk("start 0x%lx end 0x%lx", __entry->start, __entry->end)
);

/*
 * A table or a large page comes into an entry of this level, on a CPU that must not find both sizes
 * in its TLB. stale: the number of vCPUs in the guest that may find both; it must be 0.
 */
TRACE_EVENT(lguest_resize,
	TP_PROTO(u8 level, bool large, unsigned int stale),
	TP_ARGS(level, large, stale),
	TP_STRUCT__entry(
		__field(u32, stale) __field(u8, level) __field(bool, large)
	),
	TP_fast_assign(
		__entry->stale = stale;
		__entry->level = level;
		__entry->large = large;
	),
	TP_printk("level %u %s stale %u", __entry->level, __entry->large ? "large" : "table",
		  __entry->stale)
);

/* The addresses mean something with "range" only. */
TRACE_EVENT(lguest_flush,
	TP_PROTO(unsigned int vcpu, u64 kind, u64 start, u64 end),
	TP_ARGS(vcpu, kind, start, end),
	TP_STRUCT__entry(
		__field(u32, vcpu) __field(u32, kind) __field(u64, start) __field(u64, end)
	),
	TP_fast_assign(
		__entry->vcpu = vcpu;
		__entry->kind = kind;
		__entry->start = start;
		__entry->end = end;
	),
	TP_printk("vcpu %u %s start 0x%llx end 0x%llx", __entry->vcpu,
		  __print_symbolic(__entry->kind, LG_TRACE_FLUSHES),
		  __entry->start, __entry->end)
);

/* The guest chooses the number: it may be no hypercall's. */
DECLARE_EVENT_CLASS(lguest_call,
	TP_PROTO(unsigned int vcpu, u64 nr, const u64 *args),
	TP_ARGS(vcpu, nr, args),
	TP_STRUCT__entry(
		__field(u32, vcpu) __field(u64, nr) __field(u64, arg0) __field(u64, arg1)
		__field(u64, arg2)
	),
	TP_fast_assign(
		__entry->vcpu = vcpu;
		__entry->nr = nr;
		__entry->arg0 = args[0];
		__entry->arg1 = args[1];
		__entry->arg2 = args[2];
	),
	TP_printk("vcpu %u %s 0x%llx 0x%llx 0x%llx", __entry->vcpu,
		  __print_symbolic(__entry->nr, LGUEST_HYPERCALLS(LG_TRACE_CALL)),
		  __entry->arg0, __entry->arg1, __entry->arg2)
);

DEFINE_EVENT(lguest_call, lguest_hypercall,
	TP_PROTO(unsigned int vcpu, u64 nr, const u64 *args),
	TP_ARGS(vcpu, nr, args)
);

/* A call from the ring, when the host does it. */
DEFINE_EVENT(lguest_call, lguest_ring_call,
	TP_PROTO(unsigned int vcpu, u64 nr, const u64 *args),
	TP_ARGS(vcpu, nr, args)
);

#endif /* _LG_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
